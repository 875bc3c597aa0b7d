//! What each board's captured tree becomes in each format is the text in its folder `expected`.
//!
//! `PIVITALS_BLESS=1 cargo test --test boards` writes the texts anew, to be read before they are kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pivitals::config::Config;
use pivitals::config::identity::Identity;
use pivitals::measure::probe::{Health, Probes};
use pivitals::message::payload::{Encoder, LEN_MAX};
use pivitals::platform::clock::{BootTime, Utc};
use pivitals::queue::outbox::{Outbox, Parts};
use pivitals_broker::TestDir;

const BOARDS: [&str; 7] = ["pi-zero", "pi-3", "pi-4", "cm-4", "pi-5", "vm", "broken"];
/// A mount point that no board has: the usage of any other is that of the machine that runs the tests.
const MOUNT: &str = "disk=/not/there";
/// Between the two readings of a board.
const APART: Duration = Duration::from_secs(5);
const TIME: Utc = Utc::from_millis(1_767_225_600_000);

fn roots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots")
}

fn config(board: &str, root: &Path, format: &str) -> Config {
    let mut set = ["metrics=all", MOUNT].map(str::to_owned).to_vec();
    set.push(format!("format={format}"));
    if board == "broken" {
        // It does not know its own name, which is an error by itself.
        set.extend(["client_id=broken".to_owned(), "label=broken".to_owned()]);
    }
    Config::read(None, &set, &Identity::read(root)).unwrap()
}

/// Reads the board twice, each counter with a `.later` as that the second time, and writes what would be
/// published.
fn payloads(board: &str, format: &str) -> String {
    let dir = TestDir::new(board);
    copy(&roots().join(board), dir.path());
    let config = config(board, dir.path(), format);
    let mut probes = Probes::new(dir.path(), &config.series);
    let from = BootTime::default();
    probes.prime(from);
    pass(dir.path());
    let sample = probes.sample(from, from + APART, &Health::default());

    let mut encoder = Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace);
    let mut outbox = Outbox::new(1);
    let parts = encoder.parts(&sample);
    outbox.push(&sample, parts);
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

/// Puts what was read later into the same files, which stay open between the readings as they do on a
/// device.
fn pass(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pass(&path);
        } else if path.extension().is_some_and(|extension| extension == "later") {
            fs::write(path.with_extension(""), fs::read(&path).unwrap()).unwrap();
        }
    }
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

/// Where two texts begin to differ, with what stands there in each.
fn difference(expected: &str, actual: &str) -> Option<String> {
    const CONTEXT: usize = 40;
    let same = expected.bytes().zip(actual.bytes()).take_while(|(a, b)| a == b).count();
    let excerpt = |text: &str| {
        let around = &text.as_bytes()[same.saturating_sub(CONTEXT)..text.len().min(same + 2 * CONTEXT)];
        String::from_utf8_lossy(around).into_owned()
    };
    let line = expected.as_bytes()[..same].split(|byte| *byte == b'\n').count();
    (expected != actual)
        .then(|| format!("line {line}: expected …{}…, now …{}…", excerpt(expected), excerpt(actual)))
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
            if let Some(difference) = difference(&expected, &payloads) {
                panic!("{}: {difference}\nPIVITALS_BLESS=1 writes the file anew", path.display());
            }
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
