//! The way to the broker: what the doctor says where it is clear, and where it is not.

use std::net::TcpListener;

use pivitals_broker::{
    ConnackManner, Event, Issuer, Leaf, Manners, PubackManner, Published, Refusal, Silence, Validity,
    Versions,
};

use crate::house::{House, PATIENCE, STEPS};

const TOPIC: &str = "pivitals/pi-7/metrics";

fn puback(manner: impl Fn(&Published) -> PubackManner + Send + 'static) -> Manners {
    Manners { publish: Box::new(manner), ..Manners::default() }
}

#[test]
fn a_healthy_device_is_well_in_every_step() {
    let house = House::new("well", Manners::default());
    let examination = house.examine(&[]);
    assert_eq!(examination.code, 0, "{}", examination.text);
    assert_eq!(examination.steps(), STEPS);
    for step in STEPS {
        examination.is_ok(step);
    }
    for step in ["dns", "tcp", "tls", "connect", "puback", "client-id"] {
        assert!(examination.is_ok(step).millis.is_some(), "{}", examination.text);
    }
    assert!(examination.is_ok("dns").found.starts_with("localhost is "));
    assert_eq!(examination.is_ok("tcp").found, format!("127.0.0.1:{}", house.broker.port()));
    assert_eq!(examination.is_ok("tls").found, "TLS 1.3");
    assert_eq!(examination.is_ok("connect").found, "MQTT 5, client id pi-7");
    assert_eq!(examination.is_ok("publish").found, "pivitals/pi-7/metrics: 4 messages acknowledged");
    // What is published is what `once` would publish, and the goodbye is a good one.
    let names = [(); 4].map(|()| house.broker.wait_for(PATIENCE, Event::published).text().to_owned());
    assert!(names[3].contains("\"cpu temperature (pi-7)\",\"unit\":\"None\",\"value\":48.3"), "{names:?}");
    let goodbye = |event| match event {
        Event::Disconnected { cleanly, .. } => Some(cleanly),
        _ => None,
    };
    assert!(house.broker.wait_for(PATIENCE, goodbye));
    assert_eq!(house.broker.violations(), Vec::<String>::new());
}

#[test]
fn json_says_what_the_text_says() {
    let house = House::new("json", puback(|_| PubackManner::Reason(0x87)));
    let text = house.examine(&[]);
    let mut command = house.command(&["--json"]);
    let output = command.output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(text.code));
    assert_eq!((&document["exit_code"], text.code), (&77.into(), 77));
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), text.findings.len());
    for (json, text) in findings.iter().zip(&text.findings) {
        let word = |key: &str| json[key].as_str().unwrap_or_default();
        assert_eq!((word("step"), word("verdict")), (&text.step[..], &text.verdict[..]));
        assert_eq!((word("cause"), word("remedy")), (&text.cause[..], &text.remedy[..]));
        assert_eq!(json["milliseconds"].is_null(), text.millis.is_none());
        assert!(word("found") == text.found || text.step == "clock", "{json}");
    }
}

#[test]
fn versions_are_told_and_chosen_as_the_agent_does() {
    let only_v3 = |refusal| Manners { versions: Versions::OnlyV3(refusal), ..Manners::default() };
    let house = House::new("v3", Manners { tls12_only: true, ..only_v3(Refusal::Close) });
    let examination = house.examine(&[]);
    assert_eq!(examination.code, 0, "{}", examination.text);
    assert_eq!(examination.is_ok("tls").found, "TLS 1.2");
    assert_eq!(examination.is_ok("connect").found, "MQTT 3.1.1 (it does not take 5), client id pi-7");
    house.broker.set_manners(|manners| *manners = only_v3(Refusal::Short));
    house.examine(&["--set", "mqtt=5"]).only("fail", "connect", 69, "does not speak this version", "auto");
}

#[test]
fn a_name_that_nobody_knows_ends_at_dns() {
    let house = House::new("dns", Manners::default());
    // RFC 6761: `invalid` is nobody's; where no resolver is, none answers.
    let examination = house.examine(&["--set", "endpoint=broker.invalid"]);
    examination.only("fail", "dns", 69, "broker.invalid", "");
    assert_eq!(examination.steps().last(), Some(&"dns"));
}

#[test]
fn a_port_that_nobody_listens_on_ends_at_tcp() {
    let house = House::new("tcp", Manners::default());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let examination = house.examine(&["--set", &format!("port={port}"), "--set", "endpoint=127.0.0.1"]);
    examination.only("fail", "tcp", 69, "connection refused", "check `port`");
    assert_eq!(examination.steps().last(), Some(&"tcp"));
    assert_eq!(examination.is_ok("dns").found, "127.0.0.1 is 127.0.0.1");
}

#[test]
fn a_broker_that_is_not_the_one_meant_ends_at_tls() {
    let house = House::new("tls", Manners::default());
    let wrong = [
        (Leaf { names: vec!["other.example".into()], ..Leaf::default() }, "another name", "endpoint"),
        (Leaf { issuer: Issuer::Foreign, ..Leaf::default() }, "not trusted", "ca_file"),
        (Leaf { validity: Validity::Expired, ..Leaf::default() }, "2021-01-01", "check the clock"),
        (Leaf { validity: Validity::NotYet, ..Leaf::default() }, "2090-01-01", "NTP"),
    ];
    for (certificate, cause, remedy) in wrong {
        house.broker.set_manners(|manners| manners.certificate = certificate);
        let examination = house.examine(&[]);
        examination.only("fail", "tls", 69, cause, remedy);
        assert_eq!(examination.steps().last(), Some(&"tls"));
    }
}

#[test]
fn a_certificate_that_the_broker_does_not_take_is_a_refusal_in_tls() {
    for tls12_only in [false, true] {
        let mut house = House::new("refused", Manners { tls12_only, ..Manners::default() });
        house.device = house.pki.device_with("stranger", Validity::Current, Issuer::Foreign);
        house.configure("");
        house.examine(&[]).only("fail", "tls", 77, "stranger-certificate.pem.crt", "ACTIVE");
    }
}

#[test]
fn a_broker_that_does_not_let_the_client_in_ends_at_connect() {
    let refuse = |code| Manners { connack: ConnackManner::Refuse(code), ..Manners::default() };
    let house = House::new("connect", refuse(0x87));
    let statement = "\"Action\":\"iot:Connect\",\"Resource\":\"arn:aws:iot:REGION:ACCOUNT:client/pi-7\"";
    house.examine(&[]).only("fail", "connect", 77, "refuses client id pi-7: not authorized", statement);
    house.broker.set_manners(|manners| manners.connack = ConnackManner::Refuse(5));
    house.examine(&["--set", "mqtt=3.1.1"]).only("fail", "connect", 77, "not authorized", statement);
    house.broker.set_manners(|manners| manners.connack = ConnackManner::Close);
    let examination = house.examine(&[]);
    examination.only("fail", "connect", 69, "instead of accepting client id pi-7", statement);
    examination.is_ok("tls");
}

#[test]
fn a_broker_that_is_silent_is_told_after_its_time() {
    let house = House::new("silent", Manners { silence: Silence::AfterTls, ..Manners::default() });
    let examination = house.examine(&[]);
    examination.only("fail", "connect", 69, "does not answer CONNECT", "`port`");
    assert!(examination.of_step("connect")[0].millis >= Some(10_000), "{}", examination.text);
    examination.is_ok("tls");
}

#[test]
fn each_denied_topic_is_named_and_the_others_are_tried() {
    let topics = &["--set", "topic=t/{metric}"];
    for (mqtt, manner, cause) in [
        ("5", PubackManner::Reason(0x87), "does not let client id pi-7 publish on t/memory"),
        ("5", PubackManner::Disconnect(0x87), "does not let client id pi-7 publish on t/memory"),
        ("3.1.1", PubackManner::Close, "when client id pi-7 publishes on t/memory"),
    ] {
        let denied = move |message: &Published| {
            let is_denied = ["t/memory", "t/temperature"].contains(&message.topic.as_str());
            if is_denied { manner } else { PubackManner::Acknowledge }
        };
        let house = House::new("denied", puback(denied));
        let examination = house.examine(&[topics[0], topics[1], "--set", &format!("mqtt={mqtt}")]);
        assert_eq!(examination.code, 77, "{}", examination.text);
        examination.has("fail", "publish", cause, "ACCOUNT:topic/t/memory");
        examination.has("fail", "publish", "t/temperature", "ACCOUNT:topic/t/temperature");
        let verdicts: Vec<_> =
            examination.of_step("publish").iter().map(|finding| finding.verdict.clone()).collect();
        assert_eq!(verdicts, ["ok", "fail", "ok", "fail"], "{}", examination.text);
        assert_eq!(examination.is_ok("puback").found, "the slowest of 2");
        // A denied publish is no other device.
        examination.is_ok("client-id");
    }
}

#[test]
fn a_denied_topic_of_several_messages_is_told_once() {
    let house = House::new("once", puback(|_| PubackManner::Reason(0x87)));
    let examination = house.examine(&[]);
    examination.only("fail", "publish", 77, TOPIC, &format!("ACCOUNT:topic/{TOPIC}"));
    assert!(!examination.text.contains("puback"), "{}", examination.text);
}

#[test]
fn another_reason_against_a_message_is_told_by_its_name() {
    let house = House::new("reason", puback(|_| PubackManner::Reason(0x90)));
    house.examine(&[]).only("fail", "publish", 77, "the topic is not allowed", "check `topic`");
}

#[test]
fn a_broker_that_goes_in_the_middle_is_no_denial() {
    let house = House::new("going", puback(|_| PubackManner::Disconnect(0x8b)));
    let examination = house.examine(&[]);
    examination.only("fail", "publish", 69, "shutting down", "");
    assert_eq!(examination.steps().last(), Some(&"publish"));
}

#[test]
fn several_messages_go_one_by_one_within_what_the_broker_takes() {
    let manners = puback(|_| PubackManner::ForeignFirst);
    let house = House::new("one-by-one", Manners { receive_maximum: Some(1), ..manners });
    let examination = house.examine(&["--set", "disk=/ /proc /sys /dev"]);
    assert_eq!(examination.code, 0, "{}", examination.text);
    assert_eq!(house.broker.violations(), Vec::<String>::new());
}

#[test]
fn what_is_published_has_the_format_and_the_topic_that_are_configured() {
    for (format, messages) in [("rule", "4 messages"), ("flat", "1 message"), ("emf", "1 message")] {
        let house = House::new("format", Manners::default());
        let format = format!("format={format}");
        let examination = house.examine(&["--set", &format, "--set", "rule=pi"]);
        let found = format!("$aws/rules/pi/{TOPIC}: {messages} acknowledged");
        assert_eq!(examination.is_ok("publish").found, found);
    }
}

#[test]
fn a_metric_that_cannot_be_read_is_a_warning_and_none_at_all_a_fault() {
    let house = House::new("metrics", Manners::default());
    std::fs::remove_file(house.board.sensor()).unwrap();
    let examination = house.examine(&[]);
    examination.only("warn", "metrics", 0, "cpu temperature: no reading: there is no source", "`metrics`");
    assert_eq!(examination.of_step("metrics")[0].found, "3 of 4 can be read");
    assert_eq!(examination.is_ok("publish").found, format!("{TOPIC}: 3 messages acknowledged"));
    let nothing = house.examine(&["--set", "metrics=temperature"]);
    nothing.has("fail", "metrics", "none of the metrics can be read", "`metrics`");
    assert_eq!(nothing.code, 78, "{}", nothing.text);
    nothing.is_ok("client-id");
}
