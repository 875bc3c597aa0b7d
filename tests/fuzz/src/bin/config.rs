//! A configuration file, and after each record separator (0x1e) the `KEY=VALUE` of a `--set`. An empty
//! file is none.

#![no_main]

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use pivitals::measure::alert::ALERTS_MAX;
use pivitals::platform::clock::{BootTime, Utc};
use pivitals::config::Config;
use pivitals::config::identity::Identity;
use pivitals::metric::{SERIES_MAX, Scope};
use pivitals::message::payload::{Encoder, Format, LEN_MAX};
use pivitals::metric::sample::{Readings, Sample};
use serde_json::Value;

/// A board that knows all of its names, and one that knows none.
static BOARDS: LazyLock<[Identity; 2]> = LazyLock::new(|| {
    let roots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../roots");
    ["pi-4", "broken"].map(|board| Identity::read(&roots.join(board)))
});

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(input) = std::str::from_utf8(input) else { return Corpus::Reject };
    let mut parts = input.split('\x1e');
    let text = parts.next().filter(|text| !text.is_empty());
    let set: Vec<String> = parts.map(str::to_owned).collect();
    for identity in &*BOARDS {
        match Config::read(text.map(|text| ("f.conf", text)), &set, identity) {
            Ok(config) => {
                assert_limits(&config);
                config.topics.all().iter().for_each(|topic| assert_topic(topic));
                assert_payloads(&config);
            }
            Err(errors) => {
                let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                assert_places(&errors, text);
            }
        }
    }
    Corpus::Keep
});

/// What the documentation allows, and nothing else.
fn assert_limits(config: &Config) {
    assert_ne!(config.port, 0);
    assert!((1..=86_400).contains(&config.interval.as_secs()) && config.interval.subsec_nanos() == 0);
    assert!((30..=1200).contains(&config.keep_alive_secs));
    assert!((1..=10_080).contains(&config.queue));
    assert!(is_text(&config.client_id, 128) && !config.client_id.starts_with('$'));
    assert!(is_text(&config.label, 128));
    assert!(is_text(&config.namespace, 255) && !config.namespace.starts_with("AWS/"));
    assert!(config.endpoint.as_deref().is_none_or(|host| is_text(host, 253) && !host.contains([' ', '/'])));
    let certificates = &config.certificates;
    let files = [&certificates.ca, &certificates.certificate, &certificates.key];
    assert!(files.into_iter().flatten().chain([&certificates.folder]).all(|path| path.is_absolute()));
    let keys = config.series.iter().map(|series| format!("{:?}{}", series.metric, series.suffix()));
    assert!((1..=SERIES_MAX).contains(&config.series.len()));
    assert!(!config.topics.names().is_empty() && config.topics.names().len() <= config.series.len());
    assert_eq!(keys.collect::<HashSet<_>>().len(), config.series.len(), "no key stands twice");
    assert!(config.alerts.len() <= ALERTS_MAX);
    for alert in &config.alerts {
        assert!(config.series.contains(&alert.series), "{alert:?}");
        assert!(alert.threshold.0.abs() < 10_i64.pow(13), "{alert:?}");
    }
    for series in &config.series {
        let name = series.of.as_deref().unwrap_or_default();
        let is_allowed = match series.metric.description().scope {
            Scope::Board => name.is_empty(),
            Scope::Mount => name.starts_with('/') && is_text(name, 64),
            Scope::Interface | Scope::Disk => {
                name.is_empty() || is_text(name, 15) && !name.contains(['/', '"'])
            }
        };
        assert!(is_allowed, "{series}");
    }
}

fn is_text(text: &str, len_max: usize) -> bool {
    (1..=len_max).contains(&text.len()) && !text.contains(char::is_control)
}

fn assert_topic(topic: &str) {
    let counted = match topic.strip_prefix("$aws/rules/") {
        Some(ingest) => {
            let (rule, counted) = ingest.split_once('/').expect("a topic after the rule's name");
            assert!(is_text(rule, 128) && !rule.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
            counted
        }
        None => topic,
    };
    assert!(is_text(counted, 256) && counted.matches('/').count() <= 7, "{topic:?}");
    assert!(!topic.contains(['+', '#']), "{topic:?}");
}

/// Every message fits, is JSON, and says whose it is, however long the names are and the numbers.
fn assert_payloads(config: &Config) {
    let mut readings = Readings::new();
    for _ in &config.series {
        readings.push(Ok(-12_345_678_901_234.56)).expect("room for every series");
    }
    let sample = Sample { taken_at: BootTime::default(), readings };
    let mut encoder = Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace);
    let parts = if config.format == Format::Rule { config.series.len() } else { 1 };
    for part in 0..parts {
        let samples = std::iter::once((&sample, Utc::from_millis(u64::MAX)));
        let message = encoder.encode(part, LEN_MAX, samples).expect("a message");
        let message: Value = serde_json::from_slice(message.payload).expect("JSON");
        let named = match config.format {
            Format::Rule => message["name"].as_str().expect("a name").to_owned(),
            Format::Flat => format!("({})", message["label"].as_str().expect("a label")),
            Format::Emf => {
                let event = message["batch"][0]["message"].as_str().expect("an event");
                let event: Value = serde_json::from_str(event).expect("JSON in JSON");
                format!("({})", event["device"].as_str().expect("a device"))
            }
        };
        assert!(named.ends_with(&format!("({})", config.label)), "{named:?}");
    }
    if let Some(device) = &config.discovery {
        let topics = [0, config.topics.availability()].map(|topic| config.topics.name(topic));
        let document = device.document(&config.label, &config.series, topics[0], topics[1], config.interval);
        let document: Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!(document["cmps"].as_object().expect("entities").len(), config.series.len());
    }
}

/// Every error says where: at a line of the file, in an option, or in neither; and in that order.
fn assert_places(errors: &[String], text: Option<&str>) {
    assert!(!errors.is_empty());
    let lines = text.map_or(0, |text| text.lines().count());
    let places = errors.iter().map(|error| {
        let (place, message) = error.split_once(": ").expect("a place");
        assert!(!message.is_empty());
        match (place, place.strip_prefix("f.conf:")) {
            (_, Some(line)) => line.parse().ok().filter(|line| (1..=lines).contains(line)).expect("a line"),
            ("--set", _) => lines + 1,
            ("f.conf", _) if text.is_some() => lines + 2,
            ("configuration", _) if text.is_none() => lines + 2,
            _ => panic!("{error:?} has no place"),
        }
    });
    assert!(places.is_sorted(), "{errors:?}");
}
