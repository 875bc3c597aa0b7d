//! What takes half a minute and more, because the program waits so long: for an answer, and after a
//! refusal. These come early in the alphabet, so that the others run meanwhile.

use pivitals_broker::{ConnackManner, Event, Issuer, Manners, PubackManner, Published, Silence, Validity};

use crate::denials::{TOPICS, WITHOUT_MEMORY};
use crate::house::{
    House, LONG_PATIENCE, PATIENCE, TRIAL_PATIENCE, allowing, assert_complete, assert_none_missing, count,
    for_each, hang_up, puback, statement, times_on, timestamp,
};
use crate::renewal::{accepted, replace};

#[test]
fn a_silent_broker_is_named_by_the_phase_in_which_it_falls_silent() {
    let silent = |silence| Manners { silence, ..Manners::default() };
    let cases = [
        (silent(Silence::AfterTcp), "localhost:PORT accepts connections and then says nothing"),
        (silent(Silence::AfterTls), "localhost does not answer CONNECT"),
        (
            Manners { connack: ConnackManner::Silence, ..Manners::default() },
            "localhost does not answer CONNECT",
        ),
        (silent(Silence::AfterConnack), "localhost does not acknowledge a message on pivitals/pi-7/metrics"),
    ];
    for_each(cases, |(manners, words)| {
        let house = House::new("silent", manners);
        let (code, lines) = house.once(&[]);
        let words = words.replace("PORT", &house.broker.port().to_string());
        assert_eq!((code, lines.len()), (69, 1), "{words}: {lines:#?}");
        assert!(lines[0].contains(&words), "{lines:#?}");
    });
}

#[test]
fn what_a_broker_never_acknowledged_is_named_and_sent_again_on_another_connection() {
    // The second message of the first connection gets no answer; the third one does.
    let is_dropped = |message: &Published| message.conn == 1 && message.ordinal == 2;
    let house = House::new(
        "dropped",
        puback(
            move |message| {
                if is_dropped(message) { PubackManner::Silence } else { PubackManner::Acknowledge }
            },
        ),
    );
    let mut agent = house.start("run", &[]);
    let dropped = house.broker.wait_for(PATIENCE, |event| event.published().filter(is_dropped));
    let line = agent.wait_for_line("next attempt in", LONG_PATIENCE);
    assert!(line.contains("does not acknowledge a message on pivitals/pi-7/metrics"), "{line}");
    let again =
        house.broker.wait_for(PATIENCE, |event| event.published().filter(|message| message.conn == 2));
    assert_eq!(again.payload, dropped.payload);
    house.end(agent);
    let taken = house.taken();
    assert_none_missing(&taken);
    // Nothing else came twice: what was sent after it and acknowledged is done.
    let mut payloads: Vec<_> = taken.iter().map(|message| &message.payload).collect();
    payloads.sort();
    payloads.dedup();
    assert_eq!(taken.len(), payloads.len() + 1);
}

#[test]
fn a_connection_on_which_pings_are_not_answered_is_given_up() {
    let house = House::new("pings", Manners { ignore_pings: true, ..Manners::default() });
    let mut agent = house.start("run", &["keep_alive=30", "interval=86400"]);
    house.broker.wait_for(LONG_PATIENCE, |event| matches!(event, Event::Ping { .. }).then_some(()));
    let line = agent.wait_for_line("next attempt in", LONG_PATIENCE);
    assert!(line.contains("localhost does not answer any more"), "{line}");
    house.end_of_one_that_waits(agent);
}

#[test]
fn a_topic_that_is_denied_without_a_word_does_not_hold_up_those_that_are_allowed() {
    let policy = Some(allowing(&WITHOUT_MEMORY));
    let house = House::new("starve", Manners { policy, ..Manners::default() });
    let mut agent = house.start("run", &["mqtt=3.1.1", TOPICS]);
    let line =
        agent.wait_for_line("closes the connection when client id pi-7 publishes on m/memory", PATIENCE);
    assert!(line.contains(&statement("iot:Publish", "topic/m/memory")), "{line}");
    // On the next connection all that is allowed arrives, and what is denied is tried after that.
    let first =
        house.broker.wait_for(LONG_PATIENCE, |event| event.published().filter(|message| message.conn == 4));
    assert!(first.allowed, "{first}");
    house.two_seconds_later();
    let until = timestamp(&house.two_seconds_later());
    let messages = house.taken();
    for topic in WITHOUT_MEMORY {
        let times = times_on(topic, &messages);
        assert_complete(&times);
        assert!(times.last().unwrap() + 1 >= until, "{topic}: {times:?} until {until}");
    }
    house.broker.set_manners(|manners| manners.policy = None);
    hang_up(&mut agent);
    house.broker.wait_for(PATIENCE, |event| {
        event.published().filter(|message| message.allowed && message.topic == "m/memory")
    });
    house.two_seconds_later();
    let lines = house.end(agent);
    for topic in ["m/cpu", "m/memory", "m/disk", "m/temperature"] {
        let messages = house.taken();
        assert_none_missing(messages.iter().filter(|message| message.topic == topic));
    }
    assert_eq!(count(&lines, "publishes on m/memory"), 1, "told once: {lines:#?}");
}

#[test]
fn what_was_denied_is_tried_again_without_a_signal_and_then_arrives_in_full() {
    let policy = Some(allowing(&WITHOUT_MEMORY));
    let house = House::new("trial", Manners { policy, ..Manners::default() });
    let mut agent = house.start("run", &[TOPICS]);
    agent.wait_for_line("does not let client id pi-7 publish on m/memory", PATIENCE);
    house.broker.set_manners(|manners| manners.policy = None);
    agent.wait_for_line("messages on m/memory are taken again", TRIAL_PATIENCE);
    house.two_seconds_later();
    let lines = house.end(agent);
    for topic in ["m/cpu", "m/memory", "m/disk", "m/temperature"] {
        assert_complete(&times_on(topic, &house.taken()));
    }
    assert_eq!(count(&lines, "m/memory"), 2, "{lines:#?}");
    assert_eq!(house.broker.events_so_far().into_iter().filter_map(Event::connected).count(), 1);
}

#[test]
fn a_new_certificate_that_the_broker_refuses_leaves_the_old_one_serving() {
    let house = House::new("foreign", Manners::default());
    let foreign = house.pki.device_with("foreign", Validity::Current, Issuer::Foreign);
    let mut agent = house.start("run", &[]);
    assert_eq!(accepted(&house), "pi-7");
    agent.wait_for_line("publishing to localhost", PATIENCE);
    replace(&house, &foreign);
    house.broker.close_connections(Some(0x8b));
    agent.wait_for_line("localhost refuses this device's certificate", PATIENCE);
    agent.wait_for_line("as it was before goes on serving", PATIENCE);
    assert_eq!(accepted(&house), "pi-7");
    house.two_seconds_later();
    house.end(agent);
    assert_none_missing(&house.taken());
}
