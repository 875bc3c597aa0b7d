//! SIGHUP: the configuration and the certificates change, and the queue stays.

use std::fs;

use pivitals_broker::{Event, Manners, PubackManner};

use crate::house::{House, PATIENCE, puback, timestamp};

#[test]
fn a_hangup_signal_changes_the_configuration_and_keeps_the_queue() {
    let mut house = House::new("reload", Manners::default());
    let mut agent = house.start("run", &[]);
    house.published();
    house.broker.stop();
    agent.wait_for_line("next attempt in", PATIENCE);
    house.configure("format = flat\nmetrics = temperature cpu\ntopic = other/{client_id}\n");
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    house.broker.restart();
    let message = house
        .broker
        .wait_for(PATIENCE, |event| event.published().filter(|message| message.topic == "other/pi-7"));
    assert!(message.text().starts_with(r#"{"label":"pi-7","timestamp":"#), "{}", message.text());
    assert!(message.text().contains(r#""temperature_celsius":48.3,"cpu_percent":"#), "{}", message.text());
    house.end(agent);
    let mut times: Vec<_> = house
        .broker
        .events_so_far()
        .into_iter()
        .filter_map(Event::published)
        .map(|m| timestamp(&m))
        .collect();
    times.dedup();
    assert!(times.windows(2).skip(1).all(|pair| pair[1] - pair[0] <= 2), "none is missing: {times:?}");
}

#[test]
fn a_hangup_signal_changes_the_interval() {
    let house = House::new("interval", Manners::default());
    let slow = fs::read_to_string(house.config()).unwrap().replace("interval = 1\n", "interval = 86400\n");
    fs::write(house.config(), slow).unwrap();
    let mut agent = house.start("run", &[]);
    let first = timestamp(&house.published());
    house.configure("");
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    house
        .broker
        .wait_for(PATIENCE, |event| event.published().filter(|message| timestamp(message) >= first + 3));
    house.end(agent);
}

#[test]
fn a_hangup_signal_brings_a_new_certificate_into_use() {
    let house = House::new("renewed", Manners::default());
    let renewed = house.pki.device("renewed");
    let mut agent = house.start("run", &[]);
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).certificate_cn, "pi-7");
    house.published();
    for (old, new) in [(&house.device.certificate, &renewed.certificate), (&house.device.key, &renewed.key)] {
        fs::copy(new, old).unwrap();
    }
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).certificate_cn, "renewed");
    house.published();
    house.end(agent);
}

#[test]
fn a_broken_configuration_changes_nothing() {
    let house = House::new("broken-reload", Manners::default());
    let mut agent = house.start("run", &[]);
    house.published();
    house.configure("intervall = 5\n");
    agent.signal("HUP");
    agent.wait_for_line("did you mean interval?", PATIENCE);
    agent.wait_for_line("the configuration was not changed", PATIENCE);
    let seen = house.published();
    assert_eq!(seen.conn, 1, "the connection stays");
    house.end(agent);
}

#[test]
fn what_is_in_flight_when_the_configuration_changes_is_sent_again() {
    let house = House::new(
        "settle",
        puback(|message| match message.conn {
            1 => PubackManner::Silence,
            _ => PubackManner::Acknowledge,
        }),
    );
    let mut agent = house.start("run", &["interval=60"]);
    let first: Vec<_> = (0..4).map(|_| house.published().payload).collect();
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    let again: Vec<_> = (0..4).map(|_| house.published().payload).collect();
    assert_eq!(first, again);
    house.end(agent);
}
