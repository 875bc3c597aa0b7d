//! All of AWS's manners at once, and the one that no other file is about: the keep-alive.

use pivitals_broker::{Event, Manners, Policy};

use crate::client::*;

/// Any client id, and one topic.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
    {"Effect": "Allow", "Action": "iot:Publish",
     "Resource": "arn:aws:iot:us-east-1:123456789012:topic/a"}
]}"#;

fn aws() -> Manners {
    Manners::aws(Policy::from_json(POLICY).expect("AWS would take it"))
}

/// CONNACK of version 5 with success and these properties after the ones that are always there.
fn connack(further: &[u8]) -> Vec<u8> {
    let properties = [&[0x21, 0, 100, 0x24, 1, 0x27, 0, 2, 0, 0][..], further].concat();
    let len = u8::try_from(properties.len()).expect("they are few");
    packet(0x20, &[&[0, 0, len], &properties[..]].concat())
}

#[test]
fn version_5_is_told_the_quotas() {
    let house = House::new("aws-connack", aws());
    // One client id each: one CONNECT a second is another of the quotas.
    for (client_id, keep_alive_secs, imposed) in [
        ("pi-1", 60, &[][..]),
        ("pi-2", 30, &[]),
        ("pi-3", 1200, &[]),
        ("pi-4", 29, &[0x13, 0, 30]),
        ("pi-5", 1201, &[0x13, 0x04, 0xb0]),
        ("pi-6", 0, &[0x13, 0x04, 0xb0]),
    ] {
        let mut client = house.client();
        client.send(&with_keep_alive(connect_v5(client_id), keep_alive_secs));
        client.expect(&connack(imposed));
    }
    assert_eq!(house.broker.violations(), [""; 0]);
}

#[test]
fn the_policy_rules_in_both_versions() {
    let house = House::new("aws-policy", aws());
    let mut client = house.client_v3();
    client.send(&[publish_v3("a", 1, ""), publish_v3("b", 2, "")].concat());
    client.expect(&PUBACK_1);
    client.expect_end();

    let mut client = house.client();
    client.send(&connect_v5("pi-8"));
    client.expect(&connack(&[]));
    client.send(&[publish_v5("a", 1, ""), retained(publish_v5("a", 2, ""))].concat());
    client.expect(&[&PUBACK_1[..], &[0x40, 3, 0, 2, 0x87]].concat());
}

#[test]
fn a_client_that_does_not_say_whom_it_looks_for_is_not_let_in() {
    let house = House::new("aws-sni", aws());
    let mut config = config(&house.device);
    config.enable_sni = false;
    assert!(Client::with(&house.broker, &config).is_err());
    assert!(house.tls_failure().starts_with("expected the SNI"));
}

#[test]
fn more_than_a_hundred_in_flight_are_refused() {
    let house = House::new("aws-flight", aws());
    house.broker.set_manners(|manners| {
        manners.publishes_per_second = Some(0);
    });
    let mut client = house.client();
    client.send(&connect_v5("pi-7"));
    client.expect(&connack(&[]));
    let all: Vec<u8> = (1..=101).flat_map(|id| publish_v5("a", id, "")).collect();
    client.send(&all);
    client.expect(&[0xe0, 1, 0x93]);
    assert!(house.violation().contains("more than 100"));
}

#[test]
fn version_3_is_held_to_a_keep_alive_it_is_not_told() {
    let short = Manners { keep_alive_range_secs: Some(1..=1), ..Manners::default() };
    let house = House::new("keep-alive-range", short);
    for keep_alive_secs in [60, 0] {
        let mut client = house.client();
        client.send(&with_keep_alive(connect_v3("pi-7", 60), keep_alive_secs));
        client.expect(&CONNACK_V3);
        client.expect_end();
        let connected = house.broker.wait_for(PATIENCE, Event::connected);
        assert_eq!(connected.keep_alive_secs, keep_alive_secs);
        assert!(house.violation().contains("within 1.5s"));
        house.end();
    }
}
