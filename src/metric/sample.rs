//! What is measured at one moment.

use std::io;

use heapless::Vec;

use super::series::{SERIES_MAX, Series};
use crate::platform::clock::BootTime;

/// A value in its metric's unit, or the reason why there is none. Never a zero for "unknown".
pub type Reading = Result<f64, NoData>;

/// The readings of a sample, one a series, in the configuration's order.
pub type Readings = Vec<Reading, SERIES_MAX>;

/// Why a reading is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoData {
    /// The source is not there: no such file, no such device, not this board.
    NotPresent,
    /// The source is there, but not for this user.
    Denied,
    /// The source cannot be read, or answers with an error.
    Unreadable,
    /// The source does not answer in time.
    NotAnswering,
    /// The source says something else than expected.
    Malformed,
    /// The value needs two readings, and there is one; or no time lies between them.
    NotYet,
    /// A counter has gone backwards: it was reset, and counting begins anew.
    Backwards,
    /// The value needs the time of day, and the system clock is not set.
    NoClock,
    /// The broker has it already.
    Delivered,
}

impl NoData {
    /// The reason in words, to follow "no reading: ".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPresent => "there is no source for it on this board",
            Self::Denied => "this user may not read its source (is it in the group `video`?)",
            Self::Unreadable => "its source cannot be read",
            Self::NotAnswering => "its file system does not answer",
            Self::Malformed => "its source says something unexpected",
            Self::NotYet => "there is nothing to take it from yet",
            Self::Backwards => "its counter went backwards; it counts anew from here",
            Self::NoClock => "the system clock is not set",
            Self::Delivered => "it is delivered already",
        }
    }
}

impl From<io::Error> for NoData {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // A driver without its device, or a feature that is switched off, answers EOPNOTSUPP.
            io::ErrorKind::NotFound | io::ErrorKind::Unsupported => Self::NotPresent,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Unreadable,
        }
    }
}

/// All readings of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The moment, on the boot clock.
    pub taken_at: BootTime,
    /// One reading a series.
    pub readings: Readings,
}

/// A sample as it is kept while it waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept<'a> {
    /// The moment, on the boot clock.
    pub taken_at: BootTime,
    /// One reading a series.
    pub readings: &'a [Reading],
}

impl<'a> From<&'a Sample> for Kept<'a> {
    fn from(sample: &'a Sample) -> Self {
        Self { taken_at: sample.taken_at, readings: &sample.readings }
    }
}

impl Sample {
    /// Takes the readings out that are delivered, of a sample whose parts are its readings.
    pub fn forget_delivered(&mut self, is_unacknowledged: impl Fn(usize) -> bool) {
        for (part, reading) in self.readings.iter_mut().enumerate() {
            if reading.is_ok() && !is_unacknowledged(part) {
                *reading = Err(NoData::Delivered);
            }
        }
    }

    /// Puts another reading in the place of a series', of those that the readings are of.
    pub fn replace(&mut self, series: &[Series], of: &Series, reading: Reading) {
        for (slot, series) in self.readings.iter_mut().zip(series) {
            if series == of {
                *slot = reading;
            }
        }
    }

    /// Brings the readings, which are of the series `from`, into the order of the series `to`. One
    /// that was not measured is [`NoData::NotYet`]; one that is not asked for any more is dropped.
    pub fn rearrange(&mut self, from: &[Series], to: &[Series]) {
        let reading = |wanted: &Series| {
            let index = from.iter().position(|series| series == wanted)?;
            self.readings.get(index).copied()
        };
        self.readings =
            to.iter().take(SERIES_MAX).map(|wanted| reading(wanted).unwrap_or(Err(NoData::NotYet))).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;

    #[test]
    fn a_reading_that_is_delivered_is_there_no_more() {
        let readings = Readings::from_slice(&[Ok(1.0), Ok(2.0), Err(NoData::Denied)]).unwrap();
        let mut sample = Sample { taken_at: BootTime::default(), readings };
        sample.forget_delivered(|part| part == 1);
        assert_eq!(sample.readings, [Err(NoData::Delivered), Ok(2.0), Err(NoData::Denied)]);
    }

    #[test]
    fn a_reading_goes_with_its_series() {
        let series = |metric, mount: Option<&str>| Series { metric, of: mount.map(Into::into) };
        let (root, data) = (series(Metric::Disk, Some("/")), series(Metric::Disk, Some("/data")));
        let (cpu, memory) = (series(Metric::Cpu, None), series(Metric::Memory, None));
        let readings = Readings::from_slice(&[Ok(1.0), Ok(2.0), Err(NoData::Denied)]).unwrap();
        let mut sample = Sample { taken_at: BootTime::default(), readings };
        sample.replace(&[cpu.clone(), root.clone(), data.clone()], &data, Ok(3.0));
        sample.replace(&[], &root, Ok(4.0));
        assert_eq!(sample.readings, [Ok(1.0), Ok(2.0), Ok(3.0)]);
        sample.replace(&[cpu.clone(), root.clone(), data.clone()], &data, Err(NoData::Denied));
        sample.rearrange(&[cpu, root.clone(), data.clone()], &[data, memory, root]);
        assert_eq!(sample.readings, [Err(NoData::Denied), Err(NoData::NotYet), Ok(2.0)]);
    }
}
