//! What Home Assistant is told of each board follows what it documents, and fits what the board publishes.
//!
//! The rules are those of its documentation, as of 2026, named where they stand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pivitals::config::Config;
use pivitals::config::identity::Identity;
use pivitals::measure::probe::{Health, Probes};
use pivitals::message::payload::{Encoder, LEN_MAX};
use pivitals::metric::{Metric, Scope, Series};
use pivitals::platform::clock::{BootTime, Utc};
use serde_json::{Map, Value};

const BOARDS: [&str; 7] = ["pi-zero", "pi-3", "pi-4", "cm-4", "pi-5", "vm", "broken"];
/// A mount point that no board has, and with everything in its name that JSON and templates escape.
const DISK: &str = r#"disk=/ /data-1 /it's"\"#;

/// www.home-assistant.io/integrations/mqtt, "Device discovery payload" and "Supported abbreviations":
/// what stands at the root, each with whether it has to.
const ROOT: [(&str, bool); 5] =
    [("dev", true), ("o", true), ("cmps", true), ("stat_t", false), ("avty_t", false)];
/// The same page, "Supported abbreviations for device registry configuration"; and those of the origin,
/// which has to have a name.
const DEVICE: [&str; 5] = ["ids", "name", "mf", "mdl", "sw"];
const ORIGIN: [&str; 2] = ["name", "sw"];

/// www.home-assistant.io/integrations/sensor.mqtt and binary_sensor.mqtt: what an entity may have, by the
/// abbreviations of the page above.
const OF_ANY: [&str; 6] = ["p", "name", "uniq_id", "val_tpl", "exp_aft", "dev_cla"];
const OF_SENSOR: [&str; 2] = ["unit_of_meas", "stat_cla"];
const OF_BINARY_SENSOR: [&str; 2] = ["pl_on", "pl_off"];

/// www.home-assistant.io/integrations/sensor, "Device class", and
/// developers.home-assistant.io/docs/core/entity/sensor, "Available device classes": of those that can be
/// of a computer, the units; and those that take more state classes than `measurement`.
const SENSOR_CLASSES: [(&str, &[&str], bool); 8] = [
    (
        "data_rate",
        &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "B/s", "kB/s", "MB/s", "GB/s", "KiB/s", "MiB/s", "GiB/s"],
        false,
    ),
    (
        "data_size",
        &["bit", "kbit", "Mbit", "Gbit", "B", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB"],
        true,
    ),
    ("duration", &["d", "h", "min", "s", "ms"], true),
    ("frequency", &["Hz", "kHz", "MHz", "GHz"], false),
    ("signal_strength", &["dB", "dBm"], false),
    ("temperature", &["°C", "°F", "K"], false),
    ("voltage", &["V", "mV"], false),
    ("power", &["W", "kW"], false),
];
/// The same pages, "State classes".
const STATE_CLASSES: [&str; 3] = ["measurement", "total", "total_increasing"];
/// www.home-assistant.io/integrations/binary_sensor, "Device class": of those that can be of a computer.
const BINARY_SENSOR_CLASSES: [&str; 5] = ["connectivity", "heat", "power", "problem", "running"];

struct Told {
    document: Map<String, Value>,
    /// The text of the `flat` message.
    payload: String,
    config: Config,
}

fn root(board: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots").join(board)
}

/// What is told of a board with everything that it has, and what it publishes.
fn told(board: &str) -> Told {
    let set = ["metrics=all", "format=flat", "discovery=homeassistant", "interval=20", DISK];
    let mut set = set.map(str::to_owned).to_vec();
    if board == "broken" {
        set.extend(["client_id=bro.ken".to_owned(), "label=broken".to_owned()]);
    }
    let config = Config::read(None, &set, &Identity::read(&root(board))).unwrap();
    let mut probes = Probes::new(&root(board), &config.series);
    probes.prime(BootTime::default());
    let sample = probes.sample(BootTime::default(), BootTime::from_millis(5000), &Health::default());
    let mut encoder = Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace);
    let samples = std::iter::once((&sample, Utc::from_millis(1_767_225_600_000)));
    let message = encoder.encode(0, LEN_MAX, samples).unwrap();
    let payload = String::from_utf8(message.payload.to_vec()).unwrap();
    Told { document: object(&serde_json::from_str(&document(&config)).unwrap()), payload, config }
}

fn document(config: &Config) -> String {
    let topics = &config.topics;
    let device = config.discovery.as_ref().unwrap();
    device.document(
        &config.label,
        &config.series,
        topics.name(0),
        topics.name(topics.availability()),
        config.interval,
    )
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).clone()
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The key in `{{value_json['key']}}`.
fn key_of(template: &str) -> String {
    let quoted = template.strip_prefix("{{value_json['").and_then(|rest| rest.strip_suffix("']}}"));
    let mut letters = quoted.unwrap_or_else(|| panic!("another template: {template}")).chars();
    let mut key = String::new();
    while let Some(letter) = letters.next() {
        assert_ne!(letter, '\'', "the text ends before the end: {template}");
        key.push(if letter == '\\' { letters.next().unwrap() } else { letter });
    }
    key
}

#[test]
fn a_document_has_what_it_has_to_have_and_nothing_unknown() {
    for board in BOARDS {
        let Told { document, config, .. } = told(board);
        assert!(document.keys().all(|key| ROOT.iter().any(|(known, _)| known == key)), "{board}");
        assert!(ROOT.iter().all(|(key, is_required)| !is_required || document.contains_key(*key)));
        let (device, origin) = (object(&document["dev"]), object(&document["o"]));
        assert!(device.keys().all(|key| DEVICE.contains(&key.as_str())), "{device:?}");
        assert!(origin.keys().all(|key| ORIGIN.contains(&key.as_str())), "{origin:?}");
        assert_eq!((text(&origin, "name"), text(&device, "name")), ("pivitals", config.label.as_str()));
        // "Discovery topic": the object id's characters.
        let topic = config.topics.name(config.topics.discovery());
        let id = topic.strip_prefix("homeassistant/device/").and_then(|rest| rest.strip_suffix("/config"));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        assert!(id.unwrap().bytes().all(is_plain), "{topic}");
        assert_eq!(text(&device, "ids"), id.unwrap());
        assert_eq!(text(&document, "stat_t"), config.topics.name(0));
        assert_eq!(text(&document, "avty_t"), format!("{}/availability", config.topics.name(0)));
    }
}

#[test]
fn every_entity_is_of_a_kind_that_home_assistant_knows() {
    for board in BOARDS {
        for (name, entity) in object(&told(board).document["cmps"]) {
            let entity = object(&entity);
            let platform = text(&entity, "p");
            let more = if platform == "sensor" { OF_SENSOR } else { OF_BINARY_SENSOR };
            let is_known = |key: &String| OF_ANY.contains(&key.as_str()) || more.contains(&key.as_str());
            assert!(entity.keys().all(is_known), "{board}: {entity:?}");
            // Three intervals.
            assert_eq!(entity["exp_aft"], 60, "{name}");
            let (class, unit) = (text(&entity, "dev_cla"), text(&entity, "unit_of_meas"));
            if platform == "binary_sensor" {
                assert!(BINARY_SENSOR_CLASSES.contains(&class), "{name}: {class}");
                continue;
            }
            assert_eq!(platform, "sensor", "{name}");
            assert!(STATE_CLASSES.contains(&text(&entity, "stat_cla")), "{name}");
            if !class.is_empty() {
                let known = SENSOR_CLASSES.iter().find(|(known, ..)| *known == class);
                let (_, units, may_count) = known.unwrap_or_else(|| panic!("{name}: {class}"));
                assert!(units.contains(&unit), "{name}: {unit} is no unit of {class}");
                assert!(*may_count || text(&entity, "stat_cla") == "measurement", "{name}");
            }
        }
    }
}

#[test]
fn every_value_that_is_published_has_one_entity_and_no_entity_lacks_one() {
    for board in BOARDS {
        let Told { document, payload, .. } = told(board);
        let entities = object(&document["cmps"]);
        let picked: Vec<_> =
            entities.values().map(|entity| key_of(text(&object(entity), "val_tpl"))).collect();
        let mut published: BTreeSet<_> =
            object(&serde_json::from_str(&payload).unwrap()).into_iter().map(|(key, _)| key).collect();
        assert!(published.remove("label") && published.remove("timestamp"));
        assert_eq!(picked.iter().cloned().collect::<BTreeSet<_>>(), published, "{board}");
        assert_eq!(picked.len(), published.len(), "{board}");
        assert!(picked.iter().any(|key| key == r#"disk_percent_it's"\"#), "{board}");
        for key in ["uniq_id", "name"] {
            let all: BTreeSet<_> =
                entities.values().map(|entity| text(&object(entity), key).to_owned()).collect();
            assert_eq!(all.len(), entities.len(), "{board}: {key}");
        }
    }
}

#[test]
fn a_binary_sensor_knows_what_is_published_for_on_and_off() {
    let mut seen = BTreeSet::new();
    for board in BOARDS {
        let Told { document, payload, .. } = told(board);
        for (key, entity) in object(&document["cmps"]) {
            if text(&object(&entity), "p") == "binary_sensor" {
                let (_, rest) = payload.split_once(&format!("\"{key}\":")).unwrap();
                let value = rest.split([',', '}']).next().unwrap().to_owned();
                let entity = object(&entity);
                let payloads = [text(&entity, "pl_on"), text(&entity, "pl_off"), "null"];
                assert!(payloads.contains(&value.as_str()), "{board}: {key} is {value}");
                seen.insert(value);
            }
        }
    }
    assert!(seen.contains("1.0") && seen.contains("0.0"), "{seen:?}");
}

/// What a subscriber and a broker have to take, at the most.
#[test]
fn the_longest_document_is_known() {
    let name = |scope: Scope, index: usize| match scope {
        Scope::Board => None,
        Scope::Mount => Some(format!("/{index}{}", r"\".repeat(scope.name_len_max() - 2)).into()),
        Scope::Interface | Scope::Disk => {
            Some(format!("{index}{}", "x".repeat(scope.name_len_max() - 1)).into())
        }
    };
    let series: Vec<_> = Metric::ALL
        .into_iter()
        .flat_map(|metric| {
            let scope = metric.description().scope;
            (0..scope.things_max()).map(move |index| Series { metric, of: name(scope, index) })
        })
        .collect();
    let device =
        pivitals::message::payload::homeassistant::Device::new(&"x".repeat(128), Some("Raspberry Pi"));
    let topic = "\"".repeat(256);
    let longest =
        device.document(&"\"".repeat(128), &series, &topic[..243], &topic, Duration::from_secs(86_400));
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let kilobytes = |text: &str| text.len().div_ceil(1000);
    let pi_4 = document(&told("pi-4").config);
    let told =
        format!("is told of in {} kB, nothing in more than {} kB", kilobytes(&pi_4), kilobytes(&longest));
    assert!(readme.contains(&told), "{told}");
}
