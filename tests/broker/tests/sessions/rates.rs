//! Too much in a second. Which is too much follows from the times that the broker tells.

use std::time::{Duration, Instant};

use pivitals_broker::{Event, Manners, ThrottledPublish};

use crate::client::*;

const SECOND: Duration = Duration::from_secs(1);

/// Connects `pi-7` again and again, until `enough` of what was accepted in order; gives the number of
/// those that were not. What is too early gets `refusal` and the end.
fn connect_until(house: &House, connect: &[u8], refusal: &[u8], enough: impl Fn(&[bool]) -> bool) -> usize {
    let mut fates = Vec::new();
    let mut last_accepted: Option<Instant> = None;
    while !enough(&fates) {
        let mut client = house.client();
        client.send(connect);
        let connected = house.broker.wait_for(PATIENCE, Event::connected);
        let is_early = last_accepted.is_some_and(|last| connected.at - last < SECOND);
        assert_eq!(connected.accepted, !is_early, "{last_accepted:?} {connected:?}");
        if connected.accepted {
            last_accepted = Some(connected.at);
        } else {
            client.expect(refusal);
            client.expect_end();
        }
        fates.push(connected.accepted);
    }
    fates.iter().filter(|&&accepted| !accepted).count()
}

fn throttled(house: &House) -> Vec<&'static str> {
    let events = house.broker.events_so_far().into_iter();
    events
        .filter_map(|event| match event {
            Event::Throttled { action, .. } => Some(action),
            _ => None,
        })
        .collect()
}

#[test]
fn a_client_id_may_connect_once_a_second_and_is_let_in_again_after_it() {
    let house = House::new("connect-rate-3", Manners { connects_per_second: Some(1), ..Manners::default() });
    let is_back = |fates: &[bool]| fates.contains(&false) && fates.last() == Some(&true);
    let refused = connect_until(&house, &connect_v3("pi-7", 60), &[], is_back);
    assert_eq!(throttled(&house), vec!["iot:Connect"; refused]);
}

#[test]
fn version_5_is_told_of_its_excess_and_other_client_ids_do_not_pay_for_it() {
    let house = House::new("connect-rate-5", Manners { connects_per_second: Some(1), ..Manners::default() });
    let quota_exceeded = [0x20, 3, 0, 0x97, 0];
    connect_until(&house, &connect_v5("pi-7"), &quota_exceeded, |fates| fates.contains(&false));
    let mut other = house.client();
    other.send(&connect_v5("pi-8"));
    other.expect(&CONNACK_V5);
}

#[test]
fn a_throttled_connect_takes_nothing_over() {
    let house = House::new("connect-rate-0", Manners::default());
    let mut first = house.client_v3();
    house.broker.set_manners(|manners| manners.connects_per_second = Some(0));
    let mut second = house.client();
    second.send(&connect_v3("pi-7", 60));
    second.expect_end();
    first.send(&[0xc0, 0]);
    first.expect(&[0xd0, 0]);
}

#[test]
fn publishes_beyond_the_rate_get_no_answer_and_the_connection_goes_on() {
    const PER_SECOND: usize = 3;
    let manners = Manners { publishes_per_second: Some(3), ..Manners::default() };
    let house = House::new("publish-rate", manners);
    for (mut client, publish) in house.clients() {
        let all: Vec<u8> = (1..=5).flat_map(|id| publish("a", id, "")).collect();
        client.send(&[&all[..], &[0xc0, 0]].concat());
        let mut answers = Vec::new();
        let mut allowed_at: Vec<Instant> = Vec::new();
        for id in 1..=5 {
            let published = house.broker.wait_for(PATIENCE, Event::published);
            let recent = allowed_at.iter().filter(|&&at| published.at - at < SECOND).count();
            assert_eq!(published.allowed, recent < PER_SECOND, "{published}");
            if published.allowed {
                allowed_at.push(published.at);
                answers.extend([0x40, 2, 0, id]);
            }
        }
        client.expect(&[&answers[..], &[0xd0, 0]].concat());
    }
}

#[test]
fn a_throttled_publish_stays_in_flight() {
    let manners = Manners { publishes_per_second: Some(0), ..Manners::default() };
    let house = House::new("publish-rate-0", manners);
    let mut client = house.client_v5();
    client.send(&publish_v5("a", 1, ""));
    assert!(!house.broker.wait_for(PATIENCE, Event::published).allowed);
    assert!(matches!(house.event(), Event::Throttled { action: "iot:Publish", .. }));
    client.send(&publish_v5("a", 1, ""));
    client.expect(&[0xe0, 1, 0x82]);
    assert!(house.violation().contains("packet id 1"));
}

/// A broker that takes no publish at all, and what version 5 gets as the answer to one.
fn taking_none(name: &str, throttled_publish: ThrottledPublish, answer: &[u8]) -> (House, Client) {
    let manners = Manners { publishes_per_second: Some(0), throttled_publish, ..Manners::default() };
    let house = House::new(name, manners);
    let mut client = house.client_v5();
    client.send(&publish_v5("a", 1, ""));
    client.expect(answer);
    assert!(!house.broker.wait_for(PATIENCE, Event::published).allowed);
    assert_eq!(throttled(&house), ["iot:Publish"]);
    (house, client)
}

#[test]
fn a_throttled_publish_is_refused_and_the_connection_goes_on() {
    let (house, mut client) = taking_none("publish-puback", ThrottledPublish::Puback, &[0x40, 3, 0, 1, 0x97]);
    client.send(&publish_v5("a", 1, ""));
    client.expect(&[0x40, 3, 0, 1, 0x97]);
    let mut older = house.client_v3();
    older.send(&[&publish_v3("a", 1, "")[..], &[0xc0, 0]].concat());
    older.expect(&[0xd0, 0]);
}

#[test]
fn a_throttled_publish_ends_the_connection() {
    let (house, mut client) =
        taking_none("publish-disconnect", ThrottledPublish::Disconnect, &[0xe0, 1, 0x97]);
    client.expect_end();
    let mut older = house.client_v3();
    older.send(&publish_v3("a", 1, ""));
    older.expect_end();
}
