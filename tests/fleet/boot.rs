//! A fleet that is switched on in one second, as after a power cut, while its broker is there.

use std::time::Duration;

use pivitals::uplink::backoff::first_attempt;

use crate::outage::millis;
use crate::rate::{Moments, Random};

/// From power to the agent's start, in milliseconds.
pub const STARTED_AFTER: u64 = 12_000;

/// The first attempts of `devices` that run the same image on the same board, in milliseconds after power.
pub fn attempts(devices: usize) -> Moments {
    let mut random = Random::seeded(0);
    let uptime = Duration::from_millis(STARTED_AFTER);
    let attempt = |_| STARTED_AFTER + millis(first_attempt(uptime, random.word()));
    Moments::new((0..devices).map(attempt).collect())
}
