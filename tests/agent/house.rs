//! What every test lives in: a device with its certificates and its configuration, and the broker it is
//! to talk to.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use pivitals_broker::{
    Board, Broker, DeviceFiles, Event, Manners, Pki, Policy, Program, PubackManner, Published, TestDir,
};

/// For anything that has to happen, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The same for what the program itself waits for before: at most a minute after a refusal.
pub const LONG_PATIENCE: Duration = Duration::from_secs(150);

/// The same for the trial of a held topic, which comes within five and a half minutes.
pub const TRIAL_PATIENCE: Duration = Duration::from_secs(420);

/// A device with its certificates and its configuration, and the broker it is to talk to.
pub struct House {
    pub dir: TestDir,
    pub pki: Pki,
    pub board: Board,
    pub broker: Broker,
    pub device: DeviceFiles,
}

impl House {
    pub fn new(name: &str, manners: Manners) -> Self {
        let dir = TestDir::new(name);
        let pki = Pki::new(dir.path());
        let (broker, device) = (Broker::start(&pki, manners), pki.device("pi-7"));
        let board = Board::new(&dir.path().join("root")).unwrap();
        let house = Self { dir, pki, board, broker, device };
        house.configure("");
        house
    }

    pub fn config(&self) -> PathBuf {
        self.dir.path().join("pivitals.conf")
    }

    pub fn configure(&self, more: &str) {
        let text = format!(
            "endpoint = localhost\nport = {}\ncerts = {}\nclient_id = pi-7\nlabel = pi-7\ninterval = 1\nlog = stderr\n{more}",
            self.broker.port(),
            self.device.dir.display()
        );
        fs::write(self.config(), text).unwrap();
    }

    pub fn start(&self, command: &str, set: &[&str]) -> Program {
        Program::start(&mut self.command(command, set))
    }

    pub fn command(&self, command: &str, set: &[&str]) -> Command {
        let mut program = Command::new(binary());
        program.arg(command).arg("--config").arg(self.config()).arg("--root").arg(self.board.root());
        for set in set {
            program.args(["--set", set]);
        }
        program
    }

    /// Runs `once`, which ends by itself; gives its exit code and its lines.
    pub fn once(&self, set: &[&str]) -> (i32, Vec<String>) {
        let (status, lines) = self.start("once", set).wait(LONG_PATIENCE);
        (status.code().unwrap(), lines)
    }

    pub fn published(&self) -> Published {
        self.broker.wait_for(PATIENCE, Event::published)
    }

    /// Waits until a message arrives, and then another one of at least two seconds later.
    pub fn two_seconds_later(&self) -> Published {
        let first = timestamp(&self.published());
        self.broker.wait_for(PATIENCE, |event| {
            event.published().filter(|message| message.allowed && timestamp(message) >= first + 2)
        })
    }

    /// Every message that the broker has let in so far, in order.
    pub fn taken(&self) -> Vec<Published> {
        let published = self.broker.events_so_far().into_iter().filter_map(Event::published);
        published.filter(|message| message.allowed).collect()
    }

    /// Ends an agent that runs, and sees that it said goodbye and broke no rule: not the standard's, and
    /// not the quotas of AWS where the broker has them.
    pub fn end(&self, mut agent: Program) -> Vec<String> {
        agent.signal("TERM");
        let (status, lines) = agent.wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
        let goodbye = |event| match event {
            Event::Disconnected { cleanly, .. } => Some(cleanly),
            _ => None,
        };
        while !self.broker.wait_for(PATIENCE, goodbye) {}
        assert_eq!(self.broker.violations(), Vec::<String>::new());
        assert_eq!(self.throttled(), 0, "of connects and publishes");
        lines
    }

    /// Ends an agent that has no connection, and gives its lines.
    pub fn end_of_one_that_waits(&self, mut agent: Program) -> Vec<String> {
        agent.signal("TERM");
        let (status, lines) = agent.wait(PATIENCE);
        assert_eq!((status.code(), self.throttled()), (Some(0), 0), "{lines:#?}");
        lines
    }

    /// How often the agent was faster than it may be.
    pub fn throttled(&self) -> usize {
        let events = self.broker.events_so_far();
        events.iter().filter(|event| matches!(event, Event::Throttled { .. })).count()
    }
}

/// The program: the one that cargo has built for the tests, or the one that `PIVITALS_BINARY` names, the
/// static build for a device's target for example.
fn binary() -> PathBuf {
    let named = std::env::var_os("PIVITALS_BINARY").map(PathBuf::from);
    let binary = named.unwrap_or_else(|| env!("CARGO_BIN_EXE_pivitals").into());
    assert!(
        binary.is_file(),
        "PIVITALS_BINARY={}: not there; `cargo build --release --target x86_64-unknown-linux-musl` makes the static one",
        binary.display()
    );
    binary
}

pub fn timestamp(message: &Published) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
    value["timestamp"].as_u64().unwrap_or_else(|| panic!("{}", message.text()))
}

/// The times of what was published on `topic`, in the order in which it arrived.
pub fn times_on(topic: &str, messages: &[Published]) -> Vec<u64> {
    messages.iter().filter(|message| message.topic == topic).map(timestamp).collect()
}

/// Not one second is missing: `times`, of samples taken every second, are all there, each once and in
/// order. The first sample is taken a second after the start, the others on the grid.
#[track_caller]
pub fn assert_complete(times: &[u64]) {
    assert!(times.len() > 1, "{times:?}");
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "each once and in order: {times:?}");
    assert!(times.windows(2).skip(1).all(|pair| pair[1] == pair[0] + 1), "none is missing: {times:?}");
}

/// The same of messages that may come more than once, after a connection that broke.
#[track_caller]
pub fn assert_none_missing<'a>(messages: impl IntoIterator<Item = &'a Published>) {
    let times: BTreeSet<_> = messages.into_iter().map(timestamp).collect();
    assert_complete(&times.into_iter().collect::<Vec<_>>());
}

pub fn puback(manner: impl Fn(&Published) -> PubackManner + Send + 'static) -> Manners {
    Manners { publish: Box::new(manner), ..Manners::default() }
}

/// The policy that lets pi-7 connect, and publish on these topics.
pub fn allowing(topics: &[&str]) -> Policy {
    let arn = |resource: String| format!("arn:aws:iot:eu-west-1:123456789012:{resource}");
    let topics: Vec<_> = topics.iter().map(|topic| arn(format!("topic/{topic}"))).collect();
    let statements = serde_json::json!([
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": arn("client/${iot:Connection.Thing.ThingName}".into())},
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": topics},
    ]);
    Policy::from_json(&serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string())
        .unwrap()
}

/// The statement that a message proposes to add to a policy.
pub fn statement(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"arn:aws:iot:REGION:ACCOUNT:{resource}"}}"#)
}

/// Has the agent read its configuration again, which cuts a long wait short.
pub fn hang_up(agent: &mut Program) {
    agent.signal("HUP");
    agent.wait_for_line("the configuration was read again", PATIENCE);
}

/// How many of the lines have `part` in them.
pub fn count(lines: &[String], part: &str) -> usize {
    lines.iter().filter(|line| line.contains(part)).count()
}

/// The seconds until the next attempt, as a line tells them.
pub fn wait_in(line: &str) -> u64 {
    line.rsplit_once("next attempt in ").unwrap().1.trim_end_matches(" s").parse().unwrap()
}

/// Runs the same test for each case, all at the same time: they wait more than they work.
pub fn for_each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    let test = &test;
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || test(case));
        }
    });
}
