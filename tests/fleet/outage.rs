//! A fleet that loses its broker in one second, and finds it again ten minutes later.
//!
//! The broker of this model takes whatever comes, so no device hears of another and each is followed
//! by itself, from event to event; only the counts are added up.

use std::time::Duration;

use pivitals::platform::clock::BootTime;
use pivitals::uplink::backoff::{Backoff, FLOOR};

use crate::DEVICES;
use crate::rate::{Moments, Random, per_second};

/// When the broker goes: long after every connection has proved itself.
pub const LOST_AT: u64 = 120_000;
/// How long it is away.
pub const OUTAGE: u64 = 600_000;
/// When it is back.
pub const BACK_AT: u64 = LOST_AT + OUTAGE;
/// Within this all devices notice that their connection is gone: the worst case.
const LOSS_SPREAD: u64 = 1_000;
/// From the first packet to CONNACK.
pub const CONNECT: u64 = 500;
/// Until a host without a broker says so: every other device meets one.
const REFUSED_AFTER: u64 = 100;
/// Until a device gives up on a network that says nothing, `TCP_WAIT` of `link.rs`: the others.
pub const SILENT_AFTER: u64 = 20_000;

/// When Linux repeats a SYN, after the first (since 6.5; `tcp_syn_linear_timeouts`).
const SYN_REPEATED_AFTER: [u64; 8] = [1_000, 2_000, 3_000, 4_000, 5_000, 7_000, 11_000, 19_000];

/// What becomes of an attempt that the broker's return finds under way in a silence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It fails in its own time. What is counted is then the agent's own doing: attempts it began.
    Lost,
    /// The kernel's next repetition of the SYN finds the broker. No wait of the agent's comes between,
    /// so these are a wave of their own on top; the picture shows it beside the promise.
    Repeated,
}

/// What was seen.
pub struct Recovery {
    /// When attempts to connect began; or, begun in the outage, found the broker after all.
    pub connects: Moments,
    /// When devices were connected again.
    pub connected: Moments,
}

impl Recovery {
    pub fn simulate(silence: Silence) -> Self {
        let mut random = Random::seeded();
        let (mut connects, mut connected) = (Vec::new(), Vec::new());
        for device in 0..DEVICES {
            let mut backoff = proven(&mut random);
            let mut now = LOST_AT + random.below(LOSS_SPREAD);
            loop {
                now += wait(&mut backoff, &mut random);
                connects.push(now);
                if now >= BACK_AT {
                    break;
                }
                if device % 2 == 0 {
                    now += REFUSED_AFTER;
                    continue;
                }
                if silence == Silence::Repeated
                    && let Some(age) = SYN_REPEATED_AFTER.iter().find(|&&age| now + age >= BACK_AT)
                {
                    now += age;
                    connects.push(now);
                    break;
                }
                now += SILENT_AFTER;
            }
            connected.push(now + CONNECT);
        }
        Self { connects: Moments::new(connects), connected: Moments::new(connected) }
    }

    /// When the last device was connected again.
    pub fn ended_at(&self) -> u64 {
        self.connected.within(BACK_AT, u64::MAX).last().copied().unwrap()
    }

    /// When 99 of 100 devices were connected again. The mean is taken until then: the few that come
    /// last would stretch the time and so lower the mean, by as much as one waits for them.
    pub fn nearly_ended_at(&self) -> u64 {
        self.connected.within(BACK_AT, u64::MAX)[DEVICES / 100 * 99 - 1]
    }

    /// The mean of the recovery: connects a second from the broker's return until 99 of 100 devices
    /// were connected.
    pub fn mean(&self) -> f64 {
        let until = self.nearly_ended_at();
        per_second(self.connects.within(BACK_AT, until).len(), until - BACK_AT)
    }

    /// The peak of the recovery: the most connects in any second from the broker's return until the
    /// last device was connected.
    pub fn peak(&self) -> f64 {
        per_second(self.connects.peak(BACK_AT, self.ended_at()), 1000)
    }
}

/// The backoff of a device that once needed a few attempts, and has been online for two minutes since.
fn proven(random: &mut Random) -> Backoff {
    let mut backoff = Backoff::default();
    for _ in 0..random.below(10) {
        wait(&mut backoff, random);
    }
    let connected_at = BootTime::from_millis(0);
    assert!(backoff.acknowledged(connected_at, BootTime::from_millis(LOST_AT)));
    backoff
}

fn wait(backoff: &mut Backoff, random: &mut Random) -> u64 {
    millis(backoff.next(FLOOR, random.word()))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}
