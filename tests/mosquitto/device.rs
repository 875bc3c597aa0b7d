//! A device as the agent sees it: a root folder, certificates under AWS's names, a configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pivitals_broker::{Board, Program, TestDir};

use crate::mosquitto::Mosquitto;
use crate::pki::{Authority, KeyKind};

/// The device's client id and label.
pub const NAME: &str = "pi-7";

/// The default, for this client id.
pub const TOPIC: &str = "pivitals/pi-7/metrics";

/// A device.
#[derive(Debug)]
pub struct Device {
    folder: PathBuf,
}

impl Device {
    /// A device that trusts one authority and has its certificate from another, or the same.
    pub fn new(folder: &Path, trusted: &Authority, issuer: &Authority, kind: KeyKind) -> Self {
        let device = Self { folder: folder.join(NAME) };
        fs::create_dir_all(device.certs()).expect("a new folder");
        Board::new(&device.root()).expect("a new folder");
        let key = kind.key();
        for (path, text) in [
            (device.ca(), &trusted.certificate),
            (device.certificate(), &issuer.device_certificate(NAME, &key)),
            (device.key(), &key),
            (device.config(), &device.config_text()),
        ] {
            fs::write(path, text).expect("a new file");
        }
        device
    }

    fn config_text(&self) -> String {
        let certs = self.certs();
        format!(
            "endpoint = localhost\nclient_id = {NAME}\nlabel = {NAME}\ncerts = {}\nlog = stderr\n",
            certs.display()
        )
    }

    fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn config(&self) -> PathBuf {
        self.folder.join("pivitals.conf")
    }

    /// The folder of the three files below.
    pub fn certs(&self) -> PathBuf {
        self.folder.join("certs")
    }

    pub fn ca(&self) -> PathBuf {
        self.certs().join("AmazonRootCA1.pem")
    }

    pub fn certificate(&self) -> PathBuf {
        self.certs().join(format!("{NAME}-certificate.pem.crt"))
    }

    pub fn key(&self) -> PathBuf {
        self.certs().join(format!("{NAME}-private.pem.key"))
    }

    /// Starts the agent, for a broker on `port` and with more of `KEY=VALUE`.
    pub fn start(&self, command: &str, port: u16, set: &[&str]) -> Program {
        let mut agent = Command::new(env!("CARGO_BIN_EXE_pivitals"));
        agent.arg(command).arg("--config").arg(self.config()).arg("--root").arg(self.root());
        agent.arg("--set").arg(format!("port={port}"));
        for set in set {
            agent.arg("--set").arg(set);
        }
        Program::start(&mut agent)
    }
}

/// A broker, its authority, and the folder for all that belongs to a test.
#[derive(Debug)]
pub struct House {
    pub mosquitto: Mosquitto,
    pub authority: Authority,
    folder: TestDir,
}

impl House {
    /// `more` goes into the broker's configuration.
    pub fn new(test: &str, more: &str) -> Self {
        let folder = TestDir::new(test);
        let authority = Authority::ours(folder.path());
        Self { mosquitto: Mosquitto::start(folder.path(), &authority, more), authority, folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A device that the broker knows.
    pub fn device(&self, kind: KeyKind) -> Device {
        Device::new(self.path(), &self.authority, &self.authority, kind)
    }
}
