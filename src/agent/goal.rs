//! What the loop works towards: publishing, another configuration, or its end.

use std::time::Duration;

use crate::config::setup::{Setup, SetupError};
use crate::platform::clock::BootTime;
use crate::platform::event::Signal;
use crate::report::notices;
use crate::uplink::turn::Mode;

/// How long the end may take while messages are in flight: well under the three seconds that are
/// promised.
const DRAIN_TIME: Duration = Duration::from_millis(2500);
const _: () = assert!(DRAIN_TIME.as_millis() < 3000);

/// What the loop works towards.
#[derive(Debug)]
pub enum Goal {
    /// Nothing but to publish.
    Publish,
    /// To go on with another setup, once what is in flight is acknowledged.
    Reload { setup: Box<Setup>, until: BootTime },
    /// To end, once everything is delivered.
    Stop { until: BootTime },
}

impl Goal {
    pub const fn mode(&self) -> Mode {
        match self {
            Self::Publish | Self::Stop { .. } => Mode::Publish,
            Self::Reload { .. } => Mode::Settle,
        }
    }

    /// The time to come to it; or until the next sample is due, if that is earlier.
    pub fn until(&self, next_sample: BootTime) -> BootTime {
        match self {
            Self::Publish => next_sample,
            Self::Reload { until, .. } => next_sample.min(*until),
            Self::Stop { until } => *until,
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
            (goal, None) | (goal @ Self::Stop { .. }, Some(_)) => goal,
            (_, Some(Signal::Terminate)) => Self::Stop { until: now + DRAIN_TIME },
            (goal, Some(Signal::Reload)) => match load() {
                Ok(setup) => Self::Reload { setup: Box::new(setup), until: now + DRAIN_TIME },
                Err(errors) => {
                    notices::not_reloaded(&errors);
                    goal
                }
            },
        }
    }
}
