//! Home Assistant is told of the device by what the broker keeps, whenever it subscribes.

use std::fs;
use std::path::Path;

use pivitals_broker::{Program, TestDir};

use crate::device::{Device, House, TOPIC};
use crate::observer::{Message, Observer};
use crate::pki::KeyKind;
use crate::{PATIENCE, tools};

const CONFIG: &str = "homeassistant/device/pivitals_pi-7/config";
const AVAILABILITY: &str = "pivitals/pi-7/metrics/availability";

/// An agent that announces itself, and has published a sample after that.
fn start(house: &House, device: &Device, more: &[&str]) -> Program {
    let set = [&["interval=1", "format=flat", "discovery=homeassistant"], more].concat();
    let mut observer = Observer::new(house.mosquitto.plain_port);
    let agent = device.start("run", house.mosquitto.port, &set);
    while observer.message().topic != TOPIC {}
    agent
}

/// What the broker has kept, as somebody finds it who comes now.
fn kept(house: &House) -> Vec<Message> {
    let mut messages = Observer::new(house.mosquitto.plain_port).rest();
    messages.retain(|message| message.is_retained);
    messages.sort_by(|a, b| a.topic.cmp(&b.topic));
    messages
}

#[track_caller]
fn assert_kept(house: &House, availability: &str) {
    let kept = kept(house);
    let topics: Vec<_> = kept.iter().map(|message| message.topic.as_str()).collect();
    assert_eq!(topics, [CONFIG, AVAILABILITY], "samples are not kept");
    assert!(kept[0].payload.contains(r#""uniq_id":"pivitals_pi-7_cpu_percent""#), "{kept:?}");
    assert_eq!((kept[1].payload.as_str(), kept[1].qos), (availability, 1));
}

#[test]
fn who_subscribes_later_finds_the_device_and_whether_it_is_there() {
    if !tools::are_here() {
        return;
    }
    for mqtt in ["mqtt=5", "mqtt=3.1.1"] {
        let mut house = House::new("discovery", "");
        let mut agent = start(&house, &house.device(KeyKind::EcPkcs8), &[mqtt]);
        assert_kept(&house, "online");
        agent.signal("TERM");
        let (status, lines) = agent.wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
        house.mosquitto.wait_for("Received DISCONNECT from pi-7", PATIENCE);
        assert_kept(&house, "offline");
    }
}

#[test]
fn a_device_that_is_killed_is_offline_for_those_who_look_on_and_who_come_later() {
    if !tools::are_here() {
        return;
    }
    for mqtt in ["mqtt=5", "mqtt=3.1.1"] {
        let house = House::new("killed", "");
        let agent = start(&house, &house.device(KeyKind::EcPkcs8), &[mqtt]);
        let mut observer = Observer::new(house.mosquitto.plain_port);
        agent.signal("KILL");
        let told = std::iter::repeat_with(|| observer.message())
            .find(|message| message.topic == AVAILABILITY && !message.is_retained)
            .unwrap();
        assert_eq!(told.payload, "offline");
        assert_kept(&house, "offline");
    }
}

#[test]
fn a_mosquitto_that_retains_nothing_gets_the_samples() {
    if !tools::are_here() {
        return;
    }
    // In 3.1.1 it closes the connection without a word, so that a few are tried.
    for mqtt in ["mqtt=5", "mqtt=3.1.1"] {
        let house = House::new("no-retain", "retain_available false");
        let mut agent = start(&house, &house.device(KeyKind::EcPkcs8), &[mqtt]);
        let line = agent.wait_for_line("Home Assistant is not told of this device", PATIENCE);
        assert!(line.contains("localhost refuses client id pi-7: it takes nothing to be retained"), "{line}");
        assert_eq!(kept(&house), []);
        agent.signal("TERM");
        let (status, lines) = agent.wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
    }
}

#[test]
fn the_access_list_in_the_readme_allows_all_that_the_device_does_and_no_more_than_its_own() {
    if !tools::are_here() {
        return;
    }
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let list = readme.split("```\n").find(|block| block.starts_with("pattern write ")).unwrap();
    let folder = TestDir::new("access-list");
    let file = folder.path().join("acl");
    fs::write(&file, format!("topic read #\n{list}")).unwrap();
    let more = format!("use_identity_as_username true\nacl_file {}", file.display());
    let house = House::new("allowed", &more);
    let device = house.device(KeyKind::EcPkcs8);
    let mut agent = start(&house, &device, &["mqtt=5"]);
    assert_kept(&house, "online");
    agent.signal("TERM");
    let (_, lines) = agent.wait(PATIENCE);
    assert!(!lines.iter().any(|line| line.contains("does not let")), "{lines:#?}");
    // The certificate says pi-7.
    let mut agent =
        device.start("run", house.mosquitto.port, &["client_id=pi-8", "format=flat", "interval=1"]);
    let line = agent.wait_for_line("does not let client id pi-8 publish", PATIENCE);
    assert!(line.contains("pivitals/pi-8/metrics"), "{line}");
}
