//! A device, the broker it is to talk to, and what the doctor says of both.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pivitals_broker::{Board, Broker, DeviceFiles, Manners, Pki, Program, TestDir};

/// For anything that has to happen, on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The steps of a healthy device, in their order.
pub const STEPS: [&str; 14] = [
    "configuration",
    "files",
    "key",
    "dates",
    "ca",
    "clock",
    "metrics",
    "dns",
    "tcp",
    "tls",
    "connect",
    "publish",
    "puback",
    "client-id",
];

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
            "endpoint = localhost\nport = {}\ncerts = {}\nclient_id = pi-7\nlabel = pi-7\n{more}",
            self.broker.port(),
            self.device.dir.display()
        );
        fs::write(self.config(), text).unwrap();
    }

    /// The doctor, with these options more.
    pub fn command(&self, options: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_pivitals"));
        program.arg("doctor").arg("--config").arg(self.config()).arg("--root").arg(self.board.root());
        program.args(options);
        program
    }

    pub fn examine(&self, options: &[&str]) -> Examination {
        Examination::of(&mut self.command(options))
    }
}

/// What the doctor has said.
#[derive(Debug)]
pub struct Examination {
    pub code: i32,
    pub findings: Vec<Finding>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: String,
    pub step: String,
    pub millis: Option<u64>,
    pub found: String,
    pub cause: String,
    pub remedy: String,
}

impl Examination {
    pub fn of(command: &mut Command) -> Self {
        Self::after(&mut Program::start(command))
    }

    pub fn after(program: &mut Program) -> Self {
        let (status, lines) = program.wait(PATIENCE);
        let mut findings: Vec<Finding> = Vec::new();
        let mut rest = lines.iter();
        while let Some(line) = rest.next() {
            if let Some(cause) = line.strip_prefix("      ") {
                let last = findings.last_mut().unwrap_or_else(|| panic!("{lines:#?}"));
                cause.clone_into(&mut last.cause);
                let remedy = rest.next().and_then(|line| line.strip_prefix("      → "));
                remedy.unwrap_or_else(|| panic!("no remedy: {lines:#?}")).clone_into(&mut last.remedy);
                assert_ne!(last.verdict, "ok", "{lines:#?}");
                continue;
            }
            let (head, found) = line.split_at_checked(19).unwrap_or((line, ""));
            let [verdict, step] = head.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
            let found = found.trim();
            let (millis, found) = match found.split_once(" ms") {
                Some((millis, found)) if millis.parse::<u64>().is_ok() => (millis.parse().ok(), found.trim()),
                _ => (None, found),
            };
            let [verdict, step, found] = [verdict, step, found].map(str::to_owned);
            findings.push(Finding {
                verdict,
                step,
                millis,
                found,
                cause: String::new(),
                remedy: String::new(),
            });
        }
        let text = lines.join("\n");
        Self { code: status.code().unwrap_or_else(|| panic!("{text}")), findings, text }
    }

    /// The findings of a step; there is at least one.
    #[track_caller]
    pub fn of_step(&self, step: &str) -> Vec<&Finding> {
        let findings: Vec<_> = self.findings.iter().filter(|finding| finding.step == step).collect();
        assert!(!findings.is_empty(), "no {step} in\n{}", self.text);
        findings
    }

    /// The only finding of a step is good.
    #[track_caller]
    pub fn is_ok(&self, step: &str) -> &Finding {
        let findings = self.of_step(step);
        assert!(findings.len() == 1 && findings[0].verdict == "ok", "{step} in\n{}", self.text);
        findings[0]
    }

    /// The only thing wrong is this, with these parts of its cause and of its remedy.
    #[track_caller]
    pub fn only(&self, verdict: &str, step: &str, code: i32, cause: &str, remedy: &str) {
        let bad: Vec<_> = self.findings.iter().filter(|finding| finding.verdict != "ok").collect();
        assert!(bad.len() == 1 && self.code == code, "exit code {}\n{}", self.code, self.text);
        self.has(verdict, step, cause, remedy);
    }

    /// Among the findings is this.
    #[track_caller]
    pub fn has(&self, verdict: &str, step: &str, cause: &str, remedy: &str) {
        let is_meant = |finding: &&&Finding| {
            finding.verdict == verdict && finding.cause.contains(cause) && finding.remedy.contains(remedy)
        };
        let found = self.of_step(step);
        assert!(found.iter().any(|finding| is_meant(&finding)), "{verdict} {step} {cause} in\n{}", self.text);
    }

    /// The steps that were taken, each once.
    pub fn steps(&self) -> Vec<&str> {
        let mut steps: Vec<_> = self.findings.iter().map(|finding| finding.step.as_str()).collect();
        steps.dedup();
        steps
    }
}
