//! Limits of the process that are reached: the agent names them, and what raises them.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use pivitals_broker::{Manners, Program};

use crate::house::{House, PATIENCE};

/// Runs `once` by another program, `prlimit` for example. Gives its exit code and its lines.
fn once_by(house: &House, words: &[&str]) -> (i32, Vec<String>) {
    let once = house.command("once", &["metrics=cpu"]);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(once.get_program()).args(once.get_args());
    let (status, lines) = Program::start(&mut command).wait(PATIENCE);
    (status.code().unwrap(), lines)
}

#[test]
fn too_many_open_files_are_named_with_the_limit() {
    let house = House::new("files", Manners::default());
    // With three files open, everything fails; then one thing after the other works.
    for limit in 4.. {
        let (code, lines) = once_by(&house, &["prlimit", &format!("--nofile={limit}")]);
        if code == 0 {
            assert!(limit > 5, "the look-up has failed before");
            break;
        }
        let named = format!("too many open files in this process (limit {limit}); raise LimitNOFILE=");
        assert!(lines.last().is_some_and(|line| line.contains(&named)), "limit {limit}: {lines:#?}");
    }
}

#[test]
fn too_many_processes_are_named_with_the_limit() {
    let house = House::new("processes", Manners::default());
    // Root's processes are not limited.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];
    fs::set_permissions(&house.device.key, fs::Permissions::from_mode(0o644)).unwrap();
    let words = if is_root { &user[..] } else { &[] };
    let (code, lines) = once_by(&house, &[words, &["prlimit", "--nproc=1"]].concat());
    assert_eq!((code, lines.len()), (69, 1), "{lines:#?}");
    let named = "DNS: the look-up of localhost cannot begin: no more processes are allowed (limit 1); raise LimitNPROC=";
    assert!(lines[0].contains(named), "{lines:#?}");
}
