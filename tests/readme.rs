//! What the README and the changelog say is what the program does, as far as that can be compared.

use std::fs;
use std::path::Path;

use pivitals::cli;
use pivitals::config::identity::Identity;
use pivitals::config::{Config, KEYS};
use pivitals::message::payload::{Encoder, Format, LEN_MAX};
use pivitals::metric::sample::{Readings, Sample};
use pivitals::metric::{DISKS_MAX, INTERFACES_MAX, Metric, Scope, Series};
use pivitals::platform::clock::{BootTime, RELEASED_SECS, Utc};
use pivitals::uplink::backoff;

const CODE: char = '`';

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// The cells of the table whose head begins with `| head |`, row by row.
fn table(head: &str) -> Vec<Vec<String>> {
    let readme = text("README.md");
    let from = readme.find(&format!("| {head} |")).unwrap_or_else(|| panic!("no table with {head}"));
    let rows = readme[from..].lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

#[test]
fn the_table_of_the_configuration_has_every_key_with_its_default() {
    let rows = table("key | default");
    let told: Vec<_> =
        rows.iter().map(|row| (row[0].trim_matches(CODE), row[1].trim_matches(CODE))).collect();
    let known = KEYS.map(|key| (key.name, key.default.unwrap_or("—")));
    assert_eq!(told, known);
}

#[test]
fn every_limit_of_a_number_stands_in_its_row() {
    let rows = table("key | default");
    for key in KEYS.iter().filter(|key| key.allowed.starts_with(|first: char| first.is_ascii_digit())) {
        let range = key.allowed.split(' ').next().unwrap();
        let is_number = key.allowed.ends_with("(seconds)") || key.allowed.ends_with("(samples)");
        let row = rows.iter().find(|row| row[0].trim_matches(CODE) == key.name).unwrap();
        assert!(!is_number || row[2].contains(range), "{}: {range}", key.name);
    }
}

#[test]
fn the_table_of_the_metrics_is_the_list_of_metrics() {
    let told = table("metric | name in `rule`");
    let known: Vec<_> = Metric::ALL
        .map(|metric| {
            let about = metric.description();
            let series = match about.scope {
                Scope::Board => Series::new(metric),
                Scope::Mount => Series::of(metric, "/"),
                Scope::Interface => Series::of(metric, "eth0"),
                Scope::Disk => Series::of(metric, "mmcblk0"),
            };
            vec![
                format!("`{}`", about.key),
                format!("`{series} (LABEL)`"),
                format!("`{}{}`", about.flat_key, series.suffix()),
                format!("`{}{}`", about.emf_name, series.suffix()),
                about.unit.as_str().to_owned(),
                about.meaning.to_owned(),
            ]
        })
        .into();
    assert_eq!(told, known);
}

#[test]
fn the_limits_of_interfaces_and_disks_are_those_of_the_code() {
    assert_eq!((INTERFACES_MAX, DISKS_MAX), (4, 4));
    let readme = text("README.md");
    assert!(readme.contains("of up to four interfaces") && readme.contains("of up to four disks"));
}

#[test]
fn the_help_stands_in_the_readme() {
    assert!(text("README.md").contains(&format!("```\n{}```\n", cli::HELP)));
    for key in ["--config", "--set", "--root", "--offline", "--json", "--version", "--help"] {
        assert!(cli::HELP.contains(key));
    }
}

#[test]
fn the_examples_are_what_is_published() {
    let readme = text("README.md");
    let config =
        Config::read(None, &["label=pi-7".into(), "client_id=pi-7".into()], &Identity::read(Path::new("/")))
            .unwrap();
    let sample = |readings: &[f64]| Sample {
        taken_at: BootTime::default(),
        readings: readings.iter().map(|&value| Ok(value)).collect::<Readings>(),
    };
    let all = sample(&[12.3, 321.4, 41.0, 48.3]);
    for (format, sample, series) in
        [(Format::Rule, &all, 4), (Format::Flat, &all, 4), (Format::Emf, &sample(&[12.3]), 1)]
    {
        let series = config.series[..series].to_vec();
        let mut encoder = Encoder::new(format, series, &config.label, &config.namespace);
        let time = Utc::from_millis(1_767_225_600_000);
        let message = encoder.encode(0, LEN_MAX, [(sample, time)].into_iter()).unwrap();
        let payload = std::str::from_utf8(message.payload).unwrap();
        assert!(readme.contains(&format!("```json\n{payload}\n```")), "{payload}");
    }
}

#[test]
fn the_waits_are_those_of_the_code() {
    let readme = text("README.md");
    let secs = [backoff::FLOOR, backoff::CAP, backoff::REFUSED_FLOOR].map(|wait| wait.as_secs());
    let [floor, cap, refused] = secs;
    assert!(
        readme.contains(&format!(
            "{floor} s at the least, random, up to {cap} s; {refused} s at the least when"
        ))
    );
}

#[test]
fn the_day_of_the_release_is_that_of_the_changelog_and_the_version_that_of_the_package() {
    let changelog = text("CHANGELOG.md");
    let mut heads = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let (version, date) = heads.find_map(|head| head.split_once(" – ")).unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let numbers: Vec<_> = date.split('-').map(|number| number.parse().unwrap()).collect();
    let released = Utc::from_civil(numbers.try_into().unwrap(), [0, 0, 0]).unwrap();
    assert_eq!(RELEASED_SECS, released.as_secs());
}
