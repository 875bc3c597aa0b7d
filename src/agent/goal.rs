//! What the loop is coming to: to publish and no end, to another configuration, to its end.

use std::time::Duration;

use log::warn;

use crate::config::setup::{Setup, SetupError};
use crate::platform::clock::BootTime;
use crate::platform::event::Signal;

/// How long the end may take while messages are in flight: well under the three seconds that are
/// promised.
const DRAIN_TIME: Duration = Duration::from_millis(2500);
const _: () = assert!(DRAIN_TIME.as_millis() < 3000);

/// What the loop does about the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Send what there is.
    Publish,
    /// Send nothing more, and take the acknowledgements.
    Settle,
}

/// What the loop is coming to.
#[derive(Debug)]
pub enum Aim {
    /// Nothing but to publish.
    Publish,
    /// To go on with another setup, once what is in flight is acknowledged.
    Reload { setup: Box<Setup>, until: BootTime },
    /// To end, once everything is delivered.
    End { until: BootTime },
}

impl Aim {
    pub const fn mode(&self) -> Mode {
        match self {
            Self::Publish | Self::End { .. } => Mode::Publish,
            Self::Reload { .. } => Mode::Settle,
        }
    }

    /// The time to come to it; or until the next sample is due, if that is earlier.
    pub fn until(&self, next_sample: BootTime) -> BootTime {
        match self {
            Self::Publish => next_sample,
            Self::Reload { until, .. } => next_sample.min(*until),
            Self::End { until } => *until,
        }
    }

    /// What it comes to after a signal.
    pub fn after(
        self,
        signal: Option<Signal>,
        load: &impl Fn() -> Result<Setup, Vec<SetupError>>,
        now: BootTime,
    ) -> Self {
        match (self, signal) {
            (aim, None) | (aim @ Self::End { .. }, Some(_)) => aim,
            (_, Some(Signal::Terminate)) => Self::End { until: now + DRAIN_TIME },
            (aim, Some(Signal::Reload)) => match load() {
                Ok(setup) => Self::Reload { setup: Box::new(setup), until: now + DRAIN_TIME },
                Err(errors) => {
                    for error in errors {
                        warn!("{error}");
                    }
                    warn!("the configuration was not changed, because the new one has errors");
                    aim
                }
            },
        }
    }
}
