//! Log lines on standard error: each in one write, in the format of its reader, at the level of the
//! configuration.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use pivitals_broker::Manners;

use crate::house::{House, PATIENCE, hang_up};

/// Starts `print` on a board without a sensor, with a datagram socket as its standard error: each write
/// arrives as a datagram of its own.
fn writes(is_journal: bool) -> Vec<String> {
    let (reader, stderr) = UnixDatagram::pair().unwrap();
    let stderr = File::from(OwnedFd::from(stderr));
    let mut command = Command::new(env!("CARGO_BIN_EXE_pivitals"));
    command.args(["print", "--config", "/dev/null", "--set", "client_id=pi-7", "--set", "label=pi-7"]);
    command.args(["--root", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/roots/broken")]);
    if is_journal {
        let metadata = stderr.metadata().unwrap();
        command.env("JOURNAL_STREAM", format!("{}:{}", metadata.dev(), metadata.ino()));
    }
    let status = command.stdout(Stdio::null()).stderr(stderr).status().unwrap();
    assert!(status.success(), "{status}");
    reader.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    std::iter::from_fn(|| {
        let length = reader.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    })
    .collect()
}

#[test]
fn each_line_on_standard_error_is_written_at_once_in_the_format_of_its_reader() {
    let (plain, journal) = (writes(false), writes(true));
    assert!(plain.len() > 1, "{plain:?}");
    for line in &plain {
        assert!(line.starts_with("pivitals: warn: ") && line.find('\n') == Some(line.len() - 1), "{line:?}");
    }
    let expected: Vec<_> = plain.iter().map(|line| line.replace("pivitals: warn: ", "<4>")).collect();
    assert_eq!(journal, expected);
}

#[test]
fn hangup_signal_raises_and_lowers_the_log_level() {
    let house = House::new("log-level", Manners::default());
    let mut agent = house.start("run", &[]);
    house.published();
    house.configure("log_level = debug\n");
    hang_up(&mut agent);
    agent.wait_for_line("pivitals: debug: ", PATIENCE);
    // The last line that the first change causes.
    agent.wait_for_line("pivitals: info: publishing to localhost", PATIENCE);
    house.configure("log_level = error\ntopic = other/{client_id}\n");
    agent.signal("HUP");
    house
        .broker
        .wait_for(PATIENCE, |event| event.published().filter(|message| message.topic == "other/pi-7"));
    let lines = house.end(agent);
    assert!(lines.last().unwrap().starts_with("pivitals: info: publishing to localhost"), "{lines:#?}");
}
