//! PUBACKs late, missing, twice, foreign, broken: what was not acknowledged is sent again, and nothing
//! else.

use std::time::Duration;

use pivitals_broker::{PubackManner, Published};

use crate::house::{
    House, PATIENCE, assert_complete, assert_none_missing, count, for_each, puback, timestamp,
};

/// The times of a metric's messages, in the order in which they arrived.
fn times_of(metric: &str, messages: &[Published]) -> Vec<u64> {
    let begin = format!("{{\"name\":\"{metric} usage");
    messages.iter().filter(|message| message.text().starts_with(&begin)).map(timestamp).collect()
}

#[test]
fn messages_may_be_acknowledged_in_any_order_twice_and_foreign() {
    for manner in [|| PubackManner::First, || PubackManner::Twice, || PubackManner::ForeignFirst] {
        let house = House::new("acks", puback(move |_| manner()));
        let (status, lines) = house.start("once", &[]).wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
    }
}

#[test]
fn what_was_not_acknowledged_is_sent_again_and_nothing_else() {
    // The broker takes the first two messages of a sample and closes at the third.
    let house = House::new(
        "resend",
        puback(|message| match message.ordinal {
            3 => PubackManner::Close,
            _ => PubackManner::Acknowledge,
        }),
    );
    let agent = house.start("run", &["metrics=cpu memory disk temperature", "interval=60"]);
    let names = |message: Published| {
        let value: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        (message.conn, value["name"].as_str().unwrap().split(' ').next().unwrap().to_owned(), message.dup)
    };
    let sent: Vec<_> = (0..5).map(|_| names(house.published())).collect();
    let expected = [(1, "cpu"), (1, "memory"), (1, "disk"), (2, "disk"), (2, "cpu")];
    assert_eq!(sent, expected.map(|(conn, name)| (conn, name.to_owned(), false)));
    house.end(agent);
}

#[test]
fn late_acknowledgements_are_waited_for_and_nothing_is_sent_twice() {
    let late = Duration::from_secs(3);
    let house = House::new("late", puback(move |_| PubackManner::Late(late)));
    let mut agent = house.start("run", &[]);
    agent.wait_for_line("publishing to localhost", PATIENCE);
    for _ in 0..20 {
        house.published();
    }
    house.end(agent);
    assert_complete(&times_of("cpu", &house.taken()));
}

#[test]
fn an_acknowledgement_of_nothing_is_told_once_and_takes_no_message_away() {
    let house = House::new("foreign", puback(|_| PubackManner::ForeignFirst));
    let agent = house.start("run", &[]);
    for _ in 0..12 {
        house.published();
    }
    let lines = house.end(agent);
    assert_complete(&times_of("cpu", &house.taken()));
    assert_eq!(count(&lines, "which was not waiting for it"), 1, "{lines:#?}");
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_an_acknowledgement_costs_no_sample() {
    for_each(["5", "3.1.1"], |mqtt| {
        let house = House::new(
            "middle",
            puback(|message| match message.ordinal {
                3 => PubackManner::Reset,
                _ => PubackManner::Acknowledge,
            }),
        );
        let mut agent = house.start("run", &[&format!("mqtt={mqtt}")]);
        let line = agent.wait_for_line("next attempt in", PATIENCE);
        assert!(line.contains("localhost broke off (connection reset)"), "{line}");
        house.two_seconds_later();
        house.end(agent);
        assert_none_missing(&house.taken());
    });
}

#[test]
fn garbage_in_place_of_an_acknowledgement_is_named_and_costs_no_sample() {
    for_each(["5", "3.1.1"], |mqtt| {
        let house = House::new(
            "garbage",
            puback(|message| match message.ordinal {
                3 => PubackManner::Garbage,
                _ => PubackManner::Acknowledge,
            }),
        );
        let mut agent = house.start("run", &[&format!("mqtt={mqtt}")]);
        let line = agent.wait_for_line("next attempt in", PATIENCE);
        assert!(line.contains("MQTT: localhost sent "), "{line}");
        house.two_seconds_later();
        house.end(agent);
        assert_none_missing(&house.taken());
    });
}
