//! No content of a file makes the program panic: what boards really say, damaged at random.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use pivitals::config::Config;
use pivitals::config::identity::Identity;
use pivitals::measure::mailbox;
use pivitals::measure::probe::{Health, Probes};
use pivitals::metric::{Metric, Unit};
use pivitals::platform::clock::BootTime;
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

fn board(board: &str, file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots").join(board).join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the probes read, and of which board it is taken.
const FILES: [(&str, &str); 18] = [
    ("pi-4", "proc/stat"),
    ("pi-4", "proc/meminfo"),
    ("pi-4", "proc/loadavg"),
    ("pi-4", "proc/uptime"),
    ("pi-4", "proc/vmstat"),
    ("pi-4", "proc/swaps"),
    ("pi-4", "proc/diskstats"),
    ("pi-4", "proc/net/dev"),
    ("pi-4", "proc/net/wireless"),
    ("pi-4", "proc/pressure/cpu"),
    ("pi-4", "proc/pressure/memory"),
    ("pi-4", "proc/pressure/io"),
    ("pi-4", "proc/self/mountinfo"),
    ("pi-4", "sys/class/thermal/thermal_zone0/type"),
    ("pi-4", "sys/class/thermal/thermal_zone0/temp"),
    ("pi-4", "sys/class/net/eth0/device/uevent"),
    ("cm-4", "sys/block/mmcblk0/device/life_time"),
    ("cm-4", "sys/block/mmcblk0/device/pre_eol_info"),
];

/// What a value can be, whatever the kernel says.
fn range(metric: Metric) -> RangeInclusive<f64> {
    match metric {
        Metric::Temperature => -55.0..=150.0,
        Metric::WifiSignal => -150.0..=-1.0,
        Metric::SdLifeTimeA | Metric::SdLifeTimeB => 10.0..=110.0,
        Metric::SdPreEol => 1.0..=3.0,
        Metric::ReadonlyRoot => 0.0..=1.0,
        _ if metric.description().unit == Unit::Percent => 0.0..=100.0,
        _ => 0.0..=f64::MAX,
    }
}

#[test]
fn no_damaged_file_of_the_kernel_makes_a_probe_panic_or_a_value_impossible() {
    let mut random = Random::new(1);
    let dir = TestDir::new("hostile");
    let whole = FILES.map(|(board, file)| {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let whole = self::board(board, file);
        fs::write(&path, &whole).unwrap();
        (path, whole)
    });
    let set = ["client_id=x", "label=x", "metrics=all", "disk=/not/there"].map(str::to_owned);
    let mut known = [0; Metric::ALL.len()];
    let mut now = BootTime::default();
    for _ in 0..ROUNDS / 100 {
        // What there is to be measured is found in damaged files, too.
        let config = Config::read(None, &set, &Identity::read(dir.path())).unwrap();
        let mut probes = Probes::new(dir.path(), &config.series);
        for round in 0..100 {
            // A few at a time, and whole again after that.
            let damaged: [_; 3] = std::array::from_fn(|_| &whole[below(&mut random, whole.len())]);
            for (path, whole) in damaged {
                fs::write(path, damage(&mut random, whole)).unwrap();
            }
            now = now + Duration::from_secs(round % 2);
            let sample = probes.sample(now, now, &Health::default());
            for (series, reading) in config.series.iter().zip(&sample.readings) {
                let Ok(value) = reading else { continue };
                assert!(range(series.metric).contains(value), "{series}: {value}");
                known[Metric::ALL.iter().position(|metric| *metric == series.metric).unwrap()] += 1;
            }
            for (path, whole) in damaged.into_iter().filter(|_| round % 2 == 0) {
                fs::write(path, whole).unwrap();
            }
        }
    }
    for (metric, known) in Metric::ALL.iter().zip(known) {
        let about = metric.description();
        let has_source = !matches!(about.key, "disk" | "throttled" | "clock" | "core_voltage");
        if has_source && !metric.is_of_agent() {
            assert!(known > 10, "{}: {known} could be read, too few to say anything", about.rule_name);
        }
    }
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
    let tags = [mailbox::TEMPERATURE, mailbox::THROTTLED, mailbox::ARM_CLOCK, mailbox::CORE_VOLTAGE];
    for tag in tags {
        for _ in 0..ROUNDS {
            let mut message = mailbox::request(tag);
            message[below(&mut random, 8)] = u32::try_from(random.word() >> 32).unwrap();
            assert!(mailbox::response(tag, &message).is_err(), "{message:x?}");
        }
    }
}
