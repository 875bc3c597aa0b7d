use std::path::Path;

use super::*;

fn identity(board: &str) -> Identity {
    Identity::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots").join(board))
}

fn read_on(board: &str, text: &str) -> Result<Config, Vec<String>> {
    Config::read(Some(("f.conf", text)), &[], &identity(board))
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn read(text: &str) -> Result<Config, Vec<String>> {
    read_on("pi-4", text)
}

fn error(text: &str) -> String {
    let errors = read(text).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

#[test]
fn nothing_said_is_the_default() {
    let config = Config::read(None, &[], &identity("pi-4")).unwrap();
    assert_eq!(config.endpoint, None);
    assert_eq!(config.port, 8883);
    assert_eq!(config.client_id, "pi-4");
    assert_eq!(config.topics.names(), ["pivitals/pi-4/metrics"]);
    assert_eq!((config.status_file, config.discovery), (None, None));
    assert_eq!(config.label, "pi-4");
    assert_eq!(config.interval, Duration::from_secs(60));
    assert_eq!(config.format, Format::Rule);
    assert_eq!(config.namespace, "PiVitals");
    let mut series = config.series.iter().map(|series| (series.metric, series.of.as_deref()));
    assert!(series.by_ref().eq([
        (Metric::Cpu, None),
        (Metric::Memory, None),
        (Metric::Disk, Some("/")),
        (Metric::Temperature, None)
    ]));
    assert_eq!(config.mqtt, Mqtt::Auto);
    assert_eq!(config.keep_alive_secs, 240);
    assert_eq!(config.queue, 1440);
    assert_eq!(config.log, LogTarget::Auto);
    assert_eq!(config.log_level, LevelFilter::Info);
    assert_eq!(config.certificates.folder, Path::new("/etc/pivitals/certs"));
}

#[test]
fn every_key_is_read() {
    let config = read(
        "endpoint = abc-ats.iot.eu-west-1.amazonaws.com\nport = 443\nclient_id = {serial}\n\
         topic = a/{client_id}/b\nrule = vitals\ncerts = /c\nca_file = /c/ca\ncert_file = /c/cert\n\
         key_file = /c/key\ninterval = 10\nformat = emf\nnamespace = A/b.c\nlabel = Pi {mac}\n\
         metrics = temperature disk\ndisk = /data/ /\nmqtt = 3.1.1\nkeep_alive = 30\nqueue = 10080\n\
         log = syslog\nlog_level = debug\nstatus_file = /run/s\n",
    )
    .unwrap();
    assert_eq!(config.endpoint.as_deref(), Some("abc-ats.iot.eu-west-1.amazonaws.com"));
    assert!(config.needs_alpn());
    assert_eq!(config.client_id.len(), 16);
    assert_eq!(config.topics.names(), [format!("$aws/rules/vitals/a/{}/b", config.client_id)]);
    assert_eq!(config.certificates.ca.as_deref(), Some(Path::new("/c/ca")));
    assert_eq!(config.certificates.certificate.as_deref(), Some(Path::new("/c/cert")));
    assert_eq!(config.certificates.key.as_deref(), Some(Path::new("/c/key")));
    assert!(config.label.starts_with("Pi ") && config.label.len() == 15, "{}", config.label);
    let mounts: Vec<_> = config.series.iter().map(|series| series.of.as_deref()).collect();
    assert_eq!(mounts, [None, Some("/data"), Some("/")]);
    assert_eq!((config.format, config.mqtt), (Format::Emf, Mqtt::Only(Version::V3)));
    assert_eq!((config.keep_alive_secs, config.queue), (30, 10_080));
    assert_eq!((config.log, config.log_level), (LogTarget::Syslog, LevelFilter::Debug));
    assert_eq!(config.status_file.as_deref(), Some(Path::new("/run/s")));
}

#[test]
fn all_metrics_are_those_that_the_board_has() {
    let keys = |config: Config| -> Vec<_> {
        config.series.iter().map(|series| series.metric.description().key).collect()
    };
    let all = keys(read("metrics = all").unwrap());
    assert!(all.contains(&"wifi_signal") && all.contains(&"agent") && !all.contains(&"throttled"));
    // What is named is asked for, whether it is there or not.
    assert_eq!(keys(read("metrics = clock load").unwrap()), ["clock", "load", "load", "load"]);
    assert_eq!(keys(read_on("vm", "client_id = x\nmetrics = network").unwrap()), ["network"; 2]);
    for wrong in ["all cpu", "all all", "ALL"] {
        assert!(
            error(&format!("metrics = {wrong}")).contains("allowed: all, or one or more of cpu"),
            "{wrong}"
        );
    }
}

#[test]
fn an_interface_and_a_disk_have_topics_of_their_own() {
    let config = read("topic = {metric}\nmetrics = network disk_io").unwrap();
    let names = ["network_eth0", "network_wlan0", "disk_io_mmcblk0", "disk_io_sda"];
    assert_eq!(config.topics.names(), names, "what is received and what is sent go together");
}

#[test]
fn a_value_out_of_range_is_told_with_what_is_allowed() {
    assert_eq!(error("interval = 0"), "f.conf:1: interval = 0: allowed: 1–86400 (seconds)");
    assert_eq!(
        error("interval = 60 # seconds"),
        "f.conf:1: interval = 60 # seconds: allowed: 1–86400 (seconds) (a comment needs a line of its own)"
    );
    for wrong in [
        "port = 0",
        "port = 65536",
        "port = +1",
        "interval = 86401",
        "interval = 1.5",
        "interval = -1",
        "interval =",
        "keep_alive = 29",
        "keep_alive = 1201",
        "queue = 0",
        "queue = 10081",
        "queue = 99999999999999999999",
        "format = json",
        "mqtt = 3.1",
        "log = file",
        "log_level = trace",
        "metrics =",
        "metrics = cpu gpu",
        "metrics = cpu cpu",
        "metrics = cpu, memory",
        "disk = data",
        "disk = / /",
        "disk = / data",
        "disk = /a /a/",
        "disk = /a /b /c /d /e",
        "certs = certs",
        "key_file = ~/key",
        "rule = my-rule",
        "rule = \"\"",
        "namespace = AWS/EC2",
        "namespace = a b",
        "endpoint = https://abc.iot.eu-west-1.amazonaws.com",
        "endpoint = abc.iot.eu-west-1.amazonaws.com:8883",
        "endpoint =",
        "endpoint = -x.example",
        "endpoint = a..example",
        "endpoint = 10.0.0.256",
        "client_id = $x",
        "client_id = \"\"",
        "topic = a/+/b",
        "topic = a/#",
        "topic = 1/2/3/4/5/6/7/8/9",
        "topic = $aws/rules/x",
        "topic = $aws/rules/a-b/x",
        "label = \"\"",
    ] {
        let key = wrong.split(' ').next().unwrap();
        let allowed = KEYS.iter().find(|other| other.name == key).unwrap().allowed;
        assert!(error(wrong).contains(&format!(": allowed: {allowed}")), "{wrong}: {}", error(wrong));
    }
}

#[test]
fn lengths_are_bounded() {
    for (key, len_max) in
        [("client_id", 128), ("label", 128), ("topic", 256), ("namespace", 255), ("rule", 128)]
    {
        let text = |length| {
            format!("topic = t\n{key} = {}", "x".repeat(length)).replacen("topic = t\ntopic", "topic", 1)
        };
        assert!(read(&text(len_max)).is_ok(), "{key}");
        assert!(read(&text(len_max + 1)).is_err(), "{key}");
    }
    assert!(read(&format!("disk = /{}", "x".repeat(63))).is_ok());
    assert!(read(&format!("disk = /{}", "x".repeat(64))).is_err());
}

#[test]
fn basic_ingest_counts_neither_its_levels_nor_its_length() {
    let config = read(&format!("rule = r\ntopic = 1/2/3/4/5/6/7/{}", "x".repeat(240))).unwrap();
    assert!(config.topics.pattern().starts_with("$aws/rules/r/1/2/"));
    assert!(read("topic = $aws/rules/r/1/2/3/4/5/6/7/8").is_ok());
    assert!(read(&format!("topic = $aws/rules/{}/x", "r".repeat(129))).is_err());
    assert_eq!(
        error("rule = r\ntopic = $aws/rules/r/x"),
        "f.conf:1: rule: the topic $aws/rules/r/x names a rule already"
    );
}

#[test]
fn a_topic_a_metric_is_one_for_each_key_and_mount_point() {
    let config =
        read("topic = a/{client_id}/{metric}\nrule = r\ndisk = / /data\nmetrics = disk agent").unwrap();
    let names = ["disk", "disk_data", "agent"].map(|metric| format!("$aws/rules/r/a/pi-4/{metric}"));
    assert_eq!(config.topics.names(), names);
    assert_eq!(
        error("format = emf\ntopic = a/{metric}"),
        "f.conf:2: topic = a/{metric}: only in format rule has a message one {metric}"
    );
    assert!(error(&format!("topic = {}/{{metric}}", "x".repeat(250))).contains("memory: allowed: 1–256"));
    assert!(error("label = {metric}").contains("there is no {metric}"));
    let mounts = "disk = /a/b/c/d/e/f/g/h\ntopic = {metric}";
    assert!(read(mounts).is_ok(), "a mount point's slashes are none in a topic");
}

#[test]
fn a_key_can_stand_for_several_metrics() {
    let config = read("metrics = agent cpu").unwrap();
    let metrics: Vec<_> = config.series.iter().map(|series| series.metric).collect();
    assert_eq!(metrics, Metric::of_key("agent").chain([Metric::Cpu]).collect::<Vec<_>>());
}

#[test]
fn all_errors_are_told_at_once_and_each_once() {
    let errors = read("client_id = {nobody}\ninterval = 0\nintervall = 1\nport = x\n").unwrap_err();
    assert_eq!(
        errors,
        [
            "f.conf:1: client_id = {nobody}: there is no {nobody}: allowed: {hostname}, {serial}, {machine-id}, {mac}",
            "f.conf:2: interval = 0: allowed: 1–86400 (seconds)",
            "f.conf:3: intervall = 1: there is no key intervall; did you mean interval?",
            "f.conf:4: port = x: allowed: 1–65535",
        ]
    );
}

#[test]
fn a_placeholder_that_cannot_be_resolved_is_an_error_and_never_empty() {
    let errors = read_on("broken", "label = x\n").unwrap_err();
    assert_eq!(
        errors,
        ["f.conf: client_id = {hostname}: {hostname} is not known: proc/sys/kernel/hostname has none"]
    );
    assert!(error("label = {client_id").contains("a { without its }"));
    assert!(error("label = client_id}").contains("a } without its {"));
    assert!(error("client_id = {client_id}").contains("there is no {client_id}"));
    assert!(error("topic = {rule}").contains("{client_id}"));
}

#[test]
fn mount_points_that_would_share_a_key_are_refused() {
    assert_eq!(
        error("disk = /a/b /a_b"),
        "f.conf:1: disk: /a/b and /a_b would have the same key in a payload"
    );
}

#[test]
fn an_address_may_stand_for_the_endpoint() {
    for host in ["127.0.0.1", "::1", "localhost", "a.b-c.example"] {
        assert_eq!(read(&format!("endpoint = {host}")).unwrap().endpoint.as_deref(), Some(host));
    }
}

#[test]
fn control_characters_stand_nowhere() {
    for key in ["client_id", "topic", "label", "rule", "namespace", "endpoint"] {
        assert!(read(&format!("{key} = a\u{7}b")).is_err(), "{key}");
    }
    assert!(read("disk = /a\u{7f}").is_err());
}

#[test]
fn every_default_is_allowed_and_every_key_is_known_to_the_check() {
    for key in KEYS {
        if let Some(default) = key.default {
            assert!(read(&format!("{} = {default}", key.name)).is_ok(), "{}", key.name);
        }
        // A key that the check forgot would take anything.
        assert!(read(&format!("{} = \u{1}", key.name)).is_err(), "{}", key.name);
    }
}
