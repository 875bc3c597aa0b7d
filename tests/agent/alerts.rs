//! Alerts: what crosses a threshold between two samples arrives at once, from a board with a mailbox that
//! a test scripts.
//!
//! The mailbox is asked once a second for what is watched, and once more, after that, by each sample.

use std::iter;
use std::sync::mpsc::{Receiver, channel};

use pivitals_broker::{Event, Manners, Program, Published};
use pivitals_vcio::{Answer, Event as Call, Mailbox, Property, property};
use serde_json::{Value, json};

use crate::house::{House, PATIENCE, count, for_each, timestamp};

const HOT: &str = "alert = temperature > 80\n";
const WEAK: &str = "alert = under_voltage_now > 0\n";

/// A device that samples once an hour, and the mailbox of its board.
fn board(name: &str, more: &str) -> (House, Mailbox) {
    let house = House::new(name, Manners::default());
    configure(&house, more);
    let mailbox = Mailbox::new(house.board.root());
    mailbox.on(property::TEMPERATURE, [Answer::Value(50_000)]);
    mailbox.on(property::THROTTLED, [Answer::Value(0)]);
    (house, mailbox)
}

fn configure(house: &House, more: &str) {
    house.configure(&format!("format = flat\nmetrics = uptime\n{more}"));
    let text = std::fs::read_to_string(house.config()).unwrap();
    std::fs::write(house.config(), text.replace("interval = 1\n", "interval = 3600\n")).unwrap();
}

fn start(house: &House, mailbox: &Mailbox) -> Program {
    mailbox.run(|| house.start("run", &[]))
}

/// Has the firmware answer like this, and tells each time that it was asked.
fn script(
    mailbox: &Mailbox,
    property: Property,
    answers: impl Iterator<Item = Answer> + Send + 'static,
) -> Receiver<()> {
    let (asked, questions) = channel();
    mailbox.on(
        property,
        answers.inspect(move |_| {
            // Nobody may want to know any more.
            let _ = asked.send(());
        }),
    );
    questions
}

/// Waits until the firmware was asked so many times.
fn wait(questions: &Receiver<()>, times: usize) {
    for _ in 0..times {
        questions.recv_timeout(PATIENCE).unwrap();
    }
}

/// For ever.
fn always(answer: Answer) -> impl Iterator<Item = Answer> + Send + 'static {
    iter::repeat_with(move || answer)
}

fn value(message: &Published, key: &str) -> Value {
    let message: Value = serde_json::from_slice(&message.payload).unwrap();
    message.get(key).unwrap_or_else(|| panic!("no {key} in {message}")).clone()
}

fn values<const N: usize>(house: &House, key: &str) -> [Value; N] {
    [(); N].map(|()| value(&house.published(), key))
}

/// The values in all messages so far.
fn all_values(house: &House, key: &str) -> Vec<Value> {
    house.taken().iter().map(|message| value(message, key)).collect()
}

fn of_alerts(lines: &[String]) -> Vec<&str> {
    lines
        .iter()
        .filter_map(|line| line.strip_prefix("pivitals: "))
        .filter(|line| line.contains("alert"))
        .collect()
}

#[test]
fn a_temperature_that_crosses_its_threshold_arrives_at_once_and_again_when_it_is_back() {
    let (house, mailbox) = board("alert-ramp", HOT);
    // The sample would have read 85.0, and the next one 70.0: each has the value that crossed.
    let ramp = [45_000, 45_000, 79_000, 80_000, 80_049, 81_200, 85_000, 80_000, 76_100, 75_900, 70_000];
    let answers = ramp.map(Answer::Value).into_iter().chain(always(Answer::Value(70_000)));
    let questions = script(&mailbox, property::TEMPERATURE, answers);
    let agent = start(&house, &mailbox);
    assert_eq!(values(&house, "temperature_celsius"), [45.0, 81.2, 75.9].map(Value::from));
    while questions.try_recv().is_ok() {}
    wait(&questions, 3);
    let lines = house.end(agent);
    assert_eq!(all_values(&house, "temperature_celsius").len(), 3, "and no other");
    let told =
        ["warn: alert: temperature > 80: it is 81.2", "info: alert: temperature > 80 cleared (now 75.9)"];
    assert_eq!(of_alerts(&lines), told);
    // They are samples as any other, outside the grid.
    let times: Vec<_> = house.taken().iter().map(timestamp).collect();
    assert!(times[0] < times[1] && times[1] + 3 == times[2], "{times:?}");
    assert!(house.taken().iter().all(|message| value(message, "uptime_seconds").is_f64()));
}

#[test]
fn an_under_voltage_of_a_second_between_two_samples_arrives_as_one_and_then_as_zero() {
    let (house, mailbox) = board("alert-second", WEAK);
    // Gone already when the sample is taken that it is the reason for.
    let flags = [0, 0, 0x0001_0001, 0x0001_0000, 0x0001_0000];
    mailbox.on(property::THROTTLED, flags.map(Answer::Value));
    let agent = start(&house, &mailbox);
    assert_eq!(values(&house, "under_voltage_now"), [0.0, 1.0, 0.0].map(Value::from));
    let lines = house.end(agent);
    let told = [
        "warn: alert: under_voltage_now > 0: it is 1.0",
        "info: alert: under_voltage_now > 0 cleared (now 0.0)",
    ];
    assert_eq!(of_alerts(&lines), told);
    let times: Vec<_> = house.taken().iter().map(timestamp).collect();
    assert_eq!(times[2] - times[1], 1, "{times:?}");
}

#[test]
fn what_is_beyond_its_threshold_at_start_is_told_at_once_with_the_first_sample() {
    let (house, mailbox) = board("alert-start", HOT);
    let questions = script(&mailbox, property::TEMPERATURE, always(Answer::Value(90_000)));
    let agent = start(&house, &mailbox);
    assert_eq!(values(&house, "temperature_celsius"), [json!(90.0)]);
    while questions.try_recv().is_ok() {}
    wait(&questions, 3);
    let lines = house.end(agent);
    assert_eq!(of_alerts(&lines), ["warn: alert: temperature > 80: it is 90.0"]);
    assert_eq!(house.taken().len(), 1);
}

#[test]
fn a_reading_that_is_not_to_be_had_changes_nothing() {
    let failures = [
        Answer::Fails(libc::EINVAL),
        Answer::Fails(libc::EIO),
        Answer::Short,
        Answer::Unknown,
        Answer::Silence,
        Answer::Error(0),
    ];
    for_each(failures, |failure| {
        let (house, mailbox) = board("alert-unknown", WEAK);
        let (low, good) = (Answer::Value(1), Answer::Value(0));
        // The first two are of the first look and of the first sample.
        let answers =
            [good, good, failure, failure, low, low, failure, failure, low, failure, good, good, failure];
        let questions = script(&mailbox, property::THROTTLED, answers.into_iter().chain(always(failure)));
        let agent = start(&house, &mailbox);
        let expected = [0.0, 1.0, 0.0].map(Value::from);
        assert_eq!(values(&house, "under_voltage_now"), expected, "{failure:?}");
        while questions.try_recv().is_ok() {}
        wait(&questions, 2);
        let lines = house.end(agent);
        assert_eq!((house.taken().len(), of_alerts(&lines).len()), (3, 2), "{failure:?}: {lines:#?}");
    });
}

#[test]
fn a_supply_that_flaps_makes_twenty_samples_and_says_so_once() {
    let (house, mailbox) = board("alert-flaps", WEAK);
    // Other ones each second, for as long as there are samples.
    let answers = (0..).map(|question| Answer::Value((question / 2) & 1));
    let questions = script(&mailbox, property::THROTTLED, answers);
    let mut agent = start(&house, &mailbox);
    let line = agent.wait_for_line("changes were told", PATIENCE);
    assert!(line.contains("20 changes") && line.contains("one every 180 s"), "{line}");
    while questions.try_recv().is_ok() {}
    wait(&questions, 5);
    let lines = house.end(agent);
    assert_eq!(count(&lines, "changes were told"), 1, "{lines:#?}");
    // The regular one, and the twenty, each of another state than the one before.
    let seen = all_values(&house, "under_voltage_now");
    assert_eq!((seen.len(), count(&lines, "alert: under_voltage")), (21, 20), "{lines:#?}");
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:?}");
}

#[test]
fn a_supply_that_flaps_fills_no_log_where_a_sample_is_taken_each_second() {
    let (house, mailbox) = board("alert-log", WEAK);
    // Of the look and of the sample, the same.
    let answers = (0..).map(|question| Answer::Value((question / 2) & 1));
    let questions = script(&mailbox, property::THROTTLED, answers);
    let mut agent = mailbox.run(|| house.start("run", &["interval=1"]));
    agent.wait_for_line("changes were told", PATIENCE);
    while questions.try_recv().is_ok() {}
    wait(&questions, 10);
    let lines = house.end(agent);
    let told = (count(&lines, "changes were told"), count(&lines, "alert: under_voltage"));
    assert_eq!(told, (1, 20), "{lines:#?}");
    let seen = all_values(&house, "under_voltage_now");
    assert!(seen.len() > 23 && seen.windows(2).all(|pair| pair[0] != pair[1]), "the samples go on: {seen:?}");
}

#[test]
fn alerts_wait_while_the_broker_is_away_and_arrive_with_their_own_time() {
    let (mut house, mailbox) = board("alert-away", WEAK);
    let mut agent = start(&house, &mailbox);
    let first = timestamp(&house.published());
    agent.wait_for_line("publishing to localhost", PATIENCE);
    house.broker.stop();
    agent.wait_for_line("next attempt in", PATIENCE);
    let flags = [1, 1, 0, 0].map(Answer::Value);
    let questions = script(&mailbox, property::THROTTLED, flags.into_iter().chain(always(Answer::Value(0))));
    agent.wait_for_line("under_voltage_now > 0: it is 1.0", PATIENCE);
    agent.wait_for_line("under_voltage_now > 0 cleared", PATIENCE);
    wait(&questions, 7);
    house.broker.restart();
    let (low, good) = (house.published(), house.published());
    assert_eq!([&low, &good].map(|message| value(message, "under_voltage_now")), [1.0, 0.0].map(Value::from));
    // As it was asked: when it was seen, not when it was sent.
    assert_eq!(timestamp(&good), timestamp(&low) + 1);
    assert!(timestamp(&low) > first);
    house.end(agent);
}

#[test]
fn a_hangup_signal_keeps_what_an_alert_knows_and_begins_to_watch_what_is_new() {
    let (house, mailbox) = board("alert-reload", HOT);
    mailbox.on(property::TEMPERATURE, [Answer::Value(90_000)]);
    let mut agent = start(&house, &mailbox);
    assert_eq!(values(&house, "temperature_celsius"), [json!(90.0)]);
    let reload = |agent: &mut Program, alerts: &str| {
        configure(&house, alerts);
        agent.signal("HUP");
        agent.wait_for_line("the configuration was read again", PATIENCE);
    };
    reload(&mut agent, &format!("{HOT}{WEAK}"));
    // With another series there is a sample at once. The temperature is no news.
    let message = house.broker.wait_for(PATIENCE, Event::published);
    assert_eq!(value(&message, "under_voltage_now"), json!(0.0));
    let questions = script(&mailbox, property::THROTTLED, always(Answer::Value(1)));
    agent.wait_for_line("under_voltage_now > 0: it is 1.0", PATIENCE);
    mailbox.on(property::TEMPERATURE, [Answer::Value(70_000)]);
    agent.wait_for_line("temperature > 80 cleared", PATIENCE);
    reload(&mut agent, &format!("{WEAK}alert = temperature > 60\n"));
    agent.wait_for_line("temperature > 60: it is 70.0", PATIENCE);
    while questions.try_recv().is_ok() {}
    wait(&questions, 3);
    let lines = house.end(agent);
    assert_eq!(of_alerts(&lines).len(), 4, "{lines:#?}");
}

#[test]
fn the_firmware_is_asked_once_a_second_for_all_flags_together() {
    let flags = WEAK.replace("under_voltage", "throttled") + WEAK + HOT;
    let flags = flags + "alert = soft_temperature_limit_now > 0\nalert = frequency_capped_since_boot > 0\n";
    let (house, mailbox) = board("alert-questions", &flags);
    let questions = script(&mailbox, property::TEMPERATURE, always(Answer::Value(50_000)));
    let agent = start(&house, &mailbox);
    house.published();
    wait(&questions, 5);
    house.end(agent);
    let asked = |property: Property| {
        let log = mailbox.log();
        let is_of = |call: &Call| matches!(call, Call::Asked(asked) if asked.iter().all(|one| one.tag == property.tag));
        log.iter().filter(|call| is_of(call)).count()
    };
    let (flags, temperature) = (asked(property::THROTTLED), asked(property::TEMPERATURE));
    assert!(flags.abs_diff(temperature) <= 1 && flags >= 5, "{flags} {temperature}");
    // Of the samples, and of the watch.
    let opens = mailbox.log().iter().filter(|call| matches!(call, Call::Opened(_))).count();
    assert_eq!(opens, 2);
}

#[test]
fn without_an_alert_nothing_is_woken_between_two_samples() {
    let (still, quiet) = board("alert-none", "");
    let mut sleeper = quiet.run(|| still.start("run", &["metrics=temperature throttled"]));
    sleeper.wait_for_line("publishing to localhost", PATIENCE);
    // Another one, which watches, tells the time.
    let (house, mailbox) = board("alert-clock", HOT);
    let seconds = script(&mailbox, property::TEMPERATURE, always(Answer::Value(50_000)));
    let agent = start(&house, &mailbox);
    house.published();
    wait(&seconds, 3);
    let before = (switches(&sleeper), quiet.log().len());
    wait(&seconds, 4);
    assert_eq!((switches(&sleeper), quiet.log().len()), before);
    house.end(agent);
    still.end(sleeper);
}

/// How often a program has gone to sleep.
fn switches(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn once_and_print_raise_no_alert_and_show_what_is_watched() {
    let (house, mailbox) = board("alert-commands", HOT);
    mailbox.on(property::TEMPERATURE, [Answer::Value(90_000)]);
    let (status, lines) = mailbox.run(|| house.start("print", &[])).wait(PATIENCE);
    assert!(status.success() && lines.len() == 1, "{lines:#?}");
    assert!(lines[0].ends_with(r#""temperature_celsius":90.0}"#), "{lines:#?}");
    let (status, lines) = mailbox.run(|| house.start("once", &[])).wait(PATIENCE);
    assert_eq!((status.code(), lines), (Some(0), vec![]));
    assert_eq!(value(&house.published(), "temperature_celsius"), json!(90.0));
}
