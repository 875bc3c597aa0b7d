//! A policy that does not let the device publish: it is named, and nothing is lost.

use pivitals_broker::{DeniedPublish, Event, Manners, PubackManner, Published};

use crate::house::{
    House, PATIENCE, allowing, assert_complete, assert_none_missing, count, for_each, hang_up, puback,
    statement, times_on, wait_in,
};

/// One topic a metric: `m/cpu`, `m/memory`, `m/disk`, `m/temperature`.
pub const TOPICS: &str = "topic=m/{metric}";
/// All of those that a policy allows which has forgotten one, in the order in which they are published.
pub const WITHOUT_MEMORY: [&str; 3] = ["m/cpu", "m/disk", "m/temperature"];

#[test]
fn a_denied_publish_is_named_and_once_exits_77() {
    for manner in [|| PubackManner::Reason(0x87), || PubackManner::Disconnect(0x87)] {
        let house = House::new("denied", puback(move |_| manner()));
        let (status, lines) = house.start("once", &["mqtt=5"]).wait(PATIENCE);
        assert_eq!(status.code(), Some(77), "{lines:#?}");
        assert!(
            lines.iter().any(|line| line.contains("iot:Publish on topic/pivitals/pi-7/metrics")),
            "{lines:#?}"
        );
    }
}

#[test]
fn a_publish_that_is_denied_without_a_word_is_named_after_three_times() {
    let house = House::new("wordless", puback(|_| PubackManner::Close));
    let mut agent = house.start("run", &["mqtt=3.1.1", "interval=60"]);
    let line = agent.wait_for_line("when client id pi-7 publishes on pivitals/pi-7/metrics", PATIENCE);
    assert!(line.contains("iot:Publish on topic/pivitals/pi-7/metrics"), "{line}");
    let connects = house.broker.events_so_far().into_iter().filter_map(Event::connected).count();
    assert_eq!(connects, 3);
    agent.signal("TERM");
    assert_eq!(agent.wait(PATIENCE).0.code(), Some(0));
}

#[test]
fn a_denied_topic_is_named_once_with_the_statement_to_add() {
    let cases = [
        ("5", DeniedPublish::Puback),
        ("5", DeniedPublish::Disconnect),
        ("5", DeniedPublish::PubackThenDisconnect),
        ("3.1.1", DeniedPublish::default()),
    ];
    for_each(cases, |(mqtt, denied_publish)| {
        let policy = Some(allowing(&["other/topic"]));
        let house = House::new("statement", Manners { policy, denied_publish, ..Manners::default() });
        let (code, lines) = house.once(&[&format!("mqtt={mqtt}")]);
        let topic = "topic/pivitals/pi-7/metrics";
        assert_eq!((code, lines.len()), (77, 1), "{mqtt} {denied_publish:?}: {lines:#?}");
        assert!(lines[0].contains("client id pi-7 publish"), "{lines:#?}");
        assert!(lines[0].contains(&statement("iot:Publish", topic)), "{lines:#?}");
        assert!(house.taken().is_empty());
    });
}

#[test]
fn once_delivers_what_is_allowed_and_names_the_one_topic_that_is_denied() {
    let cases = [
        ("5", DeniedPublish::Puback),
        ("5", DeniedPublish::Disconnect),
        ("5", DeniedPublish::PubackThenDisconnect),
        ("3.1.1", DeniedPublish::default()),
    ];
    for_each(cases, |(mqtt, denied_publish)| {
        let policy = Some(allowing(&WITHOUT_MEMORY));
        let house = House::new("partly", Manners { policy, denied_publish, ..Manners::default() });
        let (code, lines) = house.once(&[&format!("mqtt={mqtt}"), TOPICS]);
        assert_eq!((code, lines.len()), (77, 1), "{mqtt} {denied_publish:?}: {lines:#?}");
        assert!(lines[0].contains(&statement("iot:Publish", "topic/m/memory")), "{lines:#?}");
        let taken: Vec<_> = house.taken().into_iter().map(|message| message.topic).collect();
        assert_eq!(taken, WITHOUT_MEMORY, "{mqtt} {denied_publish:?}");
    });
}

#[test]
fn what_is_allowed_goes_on_and_what_was_denied_is_kept_until_the_policy_lets_it_through() {
    let policy = || Some(allowing(&WITHOUT_MEMORY));
    let house = House::new("kept", Manners { policy: policy(), ..Manners::default() });
    let mut agent = house.start("run", &[TOPICS]);
    agent.wait_for_line("does not let client id pi-7 publish on m/memory", PATIENCE);
    let allowed = |message: &Published| message.allowed && message.topic == "m/temperature";
    for _ in 0..4 {
        house.broker.wait_for(PATIENCE, |event| event.published().filter(allowed));
    }
    assert!(times_on("m/memory", &house.taken()).is_empty());
    house.broker.set_manners(|manners| manners.policy = None);
    hang_up(&mut agent);
    house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| message.topic == "m/memory"));
    let lines = house.end(agent);
    for topic in ["m/cpu", "m/memory", "m/disk", "m/temperature"] {
        assert_complete(&times_on(topic, &house.taken()));
    }
    assert_eq!(times_on("m/memory", &house.taken()), times_on("m/cpu", &house.taken()));
    assert_eq!(count(&lines, "m/memory"), 1, "told once: {lines:#?}");
}

#[test]
fn a_denial_that_the_broker_tells_twice_is_logged_once_and_blames_no_other_topic() {
    for_each([("pivitals/pi-7/metrics", "other/topic"), ("m/{metric}", "m/cpu")], |(topic, allowed)| {
        let policy = Some(allowing(&[allowed]));
        let denied_publish = DeniedPublish::PubackThenDisconnect;
        let house = House::new("twice", Manners { policy, denied_publish, ..Manners::default() });
        let set = ["mqtt=5", "log_level=debug", "metrics=cpu memory"];
        let mut agent = house.start("run", &[&set[..], &[&format!("topic={topic}")]].concat());
        let line = agent.wait_for_line("next attempt in", PATIENCE);
        // Other topics do not wait for the denied one.
        let is_only_topic = !topic.contains("{metric}");
        assert_eq!(wait_in(&line) >= 30, is_only_topic, "{line}");
        assert!(is_only_topic || wait_in(&line) <= 2, "{line}");
        agent.signal("TERM");
        let (status, lines) = agent.wait(PATIENCE);
        assert_eq!((status.code(), house.throttled()), (Some(0), 0), "{lines:#?}");
        let warnings: Vec<_> = lines.into_iter().filter(|line| line.contains("warn: MQTT")).collect();
        let denied = topic.replace("{metric}", "memory");
        assert_eq!(warnings.len(), 1, "{warnings:#?}");
        assert!(warnings[0].contains(&statement("iot:Publish", &format!("topic/{denied}"))), "{warnings:#?}");
    });
}

#[test]
fn samples_of_a_denied_topic_are_kept_and_arrive_in_full_once_the_policy_lets_them_through() {
    let cases = [
        ("5", "does not let client id pi-7"),
        ("3.1.1", "closed the connection three times in a row when client id pi-7"),
    ];
    for_each(cases, |(mqtt, words)| {
        let policy = Some(allowing(&["other/topic"]));
        let denied_publish = DeniedPublish::Disconnect;
        let house = House::new("in-full", Manners { policy, denied_publish, ..Manners::default() });
        let mut agent = house.start("run", &[&format!("mqtt={mqtt}")]);
        let line = agent.wait_for_line(words, PATIENCE);
        assert!(line.contains(&statement("iot:Publish", "topic/pivitals/pi-7/metrics")), "{line}");
        assert!(wait_in(&line) >= 30, "{line}");
        assert!(house.taken().is_empty());
        house.broker.set_manners(|manners| manners.policy = None);
        hang_up(&mut agent);
        house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| message.allowed));
        house.two_seconds_later();
        let lines = house.end(agent);
        assert_eq!(count(&lines, words), 1, "{lines:#?}");
        assert_none_missing(&house.taken());
    });
}
