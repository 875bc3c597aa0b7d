//! What is measured at one moment.

use heapless::Vec;

use crate::clock::BootTime;
use crate::metric::SERIES_MAX;

/// A value in its metric's unit, or the reason why there is none. Never a zero for "unknown".
pub type Reading = Result<f32, NoData>;

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
    /// The source says something else than expected.
    Malformed,
    /// The value needs two readings, and there is one; or no time lies between them.
    NotYet,
    /// A counter has gone backwards: it was reset, and counting begins anew.
    Backwards,
}

impl NoData {
    /// The reason in words, to follow "no reading: ".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPresent => "there is no source for it on this board",
            Self::Denied => "this user may not read its source (is it in the group `video`?)",
            Self::Unreadable => "its source cannot be read",
            Self::Malformed => "its source says something unexpected",
            Self::NotYet => "it takes two readings, and there is only one so far",
            Self::Backwards => "its counter went backwards; it counts anew from here",
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
