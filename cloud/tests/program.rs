//! The program from outside: what it prints where, and its exit codes.

use std::fs;
use std::process::{Command, Output};

use pivitals_broker::TestDir;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pivitals-cloud")).args(arguments).output().unwrap()
}

#[track_caller]
fn assert_fails(arguments: &[&str], code: i32, lines: &[&str]) {
    let output = run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    let said: Vec<_> = said.lines().map(|line| line.strip_prefix("pivitals-cloud: ").unwrap()).collect();
    assert_eq!((output.status.code(), said.as_slice()), (Some(code), lines), "{arguments:?}");
    assert!(output.stdout.is_empty());
}

#[test]
fn what_is_asked_for_is_on_standard_output_and_nothing_else_is_said() {
    for (arguments, part) in [
        (&["cloudformation"][..], "\nAWSTemplateFormatVersion: \"2010-09-09\"\n"),
        (&["terraform"], "\nresource \"aws_iot_topic_rule\" \"rule\" {\n"),
        (&["policy", "--region", "cn-north-1"], "\"arn:aws-cn:iot:cn-north-1:*:client/${iot:"),
        (&["policy", "--region", "eusc-de-east-1"], "\"arn:aws-eusc:iot:eusc-de-east-1:*:client/${iot:"),
        (&["cost", "--devices", "7"], "7 devices\n"),
    ] {
        let output = run(&[arguments, &["--config", "/dev/null"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(part), "{arguments:?}: {text}");
        assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]), "{arguments:?}");
    }
    assert!(String::from_utf8(run(&["--help"]).stdout).unwrap().starts_with("pivitals-cloud: "));
    assert_eq!(
        run(&["--version"]).stdout,
        concat!("pivitals-cloud ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()
    );
}

#[test]
fn the_same_configuration_makes_the_same_bytes() {
    let arguments = ["cloudformation", "--config", "/dev/null", "--set", "metrics=all", "--device", "pi-7"];
    assert_eq!(run(&arguments).stdout, run(&arguments).stdout);
}

#[test]
fn wrong_usage_is_64() {
    assert_fails(&[], 64, &["a command is missing; pivitals-cloud --help tells more"]);
    assert_fails(&["cloud"], 64, &["there is no command cloud; pivitals-cloud --help tells more"]);
}

#[test]
fn every_error_of_the_configuration_is_told_at_once_and_78() {
    let dir = TestDir::new("cloud-program");
    let file = dir.path().join("pivitals.conf");
    let name = file.display().to_string();
    fs::write(&file, "interval = 0\nformat = json\n").unwrap();
    let errors = [
        format!("{name}:1: interval = 0: allowed: 1–86400 (seconds)"),
        format!("{name}:2: format = json: allowed: rule, emf, flat"),
    ];
    assert_fails(&["policy", "--config", &name], 78, &errors.each_ref().map(String::as_str));
    fs::remove_file(&file).unwrap();
    let missing = format!("{name}: the configuration cannot be read: it is not there");
    assert_fails(&["policy", "--config", &name], 78, &[&missing]);
}

#[test]
fn a_policy_that_aws_would_not_take_is_not_printed() {
    let arguments = [
        "--config",
        "/dev/null",
        "--set",
        "metrics=all",
        "--set",
        "topic=a/fleet/of/devices/{client_id}/{metric}",
    ];
    let output = run(&[&["policy"], &arguments[..]].concat());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(78), 0));
    assert!(String::from_utf8(output.stderr).unwrap().contains("AWS IoT Core takes 2048"));
    let template = String::from_utf8(run(&[&["cloudformation"], &arguments[..]].concat()).stdout).unwrap();
    assert!(template.contains("\n  DevicePolicy:\n") && template.contains("\n  DevicePolicy2:\n"));
}
