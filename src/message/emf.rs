//! CloudWatch's embedded metric format, for the IoT rule's `cloudwatchLogs` action with `batchMode`:
//! `{"batch":[{"timestamp":1767225600000,"message":"{\"_aws\":…}"}]}`
//!
//! Each event's message is a JSON document as text. The service wants the events of one batch in
//! order of time and within 24 hours (API reference, `PutLogEvents`; CloudWatch user guide, "embedded
//! metric format specification").

use std::fmt;

use super::{LABEL_LEN_MAX, NAMESPACE_LEN_MAX, escaped, known, thing_len};
use crate::message::json::{self, INTEGER_LEN_MAX, NUMBER_LEN_MAX, Object};
use crate::metric::sample::Kept;
use crate::metric::{MOUNT_LEN_MAX, MOUNTS_MAX, Metric, SERIES_MAX, Series};
use crate::platform::clock::Utc;

/// The quotes of a series, which are escaped once more in the event.
const SERIES_QUOTES: usize = 10;
/// The quotes in a document's fixed text, and around the label and the namespace.
const DOCUMENT_QUOTES: usize = 24;

/// The document of one sample: its fixed text, what the configuration adds, and every series.
const DOCUMENT_LEN_MAX: usize =
    120 + NAMESPACE_LEN_MAX + escaped(LABEL_LEN_MAX) + INTEGER_LEN_MAX + series_len();

/// `{"Name":"…","Unit":"Percent"},` and `"…":1.0,` for each series.
const fn series_len() -> usize {
    let mut metrics: &[Metric] = &Metric::ALL;
    let mut length = 0;
    while let [metric, rest @ ..] = metrics {
        let about = metric.description();
        let name = about.emf_name.len() + thing_len(about.scope);
        length += about.scope.things_max() * (26 + 2 * name + about.unit.as_str().len() + NUMBER_LEN_MAX);
        metrics = rest;
    }
    length
}

const HEAD: &[u8] = br#"{"batch":["#;
const TAIL: &[u8] = b"]}";

/// A document as text in an event: its quotes and the backslashes before those of the configuration's
/// strings become two bytes.
const ESCAPED_DOCUMENT_LEN_MAX: usize = DOCUMENT_LEN_MAX
    + DOCUMENT_QUOTES
    + SERIES_MAX * SERIES_QUOTES
    + escaped(LABEL_LEN_MAX)
    + MOUNTS_MAX * 2 * escaped(MOUNT_LEN_MAX);

/// A batch of one sample with everything at its longest.
pub const LEN_MAX: usize = HEAD.len() + TAIL.len() + 32 + INTEGER_LEN_MAX + ESCAPED_DOCUMENT_LEN_MAX;

/// The events of a batch span less than this.
const SPAN_MAX_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Writes the first of `samples`, and those after it that fit into `len_max` bytes and the time span.
/// Gives the message's length and how many they were; `None` if there was none.
pub fn write_batch<'a>(
    buffer: &mut [u8],
    len_max: usize,
    label: &str,
    namespace: &str,
    series: &[Series],
    samples: impl Iterator<Item = (Kept<'a>, Utc)>,
) -> Option<(usize, usize)> {
    let room = buffer.len().checked_sub(TAIL.len())?;
    buffer.get_mut(..HEAD.len())?.copy_from_slice(HEAD);
    let mut length = HEAD.len();
    let mut count = 0;
    let mut earliest = None;
    for (sample, time) in samples {
        let earliest = *earliest.get_or_insert(time);
        if time.as_millis().abs_diff(earliest.as_millis()) >= SPAN_MAX_MILLIS {
            break;
        }
        let comma = usize::from(count > 0);
        let room = if count == 0 { room } else { room.min(len_max.saturating_sub(TAIL.len())) };
        let document = Document { label, namespace, series, sample, time };
        let Some(written) =
            buffer.get_mut(length + comma..room).and_then(|free| write_event(free, &document))
        else {
            break;
        };
        if comma == 1 {
            *buffer.get_mut(length)? = b',';
        }
        length += comma + written;
        count += 1;
    }
    buffer.get_mut(length..)?.get_mut(..TAIL.len())?.copy_from_slice(TAIL);
    (count > 0).then_some((length + TAIL.len(), count))
}

fn write_event(buffer: &mut [u8], document: &Document<'_>) -> Option<usize> {
    json::to_slice(buffer, |event| {
        event.key("timestamp").integer(document.time.as_millis());
        event.key("message").document(|message| document.write(message));
    })
}

struct Document<'a> {
    label: &'a str,
    namespace: &'a str,
    series: &'a [Series],
    sample: Kept<'a>,
    time: Utc,
}

impl Document<'_> {
    /// What is known: a reading that is not to be had is neither declared nor given.
    fn known(&self) -> impl Iterator<Item = (&Series, f64)> {
        let readings = self.series.iter().zip(self.sample.readings);
        readings.filter_map(|(series, &reading)| Some((series, known(reading)?)))
    }

    fn write(&self, document: &mut Object<'_>) {
        document.key("_aws").object(|metadata| {
            metadata.key("Timestamp").integer(self.time.as_millis());
            metadata.key("CloudWatchMetrics").list(|directives| {
                directives.item().object(|directive| self.write_directive(directive));
            });
        });
        document.key("device").text(self.label);
        for (series, value) in self.known() {
            document.key_of(&Name(series)).number(value);
        }
    }

    /// What CloudWatch is to make of the document.
    fn write_directive(&self, directive: &mut Object<'_>) {
        directive.key("Namespace").text(self.namespace);
        directive.key("Dimensions").list(|sets| {
            sets.item().list(|set| set.item().text("device"));
        });
        directive.key("Metrics").list(|definitions| {
            for (series, _) in self.known() {
                definitions.item().object(|definition| {
                    definition.key("Name").text_of(&Name(series));
                    definition.key("Unit").text(series.metric.description().unit.as_str());
                });
            }
        });
    }
}

/// The metric's name: `disk_usage_data`.
struct Name<'a>(&'a Series);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.metric.description().emf_name, self.0.suffix())
    }
}
