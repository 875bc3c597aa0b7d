//! Brokers that go away, and what is kept meanwhile.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::sync::mpsc::channel;
use std::time::{SystemTime, UNIX_EPOCH};

use pivitals_broker::manners::DisconnectAfter;
use pivitals_broker::{Event, Manners, PubackManner};

use crate::house::{House, PATIENCE, allowing, hang_up, timestamp};

#[test]
fn a_broker_that_went_away_gets_every_sample_when_it_is_back() {
    let mut house = House::new("away", Manners::default());
    let mut agent = house.start("run", &[]);
    let first = timestamp(&house.published());
    agent.wait_for_line("publishing to localhost", PATIENCE);
    house.broker.stop();
    agent.wait_for_line("next attempt in", PATIENCE);
    house.broker.restart();
    agent.wait_for_line("publishing to localhost", PATIENCE);
    house.end(agent);
    let messages = house.broker.events_so_far().into_iter().filter_map(Event::published);
    let times: BTreeSet<_> = messages.map(|message| timestamp(&message)).collect();
    let (&second, &last) = (times.iter().nth(1).unwrap(), times.last().unwrap());
    let expected: BTreeSet<_> = std::iter::once(first).chain(second..=last).collect();
    assert_eq!(times, expected, "not one is missing");
}

#[test]
fn a_full_queue_drops_the_oldest_and_says_how_many() {
    let mut house = House::new("full", Manners::default());
    house.broker.stop();
    let mut agent = house.start("run", &["queue=2"]);
    agent.wait_for_line("the queue of 2 samples is full", PATIENCE);
    house.broker.restart();
    agent.wait_for_line("samples were dropped, because the queue was full", PATIENCE);
    house.end(agent);
}

#[test]
fn a_broker_that_takes_a_message_and_then_closes_over_and_over_is_told_once() {
    let after_a_sample = DisconnectAfter { publishes: 4, reason: 0x8b };
    let house = House::new("kicks", Manners { disconnect_after: Some(after_a_sample), ..Manners::default() });
    let mut agent = house.start("run", &[]);
    while house.broker.wait_for(PATIENCE, Event::connected).conn < 4 {}
    agent.signal("TERM");
    let (status, lines) = agent.wait(PATIENCE);
    assert_eq!(status.code(), Some(0));
    // The first time the connection was new to it, the second time it was back.
    for (part, times) in [("it is shutting down", 1), ("publishing to localhost", 2)] {
        assert_eq!(lines.iter().filter(|line| line.contains(part)).count(), times, "{part}: {lines:#?}");
    }
}

/// Twelve messages a sample, the most there are.
fn talkative(house: &House) -> [&'static str; 2] {
    for mount in ["a", "b", "c"] {
        fs::create_dir(house.board.root().join(mount)).unwrap();
    }
    ["metrics=cpu memory disk temperature agent certificate_days", "disk=/ /a /b /c"]
}

#[test]
fn a_backlog_of_hundreds_arrives_at_the_pace_that_aws_takes_and_none_is_left_unacknowledged() {
    let policy = allowing(&["pivitals/pi-7/metrics"]);
    let mut house = House::new("backlog", Manners::aws(policy));
    let [metrics, disk] = talkative(&house);
    house.broker.stop();
    let mut agent = house.start("run", &[metrics, disk, "queue=20"]);
    agent.wait_for_line("the queue of 20 samples is full", PATIENCE);
    house.broker.restart();
    hang_up(&mut agent);
    agent.wait_for_line("publishing to localhost", PATIENCE);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| timestamp(message) > now + 1));
    house.end(agent); // it counts what came too fast
    let messages = house.taken();
    assert!(messages.len() > 20 * 11, "{}", messages.len());
    // In the order of their age, but for the puback latency, which those of an outage do not have.
    let times: Vec<_> = messages.iter().map(timestamp).collect();
    assert!(times.is_sorted(), "{times:?}");
    for name in ["cpu usage", "disk usage /c", "certificate days left"] {
        let begin = format!("{{\"name\":\"{name} (pi-7)");
        let of_name = messages.iter().filter(|message| message.text().starts_with(&begin));
        let times: Vec<_> = of_name.map(timestamp).collect();
        assert!(times.windows(2).all(|pair| pair[1] == pair[0] + 1), "{name}: {times:?}");
    }
}

#[test]
fn a_broker_that_stops_reading_gets_sixteen_messages_and_the_others_wait_in_the_queue() {
    let (go_on, blocked) = channel::<()>();
    // The broker stands still at the first message, and reads on when `go_on` is dropped.
    let house = House::new(
        "pressure",
        Manners {
            publish: Box::new(move |_| {
                blocked.recv().unwrap_err();
                PubackManner::Acknowledge
            }),
            ..Manners::default()
        },
    );
    let [metrics, disk] = talkative(&house);
    let mut agent = house.start("run", &[metrics, disk, "queue=6"]);
    agent.wait_for_line("the queue of 6 samples is full", PATIENCE);
    drop(go_on);
    let line = agent.wait_for_line("samples were dropped, because the queue was full", PATIENCE);
    let dropped: u64 = line.split(' ').find_map(|word| word.parse().ok()).unwrap();
    house.two_seconds_later();
    house.end(agent);
    let messages = house.taken();
    let of_records = |records: RangeInclusive<u64>| {
        messages.iter().filter(|message| records.contains(&message.record)).count()
    };
    // The CONNECT came in the first; two samples had begun to go out when sixteen were under way.
    assert_eq!((of_records(2..=3), messages[15].record, messages[16].record), (16, 3, 4), "{messages:#?}");
    assert!(messages.iter().all(|message| message.conn == 1));
    let begin = "{\"name\":\"cpu usage";
    let of_cpu = messages.iter().filter(|message| message.text().starts_with(begin));
    let times: Vec<_> = of_cpu.map(timestamp).collect();
    let missing: u64 = times.windows(2).skip(1).map(|pair| pair[1] - pair[0] - 1).sum();
    assert!(missing <= dropped, "{missing} are missing, {dropped} were counted: {times:?}");
}
