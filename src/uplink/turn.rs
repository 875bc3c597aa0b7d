//! What a turn of the uplink needs, and how far the uplink is.

use crate::config::setup::Setup;
use crate::platform::clock::{BootTime, WallClock};
use crate::platform::event::Readiness;

/// What a turn needs.
#[derive(Debug)]
pub struct Turn<'a> {
    /// What to connect with.
    pub setup: &'a mut Setup,
    /// No attempt is made and nothing is sent while it is not set.
    pub wall: &'a WallClock,
    /// What the descriptor of [`Uplink::interest`](super::uplink::Uplink::interest) is ready for.
    pub ready: Readiness,
    /// This moment.
    pub now: BootTime,
    /// Whether samples are sent.
    pub mode: Mode,
}

/// What an uplink does with waiting samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Sends them.
    Publish,
    /// Sends nothing new and awaits what is in flight.
    Settle,
}

/// How far an uplink is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It waits for the next attempt.
    Waiting,
    /// An attempt is under way.
    Connecting,
    /// The broker accepted the connection.
    Connected,
}
