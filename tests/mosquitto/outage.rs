//! The broker goes away and comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use crate::device::{House, TOPIC};
use crate::observer::{Message, Observer};
use crate::payload::{self, Reading};
use crate::pki::KeyKind;
use crate::{PATIENCE, now_secs, tools};

const OUTAGE: Duration = Duration::from_secs(30);

/// How long the agent may wait before it tries again, after so many attempts, and then some.
const LONGEST_WAIT: Duration = Duration::from_secs(240);

/// Seconds before the outage, and of normal work after it, that are waited for.
const SAMPLES: u64 = 5;

/// So many messages can be under way without an acknowledgement.
const IN_FLIGHT_MAX: usize = 16;

#[test]
fn not_one_sample_is_missing_after_the_broker_was_away_for_30_seconds() {
    if !tools::are_here() {
        return;
    }
    // mosquitto keeps the observer's session and what it has not got yet when it is stopped.
    let mut house = House::new("outage", "persistence true");
    let device = house.device(KeyKind::RsaPkcs1);
    let mut observer = Observer::lasting(house.mosquitto.plain_port);
    let began = now_secs();
    let mut agent = device.start("run", house.mosquitto.port, &["interval=1"]);
    let mut messages = Vec::new();
    until(began + SAMPLES, &mut observer, &mut messages);

    let log = house.mosquitto.stop();
    let stopped_at = now_secs();
    messages.extend(observer.until_closed());
    thread::sleep(OUTAGE); // this much time is the event
    house.mosquitto.start_again();
    let restarted_at = now_secs();
    let mut observer = Observer::again(house.mosquitto.plain_port);
    house.mosquitto.wait_for(" as pi-7 (", LONGEST_WAIT);
    until(restarted_at + SAMPLES, &mut observer, &mut messages);
    agent.signal("TERM");
    let (status, lines) = agent.wait(PATIENCE);
    assert_eq!(status.code(), Some(0), "{lines:#?}");
    house.mosquitto.wait_for("Received DISCONNECT from pi-7", PATIENCE);
    messages.extend(observer.rest());

    assert!(messages.iter().all(|message| message.topic == TOPIC && message.qos == 1), "{messages:#?}");
    let copies = copies(&messages);
    assert_complete(&copies.keys().copied().collect(), stopped_at, restarted_at);
    // Twice came at most what was not acknowledged when the broker was stopped: the last that it took.
    let taken = log.iter().filter(|line| line.contains("Received PUBLISH from pi-7 ")).count();
    let unacknowledged = taken.saturating_sub(IN_FLIGHT_MAX)..taken;
    for (index, (reading, copies)) in copies.into_iter().enumerate() {
        assert!(copies == 1 || (copies == 2 && unacknowledged.contains(&index)), "{copies} of {reading:?}");
    }
}

/// Takes messages until there is one of `timestamp` or later.
fn until(timestamp: u64, observer: &mut Observer, messages: &mut Vec<Message>) {
    loop {
        let message = observer.message();
        let reading = payload::read(&message.payload);
        messages.push(message);
        if reading.timestamp >= timestamp {
            return;
        }
    }
}

fn read(messages: &[Message]) -> impl DoubleEndedIterator<Item = Reading> {
    messages.iter().map(|message| payload::read(&message.payload))
}

/// How often the agent has delivered each reading, in the order in which they were taken. What the broker itself repeats to the observer,
/// because it did not see it acknowledged before it was stopped, is the same delivery.
fn copies(messages: &[Message]) -> BTreeMap<Reading, usize> {
    let mut copies = BTreeMap::new();
    for (message, reading) in messages.iter().zip(read(messages)) {
        let copies = copies.entry(reading).or_insert(0);
        if !(message.is_repeated && *copies > 0) {
            *copies += 1;
        }
    }
    copies
}

/// Every second from the second sample on has each of the four readings. (The first sample comes a
/// second after the start, before the grid that all others are on.)
fn assert_complete(readings: &BTreeSet<Reading>, stopped_at: u64, restarted_at: u64) {
    let timestamps: BTreeSet<_> = readings.iter().map(|reading| reading.timestamp).collect();
    let (Some(&first), Some(&last)) = (timestamps.first(), timestamps.last()) else { panic!("no samples") };
    let &second = timestamps.range(first + 1..).next().expect("a second sample");
    assert!(second <= first + 2 && second < stopped_at && restarted_at < last, "{timestamps:?}");
    for timestamp in std::iter::once(first).chain(second..=last) {
        for series in 0..payload::MESSAGES {
            let reading = Reading { timestamp, series };
            assert!(readings.contains(&reading), "{reading:?} is missing among {timestamps:?}");
        }
    }
}
