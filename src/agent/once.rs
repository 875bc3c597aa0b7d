//! One sample, published and acknowledged.

use std::path::Path;
use std::time::Duration;

use super::random::random;
use super::tell::{explain, tell};
use crate::config::setup::Setup;
use crate::measure::probe::Probes;
use crate::platform::clock::{self, WallClock};
use crate::platform::event::{Readiness, wait};
use crate::report::failure::{Failure, Words};
use crate::report::notices::Notices;
use crate::uplink::event::Event;
use crate::uplink::retry::{Action, Next};
use crate::uplink::turn::{Mode, Turn};
use crate::uplink::uplink::Uplink;

/// Between the two readings of a counter.
pub const RATE_TIME: Duration = Duration::from_secs(1);

/// Publishes one sample and waits until it is acknowledged.
///
/// # Errors
/// The first failure, with its words, unless another attempt may tell more: with the other version of MQTT,
/// or with one message at a time. Of a sample that the broker takes in part, each topic that it denies.
pub fn once(mut setup: Setup, root: &Path) -> Result<(), Vec<(Failure, Words)>> {
    let mut notices = Notices::of_one_sample();
    let began = clock::boot_time();
    let mut uplink = Uplink::new(&setup.config, began, random, began);
    let mut wall = WallClock::default();
    let mut probes = Probes::new(root, &setup.config.series);
    probes.prime(began);
    std::thread::sleep(RATE_TIME);
    let now = clock::boot_time();
    wall.update(now, clock::utc());
    let health = uplink.durable().health(setup.credentials.current().validity, &wall, now);
    let sample = probes.sample(now, now, &health);
    notices.sample(&setup.config.series, &sample);
    uplink.push(&sample);
    let explained = |setup: &Setup, failures: Vec<Failure>| -> Vec<_> {
        let words = |failure: Failure| (failure.clone(), explain(setup, &failure));
        failures.into_iter().map(words).collect()
    };
    if uplink.durable().delivery.is_empty() {
        return Err(explained(&setup, vec![Failure::NothingMeasured]));
    }
    let mut denied: Vec<Failure> = Vec::new();
    let mut ready = Readiness::default();
    loop {
        let now = clock::boot_time();
        wall.update(now, clock::utc());
        if !wall.is_set() {
            return Err(explained(&setup, vec![Failure::ClockNotSet]));
        }
        let mut last = None;
        let turn = Turn { setup: &mut setup, wall: &wall, ready, now, mode: Mode::Publish };
        uplink.turn(turn, &mut |setup, event| {
            match event {
                Event::Held { why, .. } if !denied.contains(&why) => denied.push(why),
                Event::Ended(Next { action: Action::Retry, failure, .. }) => last = Some(failure),
                Event::Ended(Next { action: Action::Hold { .. }, failure, .. })
                    if !denied.contains(&failure) =>
                {
                    denied.push(failure);
                }
                // The failures are this command's result, not lines in a log.
                Event::Held { .. } | Event::Ended(_) => {}
                event => tell(&mut notices, setup, event),
            }
        });
        if let Some(failure) = last {
            denied.push(failure);
            return Err(explained(&setup, denied));
        }
        if uplink.is_delivered(now) {
            uplink.finish(now);
            return if denied.is_empty() { Ok(()) } else { Err(explained(&setup, denied)) };
        }
        let mut descriptors = [uplink.interest()];
        wait(&mut descriptors, uplink.deadline(Mode::Publish, true, now).since(clock::boot_time()));
        [(_, ready)] = descriptors;
    }
}
