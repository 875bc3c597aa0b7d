//! The program, unmodified, on a board with a VideoCore mailbox that a test scripts.
//!
//! The mailbox says 25.0 °C where the thermal zone says 25.2, so that each reading tells its source.

use std::fs;

use pivitals_broker::{Manners, Program, Published};
use pivitals_vcio::{Answer, Event, Mailbox, Property, property};
use serde_json::{Value, json};

use crate::house::{House, PATIENCE, count, for_each};

/// What the program asks the firmware for, and what it makes of an answer.
struct Asked {
    metric: &'static str,
    property: Property,
    raw: u32,
    values: &'static [(&'static str, f64)],
}

/// All that it asks for: a row for each question. The throttled flags are one.
const ASKED: [Asked; 4] = [
    Asked {
        metric: "temperature",
        property: property::TEMPERATURE,
        raw: 25_000,
        values: &[("temperature_celsius", 25.0)],
    },
    Asked {
        metric: "throttled",
        property: property::THROTTLED,
        raw: 0x000a_0005,
        values: &[
            ("under_voltage_now", 1.0),
            ("frequency_capped_now", 0.0),
            ("throttled_now", 1.0),
            ("soft_temperature_limit_now", 0.0),
            ("under_voltage_since_boot", 0.0),
            ("frequency_capped_since_boot", 1.0),
            ("throttled_since_boot", 0.0),
            ("soft_temperature_limit_since_boot", 1.0),
        ],
    },
    Asked {
        metric: "clock",
        property: property::CLOCK_ARM_MEASURED,
        raw: 1_500_345_728,
        values: &[("cpu_clock_megahertz", 1500.3)],
    },
    Asked {
        metric: "core_voltage",
        property: property::VOLTAGE_CORE,
        raw: 856_300,
        values: &[("core_millivolts", 856.3)],
    },
];

const OF_THE_ZONE: f64 = 25.2;

/// Every way in which a mailbox that is there gives no value, and how that is told.
const FAILURES: [(Answer, &str); 8] = [
    (Answer::Short, "its source says something unexpected"),
    (Answer::Unknown, "there is no source for it on this board"),
    (Answer::Error(48_312), "its source says something unexpected"),
    (Answer::Silence, "its source says something unexpected"),
    (Answer::Fails(libc::EINVAL), "there is no source for it on this board"),
    (Answer::Fails(libc::EIO), "its source cannot be read"),
    (Answer::Fails(libc::ETIMEDOUT), "its source cannot be read"),
    (Answer::Fails(libc::ENOTTY), "its source cannot be read"),
];

fn good(asked: &Asked) -> Answer {
    Answer::Value(asked.raw)
}

/// A device on a board with that thermal zone, and the mailbox of the board.
fn board(name: &str) -> (House, Mailbox) {
    let house = House::new(name, Manners::default());
    house.configure("format = flat\n");
    fs::write(house.board.sensor(), "25178\n").unwrap();
    let mailbox = Mailbox::new(house.board.root());
    (house, mailbox)
}

/// The same without a thermal zone: what the mailbox does not say, nobody does.
fn board_without_zone(name: &str) -> (House, Mailbox) {
    let (house, mailbox) = board(name);
    fs::remove_dir_all(house.board.sensor().parent().unwrap()).unwrap();
    (house, mailbox)
}

fn start(house: &House, mailbox: &Mailbox, metric: &str) -> Program {
    mailbox.run(|| house.start("run", &[&format!("metrics={metric}")]))
}

fn value(message: &Published, key: &str) -> Value {
    let message: Value = serde_json::from_slice(&message.payload).unwrap();
    message.get(key).unwrap_or_else(|| panic!("no {key} in {message}")).clone()
}

/// Of the next sample, all that is made of one answer.
fn all_values(house: &House, asked: &Asked) -> Vec<Value> {
    let message = house.published();
    asked.values.iter().map(|(key, _)| value(&message, key)).collect()
}

fn expected(asked: &Asked) -> Vec<Value> {
    asked.values.iter().map(|(_, value)| json!(value)).collect()
}

/// The values of the next samples, one after the other.
fn values<const N: usize>(house: &House, key: &str) -> [Value; N] {
    [(); N].map(|()| value(&house.published(), key))
}

fn opens(mailbox: &Mailbox) -> usize {
    mailbox.log().iter().filter(|event| matches!(event, Event::Opened(_))).count()
}

/// How many calls there were beside the opens. Each is to be a question of one of those tags, with the
/// request of this machine's pointers and with nothing in the value: some tags would take it for an order.
fn questions(mailbox: &Mailbox) -> usize {
    let mut log = mailbox.log();
    log.retain(|event| !matches!(event, Event::Opened(_)));
    for event in &log {
        let Event::Asked(questions) = event else { panic!("{event:x?}") };
        for question in questions {
            let is_of = |property: Property| {
                question.tag == property.tag
                    && (property.part.is_none() || property.part == question.values.first().copied())
            };
            let asked =
                ASKED.iter().find(|asked| is_of(asked.property)).unwrap_or_else(|| panic!("{question:x?}"));
            let after_part = usize::from(asked.property.part.is_some());
            assert!(question.values[after_part..].iter().all(|&word| word == 0), "{question:x?}");
        }
    }
    log.len()
}

#[test]
fn every_value_of_the_mailbox_arrives() {
    for_each(ASKED, |asked| {
        let (house, mailbox) = board_without_zone("vcio");
        mailbox.on(asked.property, [good(&asked)]);
        let agent = start(&house, &mailbox, asked.metric);
        for _ in 0..2 {
            assert_eq!(all_values(&house, &asked), expected(&asked));
        }
        house.end(agent);
    });
}

#[test]
fn the_mailbox_wins_over_the_thermal_zone() {
    let (house, mailbox) = board("vcio-wins");
    mailbox.on(property::TEMPERATURE, [Answer::Value(25_000)]);
    let agent = start(&house, &mailbox, "temperature");
    assert_eq!(values(&house, "temperature_celsius"), [25.0; 2].map(Value::from));
    house.end(agent);
}

#[test]
fn a_mailbox_costs_one_call_for_each_question_of_a_sample_and_one_open_in_all() {
    let (house, mailbox) = board("vcio-cost");
    for asked in &ASKED {
        mailbox.on(asked.property, [good(asked)]);
    }
    let metrics = ASKED.map(|asked| asked.metric).join(" ");
    let agent = start(&house, &mailbox, &metrics);
    for _ in 0..3 {
        house.published();
    }
    house.end(agent);
    // One sample may have been taken and not sent any more.
    let (samples, questions) = (house.taken().len(), questions(&mailbox));
    assert!([samples, samples + 1].map(|samples| samples * ASKED.len()).contains(&questions), "{questions}");
    assert_eq!(opens(&mailbox), 1);
}

#[test]
fn print_asks_the_mailbox_once() {
    let (house, mailbox) = board("vcio-print");
    mailbox.on(property::TEMPERATURE, [Answer::Value(25_000)]);
    let (status, lines) = mailbox.run(|| house.start("print", &["metrics=temperature"])).wait(PATIENCE);
    assert!(status.success() && lines[0].ends_with(r#""temperature_celsius":25.0}"#), "{lines:?}");
    assert_eq!((opens(&mailbox), questions(&mailbox)), (1, 1));
}

#[test]
fn a_temperature_is_followed_up_to_where_a_board_is_throttled_and_down_to_frost() {
    let (house, mailbox) = board_without_zone("vcio-ramp");
    // A real zero is a zero.
    mailbox.on(property::TEMPERATURE, [45_083, 65_017, 85_950, 0].map(Answer::Value));
    let agent = start(&house, &mailbox, "temperature");
    assert_eq!(values(&house, "temperature_celsius"), [45.1, 65.0, 86.0, 0.0].map(Value::from));
    house.end(agent);
}

#[test]
fn the_thermal_zone_stands_in_for_as_long_as_the_mailbox_fails() {
    for_each(FAILURES, |(failure, _)| {
        let (house, mailbox) = board("vcio-fails");
        let good = Answer::Value(25_000);
        mailbox.on(property::TEMPERATURE, [good, failure, failure, good]);
        let agent = start(&house, &mailbox, "temperature");
        let expected = [25.0, OF_THE_ZONE, OF_THE_ZONE, 25.0].map(Value::from);
        assert_eq!(values(&house, "temperature_celsius"), expected, "{failure:?}");
        // There was a reading all the time, so that there is nothing to tell.
        let lines = house.end(agent);
        assert_eq!(count(&lines, "temperature"), 0, "{lines:#?}");
    });
}

#[test]
fn what_only_the_mailbox_knows_is_unknown_when_it_fails_never_zero_and_told_once() {
    for_each(ASKED, |asked| {
        for_each(FAILURES, |(failure, why)| {
            let (house, mailbox) = board_without_zone("vcio-unknown");
            mailbox.on(asked.property, [good(&asked), failure, failure, good(&asked)]);
            let agent = start(&house, &mailbox, asked.metric);
            let unknown = vec![Value::Null; asked.values.len()];
            for expected in [expected(&asked), unknown.clone(), unknown, expected(&asked)] {
                assert_eq!(all_values(&house, &asked), expected, "{failure:?}");
            }
            let lines = house.end(agent);
            let number = asked.values.len();
            assert_eq!(count(&lines, &format!(": no reading: {why}")), number, "{lines:#?}");
            assert_eq!(count(&lines, ": the reading is back"), number, "{lines:#?}");
            assert_eq!(count(&lines, "reading"), 2 * number, "{lines:#?}");
        });
    });
}

#[test]
fn a_mailbox_that_appears_later_is_opened_and_then_kept_open() {
    for_each([libc::ENOENT, libc::ENXIO, libc::EACCES, libc::EIO], |errno| {
        let (house, mailbox) = board("vcio-late");
        mailbox.on_open([Err(errno), Err(errno), Ok(())]);
        mailbox.on(property::TEMPERATURE, [Answer::Value(25_000)]);
        let agent = start(&house, &mailbox, "temperature");
        let expected = [OF_THE_ZONE, OF_THE_ZONE, 25.0, 25.0].map(Value::from);
        assert_eq!(values(&house, "temperature_celsius"), expected, "{errno}");
        house.end(agent);
        assert_eq!(opens(&mailbox), 3, "{errno}");
    });
}

#[test]
fn a_mailbox_that_is_denied_is_told_with_the_group_that_may_read_it() {
    let (house, mailbox) = board_without_zone("vcio-denied");
    mailbox.on_open([Err(libc::EACCES), Err(libc::EACCES), Ok(())]);
    mailbox.on(property::TEMPERATURE, [Answer::Value(25_000)]);
    let agent = start(&house, &mailbox, "temperature");
    let expected = [Value::Null, Value::Null, json!(25.0)];
    assert_eq!(values(&house, "temperature_celsius"), expected);
    let lines = house.end(agent);
    let denied = "temperature: no reading: this user may not read its source (is it in the group `video`?)";
    assert_eq!(
        (count(&lines, denied), count(&lines, "temperature: the reading is back")),
        (1, 1),
        "{lines:#?}"
    );
}

#[test]
fn a_board_without_mailbox_and_zone_has_no_temperature_and_says_so_once() {
    let (house, mailbox) = board_without_zone("vcio-none");
    mailbox.on_open([Err(libc::ENOENT)]);
    let agent = start(&house, &mailbox, "temperature");
    assert_eq!(values(&house, "temperature_celsius"), [const { Value::Null }; 3]);
    let lines = house.end(agent);
    let absent = "temperature: no reading: there is no source for it on this board";
    assert_eq!((count(&lines, absent), count(&lines, "temperature")), (1, 1), "{lines:#?}");
    // A driver may come late: it is looked for at each sample.
    assert!(opens(&mailbox) >= 3);
    assert_eq!(questions(&mailbox), 0);
}
