//! What `once` says when it cannot deliver: an exit code that tells who is to blame, and the cause
//! with the values in question.

use std::fs;

use pivitals_broker::TestDir;

use crate::device::{Device, House, TOPIC};
use crate::mosquitto::{Mosquitto, free_port};
use crate::observer::Observer;
use crate::pki::{Authority, KeyKind};
use crate::{PATIENCE, tools};

const UNAVAILABLE: i32 = 69;
const REFUSED: i32 = 77;

#[test]
fn a_broker_of_another_authority_is_named_and_not_trusted() {
    if !tools::are_here() {
        return;
    }
    let mut house = House::new("wrong-ca", "");
    let foreign = Authority::foreign(house.path());
    let device = Device::new(house.path(), &foreign, &house.authority, KeyKind::RsaPkcs1);
    let port = house.mosquitto.port;
    assert_once_fails(
        &device,
        port,
        &[],
        UNAVAILABLE,
        &["TLS", &format!("the certificate of localhost:{port}"), "authority", "not trusted", "ca_file"],
    );
    assert_never_connected(&mut house.mosquitto);
}

#[test]
fn a_device_certificate_of_another_authority_is_refused_and_named() {
    if !tools::are_here() {
        return;
    }
    let mut house = House::new("foreign-device", "");
    let foreign = Authority::foreign(house.path());
    let device = Device::new(house.path(), &house.authority, &foreign, KeyKind::RsaPkcs1);
    let certificate = device.certificate();
    let words = ["TLS", "localhost refuses", "certificate", certificate.to_str().unwrap(), "UnknownCA"];
    assert_once_fails(&device, house.mosquitto.port, &[], REFUSED, &words);
    assert_never_connected(&mut house.mosquitto);
}

#[test]
fn a_port_without_a_broker_is_named() {
    if !tools::are_here() {
        return;
    }
    let folder = TestDir::new("no-broker");
    let authority = Authority::ours(folder.path());
    let device = Device::new(folder.path(), &authority, &authority, KeyKind::RsaPkcs1);
    let port = free_port();
    let address = format!(":{port} (localhost)");
    assert_once_fails(&device, port, &[], UNAVAILABLE, &["TCP", &address, "connection refused", "`port`"]);
}

#[test]
fn a_denied_publish_is_named_with_its_topic() {
    if !tools::are_here() {
        return;
    }
    let folder = TestDir::new("denied");
    let rules = folder.path().join("acl");
    // The first is for everybody without a name, the observer that is.
    fs::write(&rules, "topic read #\nuser pi-7\ntopic read pivitals/#\n").expect("a new file");
    let more = format!("use_identity_as_username true\nacl_file {}", rules.display());
    let mut house = House::new("denied", &more);
    let device = house.device(KeyKind::RsaPkcs1);
    let mut observer = Observer::new(house.mosquitto.plain_port);
    let words = ["MQTT", "localhost does not let client id pi-7 publish", TOPIC, "iot:Publish"];
    assert_once_fails(&device, house.mosquitto.port, &["mqtt=5"], REFUSED, &words);
    assert_eq!(observer.rest(), []);
    let log = house.mosquitto.stop();
    assert!(log.iter().any(|line| line.contains("Denied PUBLISH from pi-7")), "{log:#?}");
}

/// Every one of `words` is in the one line that is said.
fn assert_once_fails(device: &Device, port: u16, set: &[&str], code: i32, words: &[&str]) {
    let (status, lines) = device.start("once", port, set).wait(PATIENCE);
    assert_eq!(status.code(), Some(code), "{lines:#?}");
    let [line] = &lines[..] else { panic!("not one line: {lines:#?}") };
    for word in words {
        assert!(line.contains(word), "{word:?} is not in {line:?}");
    }
}

fn assert_never_connected(mosquitto: &mut Mosquitto) {
    let log = mosquitto.stop();
    assert!(!log.iter().any(|line| line.contains("New client connected")), "{log:#?}");
}
