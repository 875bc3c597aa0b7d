//! No loss: whatever network and broker do, a sample that was queued is delivered, or it is counted.
//!
//! Long random scripts drive the real session, outbox and encoder, in the way `agent.rs` does, against
//! a model of a broker (`broker.rs`) and a model of what is owed (`queue.rs`). The models learn what
//! was sent from the bytes alone. A script that fails is printed with its seed;
//! `NO_LOSS_SEED=<seed> cargo test --test no_loss <name of the test>` runs it again.

use std::thread;

use pivitals::message::payload::Format;
use pivitals::mqtt::Version;

mod broker;
mod queue;
mod script;
mod seen;
mod station;
mod wire;

use script::Script;
use seen::Seen;
use station::Station;

/// For each version and each format.
const SCRIPTS: u64 = 800;

/// Shows how to fail again.
struct Replay<'a> {
    script: &'a Script,
    steps_done: usize,
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            for (number, step) in self.script.steps.iter().enumerate().take(self.steps_done) {
                eprintln!("{number:4} {step:?}");
            }
            let Script { seed, capacity, steps } = self.script;
            eprintln!("seed {seed}: a ring of {capacity}, step {} of {}", self.steps_done, steps.len());
        }
    }
}

/// Plays the script, lets the network become well, and looks whether anything is missing.
fn play(script: &Script, version: Version, format: Format) -> Seen {
    let mut station = Station::new(version, format, script.capacity);
    let mut replay = Replay { script, steps_done: 0 };
    for &step in &script.steps {
        replay.steps_done += 1;
        station.step(step);
    }
    station.drain();
    station.assert_nothing_is_missing()
}

fn nothing_is_lost(version: Version, format: Format) {
    let only = std::env::var("NO_LOSS_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds = only.map_or(1..SCRIPTS + 1, |seed: u64| seed..seed + 1);
    let seen = seeds.map(|seed| play(&Script::new(seed), version, format)).sum::<Seen>();
    if only.is_none() {
        seen.assert_every_fault_was_met(version, format);
    }
}

#[test]
fn every_message_of_mqtt_3_is_delivered_in_order_or_counted() {
    nothing_is_lost(Version::V3, Format::Rule);
}

#[test]
fn every_message_of_mqtt_5_is_delivered_in_order_or_counted() {
    nothing_is_lost(Version::V5, Format::Rule);
}

#[test]
fn every_sample_of_a_batch_is_delivered_in_order_or_counted_in_mqtt_3() {
    nothing_is_lost(Version::V3, Format::Emf);
}

#[test]
fn every_sample_of_a_batch_is_delivered_in_order_or_counted_in_mqtt_5() {
    nothing_is_lost(Version::V5, Format::Emf);
}
