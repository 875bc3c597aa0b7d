//! The configuration that lies on the device tells every key with its default, and sets none; and the
//! recipes of the README name what is there.

use std::fs;
use std::path::Path;

use pivitals::config::identity::Identity;
use pivitals::config::{Config, KEYS};
use pivitals::metric::Metric;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn file() -> String {
    read("rootfs/etc/pivitals.conf")
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
fn every_metric_is_named_in_the_file() {
    let text = file();
    let words: Vec<_> = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').collect();
    for metric in Metric::ALL {
        let key = metric.description().key;
        assert!(words.contains(&key), "rootfs/etc/pivitals.conf: the comment on `metrics` lacks {key}");
    }
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

#[test]
fn what_the_recipes_name_is_there() {
    let readme = read("README.md");
    let recipes = readme.split("## Into your image").nth(1).unwrap().split("\n## ").next().unwrap();
    let words = recipes.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_./".contains(letter));
    let paths: Vec<_> = words
        .map(|word| {
            word.trim_start_matches("../").trim_start_matches("pivitals/").trim_end_matches(['.', '/'])
        })
        .filter(|word| {
            ["rootfs", "packaging", "buildroot-package"].contains(&word.split('/').next().unwrap_or_default())
        })
        .collect();
    assert!(paths.len() > 5, "{paths:?}");
    for path in paths {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{path}");
    }
    let package = format!("pivitals_{}-1_arm64.deb", env!("CARGO_PKG_VERSION"));
    assert!(recipes.contains(&package), "{package}");
    let build = read("packaging/debian/build");
    let version = build.lines().find_map(|line| line.strip_prefix("cargo_deb_version=")).unwrap();
    assert!(recipes.contains(&format!("--version {version} cargo-deb")), "{version}");
}
