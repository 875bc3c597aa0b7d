//! One sample and an end: `once` and `print`, and what is refused before anything begins.

use std::collections::BTreeSet;
use std::fs;

use pivitals_broker::{Event, Manners, Version};

use crate::house::{House, PATIENCE};

#[test]
fn once_publishes_one_sample_in_one_record_and_has_nothing_to_say() {
    let house = House::new("once", Manners::default());
    let (status, lines) = house.start("once", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines), (Some(0), vec![]));
    let connected = house.broker.wait_for(PATIENCE, Event::connected);
    assert_eq!((connected.client_id.as_str(), connected.version), ("pi-7", Version::V5));
    assert_eq!(connected.certificate_cn, "pi-7");
    assert_eq!(connected.sni.as_deref(), Some("localhost"));
    assert!(connected.clean_start && connected.alpn.is_empty() && connected.keep_alive_secs == 240);
    let messages: Vec<_> = (0..4).map(|_| house.published()).collect();
    let records: BTreeSet<_> =
        messages.iter().flat_map(|message| [message.first_record, message.record]).collect();
    assert_eq!(records.len(), 1, "one TLS record");
    for (message, name) in messages.iter().zip([
        "cpu usage (pi-7)",
        "memory usage (pi-7)",
        "disk usage / (pi-7)",
        "cpu temperature (pi-7)",
    ]) {
        assert!(message.text().starts_with(&format!("{{\"name\":\"{name}\",")), "{}", message.text());
        assert_eq!((message.topic.as_str(), message.qos), ("pivitals/pi-7/metrics", 1));
        assert!(!message.retain && !message.dup);
    }
    assert_eq!(house.broker.violations(), Vec::<String>::new());
}

#[test]
fn once_that_can_measure_nothing_says_so() {
    let house = House::new("nothing", Manners::default());
    fs::remove_file(house.board.sensor()).unwrap();
    let (status, lines) = house.start("once", &["metrics=temperature"]).wait(PATIENCE);
    assert_eq!(status.code(), Some(78), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("nothing was published")), "{lines:#?}");
}

#[test]
fn print_prints_the_bytes_that_would_be_published_and_connects_to_nobody() {
    let house = House::new("print", Manners::default());
    let (status, lines) = house.start("print", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines.len()), (Some(0), 4), "{lines:#?}");
    assert!(
        lines[3].starts_with(r#"{"name":"cpu temperature (pi-7)","unit":"None","value":48.3,"timestamp":"#)
    );
    assert!(house.broker.events_so_far().is_empty());
}

#[test]
fn wrong_usage_exits_64_and_a_wrong_configuration_78_with_every_error() {
    let house = House::new("wrong", Manners::default());
    let (status, lines) = house.start("doctro", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines.len()), (Some(64), 1), "{lines:#?}");
    house.configure("intervall = 5\nqueue = 0\nkeep_alive = 5\n");
    for command in ["run", "once", "print"] {
        let (status, lines) = house.start(command, &["format=xml"]).wait(PATIENCE);
        assert_eq!((status.code(), lines.len()), (Some(78), 4), "{lines:#?}");
        let path = house.config().display().to_string();
        assert!(lines[0].contains(&format!("{path}:8: intervall = 5")), "{lines:#?}");
    }
}
