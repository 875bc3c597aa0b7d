//! Home Assistant is told of the device: what the broker keeps of it, and when it says that the device is
//! there, and that it is not.

use pivitals_broker::{
    ConnackManner, DeniedPublish, Event, Manners, Program, PubackManner, Published, Version,
};

use crate::house::{House, PATIENCE, allowing, count, for_each, hang_up, puback};

const TOPIC: &str = "pivitals/pi-7/metrics";
const CONFIG: &str = "homeassistant/device/pivitals_pi-7/config";
const AVAILABILITY: &str = "pivitals/pi-7/metrics/availability";

const SET: [&str; 2] = ["format=flat", "discovery=homeassistant"];

/// An agent that announces itself to a broker with these manners.
fn start(name: &str, manners: Manners, more: &[&str]) -> (House, Program) {
    let house = House::new(name, manners);
    let agent = house.start("run", &[&SET, more].concat());
    (house, agent)
}

/// The next message that is to be retained.
fn notice(house: &House) -> Published {
    house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| message.retain))
}

#[track_caller]
fn assert_notice(message: &Published, topic: &str, text: &str) {
    assert_eq!((message.topic.as_str(), message.text()), (topic, text));
    assert_eq!((message.retain, message.qos), (true, 1), "{message}");
}

/// The announcement comes as a whole before anything else does.
fn assert_announced(house: &House) {
    let config = house.published();
    assert_eq!((config.topic.as_str(), config.retain, config.qos), (CONFIG, true, 1));
    let document: serde_json::Value = serde_json::from_slice(&config.payload).unwrap();
    assert_eq!((&document["stat_t"], &document["avty_t"]), (&TOPIC.into(), &AVAILABILITY.into()));
    assert_notice(&house.published(), AVAILABILITY, "online");
    let sample = house.published();
    assert_eq!((sample.topic.as_str(), sample.retain), (TOPIC, false));
}

/// The last that the broker heard, or said, of whether the device is there.
fn availability(house: &House) -> Vec<u8> {
    let mut said = house.broker.events_so_far().into_iter().filter_map(|event| match event {
        Event::Will { will, .. } if will.retain && will.topic == AVAILABILITY => Some(will.payload),
        Event::Published(message) if message.topic == AVAILABILITY => Some(message.payload),
        _ => None,
    });
    said.next_back().unwrap()
}

#[test]
fn the_configuration_is_retained_before_the_first_sample_and_offline_at_the_end() {
    for_each([("5", Version::V5), ("3.1.1", Version::V3)], |(mqtt, version)| {
        let (house, agent) = start("announced", Manners::default(), &[&format!("mqtt={mqtt}")]);
        let connected = house.broker.wait_for(PATIENCE, Event::connected);
        let will = connected.will.expect("a will");
        assert_eq!(connected.version, version);
        assert_eq!((will.topic.as_str(), &will.payload[..]), (AVAILABILITY, &b"offline"[..]));
        assert_eq!((will.qos, will.retain), (1, true));
        assert_announced(&house);
        let lines = house.end(agent);
        assert_eq!(count(&lines, "WARN"), 0, "{lines:#?}");
        let last = house.taken().pop().unwrap();
        assert_notice(&last, AVAILABILITY, "offline");
        let wills = house.broker.events_so_far().into_iter();
        assert_eq!(wills.filter(|event| matches!(event, Event::Will { .. })).count(), 0);
    });
}

#[test]
fn a_broker_that_allows_one_message_at_a_time_gets_them_one_at_a_time() {
    let manners = Manners { receive_maximum: Some(1), ..Manners::default() };
    let (house, agent) = start("one-at-a-time", manners, &["mqtt=5"]);
    assert_announced(&house);
    house.end(agent);
    assert_eq!(availability(&house), b"offline");
}

#[test]
fn of_a_device_that_is_killed_the_broker_says_that_it_is_offline() {
    let (house, agent) = start("killed", Manners::default(), &[]);
    assert_announced(&house);
    agent.signal("KILL");
    let will = house.broker.wait_for(PATIENCE, |event| match event {
        Event::Will { will, .. } => Some(will),
        _ => None,
    });
    assert_eq!((will.topic.as_str(), &will.payload[..], will.retain), (AVAILABILITY, &b"offline"[..], true));
}

#[test]
fn a_device_that_cannot_say_that_it_goes_leaves_it_to_its_will() {
    // The broker does not acknowledge the farewell, so that it may not have taken it.
    let manners = puback(|message| match &message.payload[..] {
        b"offline" => PubackManner::Silence,
        _ => PubackManner::Acknowledge,
    });
    let (house, mut agent) = start("unsaid", manners, &[]);
    assert_announced(&house);
    agent.signal("TERM");
    assert_eq!(agent.wait(PATIENCE).0.code(), Some(0));
    house.broker.wait_for(PATIENCE, |event| matches!(event, Event::Will { .. }).then_some(()));
}

#[test]
fn every_connection_announces_the_device_again() {
    let (house, agent) = start("again", Manners::default(), &[]);
    assert_announced(&house);
    house.broker.close_connections(None);
    house.broker.wait_for(PATIENCE, |event| matches!(event, Event::Will { .. }).then_some(()));
    house.broker.wait_for(PATIENCE, Event::connected);
    assert_announced(&house);
    house.end(agent);
}

#[test]
fn a_reload_says_offline_only_where_the_old_place_is_left() {
    let house = House::new("moved", Manners::default());
    let set = |more: &str| house.configure(&format!("format = flat\ndiscovery = homeassistant\n{more}"));
    set("");
    let mut agent = house.start("run", &[]);
    assert_announced(&house);
    set("metrics = cpu uptime\n");
    hang_up(&mut agent);
    let config = notice(&house);
    assert!(config.topic == CONFIG && config.text().contains("uptime_seconds"), "{config}");
    assert_notice(&notice(&house), AVAILABILITY, "online");
    set("topic = elsewhere\n");
    hang_up(&mut agent);
    assert_notice(&notice(&house), AVAILABILITY, "offline");
    assert_eq!(notice(&house).topic, CONFIG);
    assert_notice(&notice(&house), "elsewhere/availability", "online");
    house.configure("format = flat\n");
    hang_up(&mut agent);
    assert_notice(&notice(&house), "elsewhere/availability", "offline");
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).will, None);
    house.published();
    house.end(agent);
}

#[test]
fn a_broker_that_retains_nothing_is_told_of_once_and_gets_the_samples() {
    let manners = Manners { refuse_retain: true, ..Manners::default() };
    let (house, mut agent) = start("no-retain", manners, &["mqtt=5"]);
    let line = agent.wait_for_line("takes nothing to be retained", PATIENCE);
    assert!(line.contains("Home Assistant is not told of this device"), "{line}");
    for _ in 0..2 {
        let sample = house.published();
        assert_eq!((sample.topic.as_str(), sample.retain), (TOPIC, false));
        house.broker.close_connections(None);
    }
    house.published();
    let lines = house.end(agent);
    assert_eq!(count(&lines, "takes nothing to be retained"), 1, "{lines:#?}");
}

#[test]
fn an_announcement_that_is_refused_is_told_once_and_holds_up_no_sample() {
    let cases = [
        ("5", DeniedPublish::Puback),
        ("5", DeniedPublish::Disconnect),
        ("5", DeniedPublish::PubackThenDisconnect),
        ("3.1.1", DeniedPublish::default()), // it closes the connection
    ];
    for_each(cases, |(mqtt, denied_publish)| {
        let manners = Manners { policy: Some(allowing(&[TOPIC])), denied_publish, ..Manners::default() };
        let (house, mut agent) = start("refused", manners, &[&format!("mqtt={mqtt}")]);
        let line = agent.wait_for_line("Home Assistant is not told of this device", PATIENCE);
        assert!(line.contains(CONFIG), "{mqtt} {denied_publish:?}: {line}");
        for _ in 0..2 {
            house.broker.wait_for(PATIENCE, |event| {
                event.published().filter(|message| message.topic == TOPIC && message.allowed)
            });
        }
        let lines = house.end(agent);
        assert_eq!(count(&lines, "Home Assistant"), 1, "{lines:#?}");
        assert_eq!(count(&lines, "its messages are kept"), 0, "no sample is to blame: {lines:#?}");
    });
}

#[test]
fn an_availability_that_is_refused_holds_up_no_sample_though_the_document_is_taken() {
    let manners = puback(|message| match message.topic.as_str() {
        AVAILABILITY => PubackManner::Close,
        _ => PubackManner::Acknowledge,
    });
    let (house, mut agent) = start("half", manners, &["mqtt=3.1.1"]);
    let line = agent.wait_for_line("Home Assistant is not told of this device", PATIENCE);
    assert!(line.contains(AVAILABILITY), "{line}");
    house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| message.topic == TOPIC));
    house.end(agent);
}

#[test]
fn a_document_that_is_too_long_for_the_broker_is_told_and_holds_up_no_sample() {
    let manners = Manners { maximum_packet_size: Some(900), ..Manners::default() };
    let (house, mut agent) = start("too-long", manners, &["mqtt=5"]);
    let line = agent.wait_for_line("Home Assistant is not told of this device", PATIENCE);
    assert!(line.contains("does not take a message of"), "{line}");
    assert!(line.contains("name fewer `metrics`"), "format rule is no way out: {line}");
    house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| message.topic == TOPIC));
    house.end(agent);
    assert_eq!(availability(&house), b"offline");
}

/// Waits for the next connection and its end, and tells whether it had a will. The one after it waits for a
/// second at the least.
fn has_will(house: &House) -> bool {
    let will = house.broker.wait_for(PATIENCE, Event::connected).will;
    house.broker.wait_for(PATIENCE, |event| matches!(event, Event::Disconnected { .. }).then_some(()));
    will.is_some()
}

#[test]
fn a_broker_that_accepts_nobody_for_a_while_is_told_of_the_device_after_that() {
    // It may be the will that it does not like: one connection is tried without.
    let manners = Manners { connack: ConnackManner::Close, ..Manners::default() };
    let (house, agent) = start("nobody", manners, &["mqtt=3.1.1"]);
    assert_eq!([(); 4].map(|()| has_will(&house)), [true, true, true, false]);
    house.broker.set_manners(|manners| manners.connack = ConnackManner::Accept);
    assert!(house.broker.wait_for(PATIENCE, Event::connected).will.is_some());
    assert_announced(&house);
    house.end(agent);
}

#[test]
fn a_broker_that_takes_nothing_for_a_while_is_told_of_the_device_after_that() {
    // Samples alone do not arrive either, so it is not the announcement.
    let (house, agent) = start("nothing", puback(|_| PubackManner::Close), &["mqtt=3.1.1"]);
    assert_eq!([(); 4].map(|()| has_will(&house)), [true, true, true, false]);
    house.broker.set_manners(|manners| manners.publish = Box::new(|_| PubackManner::Acknowledge));
    assert!(house.broker.wait_for(PATIENCE, Event::connected).will.is_some());
    assert_announced(&house);
    let lines = house.end(agent);
    assert_eq!(count(&lines, "Home Assistant"), 0, "{lines:#?}");
}

#[test]
fn a_broker_that_is_back_for_the_connection_without_a_will_is_told_of_the_device_on_the_next() {
    let manners = Manners { connack: ConnackManner::Close, ..Manners::default() };
    let (house, agent) = start("back", manners, &["mqtt=3.1.1"]);
    assert_eq!([(); 3].map(|()| has_will(&house)), [true; 3]);
    house.broker.set_manners(|manners| manners.connack = ConnackManner::Accept);
    assert!(!has_will(&house));
    assert!(house.broker.wait_for(PATIENCE, Event::connected).will.is_some());
    assert_announced(&house);
    let lines = house.end(agent);
    assert_eq!(count(&lines, "Home Assistant"), 0, "{lines:#?}");
}

#[test]
fn a_broker_that_takes_no_will_is_told_of_once_and_gets_the_samples() {
    let manners = Manners { connack: ConnackManner::Close, ..Manners::default() };
    let (house, mut agent) = start("no-will", manners, &["mqtt=3.1.1"]);
    let answer = |manner| house.broker.set_manners(|manners| manners.connack = manner);
    assert_eq!([(); 3].map(|()| has_will(&house)), [true; 3]);
    answer(ConnackManner::Accept);
    assert!(!has_will(&house));
    answer(ConnackManner::Close);
    assert!(has_will(&house));
    answer(ConnackManner::Accept);
    agent.wait_for_line("Home Assistant is not told of this device", PATIENCE);
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).will, None);
    let sample = house.published();
    assert_eq!((sample.topic.as_str(), sample.retain), (TOPIC, false));
    let lines = house.end(agent);
    assert_eq!(count(&lines, "Home Assistant"), 1, "{lines:#?}");
}

#[test]
fn a_single_sample_announces_nothing() {
    let house = House::new("once-silent", Manners::default());
    assert_eq!(house.once(&SET), (0, vec![]));
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).will, None);
    assert!(house.taken().iter().all(|message| message.topic == TOPIC && !message.retain));
}

#[test]
fn an_endpoint_of_aws_is_refused_before_anything_is_sent() {
    let house = House::new("aws", Manners::default());
    let aws = "endpoint=abc-ats.iot.eu-west-1.amazonaws.com";
    let (status, lines) = house.start("run", &[&SET[..], &[aws]].concat()).wait(PATIENCE);
    assert_eq!((status.code(), lines.len()), (Some(78), 1), "{lines:#?}");
    assert!(lines[0].contains("discovery = homeassistant: AWS closes the connection"), "{lines:#?}");
    assert!(lines[0].contains("iot:RetainPublish"), "{lines:#?}");
}
