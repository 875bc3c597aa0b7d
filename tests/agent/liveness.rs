//! What a service manager and a status file are told.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::net::UnixDatagram;

use pivitals_broker::{Manners, Program};

use serde_json::Value;

use crate::house::{House, PATIENCE, count, hang_up};

#[test]
fn a_service_manager_is_told_what_happens_and_hears_that_the_agent_is_alive() {
    let mut house = House::new("notify", Manners::default());
    let path = house.dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = |part: &str| loop {
        let mut buffer = [0; 1024];
        let length = manager.recv(&mut buffer).unwrap_or_else(|error| panic!("no {part}: {error}"));
        let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
        if message.starts_with(part) {
            return message;
        }
    };
    let mut command = house.command("run", &[]);
    let agent = Program::start(command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "2000000"));
    hear("READY=1");
    hear("STATUS=publishing to localhost");
    hear("WATCHDOG=1");
    house.broker.stop();
    let status = hear("STATUS=");
    assert!(status.contains("localhost"), "{status}");
    hear("WATCHDOG=1");
    house.broker.restart();
    hear("STATUS=publishing to localhost");
    house.end(agent);
    hear("STOPPING=1");
}

fn read_status(house: &House) -> Value {
    let text = fs::read_to_string(house.dir.path().join("pivitals.status")).unwrap();
    assert!(text.ends_with('\n') && text.lines().count() == 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_status_file_follows_the_state_and_is_replaced_as_a_whole() {
    let mut house = House::new("status", Manners::default());
    let path = house.dir.path().join("pivitals.status");
    house.broker.stop();
    let mut agent = house.start("run", &[&format!("status_file={}", path.display()), "queue=2"]);
    agent.wait_for_line("the queue of 2 samples is full", PATIENCE);
    hang_up(&mut agent); // what was written before that, is there now
    let status = read_status(&house);
    assert!(["waiting", "connecting"].map(Value::from).contains(&status["state"]), "{status}");
    assert!(status["last_failure"].as_str().unwrap().starts_with("TCP: "), "{status}");
    assert_eq!((&status["puback_age_seconds"], &status["reconnects"]), (&Value::Null, &Value::from(0)));
    assert_eq!(status["queue"], 2);
    assert!(status["dropped"].as_u64().unwrap() >= 1, "{status}");

    let mut old = File::open(&path).unwrap();
    house.broker.restart();
    hang_up(&mut agent);
    house.two_seconds_later();
    house.two_seconds_later();
    let status = read_status(&house);
    assert_eq!((&status["state"], &status["reconnects"]), (&"publishing".into(), &0.into()), "{status}");
    assert!(status["puback_age_seconds"].is_u64() && status["queue"].as_u64().unwrap() <= 1, "{status}");
    house.broker.close_connections(Some(0x8b));
    while house.published().conn < 2 {}
    house.two_seconds_later();
    let status = read_status(&house);
    assert_eq!((&status["state"], &status["reconnects"]), (&"publishing".into(), &1.into()), "{status}");
    assert!(status["last_failure"].as_str().unwrap().contains("it is shutting down"), "{status}");
    house.end(agent);
    assert_eq!(read_status(&house)["state"], "ended");
    // Who had the file open still reads the line of then, whole.
    let mut text = String::new();
    old.read_to_string(&mut text).unwrap();
    let then: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&then["queue"], &then["reconnects"]), (&2.into(), &0.into()), "{then}");
    assert!(!path.with_file_name("pivitals.status.new").exists());
}

#[test]
fn a_status_file_whose_folder_is_gone_is_told_once_and_written_again_when_it_is_back() {
    let house = House::new("gone", Manners::default());
    let folder = house.dir.path().join("run");
    let path = folder.join("status");
    let agent = house.start("run", &[&format!("status_file={}", path.display())]);
    house.two_seconds_later();
    assert!(!path.exists());
    fs::create_dir(&folder).unwrap();
    house.two_seconds_later();
    assert!(path.exists());
    let lines = house.end(agent);
    let told = format!("status_file = {}: it cannot be written", path.display());
    assert_eq!(count(&lines, &told), 1, "{lines:#?}");
}
