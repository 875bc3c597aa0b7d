//! The system clock: whether samples can be dated with it, as a running agent sees it.

use super::image::Place;
use super::report::{Report, Step};
use super::{Patient, WARN};
use crate::platform::adjtimex::{KernelClock, kernel_clock};
use crate::platform::clock::{self, Utc};
use crate::platform::hardware_clock;
use crate::platform::wall_clock::{ClockState, Trust, WallClock};
use crate::report::failure::{Failure, Words};

/// What the clock shows, and whether it is set.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    shows: Utc,
    state: ClockState,
}

impl Clock {
    /// Looks at the clock. For an image the build host's clock is looked at, which dates no sample: it only
    /// has to be later than the release.
    pub fn read(place: &Place) -> Self {
        let (now, shows) = (clock::boot_time(), clock::utc());
        let state = if place.is_image {
            WallClock::default().update(now, shows, || KernelClock::Synchronised)
        } else {
            let is_from_hardware_clock = hardware_clock::has_set_the_clock(&place.root, shows);
            WallClock::new(is_from_hardware_clock).update(now, shows, kernel_clock)
        };
        Self { shows, state }
    }

    /// What the clock shows, if it is set.
    pub fn utc(self) -> Option<Utc> {
        self.state.is_set().then_some(self.shows)
    }

    /// Whether the clock is set.
    pub const fn is_set(self) -> bool {
        self.state.is_set()
    }

    /// Reports the clock's state. Not set, it is a failure: an agent keeps its samples, and `once` ends with it.
    pub fn check(self, patient: &Patient, report: &mut Report<'_>) {
        let shows = self.shows;
        match self.state {
            ClockState::Set(Trust::Assumed) => {
                let words = Words::new(
                    format!(
                        "clock: it shows {shows}; no NTP client has synchronised it since boot, and it did not come from \
                         a hardware clock, so samples may be dated wrongly"
                    ),
                    "start an NTP client, or fit a real-time clock",
                );
                report.bad(Step::Clock, WARN, words);
            }
            ClockState::Set(Trust::KernelSilent) => {
                report.ok(
                    Step::Clock,
                    format!("{shows}, the kernel may not be asked whether it is synchronised"),
                );
            }
            state => match Failure::of_clock(state) {
                None => report.ok(Step::Clock, shows.to_string()),
                Some(failure) => patient.fail(Step::Clock, &failure, report),
            },
        }
    }
}
