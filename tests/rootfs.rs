//! The configuration that lies on the device tells every key with its default, and sets none.

use std::fs;
use std::path::Path;

use pivitals::config::{Config, KEYS};
use pivitals::identity::Identity;

fn file() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rootfs/etc/pivitals.conf")).unwrap()
}

/// The lines that would set a key if their `#` went: a word of prose is never followed by `=`.
fn keys(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    lines
        .map(|(name, value)| (name.trim_end(), value.trim()))
        .filter(|(name, _)| !name.contains(' '))
        .collect()
}

#[test]
fn every_key_stands_in_the_file_with_its_default_and_is_commented_out() {
    let text = file();
    let known: Vec<_> = KEYS.iter().map(|key| (key.name, key.default.unwrap_or_default())).collect();
    assert_eq!(keys(&text), known);
}

#[test]
fn the_file_as_it_is_sets_nothing() {
    for line in file().lines() {
        assert!(line.is_empty() || line.starts_with('#'), "{line}");
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn without_their_signs_its_lines_are_a_configuration() {
    let text = file();
    let set: Vec<_> = keys(&text)
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    assert!(set.len() > 10, "{set:?}");
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots/pi-4");
    Config::read(Some(("pivitals.conf", &set.join("\n"))), &[], &Identity::read(&board)).unwrap();
}
