//! What outlives a connection.

use std::time::Duration;

use super::delivery::Delivery;
use super::presence::Presence;
use super::retry::Retry;
use crate::measure::probe::Health;
use crate::metric::sample::NoData;
use crate::mqtt::Pace;
use crate::net::tls::Validity;
use crate::platform::clock::{BootTime, WallClock};

/// What outlives a connection.
#[derive(Debug)]
pub struct Durable {
    /// The samples.
    pub delivery: Delivery,
    /// The announcement to Home Assistant.
    pub presence: Presence,
    /// The waits, and what past failures have taught.
    pub retry: Retry,
    /// How fast messages may follow each other.
    pub pace: Pace,
    /// Counts since the start.
    pub tally: Tally,
}

impl Durable {
    /// The agent's own metrics. `validity` is that of the device's certificate.
    #[must_use]
    pub fn health(&self, validity: Validity, wall: &WallClock, now: BootTime) -> Health {
        Health {
            dropped: self.delivery.dropped(),
            reconnects: self.tally.reconnects(),
            queue: self.delivery.len(),
            puback_latency: self.tally.puback_latency,
            certificate_days: wall.utc_of(now).map(|utc| validity.days_left(utc)).ok_or(NoData::NoClock),
        }
    }
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Connections that the broker accepted.
    pub connections: u64,
    /// The last PUBACK for a sample, on any connection.
    pub acknowledged_at: Option<BootTime>,
    /// The shortest time from PUBLISH to PUBACK since the last sample.
    pub puback_latency: Option<Duration>,
}

impl Tally {
    /// Accepted connections, without the first.
    #[must_use]
    pub const fn reconnects(&self) -> u64 {
        self.connections.saturating_sub(1)
    }

    /// Notes a PUBACK, `latency` after its PUBLISH.
    pub fn acknowledged(&mut self, latency: Duration, now: BootTime) {
        self.acknowledged_at = Some(now);
        self.puback_latency = Some(self.puback_latency.map_or(latency, |known| known.min(latency)));
    }
}
