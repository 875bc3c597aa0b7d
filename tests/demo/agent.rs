//! The agent: its configuration file, its process, and the lines of its log.
//!
//! `pivitals_broker::Program` is for tests: it waits for lines that it knows and panics where they do
//! not come. The demo shows whatever comes, as it comes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use pivitals::message::payload::Format;
use pivitals_broker::{DeviceFiles, send_signal};

use super::Input;
use crate::arguments::format_name;

/// The device: client id, label and the certificate's common name.
pub const NAME: &str = "pi-demo";

const PROGRAM: &str = env!("CARGO_BIN_EXE_pivitals");

/// A configuration file.
pub struct Config {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl Config {
    /// Writes one for a broker on `localhost` into `folder`.
    pub fn write(folder: &Path, port: u16, files: &DeviceFiles, format: Format) -> Result<Self, String> {
        let text = format!(
            "endpoint = localhost\nport = {port}\ncerts = {}\nclient_id = {NAME}\nlabel = {NAME}\n\
             interval = 1\nformat = {}\nlog = stderr\n",
            files.dir.display(),
            format_name(format)
        );
        let path = folder.join("pivitals.conf");
        fs::write(&path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path, text })
    }
}

/// The running agent. It is killed when this is dropped.
pub struct Agent(Child);

impl Agent {
    /// Starts `pivitals run`, and sends its lines and its end to `sender`.
    pub fn start(config: &Config, root: &Path, sender: Sender<Input>) -> Result<Self, String> {
        let mut child = Command::new(PROGRAM)
            .arg("run")
            .arg("--config")
            .arg(&config.path)
            .arg("--root")
            .arg(root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{PROGRAM}: {error}"))?;
        let stderr = child.stderr.take();
        thread::spawn(move || {
            let lines = stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).split(b'\n'));
            for line in lines.map_while(Result::ok) {
                // Nobody listens any more where the demo has come to its end.
                let _ = sender.send(Input::AgentLine(String::from_utf8_lossy(&line).into_owned()));
            }
            let _ = sender.send(Input::AgentEnd);
        });
        Ok(Self(child))
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends SIGTERM. One that has ended keeps its number until it is waited for, and takes no harm.
    pub fn terminate(&self) -> Result<(), String> {
        send_signal(self.id(), "TERM")
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> Result<ExitStatus, String> {
        self.0.wait().map_err(|error| format!("waiting for the agent: {error}"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It has ended already, unless something went wrong.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
