//! `pivitals once`: four messages, acknowledged, and the end.

use crate::device::{House, TOPIC};
use crate::observer::Observer;
use crate::pki::KeyKind;
use crate::{PATIENCE, now_secs, payload, tools};

/// mosquitto's names for the protocols.
const MQTT_3_1_1: &str = "p2";
const MQTT_5: &str = "p5";

#[test]
fn once_delivers_a_sample_over_mqtt_5_with_an_rsa_key_as_aws_issues_it() {
    once_delivers_a_sample("5", KeyKind::RsaPkcs1, MQTT_5);
}

#[test]
fn once_delivers_a_sample_over_mqtt_3_1_1_with_an_rsa_key_as_aws_issues_it() {
    once_delivers_a_sample("3.1.1", KeyKind::RsaPkcs1, MQTT_3_1_1);
}

#[test]
fn once_delivers_a_sample_over_mqtt_5_with_an_ec_key_in_sec1() {
    once_delivers_a_sample("5", KeyKind::EcSec1, MQTT_5);
}

#[test]
fn once_delivers_a_sample_over_mqtt_3_1_1_with_an_ec_key_in_sec1() {
    once_delivers_a_sample("3.1.1", KeyKind::EcSec1, MQTT_3_1_1);
}

#[test]
fn once_chooses_mqtt_5_where_the_broker_speaks_it_with_an_rsa_key_in_pkcs8() {
    once_delivers_a_sample("auto", KeyKind::RsaPkcs8, MQTT_5);
}

#[test]
fn once_chooses_mqtt_5_where_the_broker_speaks_it_with_an_ec_key_in_pkcs8() {
    once_delivers_a_sample("auto", KeyKind::EcPkcs8, MQTT_5);
}

fn once_delivers_a_sample(mqtt: &str, kind: KeyKind, protocol: &str) {
    if !tools::are_here() {
        return;
    }
    let mut house = House::new("once", "");
    let device = house.device(kind);
    let mut observer = Observer::new(house.mosquitto.plain_port);

    let began = now_secs();
    let mut agent = device.start("once", house.mosquitto.port, &[&format!("mqtt={mqtt}")]);
    let (status, lines) = agent.wait(PATIENCE);
    let ended = now_secs();
    assert_eq!(status.code(), Some(0), "{lines:#?}");
    let is_trouble = |line: &String| line.contains("warn:") || line.contains("error:");
    assert!(!lines.iter().any(is_trouble), "{lines:#?}");

    house.mosquitto.wait_for("Received DISCONNECT from pi-7", PATIENCE);
    let messages = observer.rest();
    let readings: Vec<_> = messages.iter().map(|message| payload::read(&message.payload)).collect();
    assert!(readings.iter().map(|reading| reading.series).eq(0..payload::MESSAGES), "{messages:#?}");
    for (message, reading) in messages.iter().zip(&readings) {
        assert_eq!((message.topic.as_str(), message.qos), (TOPIC, 1));
        assert_eq!(reading.timestamp, readings[0].timestamp, "one sample, one time");
        assert!((began..=ended).contains(&reading.timestamp), "{began} to {ended}: {messages:#?}");
    }

    let log = house.mosquitto.stop();
    let count = |part: &str| log.iter().filter(|line| line.contains(part)).count();
    let connected: Vec<_> = log.iter().filter(|line| line.contains(" as pi-7 (")).collect();
    assert!(matches!(connected[..], [line] if line.contains(&format!("({protocol}, c1, "))), "{connected:?}");
    // Not a repetition, quality of service 1, not retained: mosquitto's word for each.
    assert_eq!(count("Received PUBLISH from pi-7 (d0, q1, r0, "), payload::MESSAGES, "{log:#?}");
    assert_eq!(count("Received PUBLISH from pi-7 "), payload::MESSAGES, "{log:#?}");
}
