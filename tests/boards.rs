//! What each board's captured tree becomes in each format is the text in its folder `expected`.
//!
//! `PIVITALS_BLESS=1 cargo test --test boards` writes the texts anew, to be read before they are kept.

use std::fs;
use std::path::{Path, PathBuf};

use pivitals::clock::{BootTime, Utc};
use pivitals::config::Config;
use pivitals::identity::Identity;
use pivitals::outbox::{Outbox, Parts};
use pivitals::payload::{Encoder, LEN_MAX};
use pivitals::probe::{Health, Probes};
use pivitals_broker::TestDir;

const BOARDS: [&str; 6] = ["pi-zero", "pi-3", "pi-4", "pi-5", "vm", "broken"];
/// The disk is that of the machine that runs the tests; it has tests of its own.
const METRICS: &str = "metrics=cpu memory temperature";
const TIME: Utc = Utc::from_millis(1_767_225_600_000);

fn roots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots")
}

fn config(board: &str, format: &str) -> Config {
    let mut set = vec![METRICS.to_owned(), format!("format={format}")];
    if board == "broken" {
        // It does not know its own name, which is an error by itself.
        set.extend(["client_id=broken".to_owned(), "label=broken".to_owned()]);
    }
    Config::read(None, &set, &Identity::read(&roots().join(board))).unwrap()
}

/// Reads the board twice, `proc/stat` and then `proc/stat.later`, and writes what would be published.
fn payloads(board: &str, format: &str) -> String {
    let dir = TestDir::new(board);
    copy(&roots().join(board), dir.path());
    let config = config(board, format);
    let mut probes = Probes::new(dir.path(), &config.series);
    probes.prime();
    // Into the same file, which stays open between the readings as it does on a device.
    let later = fs::read(dir.path().join("proc/stat.later")).unwrap();
    fs::write(dir.path().join("proc/stat"), later).unwrap();
    let sample = probes.sample(BootTime::default(), &Health::default());

    let mut encoder = Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace);
    let mut outbox = Outbox::new(1);
    let parts = encoder.parts(&sample);
    outbox.push(sample, parts);
    let mut text = String::new();
    while let Some(ticket) = outbox.next_ticket(Parts::default()) {
        let message = encoder
            .encode(ticket.part(), LEN_MAX, outbox.waiting(ticket).map(|sample| (sample, TIME)))
            .unwrap();
        text.push_str(std::str::from_utf8(message.payload).unwrap());
        text.push('\n');
        outbox.sent(ticket, message.samples);
    }
    text
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

#[test]
fn every_board_says_what_is_expected_of_it() {
    for board in BOARDS {
        for format in ["rule", "flat", "emf"] {
            let path = roots().join(board).join("expected").join(format);
            let payloads = payloads(board, format);
            if std::env::var_os("PIVITALS_BLESS").is_some() {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, &payloads).unwrap();
            }
            let expected =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(payloads, expected, "{board}, {format}");
        }
    }
}

#[test]
fn every_board_in_the_folder_is_tested() {
    for entry in fs::read_dir(roots()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(entry.path().is_file() || BOARDS.contains(&name.as_str()), "{name}");
        assert!(entry.path().is_file() || entry.path().join("ORIGIN.md").is_file(), "{name}: no ORIGIN.md");
    }
}
