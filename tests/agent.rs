//! The program against a broker on loopback that behaves, and one that does not.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pivitals_broker::manners::DisconnectAfter;
use pivitals_broker::{
    Board, Broker, ConnackManner, DeviceFiles, Event, Manners, Pki, Program, PubackManner, Published,
    Refusal, Silence, TestDir, Version, Versions,
};

/// For anything that has to happen, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device with its certificates and its configuration, and the broker it is to talk to.
struct House {
    dir: TestDir,
    pki: Pki,
    board: Board,
    broker: Broker,
    device: DeviceFiles,
}

impl House {
    fn new(name: &str, manners: Manners) -> Self {
        let dir = TestDir::new(name);
        let pki = Pki::new(dir.path());
        let (broker, device) = (Broker::start(&pki, manners), pki.device("pi-7"));
        let board = Board::new(&dir.path().join("root")).unwrap();
        let house = Self { dir, pki, board, broker, device };
        house.configure("");
        house
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("pivitals.conf")
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "endpoint = localhost\nport = {}\ncerts = {}\nclient_id = pi-7\nlabel = pi-7\ninterval = 1\nlog = stderr\n{more}",
            self.broker.port(),
            self.device.dir.display()
        );
        fs::write(self.config(), text).unwrap();
    }

    fn start(&self, command: &str, set: &[&str]) -> Program {
        Program::start(&mut self.command(command, set))
    }

    fn command(&self, command: &str, set: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_pivitals"));
        program.arg(command).arg("--config").arg(self.config()).arg("--root").arg(self.board.root());
        for set in set {
            program.args(["--set", set]);
        }
        program
    }

    fn published(&self) -> Published {
        self.broker.wait_for(PATIENCE, Event::published)
    }

    /// Ends an agent that runs, and sees that it said goodbye and broke no rule.
    fn end(&self, mut agent: Program) -> Vec<String> {
        agent.signal("TERM");
        let (status, lines) = agent.wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
        let goodbye = |event| match event {
            Event::Disconnected { cleanly, .. } => Some(cleanly),
            _ => None,
        };
        while !self.broker.wait_for(PATIENCE, goodbye) {}
        assert_eq!(self.broker.violations(), Vec::<String>::new());
        lines
    }
}

fn timestamp(message: &Published) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
    value["timestamp"].as_u64().unwrap_or_else(|| panic!("{}", message.text()))
}

fn puback(manner: impl Fn(&Published) -> PubackManner + Send + 'static) -> Manners {
    Manners { publish: Box::new(manner), ..Manners::default() }
}

#[test]
fn once_publishes_one_sample_in_one_record_and_has_nothing_to_say() {
    let house = House::new("once", Manners::default());
    let (status, lines) = house.start("once", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines), (Some(0), vec![]));
    let connected = house.broker.wait_for(PATIENCE, Event::connected);
    assert_eq!((connected.client_id.as_str(), connected.version), ("pi-7", Version::V5));
    assert_eq!(connected.certificate_cn, "pi-7");
    assert_eq!(connected.sni.as_deref(), Some("localhost"));
    assert!(connected.clean_start && connected.alpn.is_empty() && connected.keep_alive_secs == 240);
    let messages: Vec<_> = (0..4).map(|_| house.published()).collect();
    let records: BTreeSet<_> =
        messages.iter().flat_map(|message| [message.first_record, message.record]).collect();
    assert_eq!(records.len(), 1, "one TLS record");
    for (message, name) in messages.iter().zip([
        "cpu usage (pi-7)",
        "memory usage (pi-7)",
        "disk usage / (pi-7)",
        "cpu temperature (pi-7)",
    ]) {
        assert!(message.text().starts_with(&format!("{{\"name\":\"{name}\",")), "{}", message.text());
        assert_eq!((message.topic.as_str(), message.qos), ("pivitals/pi-7/metrics", 1));
        assert!(!message.retain && !message.dup);
    }
    assert_eq!(house.broker.violations(), Vec::<String>::new());
}

#[test]
fn print_prints_the_bytes_that_would_be_published_and_connects_to_nobody() {
    let house = House::new("print", Manners::default());
    let (status, lines) = house.start("print", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines.len()), (Some(0), 4), "{lines:#?}");
    assert!(
        lines[3].starts_with(r#"{"name":"cpu temperature (pi-7)","unit":"None","value":48.3,"timestamp":"#)
    );
    assert!(house.broker.events_so_far().is_empty());
}

#[test]
fn run_publishes_every_second_on_one_connection() {
    let house = House::new("run", Manners::default());
    let agent = house.start("run", &[]);
    let messages: Vec<_> = (0..24).map(|_| house.published()).collect();
    let mut times: Vec<_> = messages.iter().map(timestamp).collect();
    times.dedup();
    assert_eq!(times.len(), 6);
    // The first sample comes a second after the start, the others on the grid.
    assert!(times.windows(2).skip(1).all(|pair| pair[1] == pair[0] + 1), "{times:?}");
    assert!(messages.iter().all(|message| message.conn == messages[0].conn));
    house.end(agent);
}

#[test]
fn a_broker_that_refuses_version_5_in_any_form_is_spoken_to_in_3_1_1() {
    for refusal in [Refusal::Short, Refusal::Long, Refusal::Close] {
        let house =
            House::new("fallback", Manners { versions: Versions::OnlyV3(refusal), ..Manners::default() });
        let (status, lines) = house.start("once", &[]).wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
        let versions = [(); 2].map(|()| house.broker.wait_for(PATIENCE, Event::connected).version);
        assert_eq!(versions, [Version::V5, Version::V3]);
        // Asked for version 5, it takes no other.
        let (status, lines) = house.start("once", &["mqtt=5"]).wait(PATIENCE);
        assert_eq!(status.code(), Some(69), "{lines:#?}");
    }
}

#[test]
fn both_versions_are_understood_in_long_forms_and_byte_by_byte() {
    for (mqtt, long_forms, trickle) in
        [("5", true, false), ("5", true, true), ("3.1.1", false, true), ("5", false, true)]
    {
        let house = House::new("forms", Manners { long_forms, trickle, ..Manners::default() });
        let (status, lines) = house.start("once", &[&format!("mqtt={mqtt}")]).wait(PATIENCE);
        assert_eq!((status.code(), lines), (Some(0), vec![]), "{mqtt} {long_forms} {trickle}");
    }
}

#[test]
fn messages_may_be_acknowledged_in_any_order_twice_and_foreign() {
    for manner in [|| PubackManner::First, || PubackManner::Twice, || PubackManner::ForeignFirst] {
        let house = House::new("acks", puback(move |_| manner()));
        let (status, lines) = house.start("once", &[]).wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
    }
}

#[test]
fn what_was_not_acknowledged_is_sent_again_and_nothing_else() {
    // The broker takes the first two messages of a sample and closes at the third.
    let house = House::new(
        "resend",
        puback(|message| match message.ordinal {
            3 => PubackManner::Close,
            _ => PubackManner::Acknowledge,
        }),
    );
    let agent = house.start("run", &["metrics=cpu memory disk temperature", "interval=60"]);
    let names = |message: Published| {
        let value: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        (message.conn, value["name"].as_str().unwrap().split(' ').next().unwrap().to_owned(), message.dup)
    };
    let sent: Vec<_> = (0..5).map(|_| names(house.published())).collect();
    let expected = [(1, "cpu"), (1, "memory"), (1, "disk"), (2, "disk"), (2, "cpu")];
    assert_eq!(sent, expected.map(|(conn, name)| (conn, name.to_owned(), false)));
    house.end(agent);
}

#[test]
fn a_broker_that_went_away_gets_every_sample_when_it_is_back() {
    let mut house = House::new("away", Manners::default());
    let mut agent = house.start("run", &[]);
    let first = timestamp(&house.published());
    agent.wait_for_line("publishing to localhost", PATIENCE);
    house.broker.stop();
    agent.wait_for_line("next attempt in", PATIENCE);
    house.broker.restart();
    agent.wait_for_line("publishing to localhost", PATIENCE);
    house.end(agent);
    let messages = house.broker.events_so_far().into_iter().filter_map(Event::published);
    let times: BTreeSet<_> = messages.map(|message| timestamp(&message)).collect();
    let (&second, &last) = (times.iter().nth(1).unwrap(), times.last().unwrap());
    let expected: BTreeSet<_> = std::iter::once(first).chain(second..=last).collect();
    assert_eq!(times, expected, "not one is missing");
}

#[test]
fn a_full_queue_drops_the_oldest_and_says_how_many() {
    let mut house = House::new("full", Manners::default());
    house.broker.stop();
    let mut agent = house.start("run", &["queue=2"]);
    agent.wait_for_line("the queue of 2 samples is full", PATIENCE);
    house.broker.restart();
    agent.wait_for_line("samples were dropped, because the queue was full", PATIENCE);
    house.end(agent);
}

#[test]
fn a_denied_publish_is_named_and_once_exits_77() {
    for manner in [|| PubackManner::Reason(0x87), || PubackManner::Disconnect(0x87)] {
        let house = House::new("denied", puback(move |_| manner()));
        let (status, lines) = house.start("once", &["mqtt=5"]).wait(PATIENCE);
        assert_eq!(status.code(), Some(77), "{lines:#?}");
        assert!(
            lines.iter().any(|line| line.contains("iot:Publish on topic/pivitals/pi-7/metrics")),
            "{lines:#?}"
        );
    }
}

#[test]
fn a_publish_that_is_denied_without_a_word_is_named_after_three_times() {
    let house = House::new("wordless", puback(|_| PubackManner::Close));
    let mut agent = house.start("run", &["mqtt=3.1.1", "interval=60"]);
    let line = agent.wait_for_line("each time client id pi-7 publishes on pivitals/pi-7/metrics", PATIENCE);
    assert!(line.contains("iot:Publish on topic/pivitals/pi-7/metrics"), "{line}");
    let connects = house.broker.events_so_far().into_iter().filter_map(Event::connected).count();
    assert_eq!(connects, 3);
    agent.signal("TERM");
    assert_eq!(agent.wait(PATIENCE).0.code(), Some(0));
}

#[test]
fn a_refused_connect_is_named_and_once_exits_77() {
    for (mqtt, code) in [("5", 0x87), ("3.1.1", 5)] {
        let house =
            House::new("refused", Manners { connack: ConnackManner::Refuse(code), ..Manners::default() });
        let (status, lines) = house.start("once", &[&format!("mqtt={mqtt}")]).wait(PATIENCE);
        assert_eq!(status.code(), Some(77), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("iot:Connect on client/pi-7")), "{lines:#?}");
    }
}

#[test]
fn a_client_id_that_two_devices_use_is_named() {
    let house = House::new("cloned", Manners::default());
    let mut agent = house.start("run", &[]);
    house.published();
    house.broker.close_connections(Some(0x8e));
    let line = agent.wait_for_line("another device uses client id pi-7 (a cloned image?)", PATIENCE);
    let wait: u64 = line.rsplit_once("next attempt in ").unwrap().1.trim_end_matches(" s").parse().unwrap();
    assert!(wait >= 30, "{line}");
    agent.signal("TERM");
    assert_eq!(agent.wait(PATIENCE).0.code(), Some(0));
}

#[test]
fn a_hangup_signal_changes_the_configuration_and_keeps_the_queue() {
    let mut house = House::new("reload", Manners::default());
    let mut agent = house.start("run", &[]);
    house.published();
    house.broker.stop();
    agent.wait_for_line("next attempt in", PATIENCE);
    house.configure("format = flat\nmetrics = temperature cpu\ntopic = other/{client_id}\n");
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    house.broker.restart();
    let message = house
        .broker
        .wait_for(PATIENCE, |event| event.published().filter(|message| message.topic == "other/pi-7"));
    assert!(message.text().starts_with(r#"{"label":"pi-7","timestamp":"#), "{}", message.text());
    assert!(message.text().contains(r#""temperature_celsius":48.3,"cpu_percent":"#), "{}", message.text());
    house.end(agent);
    let mut times: Vec<_> = house
        .broker
        .events_so_far()
        .into_iter()
        .filter_map(Event::published)
        .map(|m| timestamp(&m))
        .collect();
    times.dedup();
    assert!(times.windows(2).skip(1).all(|pair| pair[1] - pair[0] <= 2), "none is missing: {times:?}");
}

#[test]
fn a_hangup_signal_changes_the_interval() {
    let house = House::new("interval", Manners::default());
    let slow = fs::read_to_string(house.config()).unwrap().replace("interval = 1\n", "interval = 86400\n");
    fs::write(house.config(), slow).unwrap();
    let mut agent = house.start("run", &[]);
    let first = timestamp(&house.published());
    house.configure("");
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    house
        .broker
        .wait_for(PATIENCE, |event| event.published().filter(|message| timestamp(message) >= first + 3));
    house.end(agent);
}

#[test]
fn a_hangup_signal_brings_a_new_certificate_into_use() {
    let house = House::new("renewed", Manners::default());
    let renewed = house.pki.device("renewed");
    let mut agent = house.start("run", &[]);
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).certificate_cn, "pi-7");
    house.published();
    for (old, new) in [(&house.device.certificate, &renewed.certificate), (&house.device.key, &renewed.key)] {
        fs::copy(new, old).unwrap();
    }
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).certificate_cn, "renewed");
    house.published();
    house.end(agent);
}

#[test]
fn a_broken_configuration_changes_nothing() {
    let house = House::new("broken-reload", Manners::default());
    let mut agent = house.start("run", &[]);
    house.published();
    house.configure("intervall = 5\n");
    agent.signal("HUP");
    agent.wait_for_line("did you mean interval?", PATIENCE);
    agent.wait_for_line("the configuration was not changed", PATIENCE);
    let seen = house.published();
    assert_eq!(seen.conn, 1, "the connection stays");
    house.end(agent);
}

#[test]
fn a_sensor_that_goes_and_comes_back_is_told_once_each() {
    let house = House::new("sensor", Manners::default());
    let temp = house.board.sensor();
    let mut agent = house.start("run", &["metrics=temperature cpu"]);
    house.published();
    fs::write(&temp, "too hot\n").unwrap();
    agent.wait_for_line("temperature: no reading: its source says something unexpected", PATIENCE);
    fs::write(&temp, "50000\n").unwrap();
    agent.wait_for_line("temperature: the reading is back", PATIENCE);
    let lines = house.end(agent);
    assert_eq!(lines.iter().filter(|line| line.contains("temperature")).count(), 2, "{lines:#?}");
}

#[test]
fn port_443_would_ask_for_the_protocol_of_aws() {
    // Nobody can listen on port 443 here; what is asked for is seen in the TLS configuration itself.
    let house =
        House::new("alpn", Manners { require_alpn: Some(b"x-amzn-mqtt-ca".to_vec()), ..Manners::default() });
    let files = pivitals::tls::CertificateFiles::find(&house.device.dir, None, None, None).unwrap();
    assert_eq!(files.load(true).unwrap().tls.alpn_protocols, [b"x-amzn-mqtt-ca".to_vec()]);
    assert!(files.load(false).unwrap().tls.alpn_protocols.is_empty());
    // A broker that wants it, and is asked on another port, is named.
    let (status, lines) = house.start("once", &[]).wait(PATIENCE);
    assert_eq!(status.code(), Some(69), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("check that `port` is")), "{lines:#?}");
}

#[test]
fn a_terminated_agent_ends_cleanly_whatever_it_is_doing() {
    let mut house = House::new("term", Manners::default());
    house.broker.stop();
    let mut agent = house.start("run", &[]);
    agent.wait_for_line("next attempt in", PATIENCE);
    agent.signal("INT");
    assert_eq!(agent.wait(PATIENCE).0.code(), Some(0));
    house.broker.restart();
    house.broker.set_manners(|manners| manners.publish = Box::new(|_| PubackManner::Silence));
    let agent = house.start("run", &[]);
    house.published();
    let lines = house.end(agent);
    assert!(lines.iter().any(|line| line.contains("samples were not delivered")), "{lines:#?}");
}

#[test]
fn a_broker_that_takes_a_message_and_then_closes_over_and_over_is_told_once() {
    let after_a_sample = DisconnectAfter { publishes: 4, reason: 0x8b };
    let house = House::new("kicks", Manners { disconnect_after: Some(after_a_sample), ..Manners::default() });
    let mut agent = house.start("run", &[]);
    while house.broker.wait_for(PATIENCE, Event::connected).conn < 4 {}
    agent.signal("TERM");
    let (status, lines) = agent.wait(PATIENCE);
    assert_eq!(status.code(), Some(0));
    // The first time the connection was new to it, the second time it was back.
    for (part, times) in [("it is shutting down", 1), ("publishing to localhost", 2)] {
        assert_eq!(lines.iter().filter(|line| line.contains(part)).count(), times, "{part}: {lines:#?}");
    }
}

#[test]
fn what_is_in_flight_when_the_configuration_changes_is_sent_again() {
    let house = House::new(
        "settle",
        puback(|message| match message.conn {
            1 => PubackManner::Silence,
            _ => PubackManner::Acknowledge,
        }),
    );
    let mut agent = house.start("run", &["interval=60"]);
    let first: Vec<_> = (0..4).map(|_| house.published().payload).collect();
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
    let again: Vec<_> = (0..4).map(|_| house.published().payload).collect();
    assert_eq!(first, again);
    house.end(agent);
}

#[test]
fn hangup_signals_do_not_cut_the_wait_after_a_refusal_to_nothing() {
    let house = House::new("hups", Manners { connack: ConnackManner::Refuse(0x87), ..Manners::default() });
    let mut agent = house.start("run", &["mqtt=5"]);
    agent.wait_for_line("next attempt in", PATIENCE);
    for _ in 0..5 {
        agent.signal("HUP");
        agent.wait_for_line("the configuration was read again", PATIENCE);
    }
    agent.signal("TERM");
    agent.wait(PATIENCE);
    let connects = house.broker.events_so_far().into_iter().filter_map(Event::connected).count();
    assert!(connects <= 2, "{connects} for five signals within a second or two");
}

#[test]
fn a_silent_broker_is_named_by_the_phase_in_which_it_falls_silent() {
    for (silence, words) in [
        (Silence::AfterTcp, "accepts connections and then says nothing"),
        (Silence::AfterTls, "does not answer CONNECT"),
    ] {
        let house = House::new("silent", Manners { silence, ..Manners::default() });
        let (status, lines) = house.start("once", &[]).wait(PATIENCE);
        assert_eq!(status.code(), Some(69), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains(words)), "{lines:#?}");
    }
}

#[test]
fn the_limits_that_a_broker_sets_are_kept() {
    // The broker notes a violation when more is in flight than it allows, or a packet is too long.
    let limits =
        || Manners { receive_maximum: Some(1), maximum_packet_size: Some(2000), ..Manners::default() };
    let mut house = House::new("limits", limits());
    let (status, lines) = house.start("once", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines), (Some(0), vec![]));
    // After an outage a batch holds several samples, but no more than fit.
    house.broker.stop();
    let mut agent = house.start("run", &["format=emf", "queue=100"]);
    for _ in 0..3 {
        agent.wait_for_line("next attempt in", PATIENCE);
        agent.signal("HUP");
    }
    house.broker.restart();
    let events = |message: &Published| {
        let value: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        value["batch"].as_array().unwrap().len()
    };
    house.broker.wait_for(PATIENCE, |event| {
        event.published().filter(|message| {
            message.topic.ends_with("metrics")
                && message.text().starts_with("{\"batch\"")
                && events(message) > 1
        })
    });
    house.end(agent);
}

#[test]
fn once_that_can_measure_nothing_says_so() {
    let house = House::new("nothing", Manners::default());
    fs::remove_file(house.board.sensor()).unwrap();
    let (status, lines) = house.start("once", &["metrics=temperature"]).wait(PATIENCE);
    assert_eq!(status.code(), Some(78), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("nothing was published")), "{lines:#?}");
}

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

#[test]
fn wrong_usage_exits_64_and_a_wrong_configuration_78_with_every_error() {
    let house = House::new("wrong", Manners::default());
    let (status, lines) = house.start("doctro", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines.len()), (Some(64), 1), "{lines:#?}");
    house.configure("intervall = 5\nqueue = 0\nkeep_alive = 5\n");
    for command in ["run", "once", "print"] {
        let (status, lines) = house.start(command, &["format=xml"]).wait(PATIENCE);
        assert_eq!((status.code(), lines.len()), (Some(78), 4), "{lines:#?}");
        let path = house.config().display().to_string();
        assert!(lines[0].contains(&format!("{path}:8: intervall = 5")), "{lines:#?}");
    }
}
