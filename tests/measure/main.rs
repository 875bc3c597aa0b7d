//! `cargo measure`: what the release binary costs, measured on this machine, against its limits.
//!
//! It has `cross/build` make the static x86_64 binary and runs it against the embedded broker, with the four default
//! metrics and a sample a second: by itself, under strace and under valgrind's callgrind; and then with
//! alerts, at an emulated mailbox. Counts are compared, not times, so that a busy machine gives the same
//! figures; the only time is that which the kernel has counted on a processor.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use pivitals_broker::{Board, Broker, Event, Manners, Pki, Program, TestDir, send_signal};

mod calls;
mod instructions;
mod watch;

const TARGET: &str = "x86_64-unknown-linux-musl";
const MESSAGES_A_SAMPLE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(300);

const BINARY_LEN_MAX: u64 = 1_600_000;
const HIGH_WATER_MAX_KB: u64 = 1_700;
const THREADS: u64 = 1;
const WRITTEN_MAX: u64 = 0;
const CALLS_MAX: u64 = 12;
const INSTRUCTIONS_MAX: u64 = 150_000;
const WATCH_CALLS_MAX: u64 = 4;
const WATCH_INSTRUCTIONS_MAX: u64 = 10_000;
/// 0.05 % of one core.
const WATCH_CPU_MAX_MICROS: u64 = 500;

fn main() -> ExitCode {
    for tool in ["strace", "valgrind"] {
        if Command::new(tool).arg("--version").output().is_err() {
            eprintln!("{tool} is missing; on Debian: apt install strace valgrind");
            return ExitCode::FAILURE;
        }
    }
    let binary = build();
    let bench = Bench::new(binary);
    println!("| what | measured | at most |\n|---|---|---|");
    let mut is_within =
        row("size of the binary, bytes", fs::metadata(&bench.binary).unwrap().len(), BINARY_LEN_MAX);

    let process = bench.process();
    is_within &= row("memory at its highest (VmHWM), kB", process.high_water_kb, HIGH_WATER_MAX_KB);
    is_within &= row("threads", process.threads, THREADS);
    is_within &= row("bytes written to storage", process.written, WRITTEN_MAX);

    let calls = calls::of_a_cycle(&bench);
    is_within &= row("system calls of a cycle", calls.most, CALLS_MAX);
    is_within &=
        row("instructions of a cycle, user mode", instructions::of_a_cycle(&bench), INSTRUCTIONS_MAX);
    let watch = watch::of_a_second(&bench);
    is_within &= row("system calls of a second's watch", watch.calls, WATCH_CALLS_MAX);
    is_within &=
        row("instructions of a second's watch, user mode", watch.instructions, WATCH_INSTRUCTIONS_MAX);
    is_within &= row(
        "processor time of a second's watch, µs (500 are 0.05 % of a core)",
        watch.cpu_micros,
        WATCH_CPU_MAX_MICROS,
    );
    println!("| bytes of a cycle on the wire, out and in | {} and {} | |", calls.sent, calls.received);
    println!("\nThe calls of a cycle: {}", calls.names.join(", "));
    println!("The calls of a second's watch: {}", watch.names.join(", "));
    if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(what: &str, measured: u64, limit: u64) -> bool {
    let remark: &dyn Display = if measured <= limit { &"" } else { &": TOO MUCH" };
    println!("| {what} | {measured} | {limit}{remark} |");
    measured <= limit
}

fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut script = Command::new(root.join("cross/build"));
    let status = script.arg(TARGET).status().unwrap_or_else(|error| panic!("{script:?}: {error}"));
    assert!(status.success(), "{script:?}: {status}");
    root.join("target/cross/release").join(TARGET).join("pivitals")
}

/// The binary, a broker, and a board with a sensor.
struct Bench {
    binary: PathBuf,
    dir: TestDir,
    board: Board,
    broker: Broker,
}

/// What the kernel says of a process with its session up.
struct Process {
    high_water_kb: u64,
    threads: u64,
    written: u64,
}

impl Bench {
    fn new(binary: PathBuf) -> Self {
        let dir = TestDir::new("measure");
        let pki = Pki::new(dir.path());
        let broker = Broker::start(&pki, Manners::default());
        let certs = pki.device("pi-7").dir;
        let board = Board::new(&dir.path().join("root")).unwrap();
        let config = format!(
            "endpoint = localhost\nport = {}\ncerts = {}\nclient_id = pi-7\ninterval = 1\nlog = stderr\n",
            broker.port(),
            certs.display()
        );
        fs::write(dir.path().join("pivitals.conf"), config).unwrap();
        Self { binary, dir, board, broker }
    }

    /// Starts the agent, under a tool if there is one, and waits until so many samples were published.
    fn run(&self, tool: &[&str], samples: usize) -> Program {
        let agent = Program::start(&mut self.command(tool, &[]));
        for _ in 0..samples * MESSAGES_A_SAMPLE {
            self.broker.wait_for(PATIENCE, Event::published);
        }
        agent
    }

    /// The agent, under a tool if there is one.
    fn command(&self, tool: &[&str], set: &[&str]) -> Command {
        let mut words = tool.iter();
        let mut command = match words.next() {
            Some(tool) => {
                let mut command = Command::new(tool);
                command.args(words).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command.arg("run").arg("--config").arg(self.dir.path().join("pivitals.conf"));
        command.arg("--root").arg(self.board.root());
        for set in set {
            command.args(["--set", set]);
        }
        command
    }

    /// Ends an agent, or the tool that it runs under, and gives what was written.
    fn end(&self, mut agent: Program, pid: u32) -> Vec<String> {
        send_signal(pid, "TERM").unwrap_or_else(|error| panic!("{error}; {agent}"));
        let (status, lines) = agent.wait(PATIENCE);
        assert!(status.success(), "{lines:#?}");
        assert_eq!(self.broker.violations(), Vec::<String>::new());
        lines
    }

    fn process(&self) -> Process {
        let agent = self.run(&[], 5);
        let pid = agent.id();
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let (status, io) = (read("status"), read("io"));
        self.end(agent, pid);
        let field = |text: &str, key: &str| -> u64 {
            let line =
                text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("no {key}"));
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Process {
            high_water_kb: field(&status, "VmHWM:"),
            threads: field(&status, "Threads:"),
            written: field(&io, "write_bytes:"),
        }
    }
}
