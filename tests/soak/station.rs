//! An agent, its broker, and what is seen of both.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pivitals_broker::{Broker, DeviceFiles, Event, Issuer, Pki, TestDir, Validity};

use crate::agent::{Agent, Figures};
use crate::board::Meter;
use crate::desk::Desk;
use crate::fault::{Fault, RECOVERY, SLOW};

/// How many times as fast the agent's time runs: its shortest deadline that counts, ten seconds for an
/// answer to CONNECT, leaves a busy machine 100 milliseconds.
pub const SCALE: u32 = 100;
/// Samples of two seconds; more than come in the longest outage.
const QUEUE: u64 = 720;
const CONFIG_FILE: &str = "pivitals.conf";
const CONFIG: &str = "interval = 2\nmetrics = memory temperature disk certificate_days\n";
/// The same with another order, another keep-alive, another limit.
const OTHER_CONFIG: &str =
    "interval = 2\nmetrics = disk certificate_days memory temperature\nkeep_alive = 120\n";
/// For anything that has to happen, in true time.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the broker's events are waited for between two looks at the agent.
const TURN: Duration = Duration::from_millis(2);
/// On a connection: after that of CONNECT.
const FIRST_PUBLISH_RECORD: u64 = 2;
/// How late a line may come after its fault is over: many faults are over in a few milliseconds.
const LATE_MAX: Duration = Duration::from_secs(1);
const TAIL_LEN: usize = 60;

/// What the broker saw, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub accepted: u64,
    pub refused: u64,
    pub tls_failed: u64,
    /// Connections of any kind that are over.
    pub ended: u64,
    pub denied: u64,
    pub throttled: u64,
}

pub struct Station {
    mqtt: &'static str,
    dir: TestDir,
    pki: Pki,
    pub device: DeviceFiles,
    pub stranger: DeviceFiles,
    pub broker: Broker,
    pub desk: Desk,
    meter: Meter,
    agent: Agent,
    pub seen: Seen,
    /// The last accepted connection, while it is open.
    open: Option<u64>,
    fault: Fault,
    /// What may be in the log now, of each fault: until when, if it is over.
    explained: Vec<(Option<Instant>, Vec<&'static str>)>,
    /// The lines since the fault began.
    lines: Vec<String>,
    /// Lines that only the machine's slowness explains.
    pub slow: Vec<String>,
    tail: VecDeque<String>,
}

impl Station {
    pub fn new(binary: &Path, mqtt: &'static str) -> Self {
        let dir = TestDir::new("soak");
        let pki = Pki::new(dir.path());
        let (device, stranger) = (pki.device("pi-7"), pki.device("stranger"));
        let desk = Desk::default();
        let broker = Broker::start(&pki, desk.manners());
        let meter = Meter::new(&dir.path().join("root"));
        write_config(&dir, &broker, &device, mqtt, CONFIG);
        let agent = Agent::start(binary, SCALE, &dir.path().join(CONFIG_FILE), meter.board.root());
        let explained = vec![(None, vec!["samples every 2 s for localhost"])];
        Self {
            mqtt,
            dir,
            pki,
            device,
            stranger,
            broker,
            desk,
            meter,
            agent,
            seen: Seen::default(),
            open: None,
            fault: Fault::Kills,
            explained,
            lines: Vec::new(),
            slow: Vec::new(),
            tail: VecDeque::new(),
        }
    }

    /// Notes that a fault begins, which explains lines from now on.
    pub fn begin(&mut self, fault: Fault) {
        self.note(format!("== {fault:?}"));
        let now = Instant::now();
        self.explained.retain(|&(until, _)| until.is_none_or(|until| until > now));
        if let Some((until, _)) = self.explained.last_mut() {
            *until = Some(now + LATE_MAX);
        }
        self.explained.push((None, fault.lines()));
        self.fault = fault;
        self.lines.clear();
    }

    /// Brings the broker back to good manners.
    pub fn behave(&self) {
        self.broker.set_manners(|manners| *manners = self.desk.manners());
    }

    pub fn kill(&self) {
        self.broker.close_connections(None);
    }

    /// Puts a new certificate and its key in the place of the device's.
    pub fn issue(&self, validity: Validity, issuer: Issuer) {
        self.pki.device_with("pi-7", validity, issuer);
    }

    /// Writes a good configuration, the same or another one.
    pub fn configure(&self, is_other: bool) {
        self.write(if is_other { OTHER_CONFIG } else { CONFIG });
    }

    /// Writes a configuration that cannot be used.
    pub fn misconfigure(&self) {
        self.write("intervall = 2\n");
    }

    fn write(&self, config: &str) {
        write_config(&self.dir, &self.broker, &self.device, self.mqtt, config);
    }

    pub fn signal(&self, name: &str) {
        self.agent.signal(name);
    }

    pub fn samples(&mut self) -> u64 {
        self.meter.samples()
    }

    pub fn figures(&self) -> Figures {
        self.agent.figures()
    }

    /// Waits until the agent has told something since the fault began.
    pub fn until_line(&mut self, part: &str) {
        self.until(part, |station| station.lines.iter().any(|line| line.contains(part)));
    }

    /// Waits until so many more samples were taken.
    pub fn until_samples(&mut self, more: u64) {
        let wanted = self.samples() + more;
        self.until("samples", |station| station.samples() >= wanted);
    }

    /// Waits until there is a connection and every sample is acknowledged, but for the last one, which
    /// may be on its way. The agent has seen it, too: it has sent again after the first answer.
    pub fn until_delivered(&mut self) {
        self.until("everything delivered", |station| {
            let samples = station.samples();
            let account = station.desk.account();
            let (conn, record) = account.last;
            station.open == Some(conn) && record > FIRST_PUBLISH_RECORD && account.complete + 1 >= samples
        });
    }

    /// Waits for something, and keeps watch meanwhile.
    pub fn until(&mut self, what: &str, mut is_met: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let is_running = self.watch();
            if is_met(self) {
                return;
            }
            self.check(is_running, "the agent has ended");
            self.check(Instant::now() < deadline, &format!("{what}: not within {PATIENCE:?}"));
        }
    }

    /// Takes what has come; false when the agent's log has come to its end.
    fn watch(&mut self) -> bool {
        let mut next = self.broker.event_within(TURN);
        while let Some(event) = next {
            self.take(&event);
            next = self.broker.event_within(Duration::ZERO);
        }
        self.check(self.desk.account().breaches.is_empty(), "the agent broke a promise");
        loop {
            match self.agent.line() {
                Ok(Some(line)) => self.explain(line),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    fn take(&mut self, event: &Event) {
        let seen = &mut self.seen;
        match event {
            Event::Published(_) | Event::Ping { .. } => return,
            Event::Connected(connected) if connected.accepted => {
                seen.accepted += 1;
                self.open = Some(connected.conn);
            }
            Event::Connected(_) => seen.refused += 1,
            Event::TlsFailed { .. } => {
                seen.tls_failed += 1;
                seen.ended += 1;
            }
            Event::Disconnected { conn, .. } => {
                seen.ended += 1;
                self.open.take_if(|open| open == conn);
            }
            Event::Denied { .. } => seen.denied += 1,
            Event::Throttled { .. } => seen.throttled += 1,
            // Without `discovery` there is no will.
            Event::Violation { .. } | Event::Will { .. } => {}
        }
        self.note(format!("broker {event}"));
        self.check(!matches!(event, Event::Violation { .. } | Event::Will { .. }), "the agent broke a rule");
    }

    /// Holds a line of the log against what has happened.
    fn explain(&mut self, line: String) {
        self.note(format!("agent  {line}"));
        let has = |parts: &[&str]| parts.iter().any(|part| line.contains(part));
        let is_explained = self.explained.iter().any(|(_, lines)| has(lines)) || has(RECOVERY);
        if !is_explained && has(SLOW) {
            self.slow.push(line.clone());
        } else {
            self.check(is_explained, "a line without a cause");
        }
        self.lines.push(line);
    }

    /// Ends the agent, and sees that it has delivered everything and leaves nothing behind.
    pub fn end(&mut self) {
        self.explained.push((None, vec!["pivitals: info: stopped"]));
        self.signal("TERM");
        let mut is_running = true;
        self.until("the end", |station| {
            is_running &= station.watch();
            !is_running
        });
        let status = self.agent.wait();
        self.check(status.code() == Some(0), &format!("the agent ended with {status}"));
        self.until("the end of the last connection", |station| station.open.is_none());
        let samples = self.samples();
        let (seen, complete, incomplete) = {
            let account = self.desk.account();
            (account.seen(), account.complete, account.incomplete())
        };
        self.check(
            incomplete.is_empty() && seen == samples && complete == samples,
            &format!("{samples} samples were taken, {seen} seen, {complete} acknowledged; {incomplete:#?}"),
        );
    }

    fn note(&mut self, what: String) {
        if self.tail.len() == TAIL_LEN {
            self.tail.pop_front();
        }
        self.tail.push_back(what);
    }

    #[track_caller]
    pub fn check(&self, is_well: bool, what: &str) {
        if is_well {
            return;
        }
        let tail: Vec<_> = self.tail.iter().map(|line| format!("\n  {line}")).collect();
        let breaches = &self.desk.account().breaches;
        panic!(
            "mqtt = {}, {:?}: {what}; {breaches:#?}; {:?}:{}",
            self.mqtt,
            self.fault,
            self.seen,
            tail.concat()
        );
    }
}

fn write_config(dir: &TestDir, broker: &Broker, device: &DeviceFiles, mqtt: &str, more: &str) {
    let text = format!(
        "endpoint = localhost\nport = {}\ncerts = {}\nclient_id = pi-7\nlabel = pi-7\nmqtt = {mqtt}\n\
         topic = soak/{{client_id}}/{{metric}}\nqueue = {QUEUE}\nlog = stderr\n{more}",
        broker.port(),
        device.dir.display()
    );
    fs::write(dir.path().join(CONFIG_FILE), text).expect("a configuration file");
}
