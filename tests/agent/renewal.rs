//! Certificates that change while the agent runs, without a signal.

use std::fs;

use pivitals_broker::{DeviceFiles, Event, Issuer, Manners, Validity};

use crate::house::{House, LONG_PATIENCE, PATIENCE, allowing, assert_none_missing, count};

/// Puts other files in the place of the device's.
pub fn replace(house: &House, new: &DeviceFiles) {
    fs::copy(&new.certificate, &house.device.certificate).unwrap();
    fs::copy(&new.key, &house.device.key).unwrap();
}

/// Ends the connection, and gives the name in the certificate that the next one is accepted with.
fn kicked(house: &House) -> String {
    house.broker.close_connections(Some(0x8b));
    accepted(house)
}

pub fn accepted(house: &House) -> String {
    let name = |event: Event| event.connected().filter(|connected| connected.accepted);
    house.broker.wait_for(LONG_PATIENCE, name).certificate_cn
}

#[test]
fn changed_certificate_files_are_noticed_at_the_next_connect_without_a_signal() {
    let house = House::new("noticed", Manners::default());
    let renewed = house.pki.device("renewed");
    let mut agent = house.start("run", &[]);
    assert_eq!(accepted(&house), "pi-7");
    agent.wait_for_line("publishing to localhost", PATIENCE);
    replace(&house, &renewed);
    assert_eq!(kicked(&house), "renewed");
    house.two_seconds_later();
    let lines = house.end(agent);
    let path = house.device.certificate.display();
    assert_eq!(count(&lines, &format!("have changed: {path} is valid from 2020-01-01")), 1, "{lines:#?}");
    assert_none_missing(&house.taken());
}

#[test]
fn files_of_no_use_leave_the_old_ones_serving_with_one_warning() {
    let house = House::new("half", Manners::default());
    let renewed = house.pki.device("renewed");
    let mut agent = house.start("run", &[]);
    assert_eq!(accepted(&house), "pi-7");
    agent.wait_for_line("publishing to localhost", PATIENCE);
    // The new certificate with the old key, as somebody has it who copies one after the other.
    fs::copy(&renewed.certificate, &house.device.certificate).unwrap();
    assert_eq!([kicked(&house), kicked(&house)], ["pi-7", "pi-7"]);
    fs::copy(&renewed.key, &house.device.key).unwrap();
    assert_eq!(kicked(&house), "renewed");
    house.two_seconds_later();
    let lines = house.end(agent);
    for part in ["this private key does not belong to the certificate", "the former ones go on serving"] {
        assert_eq!(count(&lines, part), 1, "{part}: {lines:#?}");
    }
    assert_none_missing(&house.taken());
}

#[test]
fn a_broken_certificate_file_leaves_the_old_one_serving_with_one_warning() {
    let house = House::new("broken", Manners::default());
    let mut agent = house.start("run", &[]);
    assert_eq!(accepted(&house), "pi-7");
    agent.wait_for_line("publishing to localhost", PATIENCE);
    fs::write(&house.device.certificate, "not a certificate\n").unwrap();
    assert_eq!([kicked(&house), kicked(&house)], ["pi-7", "pi-7"]);
    house.two_seconds_later();
    let lines = house.end(agent);
    assert_eq!(count(&lines, "the certificate is not PEM"), 1, "{lines:#?}");
    assert_eq!(count(&lines, "the former ones go on serving"), 1, "{lines:#?}");
    assert_none_missing(&house.taken());
}

#[test]
fn a_new_certificate_without_a_policy_leaves_the_old_one_serving_until_it_has_one() {
    // The thing is named after the certificate, so the new one has no policy for this client id.
    let policy = Some(allowing(&["pivitals/pi-7/metrics"]));
    let house = House::new("policy", Manners { policy, ..Manners::default() });
    let renewed = house.pki.device("renewed");
    let mut agent = house.start("run", &["mqtt=3.1.1"]);
    assert_eq!(accepted(&house), "pi-7");
    agent.wait_for_line("publishing to localhost", PATIENCE);
    replace(&house, &renewed);
    assert_eq!(kicked(&house), "pi-7");
    agent.wait_for_line("the new certificate files were refused", PATIENCE);
    house.two_seconds_later();
    house.broker.set_manners(|manners| manners.policy = None);
    assert_eq!(kicked(&house), "renewed");
    house.two_seconds_later();
    let lines = house.end(agent);
    assert_eq!(count(&lines, "as it was before goes on serving"), 1, "{lines:#?}");
    assert_none_missing(&house.taken());
}

#[test]
fn a_certificate_with_few_days_left_is_told_once_and_one_with_many_is_not() {
    for (days, times) in [(29, 1), (31, 0)] {
        let house = House::new("days", Manners::default());
        let soon = house.pki.device_with("soon", Validity::DaysLeft(days), Issuer::Ours);
        let agent =
            house.start("run", &["metrics=certificate_days", &format!("certs={}", soon.dir.display())]);
        let message = house.two_seconds_later();
        let begin = format!(r#"{{"name":"certificate days left (pi-7)","unit":"None","value":{days}.0,"#);
        assert!(message.text().starts_with(&begin), "{message}");
        let lines = house.end(agent);
        let told = format!("the certificate {} expires in {days} days", soon.certificate.display());
        assert_eq!((count(&lines, &told), count(&lines, "expires in")), (times, times), "{lines:#?}");
    }
}
