//! A mosquitto with two listeners on loopback: one with mutual TLS for the agent, and a plain one for
//! who looks on.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pivitals_broker::Program;

use crate::PATIENCE;
use crate::pki::{Authority, KeyKind};
use crate::tools::command;

/// A running broker.
#[derive(Debug)]
pub struct Mosquitto {
    program: Program,
    config: PathBuf,
    /// For TLS with client certificates.
    pub port: u16,
    /// For anybody, without TLS.
    pub plain_port: u16,
}

impl Mosquitto {
    /// A broker that takes the device certificates of `authority`. `more` goes into its configuration;
    /// the last listener in it is that for TLS.
    pub fn start(folder: &Path, authority: &Authority, more: &str) -> Self {
        let folder = folder.join("mosquitto");
        let store = folder.join("store");
        fs::create_dir_all(&store).expect("a new folder");
        let key = KeyKind::EcPkcs8.key();
        for (name, text) in [
            ("ca.pem", &authority.certificate),
            ("server.crt", &authority.server_certificate(&key)),
            ("server.key", &key),
        ] {
            fs::write(folder.join(name), text).expect("a new file");
        }
        let (port, plain_port) = (free_port(), free_port());
        let config = folder.join("mosquitto.conf");
        let text = format!(
            "{user}\n\
             log_dest stderr\n\
             log_type all\n\
             allow_anonymous true\n\
             persistence_location {store}/\n\
             listener {plain_port} 127.0.0.1\n\
             listener {port} 127.0.0.1\n\
             cafile {folder}/ca.pem\n\
             certfile {folder}/server.crt\n\
             keyfile {folder}/server.key\n\
             require_certificate true\n\
             {more}\n",
            user = if is_root() { "user root" } else { "" },
            store = store.display(),
            folder = folder.display(),
        );
        fs::write(&config, text).expect("a new file");
        Self { program: run(&config), config, port, plain_port }
    }

    /// Starts it again after [`stop`](Self::stop), as it was.
    pub fn start_again(&mut self) {
        self.program = run(&self.config);
    }

    /// Waits for a line of the log, beyond those that were waited for before.
    pub fn wait_for(&mut self, part: &str, limit: Duration) {
        self.program.wait_for_line(part, limit);
    }

    /// Ends it as its init script does, and gives its log since it was started.
    pub fn stop(&mut self) -> Vec<String> {
        self.program.signal("TERM");
        let (status, log) = self.program.wait(PATIENCE);
        assert!(status.success(), "mosquitto: {status}: {log:#?}");
        log
    }
}

/// Starts mosquitto and waits until it listens.
fn run(config: &Path) -> Program {
    let mut program = Program::start(command("mosquitto").arg("-c").arg(config));
    program.wait_for_line(" running", PATIENCE);
    program
}

/// As root it would become the user `mosquitto`, who cannot read the key.
fn is_root() -> bool {
    fs::metadata("/proc/self").expect("proc is mounted").uid() == 0
}

/// A port that nobody listens on, and that the system gives to nobody who asks for any, for a minute:
/// a closed connection of its own lingers on it. Who asks for this very port gets it.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let mut client = TcpStream::connect(address).expect("it listens");
    let (server, _) = listener.accept().expect("somebody has connected");
    drop(server); // the end that closes first is the one that lingers (RFC 9293, TIME-WAIT)
    assert_eq!(client.read(&mut [0]).expect("the end"), 0);
    address.port()
}
