//! A mount that does not answer: the rest goes on.

use std::fs;
use std::process::Command;

use pivitals_broker::{Manners, Program, Published};
use serde_json::{Value, json};

use crate::fuse::{self, Mount};
use crate::house::{House, PATIENCE, count, hang_up};

const NOT_ANSWERING: &str = "disk usage /hung: no reading: its file system does not answer";

const HUNG: &str = "disk_percent_hung";

/// A device that measures its root and a FUSE mount, every second; `None` where that cannot be mounted.
fn house(name: &str) -> Option<(House, Mount)> {
    fuse::is_possible().then(|| {
        let house = House::new(name, Manners::default());
        house.configure("format = flat\nmetrics = uptime disk\ndisk = / /hung\n");
        let mount = Mount::new(&house.board.root().join("hung"));
        (house, mount)
    })
}

fn start(house: &House, mount: &Mount, command: &str, set: &[&str]) -> Program {
    Program::start(&mut mount.command(&house.command(command, set)))
}

fn value(message: &Published, key: &str) -> Value {
    serde_json::from_slice::<Value>(&message.payload).unwrap()[key].clone()
}

/// Waits for a sample in which a mount's usage, of this key, is `usage`. Every sample until then has the other readings.
fn wait_for(house: &House, key: &str, usage: &Value) {
    loop {
        let message = house.published();
        assert!(value(&message, "uptime_seconds").is_number(), "{}", message.text());
        assert!(value(&message, "disk_percent").is_number(), "{}", message.text());
        if value(&message, key) == *usage {
            return;
        }
    }
}

/// The number of the agent's child processes.
fn children(agent: &Program) -> usize {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", agent.id())).unwrap();
    children.split_whitespace().count()
}

#[test]
fn hung_mount_stops_neither_other_readings_nor_sigterm() {
    let Some((house, mount)) = house("mount-hung") else { return };
    let agent = start(&house, &mount, "run", &[]);
    wait_for(&house, HUNG, &json!(50.0));
    mount.hang();
    for _ in 0..4 {
        wait_for(&house, HUNG, &Value::Null);
    }
    assert_eq!((mount.held(), children(&agent)), (1, 1), "one child, and no second one");
    // SIGKILL does not end a child whose request the server has taken. The agent ends without it.
    let lines = house.end(agent);
    assert_eq!(mount.held(), 1);
    assert_eq!((count(&lines, NOT_ANSWERING), count(&lines, "disk usage")), (1, 1), "{lines:#?}");
}

#[test]
fn mount_that_answers_again_is_read_again() {
    let Some((house, mount)) = house("mount-back") else { return };
    mount.hang();
    let agent = start(&house, &mount, "run", &[]);
    wait_for(&house, HUNG, &Value::Null);
    for used in [75, 80] {
        mount.answer(used);
        wait_for(&house, HUNG, &json!(f64::from(u8::try_from(used).unwrap())));
        mount.hang();
        wait_for(&house, HUNG, &Value::Null);
    }
    mount.answer(20);
    wait_for(&house, HUNG, &json!(20.0));
    assert_eq!(children(&agent), 0, "each one was reaped");
    let lines = house.end(agent);
    assert_eq!(count(&lines, NOT_ANSWERING), 3, "{lines:#?}");
    assert_eq!(count(&lines, "disk usage /hung: the reading is back"), 3, "{lines:#?}");
}

#[test]
fn alert_and_reload_start_no_second_child_for_a_hung_mount() {
    let Some((house, mount)) = house("mount-alert") else { return };
    let alert = "alert = uptime < 0\nalert = disk_percent_hung > 10\n";
    let disk = "format = flat\ndisk = / /hung\nmetrics = uptime disk";
    house.configure(&format!("{disk}\n{alert}"));
    mount.hang();
    let mut agent = start(&house, &mount, "run", &[]);
    wait_for(&house, HUNG, &Value::Null);
    house.configure(&format!("{disk} memory\n{alert}"));
    hang_up(&mut agent);
    // The alert is read after ten seconds for the first time.
    for _ in 0..12 {
        wait_for(&house, HUNG, &Value::Null);
        assert_eq!((mount.held(), children(&agent)), (1, 1));
    }
    mount.answer(75);
    agent.wait_for_line("alert: disk_percent_hung > 10", PATIENCE);
    house.end(agent);
}

#[test]
fn folder_that_becomes_a_mount_is_read_in_a_child() {
    let Some((house, mount)) = house("mount-late") else { return };
    let later = house.board.root().join("later");
    fs::create_dir(&later).unwrap();
    mount.answer(33);
    let agent = start(&house, &mount, "run", &["disk=/ /later"]);
    assert!(value(&house.published(), "disk_percent_later").is_number(), "of the file system around it");
    let mut bind = Command::new("mount");
    bind.arg("--bind").arg(house.board.root().join("hung")).arg(&later);
    assert!(mount.command(&bind).status().unwrap().success());
    wait_for(&house, "disk_percent_later", &json!(33.0));
    mount.hang();
    wait_for(&house, "disk_percent_later", &Value::Null);
    wait_for(&house, "disk_percent_later", &Value::Null);
    house.end(agent);
}

#[test]
fn print_and_doctor_go_on_without_a_hung_mount() {
    let Some((house, mount)) = house("mount-doctor") else { return };
    mount.hang();
    let (status, lines) = start(&house, &mount, "print", &[]).wait(PATIENCE);
    assert!(
        status.success() && lines.iter().any(|line| line.contains(r#""disk_percent_hung":null"#)),
        "{lines:#?}"
    );
    let (_, lines) = start(&house, &mount, "doctor", &[]).wait(PATIENCE);
    assert_eq!(count(&lines, NOT_ANSWERING), 1, "{lines:#?}");
    assert_eq!(count(&lines, "2 of 3 can be read"), 1, "{lines:#?}");
    assert_eq!(count(&lines, "broker"), 1, "it goes on to the broker: {lines:#?}");
}
