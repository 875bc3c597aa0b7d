//! Brokers that do not let the device connect, or not any more.

use pivitals_broker::manners::DisconnectAfter;
use pivitals_broker::{ConnackManner, DeniedConnect, Event, Manners, Refusal, Versions};

use crate::house::{
    House, PATIENCE, allowing, assert_none_missing, count, for_each, hang_up, statement, wait_in,
};

#[test]
fn a_refused_connect_is_named_and_once_exits_77() {
    for (mqtt, code) in [("5", 0x87), ("3.1.1", 5)] {
        let house =
            House::new("refused", Manners { connack: ConnackManner::Refuse(code), ..Manners::default() });
        let (status, lines) = house.start("once", &[&format!("mqtt={mqtt}")]).wait(PATIENCE);
        assert_eq!(status.code(), Some(77), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("iot:Connect on client/pi-7")), "{lines:#?}");
    }
}

#[test]
fn a_client_id_that_two_devices_use_is_named() {
    let house = House::new("cloned", Manners::default());
    let mut agent = house.start("run", &[]);
    house.published();
    house.broker.close_connections(Some(0x8e));
    let line = agent.wait_for_line("another device uses client id pi-7 (a cloned image?)", PATIENCE);
    assert!(wait_in(&line) >= 30, "{line}");
    agent.signal("TERM");
    assert_eq!(agent.wait(PATIENCE).0.code(), Some(0));
}

#[test]
fn two_devices_with_one_client_id_do_not_fight_over_it() {
    // Version 5 says what it is; of 3.1.1 the end of the connection is all there is, and it may be this.
    let cases = [
        ("5", "another device uses client id pi-7 (a cloned image?)"),
        ("3.1.1", "another device may use client id pi-7"),
    ];
    for_each(cases, |(mqtt, words)| {
        let house = House::new("clones", Manners::default());
        let mqtt = format!("mqtt={mqtt}");
        let mut first = house.start("run", &[&mqtt, "interval=86400"]);
        first.wait_for_line("publishing to localhost", PATIENCE);
        let mut second = house.start("run", &[&mqtt]);
        second.wait_for_line("publishing to localhost", PATIENCE);
        first.wait_for_line(words, PATIENCE);
        house.end_of_one_that_waits(first);
        house.two_seconds_later();
        house.end(second);
    });
}

#[test]
fn in_3_1_1_a_client_id_that_two_devices_use_is_named_at_the_second_close_in_a_row() {
    let house = House::new("clones-3", Manners::default());
    // One sample, so that nothing is under way when the connection is closed.
    let mut agent = house.start("run", &["mqtt=3.1.1", "interval=86400"]);
    for _ in 0..4 {
        house.published();
    }
    agent.wait_for_line("publishing to localhost", PATIENCE);
    house.broker.close_connections(Some(0x8e));
    agent.wait_for_line("another device may use client id pi-7", PATIENCE);
    house.broker.wait_for(PATIENCE, Event::connected);
    house.broker.close_connections(Some(0x8e));
    let line = agent.wait_for_line("another device with that id in MQTT 3.1.1 (a cloned image?)", PATIENCE);
    assert!(wait_in(&line) >= 30, "{line}");
    house.end_of_one_that_waits(agent);
}

#[test]
fn hangup_signals_do_not_cut_the_wait_after_a_refusal_to_nothing() {
    let house = House::new("hups", Manners { connack: ConnackManner::Refuse(0x87), ..Manners::default() });
    let mut agent = house.start("run", &["mqtt=5"]);
    agent.wait_for_line("next attempt in", PATIENCE);
    for _ in 0..5 {
        agent.signal("HUP");
        agent.wait_for_line("the configuration was read again", PATIENCE);
    }
    agent.signal("TERM");
    agent.wait(PATIENCE);
    let connects = house.broker.events_so_far().into_iter().filter_map(Event::connected).count();
    assert!(connects <= 2, "{connects} for five signals within a second or two");
}

#[test]
fn a_connect_that_the_policy_denies_is_named_with_the_client_id_and_the_statement() {
    // A connection that is closed without a word may have other reasons, so that one is no refusal yet.
    let cases = [
        ("5", DeniedConnect::Close, 77),
        ("3.1.1", DeniedConnect::Refuse(5), 77),
        ("3.1.1", DeniedConnect::Close, 69),
        ("auto", DeniedConnect::Close, 77),
    ];
    for_each(cases, |(mqtt, denied_connect, code)| {
        let policy = Some(allowing(&["pivitals/pi-8/metrics"]));
        let house = House::new("connect", Manners { policy, denied_connect, ..Manners::default() });
        // The policy lets a device connect by its thing's name alone.
        let lines = house.once(&["client_id=pi-8", &format!("mqtt={mqtt}")]);
        assert_eq!((lines.0, lines.1.len()), (code, 1), "{mqtt} {denied_connect:?}: {lines:#?}");
        assert!(lines.1[0].contains("client id pi-8"), "{lines:#?}");
        assert!(lines.1[0].contains(&statement("iot:Connect", "client/pi-8")), "{lines:#?}");
    });
}

#[test]
fn a_device_that_may_connect_again_delivers_what_it_has_kept() {
    for_each(["5", "3.1.1"], |mqtt| {
        let policy = Some(allowing(&["pivitals/pi-7/metrics"]));
        let house = House::new("again", Manners { policy, is_thing_attached: false, ..Manners::default() });
        let mut agent = house.start("run", &[&format!("mqtt={mqtt}")]);
        let line = agent.wait_for_line("next attempt in", PATIENCE);
        assert!(line.contains("iot:Connect on client/pi-7"), "{line}");
        house.broker.set_manners(|manners| manners.is_thing_attached = true);
        hang_up(&mut agent);
        house.two_seconds_later();
        house.end(agent);
        assert_none_missing(&house.taken());
    });
}

#[test]
fn a_client_id_connects_once_a_second_at_the_most_whatever_happens() {
    // Each connection is kicked after its first sample, and the wait after it is as short as it can be.
    let house = House::new(
        "pace",
        Manners {
            connects_per_second: Some(1),
            disconnect_after: Some(DisconnectAfter { publishes: 1, reason: 0x8b }),
            ..Manners::default()
        },
    );
    let mut agent = house.start("run", &[]);
    while house.broker.wait_for(PATIENCE, Event::connected).conn < 3 {}
    house.broker.set_manners(|manners| manners.disconnect_after = None);
    // Each signal makes a new connection.
    for _ in 0..3 {
        hang_up(&mut agent);
        house.broker.wait_for(PATIENCE, Event::connected);
    }
    house.published();
    house.end(agent); // it counts what was throttled
}

#[test]
fn a_broker_without_version_5_sees_one_connect_a_second_too() {
    let versions = Versions::OnlyV3(Refusal::Close);
    let house =
        House::new("pace-3", Manners { connects_per_second: Some(1), versions, ..Manners::default() });
    let (code, lines) = house.once(&[]);
    assert_eq!((code, house.throttled()), (0, 0), "{lines:#?}");
}

#[test]
fn a_broker_that_goes_away_politely_is_named_once_and_gets_the_rest_when_it_is_back() {
    let house = House::new("polite", Manners::default());
    let mut agent = house.start("run", &["mqtt=5"]);
    house.published();
    house.broker.close_connections(Some(0x8b));
    let line = agent.wait_for_line("next attempt in", PATIENCE);
    assert!(line.contains("localhost disconnected: it is shutting down"), "{line}");
    let second =
        house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| message.conn == 2));
    assert!(!second.dup, "{second}");
    let lines = house.end(agent);
    assert_none_missing(&house.taken());
    assert_eq!(count(&lines, "shutting down"), 1, "{lines:#?}");
}

#[test]
fn garbage_in_place_of_a_connack_is_named() {
    for_each(["5", "3.1.1"], |mqtt| {
        let house = House::new("no-mqtt", Manners { connack: ConnackManner::Garbage, ..Manners::default() });
        let (code, lines) = house.once(&[&format!("mqtt={mqtt}")]);
        assert_eq!((code, lines.len()), (69, 1), "{lines:#?}");
        assert!(lines[0].contains("MQTT: localhost sent "), "{lines:#?}");
        assert!(lines[0].contains("check that `port` is that of MQTT"), "{lines:#?}");
    });
}
