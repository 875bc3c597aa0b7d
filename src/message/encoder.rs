//! Samples as JSON, in a fixed buffer. Knows no file and no clock.
//!
//! Every number is written with one decimal, and rounded nowhere else.

use crate::metric::sample::{Kept, Reading, Sample};
use crate::metric::{SERIES_MAX, Scope, Series};
use crate::platform::clock::Utc;
use crate::queue::outbox::Parts;

mod emf;
mod flat;
pub mod homeassistant;
mod rule;

/// Longest label, in bytes.
pub const LABEL_LEN_MAX: usize = 128;
/// Longest namespace, in bytes (CloudWatch's limit). Nothing that has to be escaped is allowed in it.
pub const NAMESPACE_LEN_MAX: usize = 255;

/// Longest payload, in bytes.
pub const LEN_MAX: usize = 10 * 1024;
/// Longest payload of several samples, in bytes: AWS bills messages in units of 5 KB.
const BATCH_LEN_MAX: usize = 5 * 1024;

const _: () = assert!(rule::LEN_MAX <= LEN_MAX && flat::LEN_MAX <= LEN_MAX && emf::LEN_MAX <= LEN_MAX);
const _: () = assert!(SERIES_MAX <= Parts::MAX);

/// Bytes that a string of `len` bytes can grow to when it is escaped: `"` and `\` become two. Control
/// characters, which would become six, are refused when the configuration is read.
const fn escaped(len: usize) -> usize {
    2 * len
}

/// Bytes that the name of a thing can grow to, with the `_` or the blank before it. Only in a mount point
/// can something stand that has to be escaped.
const fn thing_len(scope: Scope) -> usize {
    match scope {
        Scope::Board => 0,
        Scope::Mount => 1 + escaped(scope.name_len_max()),
        Scope::Interface | Scope::Disk => 1 + scope.name_len_max(),
    }
}

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One message a series, for the IoT rule's `cloudwatchMetric` action.
    Rule,
    /// CloudWatch's embedded metric format, one message for one or more samples.
    Emf,
    /// One message a sample, one key a series.
    Flat,
}

/// Writes samples in one format, for one device.
#[derive(Debug)]
pub struct Encoder {
    format: Format,
    series: Vec<Series>,
    label: Box<str>,
    namespace: Box<str>,
    buffer: Box<[u8]>,
}

/// A message that was written, and how many samples are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The payload.
    pub payload: &'a [u8],
    /// From the first of the samples that were offered.
    pub samples: usize,
}

impl Encoder {
    /// An encoder for samples whose readings are of `series`, in that order.
    ///
    /// `label`, `namespace` and the mount points have no control characters and are no longer than
    /// their limits; the configuration is checked for that.
    #[must_use]
    pub fn new(format: Format, series: Vec<Series>, label: &str, namespace: &str) -> Self {
        debug_assert!(label.len() <= LABEL_LEN_MAX && namespace.len() <= NAMESPACE_LEN_MAX);
        Self {
            format,
            series,
            label: label.into(),
            namespace: namespace.into(),
            buffer: vec![0; len_max(format)].into(),
        }
    }

    /// The messages that a sample becomes: in `rule` one a reading, else one; none where all it could
    /// say is nothing.
    #[must_use]
    pub fn parts(&self, sample: &Sample) -> Parts {
        let is_known = |&(_, reading): &(usize, &Reading)| known(*reading).is_some();
        let known = sample.readings.iter().enumerate().filter(is_known).map(|(index, _)| index);
        match self.format {
            Format::Rule => Parts::of(known),
            Format::Emf => Parts::of(known.take(1).map(|_| 0)),
            Format::Flat => Parts::of([0]),
        }
    }

    /// Writes one message: the given part of the first sample or, in `emf`, of as many as fit into
    /// `len_max` bytes and one unit of AWS's bill, but at least one. `None` if there is no such part.
    pub fn encode<'a>(
        &mut self,
        part: usize,
        len_max: usize,
        samples: impl Iterator<Item = (impl Into<Kept<'a>>, Utc)>,
    ) -> Option<Message<'_>> {
        let mut samples = samples.map(|(sample, time)| (sample.into(), time));
        let Self { series, label, namespace, buffer, .. } = self;
        let (length, samples) = match self.format {
            Format::Rule => {
                let (sample, time) = samples.next()?;
                let reading = known(*sample.readings.get(part)?)?;
                (rule::write(buffer, label, series.get(part)?, reading, time)?, 1)
            }
            Format::Flat => {
                let (sample, time) = samples.next()?;
                (flat::write(buffer, label, series, sample, time)?, 1)
            }
            Format::Emf => {
                emf::write_batch(buffer, len_max.min(BATCH_LEN_MAX), label, namespace, series, samples)?
            }
        };
        Some(Message { payload: buffer.get(..length)?, samples })
    }
}

const fn len_max(format: Format) -> usize {
    match format {
        Format::Rule => rule::LEN_MAX,
        Format::Emf => emf::LEN_MAX,
        Format::Flat => flat::LEN_MAX,
    }
}

/// The number that a reading is, if it is one.
fn known(reading: Reading) -> Option<f64> {
    reading.ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests;
