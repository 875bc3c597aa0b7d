//! The agent: its release build with the clock of the tests, its process, and the lines of its log.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;

use pivitals_broker::send_signal;

const TARGET: &str = "x86_64-unknown-linux-musl";
const CLOCK_VARIABLE: &str = "PIVITALS_TIME_SCALE";

/// Builds it in a target folder of its own: nobody is to find a binary with this clock where those for
/// devices are.
pub fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = target.join("soak");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--quiet", "--release", "--bin", "pivitals", "--target", TARGET]);
    cargo.args(["--features", "test-clock"]).arg("--target-dir").arg(&target);
    let status = cargo.status().unwrap_or_else(|error| panic!("{cargo:?}: {error}"));
    assert!(status.success(), "{cargo:?}: {status}");
    target.join(TARGET).join("release/pivitals")
}

/// What the kernel says of the process.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Heap, stack and data: what a leak would be in.
    pub anonymous_kb: u64,
    /// The same, and what of the binary was needed so far.
    pub resident_kb: u64,
    pub descriptors: usize,
}

/// The running agent. It is killed when this is dropped.
pub struct Agent {
    child: Child,
    lines: Receiver<String>,
}

impl Agent {
    /// Starts it in a time that runs `scale` times as fast.
    pub fn start(binary: &Path, scale: u32, config: &Path, root: &Path) -> Self {
        let mut command = Command::new(binary);
        command.arg("run").arg("--config").arg(config).arg("--root").arg(root);
        command.env(CLOCK_VARIABLE, scale.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = child.stderr.take().expect("standard error is piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                // Nobody listens any more where the soak has failed.
                let _ = sender.send(line.expect("the log is UTF-8"));
            }
        });
        Self { child, lines }
    }

    /// The next line, if there is one; an error when the log has come to its end.
    pub fn line(&self) -> Result<Option<String>, TryRecvError> {
        match self.lines.try_recv() {
            Ok(line) => Ok(Some(line)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        send_signal(self.child.id(), name).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Waits for the end; to be called after the log's.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("a child can be waited for")
    }

    pub fn figures(&self) -> Figures {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = fs::read_to_string(folder.join("status")).expect("a running process has a status");
        let field = |key: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().next());
            value.unwrap_or_else(|| panic!("no {key}")).parse().expect("a number")
        };
        let descriptors = fs::read_dir(folder.join("fd")).expect("a running process has descriptors").count();
        Figures { anonymous_kb: field("RssAnon:"), resident_kb: field("VmRSS:"), descriptors }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It has ended already, unless something went wrong.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
