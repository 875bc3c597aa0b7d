//! A fleet that comes back to a broker with a limit: AWS IoT Core takes 500 CONNECTs a second of an
//! account by default, and turns the others away.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::outage::{CONNECT, LOST_AT, proven, wait};
use crate::rate::{Moments, Random};

/// CONNECTs that the broker takes in a second.
pub const QUOTA: usize = 500;

/// What the simulation saw. The broker is back at [`LOST_AT`], at once.
pub struct Crowd {
    /// When devices began attempts.
    pub attempts: Moments,
    /// When devices were connected.
    pub connected: Moments,
}

/// Follows `devices` that sample once a minute, in the order of their attempts, until all are connected. A
/// device that is turned away hears so after [`CONNECT`] and waits as after any failure.
pub fn simulate(devices: usize) -> Crowd {
    let mut random = Random::seeded(0);
    let mut backoffs: Vec<_> = (0..devices).map(|_| proven(60, &mut random)).collect();
    let first = backoffs.iter_mut().enumerate();
    let mut next: BinaryHeap<_> =
        first.map(|(device, backoff)| Reverse((LOST_AT + wait(backoff, &mut random), device))).collect();
    let (mut attempts, mut connected) = (Vec::new(), Vec::new());
    let (mut second, mut taken) = (0, 0);
    while let Some(Reverse((now, device))) = next.pop() {
        attempts.push(now);
        if now / 1000 != second {
            (second, taken) = (now / 1000, 0);
        }
        if taken < QUOTA {
            taken += 1;
            connected.push(now + CONNECT);
        } else {
            next.push(Reverse((now + CONNECT + wait(&mut backoffs[device], &mut random), device)));
        }
    }
    Crowd { attempts: Moments::new(attempts), connected: Moments::new(connected) }
}
