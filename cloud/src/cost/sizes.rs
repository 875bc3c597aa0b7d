//! How long messages are: written by the device's own encoder, for a sample as devices have it.

use pivitals::message::payload::{Encoder, Format, LEN_MAX};
use pivitals::metric::sample::{Readings, Sample};
use pivitals::metric::{Metric, Series, Unit};
use pivitals::platform::clock::{BootTime, Utc};

use crate::fleet::{Fleet, THING_NAME};

/// What a device may be called that is not known: Raspberry Pi OS's own name.
const LABEL: &str = "raspberrypi";
/// Some day in the years for which the prices are.
const TIME_MILLIS: u64 = 1_800_000_000_000;

/// The parts of a message, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Payload and topic, which AWS IoT Core counts.
    pub length: usize,
    /// The texts of its events, which CloudWatch Logs counts.
    pub events: usize,
    /// Number of samples.
    pub samples: usize,
}

/// Lengths in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The longest message in format `rule`, with its topic.
    pub rule: usize,
    /// In format `flat`.
    pub flat: Message,
    /// In format `emf`.
    pub emf: Message,
    /// In format `emf`, with as many samples as fit into a message.
    pub batch: Message,
}

impl Sizes {
    /// The sizes of a fleet's messages.
    #[must_use]
    pub fn new(fleet: &Fleet) -> Self {
        let label = fleet.known_label().unwrap_or(LABEL);
        let topic =
            fleet.topics.iter().map(|topic| topic.replace(THING_NAME, LABEL).len()).max().unwrap_or(0);
        let sample = Sample {
            taken_at: BootTime::default(),
            readings: fleet.series.iter().map(|series| Ok(typical(series))).collect::<Readings>(),
        };
        let interval = u64::try_from(fleet.config.interval.as_millis()).unwrap_or(u64::MAX);
        let write = |format, part: usize, count: u64| {
            let mut encoder = Encoder::new(format, fleet.series.clone(), label, &fleet.config.namespace);
            let times = (0..count).map(|number| Utc::from_millis(TIME_MILLIS + number * interval));
            let message = encoder.encode(part, LEN_MAX, times.map(|time| (&sample, time)));
            message.map(|message| (message.payload.to_vec(), message.samples)).unwrap_or_default()
        };
        let log = |format, count| {
            let (payload, samples) = write(format, 0, count);
            let events = if format == Format::Emf { texts(&payload) } else { payload.len() };
            Message { length: payload.len() + topic, events, samples }
        };
        let rules = (0..fleet.series.len()).map(|part| write(Format::Rule, part, 1).0.len());
        Self {
            rule: rules.max().unwrap_or(0) + topic,
            flat: log(Format::Flat, 1),
            emf: log(Format::Emf, 1),
            batch: log(Format::Emf, 10_080),
        }
    }
}

/// A reading with as many digits as it mostly has.
fn typical(series: &Series) -> f64 {
    match (series.metric, series.metric.description().unit) {
        (Metric::Clock | Metric::CoreVoltage, _) => 1200.0,
        (_, Unit::Percent | Unit::None) => 42.5,
        (_, Unit::Megabytes) => 321.5,
        (_, Unit::BytesPerSecond) => 12_345.5,
        (_, Unit::Seconds) => 1_234_567.5,
        (_, Unit::Milliseconds) => 31.5,
        (_, Unit::Count) => 1.0,
    }
}

/// The texts of a batch's events, without the quoting that a message needs and a log does not.
fn texts(payload: &[u8]) -> usize {
    let batch: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    let events = batch["batch"].as_array().into_iter().flatten();
    events.filter_map(|event| event["message"].as_str()).map(str::len).sum()
}
