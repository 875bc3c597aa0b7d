//! A program under test as a child process: its lines as they come, and its end; and a folder that
//! goes when the test does.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    /// Starts a program and takes what it writes to standard output and standard error, by lines.
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, lines) = channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stdout| Box::new(stdout) as _),
            child.stderr.take().map(|stderr| Box::new(stderr) as _),
        ];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self { child, lines, seen: Vec::new() }
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that has `part` in it, beyond those that were waited for before.
    pub fn wait_for_line(&mut self, part: &str, limit: Duration) -> String {
        let until = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no line with {part:?} in {limit:?}; {self}"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without a line with {part:?}; {self}")
                }
            }
        }
    }

    /// Sends a signal by its name, `TERM` or `HUP` for example.
    pub fn signal(&self, name: &str) {
        send_signal(self.id(), name).unwrap_or_else(|error| panic!("{error}; {self}"));
    }

    /// Waits for the end, and gives the exit code and every line that was written.
    pub fn wait(&mut self, limit: Duration) -> (ExitStatus, Vec<String>) {
        let until = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("it did not end in {limit:?}; {self}"),
                Err(RecvTimeoutError::Disconnected) => break, // both outputs are closed
            }
        }
        let status = self.child.wait().unwrap_or_else(|error| panic!("{error}; {self}"));
        (status, self.seen.clone())
    }
}

/// Sends a signal by its name to a process. std has no way to, and the shell always has one.
///
/// # Errors
/// What the shell says.
pub fn send_signal(process: u32, name: &str) -> Result<(), String> {
    let kill = format!("kill -s {name} {process}");
    match Command::new("sh").arg("-c").arg(&kill).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{kill}: {status}")),
        Err(error) => Err(format!("{kill}: {error}")),
    }
}

/// What the program has written so far.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its lines:")?;
        self.seen.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A new folder, which is removed with all that is in it when this is dropped.
#[derive(Debug)]
pub struct TestDir(PathBuf);

impl TestDir {
    /// A folder with `name` in its own name.
    pub fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pivitals-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        // What is left in a temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
