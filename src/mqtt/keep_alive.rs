//! When the broker is asked for a sign of life, and when it owes one for too long.

use std::time::Duration;

use crate::platform::clock::BootTime;

const PINGRESP_WAIT: Duration = Duration::from_secs(20);

/// The keep-alive of a session: a PINGREQ goes out only if nothing else was sent for half of it.
#[derive(Debug)]
pub struct KeepAlive {
    interval: Duration,
    last_sent_at: BootTime,
    ping_sent_at: Option<BootTime>,
}

impl KeepAlive {
    /// A keep-alive of so many seconds; 0 turns it off.
    pub fn new(secs: u16, now: BootTime) -> Self {
        Self { interval: Duration::from_secs(secs.into()), last_sent_at: now, ping_sent_at: None }
    }

    /// Takes the keep-alive over that the broker has set, in seconds.
    pub fn change(&mut self, secs: u16) {
        self.interval = Duration::from_secs(secs.into());
    }

    /// Notes that something was sent.
    pub const fn sent(&mut self, now: BootTime) {
        self.last_sent_at = now;
    }

    /// When something was sent last.
    pub const fn last_sent_at(&self) -> BootTime {
        self.last_sent_at
    }

    /// When PINGREQ is due.
    pub fn ping_at(&self) -> BootTime {
        if self.ping_sent_at.is_none() && !self.interval.is_zero() {
            self.last_sent_at + self.interval / 2
        } else {
            BootTime::NEVER
        }
    }

    /// Notes that PINGREQ goes out.
    pub const fn pinged(&mut self, now: BootTime) {
        self.ping_sent_at = Some(now);
    }

    /// Notes PINGRESP.
    pub const fn answered(&mut self) {
        self.ping_sent_at = None;
    }

    /// Until when PINGRESP has to come, if the broker owes it.
    pub fn answer_deadline(&self) -> Option<BootTime> {
        self.ping_sent_at.map(|sent_at| sent_at + PINGRESP_WAIT)
    }
}
