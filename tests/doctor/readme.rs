//! The README shows what the program says: real runs, but for names, times and dates of their own.
//! `PIVITALS_BLESS=1` writes them.

use std::fs;
use std::net::TcpStream;
use std::path::Path;

use pivitals_broker::{Clock, Manners, PubackManner};

use crate::clone;
use crate::house::{Examination, House};

#[test]
fn the_readme_shows_five_failures_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut readme = fs::read_to_string(&path).unwrap();
    let is_written = std::env::var_os("PIVITALS_BLESS").is_some();
    for (head, text) in [
        ("A policy that lacks the topic:", wrong_policy()),
        ("A clock that was never set:", clock_never_set()),
        ("The key of another certificate:", wrong_key()),
        ("A blocked port:", blocked_port()),
        ("A cloned image, whose other device comes back:", cloned_client_id()),
    ] {
        let from = readme.find(head).unwrap_or_else(|| panic!("no {head}")) + head.len();
        let block =
            readme[from..].strip_prefix("\n\n```\n").unwrap_or_else(|| panic!("no block after {head}"));
        let from = readme.len() - block.len();
        let to = from + block.find("```\n").unwrap();
        assert!(
            is_written || readme[from..to] == text,
            "README.md has something else after {head:?} than\n{text}PIVITALS_BLESS=1 writes it"
        );
        readme.replace_range(from..to, &text);
    }
    if is_written {
        fs::write(&path, readme).unwrap();
    }
}

fn wrong_policy() -> String {
    let manners = Manners { publish: Box::new(|_| PubackManner::Reason(0x87)), ..Manners::default() };
    let house = House::new("readme-policy", manners);
    shown(&house, "", &house.examine(&[]))
}

fn clock_never_set() -> String {
    let house = House::new("readme-clock", Manners::default());
    let clock = Clock::new(house.dir.path());
    clock.stop_utc(61);
    shown(&house, WRONG, &Examination::of(clock.show(&mut house.command(&[]))))
}

fn wrong_key() -> String {
    let house = House::new("readme-key", Manners::default());
    fs::copy(house.pki.device("other").key, &house.device.key).unwrap();
    shown(&house, WRONG, &house.examine(&[]))
}

/// One of AWS's own ports, on which nobody listens here.
fn blocked_port() -> String {
    let house = House::new("readme-port", Manners::default());
    for port in [8883, 443] {
        assert!(TcpStream::connect(("localhost", port)).is_err(), "port {port} of this machine is in use");
    }
    shown(&house, WRONG, &house.examine(&["--set", "port=8883"]))
}

fn cloned_client_id() -> String {
    let house = House::new("readme-clone", Manners::default());
    shown(&house, WRONG, &clone::examine(&house, &[]))
}

/// How to see only what is wrong.
const WRONG: &str = " | grep -A2 -E '^(warn|fail)'";

fn shown(house: &House, filter: &str, examination: &Examination) -> String {
    let mut text = format!("$ pivitals doctor{filter}\n");
    let mut is_shown = false;
    for line in examination.text.lines() {
        if !line.starts_with(' ') {
            is_shown = filter.is_empty() || !line.starts_with("ok");
        }
        if is_shown {
            text.push_str(&general(house, line));
            text.push('\n');
        }
    }
    text
}

/// A line as it would be on a device of somebody's.
fn general(house: &House, line: &str) -> String {
    let dir = house.dir.path().display().to_string();
    let mut line = line
        .replace(&format!("{dir}/pi-7/"), "/etc/pivitals/certs/")
        .replace(&format!("{dir}/pi-7"), "/etc/pivitals/certs")
        .replace(&dir, "/etc")
        .replace("localhost", "broker.example")
        .replace("[::1]:", "192.0.2.1:")
        .replace("127.0.0.1:", "192.0.2.1:")
        .replace(&format!(":{}", house.broker.port()), ":8883");
    let head: String = line.chars().take(19).collect();
    let step = head.split_whitespace().nth(1).unwrap_or_default();
    match step {
        _ if line.starts_with(' ') => {}
        "clock" if line.starts_with("ok") => line = format!("{head}  2026-11-25T09:41:00Z"),
        "dates" if line.contains(" days left") => {
            let (dates, _) = line.rsplit_once(", ").unwrap();
            line = format!("{dates}, 26699 days left");
        }
        _ => {
            let millis = match step {
                "dns" => 3,
                "tcp" => 24,
                "tls" => 180,
                "client-id" if line.starts_with("ok") => 3000,
                _ => 31,
            };
            if let Some((_, found)) = line.split_once(" ms") {
                let found = if step == "dns" { "  broker.example is 192.0.2.1" } else { found };
                line = format!("{head}  {millis} ms{found}");
            }
        }
    }
    line
}
