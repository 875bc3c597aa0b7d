//! A fleet whose connections all close at the same moment, and whose broker is back some time later.
//!
//! The broker of this model takes every connection at once, so no device affects another: each is followed
//! by itself from attempt to attempt, and only the counts are added up. `quota.rs` has a broker with a limit.

use std::time::Duration;

use pivitals::platform::clock::BootTime;
use pivitals::uplink::backoff::{Backoff, FLOOR};

use crate::rate::{Moments, Random, per_second};

/// When the connections close, in milliseconds since boot: long after every one of them has proved itself.
pub const LOST_AT: u64 = 120_000;
/// From the first packet that the broker receives to CONNACK, in milliseconds.
pub const CONNECT: u64 = 500;
/// Until an attempt is refused, in milliseconds.
const REFUSED_AFTER: u64 = 100;
/// Until the agent gives up an attempt that nobody answers, in milliseconds: `TCP_WAIT` of `net/link.rs`.
const SILENT_AFTER: u64 = 20_000;
/// When Linux repeats the SYN of such an attempt, in milliseconds after the first: since 6.5,
/// `tcp_syn_linear_timeouts`.
const SYN_REPEATED_AFTER: [u64; 8] = [1_000, 2_000, 3_000, 4_000, 5_000, 7_000, 11_000, 19_000];

/// What an attempt meets while the broker is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// The host answers that nobody listens.
    Refusing,
    /// Every packet vanishes. The broker's return finds some attempts under way; the kernel's next
    /// repetition of the SYN then connects them.
    Silent,
}

/// A fleet and its outage.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    /// Number of devices.
    pub devices: usize,
    /// Sampling interval of each, in seconds.
    pub interval_secs: u64,
    /// How long the broker is away, in seconds; 0 is a restart that no attempt meets.
    pub secs: u64,
    /// How the broker is away.
    pub away: Away,
    /// Which of many like fleets: the seed of its random words.
    pub fleet: u64,
}

/// What the simulation saw.
pub struct Recovery {
    devices: usize,
    /// When the broker is back.
    pub back_at: u64,
    /// When devices began attempts, those in vain included.
    pub attempts: Moments,
    /// When the broker first heard from each device: an attempt, or the repetition of a SYN.
    pub arrivals: Moments,
}

impl Outage {
    pub fn simulate(self) -> Recovery {
        let back_at = LOST_AT + self.secs * 1000;
        let mut random = Random::seeded(self.fleet);
        let (mut attempts, mut arrivals) = (Vec::new(), Vec::new());
        for _ in 0..self.devices {
            let mut backoff = proven(self.interval_secs, &mut random);
            let mut now = LOST_AT;
            loop {
                now += wait(&mut backoff, &mut random);
                attempts.push(now);
                if now >= back_at {
                    arrivals.push(now);
                    break;
                }
                if self.away == Away::Refusing {
                    now += REFUSED_AFTER;
                } else if let Some(age) = SYN_REPEATED_AFTER.iter().find(|&&age| now + age >= back_at) {
                    arrivals.push(now + age);
                    break;
                } else {
                    now += SILENT_AFTER;
                }
            }
        }
        let (attempts, arrivals) = (Moments::new(attempts), Moments::new(arrivals));
        Recovery { devices: self.devices, back_at, attempts, arrivals }
    }
}

impl Recovery {
    /// When the last device was connected again, in milliseconds after the broker's return.
    pub fn duration(&self) -> u64 {
        self.arrivals.last() + CONNECT - self.back_at
    }

    /// Devices that came back a second, from the broker's return until the last was connected.
    pub fn mean(&self) -> f64 {
        per_second(self.devices, self.duration())
    }

    /// The most attempts begun in any one second after the broker's return.
    pub fn peak(&self) -> usize {
        self.attempts.peak(self.back_at, u64::MAX)
    }

    /// The most devices that the broker first heard from in any one second: attempts that it found under
    /// way add to those that are begun.
    pub fn arrivals_peak(&self) -> usize {
        self.arrivals.peak(self.back_at, u64::MAX)
    }
}

/// The backoff of a device that once needed up to nine attempts and has been online for two minutes since.
pub fn proven(interval_secs: u64, random: &mut Random) -> Backoff {
    let mut backoff = Backoff::new(Duration::from_secs(interval_secs));
    for _ in 0..random.below(10) {
        wait(&mut backoff, random);
    }
    let connected_at = BootTime::from_millis(0);
    assert!(backoff.acknowledged(connected_at, BootTime::from_millis(LOST_AT)));
    backoff
}

/// The wait after a failure that is no refusal, in milliseconds.
pub fn wait(backoff: &mut Backoff, random: &mut Random) -> u64 {
    millis(backoff.next(FLOOR, random.word()))
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}
