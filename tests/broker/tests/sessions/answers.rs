//! Answers that come late, in part, not at all, or are none.

use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use pivitals_broker::{ConnackManner, Event, Manners, PubackManner, Published, Silence};

use crate::client::*;

const GARBAGE: [u8; 8] = [0xff; 8];

/// The first message of each pair is answered so, and the second well.
fn first_of_two(manner: PubackManner) -> Manners {
    let publish = move |published: &Published| match published.packet_id {
        Some(1) => manner,
        _ => PubackManner::Acknowledge,
    };
    Manners { publish: Box::new(publish), ..Manners::default() }
}

/// Two messages in one write.
fn two(publish: Publish) -> Vec<u8> {
    [publish("a", 1, ""), publish("a", 2, "")].concat()
}

#[test]
fn a_late_puback_holds_up_no_other_answer() {
    let house = House::new("late", first_of_two(PubackManner::Late(Duration::from_millis(100))));
    for (mut client, publish) in house.clients() {
        client.send(&[&two(publish)[..], &[0xc0, 0]].concat());
        client.expect(&[&PUBACK_2[..], &[0xd0, 0], &PUBACK_1].concat());
    }
}

#[test]
fn late_pubacks_come_when_their_time_has_come() {
    let delays = Manners {
        publish: Box::new(|published| {
            let turns_back = 3 - u64::from(published.packet_id.expect("it has QoS 1"));
            PubackManner::Late(Duration::from_millis(50 * turns_back))
        }),
        ..Manners::default()
    };
    let house = House::new("late-order", delays);
    for (mut client, publish) in house.clients() {
        client.send(&two(publish));
        client.expect(&[PUBACK_2, PUBACK_1].concat());
    }
}

#[test]
fn a_message_is_in_flight_until_its_late_puback_is_sent() {
    let house = House::new("late-flight", first_of_two(PubackManner::Late(Duration::from_secs(3600))));
    let mut client = house.client_v5();
    client.send(&publish_v5("a", 1, ""));
    client.send(&publish_v5("a", 1, ""));
    client.expect(&[0xe0, 1, 0x82]);
    assert!(house.violation().contains("packet id 1"));
}

#[test]
fn a_late_puback_does_not_put_off_the_end_of_the_keep_alive() {
    let house = House::new("late-alive", first_of_two(PubackManner::Late(Duration::from_secs(3600))));
    let mut client = house.client();
    client.send(&[connect_v3("pi-7", 1), publish_v3("a", 1, "")].concat());
    client.expect(&CONNACK_V3);
    client.expect_end();
    assert!(house.violation().contains("keep-alives"));
}

#[test]
fn a_connection_can_be_reset_in_the_middle_of_a_puback() {
    let second = |published: &Published| match published.packet_id {
        Some(2) => PubackManner::Reset,
        _ => PubackManner::Acknowledge,
    };
    let house = House::new("reset", Manners { publish: Box::new(second), ..Manners::default() });
    for (mut client, publish) in house.clients() {
        client.send(&two(publish));
        client.expect(&[&PUBACK_1[..], &PUBACK_2[..2]].concat());
        let error = client.tls.read(&mut [0]).expect_err("the connection is over");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        house.end();
    }
}

#[test]
fn a_reset_needs_no_puback() {
    let reset = Manners { publish: Box::new(|_| PubackManner::Reset), ..Manners::default() };
    let house = House::new("reset-qos-0", reset);
    let mut client = house.client_v3();
    client.send(&[0x30, 3, 0, 1, b'a']);
    let error = client.tls.read(&mut [0]).expect_err("the connection is over");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn garbage_can_come_in_place_of_a_puback() {
    let house = House::new("garbage", first_of_two(PubackManner::Garbage));
    for (mut client, publish) in house.clients() {
        client.send(&two(publish));
        client.expect(&[&GARBAGE[..], &PUBACK_2].concat());
    }
}

#[test]
fn garbage_can_come_in_place_of_a_connack_and_nothing_after_it() {
    let garbage = Manners { connack: ConnackManner::Garbage, ..Manners::default() };
    let house = House::new("garbage-connack", garbage);
    for connect in [connect_v3("pi-7", 60), connect_v5("pi-7")] {
        let mut client = house.client();
        client.send(&connect);
        client.expect(&GARBAGE);
        assert!(!house.broker.wait_for(PATIENCE, Event::connected).accepted);
        client.leave_unanswered();
        house.end();
    }
}

#[test]
fn a_broker_can_fall_silent_after_its_connack_and_still_tell_what_it_sees() {
    let silent = Manners { silence: Silence::AfterConnack, ..Manners::default() };
    let house = House::new("silent-connack", silent);
    for (mut client, publish) in house.clients() {
        client.send(&[&two(publish)[..], &[0xc0, 0]].concat());
        assert!(house.broker.wait_for(PATIENCE, Event::connected).accepted);
        for id in [1, 2] {
            assert_eq!(house.broker.wait_for(PATIENCE, Event::published).packet_id, Some(id));
        }
        assert!(matches!(house.event(), Event::Ping { .. }));
        client.leave_unanswered();
        house.end();
    }
}

#[test]
fn the_connack_comes_first_even_of_what_arrives_together() {
    let silent = Manners { silence: Silence::AfterConnack, ..Manners::default() };
    let house = House::new("silent-together", silent);
    let mut client = house.client();
    client.send(&[connect_v3("pi-7", 60), publish_v3("a", 1, "")].concat());
    client.expect(&CONNACK_V3);
    client.leave_unanswered();
}

#[test]
fn silence_can_begin_and_end_in_the_middle_of_a_connection() {
    let house = House::new("silent-while", Manners::default());
    let silence = |silence| house.broker.set_manners(|manners| manners.silence = silence);
    let ping = |client: &mut Client| {
        client.send(&[0xc0, 0]);
        while !matches!(house.event(), Event::Ping { .. }) {}
    };
    for (mut client, publish) in house.clients() {
        silence(Silence::AfterConnack);
        client.send(&two(publish));
        // When the next record is served, the answers to this one are sent or dropped.
        ping(&mut client);
        silence(Silence::Never);
        ping(&mut client);
        client.expect(&[0xd0, 0]);
    }
}
