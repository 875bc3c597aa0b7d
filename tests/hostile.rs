//! No content of a file makes the program panic: what boards really say, damaged at random.

use std::fs;
use std::path::Path;

use pivitals::clock::BootTime;
use pivitals::config::Config;
use pivitals::identity::Identity;
use pivitals::mailbox;
use pivitals::policy::{Action, Decision, Fault, JsonError, Policy, PolicyError, Request};
use pivitals::probe::{Health, Probes};
use pivitals_broker::{Random, TestDir};

const ROUNDS: usize = 5_000;

fn below(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.word() >> 16).unwrap() % limit.max(1)
}

/// A text with a few bytes changed, doubled, taken out, or all after some place cut off.
fn damage(random: &mut Random, text: &[u8]) -> Vec<u8> {
    const TELLING: &[u8] = b"0123456789 -+=\n\t\r\0\"{}#:.\xff\xc3";
    let mut damaged = text.to_vec();
    for _ in 0..=below(random, 4) {
        let at = below(random, damaged.len());
        let byte = TELLING[below(random, TELLING.len())];
        match below(random, 5) {
            0 => damaged.truncate(at),
            1 => damaged.insert(at.min(damaged.len()), byte),
            2 if !damaged.is_empty() => drop(damaged.remove(at)),
            3 => damaged.splice(at..at, b"99999999999999999999".iter().copied()).for_each(drop),
            _ => damaged.iter_mut().skip(at).take(1).for_each(|place| *place = byte),
        }
    }
    damaged
}

fn board(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots/pi-4").join(file)).unwrap()
}

#[test]
fn no_damaged_file_of_the_kernel_makes_a_probe_panic_or_a_percentage_impossible() {
    const FILES: [&str; 4] = [
        "proc/stat",
        "proc/meminfo",
        "sys/class/thermal/thermal_zone0/type",
        "sys/class/thermal/thermal_zone0/temp",
    ];
    let mut random = Random::new(1);
    let dir = TestDir::new("hostile");
    let whole = FILES.map(board);
    for file in FILES {
        fs::create_dir_all(dir.path().join(file).parent().unwrap()).unwrap();
    }
    let set = ["client_id=x", "label=x", "metrics=cpu memory temperature"].map(str::to_owned);
    let config = Config::read(None, &set, &Identity::read(dir.path())).unwrap();
    let mut probes = Probes::new(dir.path(), &config.series);
    let mut known = 0;
    for round in 0..ROUNDS {
        for (file, whole) in FILES.iter().zip(&whole) {
            let content = if round % 3 == 0 { whole.clone() } else { damage(&mut random, whole) };
            fs::write(dir.path().join(file), content).unwrap();
        }
        let sample = probes.sample(BootTime::default(), &Health::default());
        known += sample.readings.iter().filter(|reading| reading.is_ok()).count();
        if let Some(Ok(percent)) = sample.readings.first() {
            assert!((0.0..=100.0).contains(percent), "{percent}");
        }
        if let Some(Ok(megabytes)) = sample.readings.get(1) {
            assert!(megabytes.is_finite() && *megabytes >= 0.0, "{megabytes}");
        }
        if let Some(Ok(celsius)) = sample.readings.get(2) {
            assert!((-55.0..=150.0).contains(celsius), "{celsius}");
        }
    }
    assert!(known > ROUNDS, "most rounds have something that can be read: {known}");
}

#[test]
fn no_damaged_configuration_makes_the_reader_panic() {
    let identity = Identity::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots/pi-4"));
    let whole = b"endpoint = a.example\nport = 443\nclient_id = {serial}\ntopic = a/{client_id}\nrule = r\n\
        interval = 10\nlabel = \"Pi {mac}\"\nmetrics = cpu disk\ndisk = / /data\nmqtt = 5\nqueue = 9\n";
    let mut random = Random::new(2);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..ROUNDS {
        let text = String::from_utf8_lossy(&damage(&mut random, whole)).into_owned();
        match Config::read(Some(("f", &text)), &[], &identity) {
            Ok(config) => {
                good += 1;
                assert!(
                    !config.client_id.is_empty()
                        && !config.topics.pattern().is_empty()
                        && !config.label.is_empty()
                );
            }
            Err(errors) => {
                bad += 1;
                assert!(!errors.is_empty());
            }
        }
    }
    assert!(good > 0 && bad > 0, "{good} {bad}");
}

#[test]
fn no_answer_of_a_mailbox_but_a_whole_one_is_a_value() {
    let mut random = Random::new(3);
    for _ in 0..ROUNDS {
        let mut message = mailbox::request(mailbox::TEMPERATURE);
        message[below(&mut random, 8)] = u32::try_from(random.word() >> 32).unwrap();
        assert!(mailbox::response(mailbox::TEMPERATURE, &message).is_err(), "{message:x?}");
    }
}

#[test]
fn no_damaged_policy_makes_its_reader_panic_or_passes_for_json_that_it_is_not() {
    let whole = br#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "a\u00e9\n", "Effect": "Allow", "Action": ["iot:Connect", "iot:P?b*"], "Resource": "*",
         "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": true}, "StringLike": {"iot:ClientId": "pi-*"}}},
        {"Effect": "Deny", "Action": "iot:*", "Resource": ["arn:aws:iot:*:1:topic/${iot:ClientId}/${*}/*",
         "arn:aws-cn:iot:eu-*:*:topic/b/${iot:Certificate.Issuer}"], "Other": [-1.5, null]}]}"#;
    let request = Request { action: Action::Publish("b/c"), client_id: "pi-*", thing: Some("pi-7") };
    let mut random = Random::new(4);
    let (mut decided, mut unknown, mut refused) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let text = String::from_utf8_lossy(&damage(&mut random, whole)).into_owned();
        let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        match Policy::parse(&text) {
            Ok(policy) => {
                assert!(is_json, "{text}");
                match policy.decide(&request) {
                    Decision::Unknown(..) => unknown += 1,
                    _ => decided += 1,
                }
            }
            Err(PolicyError::Json(JsonError { fault: Fault::Twice | Fault::Depth, .. })) => {}
            Err(PolicyError::Json(_)) => {
                assert!(!is_json, "{text}");
                refused += 1;
            }
            Err(error) => assert!(is_json, "{error}: {text}"),
        }
    }
    assert!(decided > 0 && unknown > 0 && refused > 0, "{decided} {unknown} {refused}");
}
