//! The device itself: its configuration, its files and its clock.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use pivitals_broker::{Clock, Issuer, Kernel, Manners, Validity};

use crate::house::{Examination, House};

#[test]
fn every_error_of_the_configuration_is_told_and_nothing_else() {
    let house = House::new("errors", Manners::default());
    house.configure("intervall = 5\nqueue = 0\n");
    let examination = house.examine(&[]);
    assert_eq!((examination.code, examination.findings.len()), (78, 2), "{}", examination.text);
    examination.has("fail", "configuration", ":6: intervall", "interval");
    examination.has("fail", "configuration", ":7: queue = 0", "allowed: 1–10080");
    fs::remove_file(house.config()).unwrap();
    house.examine(&[]).only("fail", "configuration", 78, "it is not there", "");
}

#[test]
fn an_endpoint_that_is_missing_is_a_fault_and_one_without_ats_a_warning() {
    let house = House::new("endpoint", Manners::default());
    fs::write(house.config(), format!("certs = {}\nclient_id = pi-7\n", house.device.dir.display())).unwrap();
    let examination = house.examine(&[]);
    examination.only("fail", "configuration", 78, "endpoint is missing", "aws iot describe-endpoint");
    assert_eq!(examination.steps().last(), Some(&"metrics"), "what needs no broker is examined");
    let image = house.dir.path().join("image").display().to_string();
    let mut nothing = Command::new(env!("CARGO_BIN_EXE_pivitals"));
    let nothing = Examination::of(nothing.args(["doctor", "--offline", "--root", &image]));
    nothing.has("fail", "configuration", "image/etc/pivitals.conf is not there", "describe-endpoint");
    let old = "endpoint=abc.iot.eu-west-1.amazonaws.com";
    let examination = house.examine(&["--offline", "--set", old]);
    examination.only("warn", "configuration", 0, "without -ats", "abc-ats.iot.eu-west-1");
}

#[test]
fn a_status_file_that_would_wear_the_card_is_a_warning() {
    let house = House::new("status", Manners::default());
    // /proc is no tmpfs on any system; /dev/shm is one on all that have it.
    let set = |path: &str| ["--offline".to_owned(), "--set".to_owned(), format!("status_file={path}")];
    let examine = |path: &str| house.examine(&set(path).each_ref().map(String::as_str));
    examine("/proc/pivitals.status").only("warn", "configuration", 0, "written to storage", "/run/");
    examine("/not/there/status").only("warn", "configuration", 0, "it is not there", "/run/");
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    if mounts.contains("/dev/shm tmpfs") {
        examine("/dev/shm/pivitals.status").is_ok("configuration");
    }
}

#[test]
fn an_alert_on_what_the_board_cannot_tell_is_a_warning_and_one_that_is_none_a_fault() {
    let house = House::new("alert", Manners::default());
    house.configure("metrics = temperature\nalert = sd_life_time_a > 90\nalert = temperature > 80\n");
    let examination = house.examine(&["--offline"]);
    examination.only(
        "warn",
        "metrics",
        0,
        "sd life time a: no reading",
        "leave it out of `metrics` and `alert`",
    );
    house.configure("alert = load > 4\nalert = temprature > 80\nalert = cpu > 90 %\n");
    let examination = house.examine(&["--offline"]);
    assert_eq!((examination.code, examination.findings.len()), (78, 3), "{}", examination.text);
    examination.has(
        "fail",
        "configuration",
        ":6: alert = load > 4: load is more than one",
        "allowed: load_average_1, ",
    );
    examination.has("fail", "configuration", ":7: alert = temprature > 80", "did you mean temperature?");
    examination.has(
        "fail",
        "configuration",
        ":8: alert = cpu > 90 %",
        "allowed: a metric, > or < and a number",
    );
}

#[test]
fn an_agent_that_runs_here_is_told_of() {
    let house = House::new("agent-here", Manners::default());
    let path = house.dir.path().join("status");
    let option = format!("status_file={}", path.display());
    for (state, is_told) in [("publishing", true), ("ended", false)] {
        fs::write(&path, format!("{{\"state\":\"{state}\"}}\n")).unwrap();
        let examination = house.examine(&["--set", &option]);
        assert_eq!(examination.code, 0, "{}", examination.text);
        assert_eq!(examination.text.contains("an agent runs here"), is_told, "{}", examination.text);
    }
}

#[test]
fn a_file_that_is_missing_ends_before_tls_and_not_before_tcp() {
    let house = House::new("missing", Manners::default());
    fs::remove_file(&house.device.key).unwrap();
    let examination = house.examine(&[]);
    examination.only("fail", "files", 78, "no private key here", "`key_file`");
    assert_eq!(examination.steps().last(), Some(&"tcp"));
    fs::remove_dir_all(&house.device.dir).unwrap();
    house.examine(&[]).only("fail", "files", 78, "cannot be read: it is not there", "`certs`");
}

#[test]
fn a_file_of_another_kind_is_told_in_its_step() {
    let house = House::new("kinds", Manners::default());
    let device = &house.device;
    let keep = fs::read(&device.key).unwrap();
    fs::write(&device.key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n").unwrap();
    house.examine(&["--offline"]).only("fail", "files", 78, "is encrypted", "openssl pkey");
    fs::write(&device.key, keep).unwrap();
    fs::write(&device.ca, "nothing").unwrap();
    house.examine(&["--offline"]).only("fail", "files", 78, "the CA is not PEM", "-----BEGIN");
    fs::write(&device.ca, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    house.examine(&["--offline"]).only("fail", "ca", 78, "this CA cannot be used", "download it again");
    fs::remove_file(&device.ca).unwrap();
    let built_in = house.examine(&["--offline"]);
    assert!(built_in.is_ok("ca").found.contains("root certificates are trusted"), "{}", built_in.text);
}

#[test]
fn a_key_that_others_may_read_is_a_warning() {
    let house = House::new("modes", Manners::default());
    for (mode, who) in [(0o644, "everybody"), (0o640, "its whole group")] {
        fs::set_permissions(&house.device.key, fs::Permissions::from_mode(mode)).unwrap();
        let cause = format!("{who}{}", if mode == 0o644 { " on this system" } else { "" });
        house.examine(&["--offline"]).only("warn", "files", 0, &cause, "chmod 600");
    }
}

#[test]
fn the_key_of_another_certificate_is_told_with_both_files() {
    let house = House::new("pair", Manners::default());
    fs::copy(house.pki.device("other").key, &house.device.key).unwrap();
    let examination = house.examine(&[]);
    examination.only("fail", "key", 78, "pi-7-private.pem.key: this private key", "same download");
    examination.is_ok("dates");
    assert_eq!(examination.steps().last(), Some(&"tcp"));
}

#[test]
fn a_certificate_out_of_its_time_is_told_with_its_dates_and_the_broker_is_asked_all_the_same() {
    for (validity, date, remedy) in
        [(Validity::Expired, "to 2021-01-01", "expired"), (Validity::NotYet, "from 2090-01-01", "clock")]
    {
        let mut house = House::new("dates", Manners::default());
        house.device = house.pki.device_with("other", validity, Issuer::Ours);
        house.configure("");
        let examination = house.examine(&[]);
        assert_eq!(examination.code, 78, "{}", examination.text);
        examination.has("fail", "dates", date, remedy);
        examination.has("fail", "tls", "refuses this device's certificate", remedy);
    }
}

#[test]
fn a_certificate_that_ends_soon_and_a_ca_of_the_past_are_warnings() {
    let house = House::new("soon", Manners::default());
    let clock = Clock::new(house.dir.path());
    // 2099-12-12T00:00:00Z; the certificate ends with the century.
    clock.stop_utc(4_100_716_800);
    let examination = Examination::of(clock.show(&mut house.command(&["--offline"])));
    examination.only("warn", "dates", 0, "expires in 20 days, on 2100-01-01", "a running agent takes them");
    // 2130-01-01T00:00:00Z; the authority ended in 2120.
    clock.stop_utc(5_049_216_000);
    let examination = Examination::of(clock.show(&mut house.command(&["--offline"])));
    examination.has("warn", "ca", "valid only until 2120-01-01", "AmazonRootCA1.pem");
    examination.has("fail", "dates", "to 2100-01-01", "it has expired");
}

#[test]
fn a_clock_that_was_never_set_ends_before_tls_and_not_before_tcp() {
    let house = House::new("clock", Manners::default());
    let clock = Clock::new(house.dir.path());
    clock.stop_utc(61);
    let examination = Examination::of(clock.show(&mut house.command(&[])));
    examination.only("fail", "clock", 69, "it shows 1970-01-01T00:01:01Z", "NTP");
    assert_eq!(examination.is_ok("dates").found, "from 2020-01-01 to 2100-01-01");
    assert_eq!(examination.steps().last(), Some(&"tcp"));
}

#[test]
fn unsynchronised_clock_is_a_failure_for_ten_minutes_after_boot_and_then_a_warning() {
    let house = House::new("unsynchronised", Manners::default());
    let clock = Clock::new(house.dir.path());
    clock.kernel_says(Kernel::NotSynchronised);
    clock.set_uptime(30);
    let examine = || Examination::of(clock.show(&mut house.command(&[])));
    assert_eq!(examine().code, 0, "the board's hardware clock has set it");
    fs::remove_dir_all(house.board.hardware_clock()).unwrap();
    let examination = examine();
    examination.only("fail", "clock", 69, "no NTP client has synchronised it", "10 minutes after boot");
    assert_eq!(examination.steps().last(), Some(&"tcp"), "no sample is published with a wrong date");
    clock.set_uptime(601);
    examine().only("warn", "clock", 0, "no NTP client has synchronised it", "start an NTP client");
}

#[test]
fn clock_of_which_the_kernel_may_not_be_asked_is_used() {
    let house = House::new("denied-clock", Manners::default());
    fs::remove_dir_all(house.board.hardware_clock()).unwrap();
    let clock = Clock::new(house.dir.path());
    clock.kernel_says(Kernel::Denied);
    clock.set_uptime(30);
    let examination = Examination::of(clock.show(&mut house.command(&["--offline"])));
    assert!(examination.is_ok("clock").found.ends_with("may not be asked whether it is synchronised"));
}
