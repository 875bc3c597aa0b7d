//! The client misbehaves, and is told of.

use pivitals_broker::{Event, Manners, PubackManner};

use crate::client::*;

/// Manners that leave every PUBLISH without an answer.
fn silent() -> Manners {
    Manners { publish: Box::new(|_| PubackManner::Silence), ..Manners::default() }
}

#[test]
fn version_5_is_told_its_fault_and_version_3_is_dropped() {
    let house = House::new("fault", Manners::default());
    let mut client = house.client_v5();
    client.send(&connect_v5("pi-7"));
    client.expect(&[0xe0, 1, 0x82]);
    client.expect_end();
    assert_eq!(house.violation(), "a second CONNECT");
    house.end();

    let mut client = house.client_v3();
    client.send(&publish_v3("a/#", 1, ""));
    client.expect_end();
    assert_eq!(house.violation(), "a wildcard in the topic `a/#`");
    house.end();
}

#[test]
fn a_connection_that_does_not_begin_with_connect_is_dropped() {
    let house = House::new("no-connect", Manners::default());
    let mut client = house.client();
    client.send(&publish_v3("a", 1, ""));
    client.expect_end();
    assert_eq!(house.violation(), "the first packet is PUBLISH, not CONNECT");
}

#[test]
fn qos_2_is_refused() {
    let house = House::new("qos2", Manners::default());
    let mut client = house.client_v5();
    let mut publish = publish_v5("a", 1, "");
    publish[0] = 0x34;
    client.send(&publish);
    client.expect(&[0xe0, 1, 0x9b]);
    assert_eq!(house.violation(), "PUBLISH with QoS 2");
}

#[test]
fn a_packet_id_in_use_is_refused() {
    let house = House::new("id-in-use", silent());
    let mut client = house.client_v3();
    client.send(&[publish_v3("a", 1, ""), publish_v3("a", 1, "")].concat());
    client.expect_end();
    assert!(house.violation().contains("packet id 1"));
}

#[test]
fn a_repetition_within_a_connection_is_a_fault_in_version_5_only() {
    let house = House::new("repetition", silent());
    let mut client = house.client_v3();
    let mut again = publish_v3("a", 1, "");
    again[0] = 0x3a;
    client.send(&[publish_v3("a", 1, ""), again].concat());
    client.send(&DISCONNECT);
    client.close();
    house.broker.wait_for(PATIENCE, Event::published);
    let again = house.broker.wait_for(PATIENCE, Event::published);
    assert!(again.dup);
    house.end();

    let mut client = house.client_v5();
    let mut again = publish_v5("a", 1, "");
    again[0] = 0x3a;
    client.send(&[publish_v5("a", 1, ""), again].concat());
    client.expect(&[0xe0, 1, 0x82]);
    assert!(house.violation().contains("packet id 1"));
}

#[test]
fn more_in_flight_than_granted_is_refused() {
    let manners = Manners { receive_maximum: Some(2), ..Manners::default() };
    let house = House::new("receive-maximum", manners);
    let mut client = house.client();
    client.send(&connect_v5("pi-7"));
    client.expect(&[0x20, 8, 0, 0, 5, 0x21, 0, 2, 0x24, 1]);
    let two = [publish_v5("a", 1, ""), publish_v5("a", 2, "")].concat();
    // Twice two is fine, with the PUBACKs between them.
    for _ in 0..2 {
        client.send(&two);
        client.expect(&[PUBACK_1, PUBACK_2].concat());
    }
    client.send(&[two, publish_v5("a", 3, "")].concat());
    client.expect(&[&PUBACK_1[..], &PUBACK_2, &[0xe0, 1, 0x93]].concat());
    assert!(house.violation().contains("Receive Maximum"));
}

#[test]
fn a_packet_larger_than_granted_is_refused_by_its_head() {
    let manners = Manners { maximum_packet_size: Some(100), ..Manners::default() };
    let house = House::new("packet-size", manners);
    let mut client = house.client();
    client.send(&connect_v5("pi-7"));
    client.expect(&[0x20, 10, 0, 0, 7, 0x24, 1, 0x27, 0, 0, 0, 100]);
    client.send(&[0x32, 99]);
    client.expect(&[0xe0, 1, 0x95]);
    assert_eq!(house.violation(), "a packet of 101 bytes, 100 are allowed");
}

#[test]
fn a_client_that_keeps_quiet_for_too_long_is_dropped() {
    let house = House::new("keep-alive", Manners::default());
    let mut client = house.client();
    client.send(&connect_v3("pi-7", 1));
    client.expect(&CONNACK_V3);
    client.expect_end();
    let connected = house.broker.wait_for(PATIENCE, Event::connected);
    let (what, at) = house.broker.wait_for(PATIENCE, |event| match event {
        Event::Violation { what, at, .. } => Some((what, at)),
        _ => None,
    });
    assert!(what.contains("keep-alives"), "{what}");
    assert!((at - connected.at).as_millis() >= 1500);
}

#[test]
fn the_server_keep_alive_overrules_the_clients() {
    let manners = Manners { server_keep_alive_secs: Some(1), ..Manners::default() };
    let house = House::new("server-keep-alive", manners);
    let mut client = house.client();
    client.send(&connect_v5("pi-7"));
    client.expect(&[0x20, 8, 0, 0, 5, 0x24, 1, 0x13, 0, 1]);
    client.expect(&[0xe0, 1, 0x8d]);
    assert!(house.violation().contains("keep-alives"));
}

#[test]
fn bytes_after_disconnect_are_told() {
    let house = House::new("after-disconnect", Manners::default());
    let mut client = house.client_v3();
    client.send(&[&DISCONNECT[..], &[0xc0, 0]].concat());
    client.close();
    assert_eq!(house.violation(), "2 bytes after DISCONNECT");
    let mut client = house.client_v3();
    client.send(&DISCONNECT);
    client.send(&[0xc0, 0]);
    client.close();
    assert_eq!(house.violation(), "2 bytes after DISCONNECT");
}

#[test]
fn a_client_that_just_leaves_is_told_from_one_that_says_goodbye() {
    let house = House::new("leaves", Manners::default());
    drop(house.client_v3());
    assert!(matches!(house.end(), Event::Disconnected { cleanly: false, close_notify: false, .. }));
}

#[test]
#[should_panic(expected = "expected no violation of MQTT")]
fn a_violation_is_not_skipped() {
    let house = House::new("not-skipped", Manners::default());
    let mut client = house.client_v3();
    client.send(&[0x82, 0]);
    client.expect_end();
    house.end();
}
