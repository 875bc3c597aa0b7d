//! What a service manager is told: that the agent is ready, how it is, and that it is alive
//! (sd_notify(3)). Without a manager that listens, nothing is said.

use std::fmt::Display;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::platform::clock::BootTime;

/// The way to a service manager.
#[derive(Debug, Default)]
pub struct Supervisor {
    socket: Option<UnixDatagram>,
    /// Within this time the manager wants a sign of life, if at all.
    watchdog: Option<Duration>,
    pinged_at: BootTime,
}

impl Supervisor {
    /// The manager that this process was started by: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    #[must_use]
    pub fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok();
        let is_ours =
            variable("WATCHDOG_PID").is_none_or(|process| process == std::process::id().to_string());
        let micros = variable("WATCHDOG_USEC").and_then(|micros| micros.parse().ok());
        Self {
            socket: variable("NOTIFY_SOCKET").and_then(|address| connect(&address).ok()),
            watchdog: micros.filter(|&micros| is_ours && micros > 0).map(Duration::from_micros),
            pinged_at: BootTime::default(),
        }
    }

    /// The agent has read its configuration and begins its work.
    pub fn ready(&self) {
        self.say(&"READY=1");
    }

    /// The agent comes to its end.
    pub fn stopping(&self) {
        self.say(&"STOPPING=1");
    }

    /// How the agent is, in a line.
    pub fn status(&self, status: &dyn Display) {
        if self.socket.is_some() {
            self.say(&format_args!("STATUS={status}"));
        }
    }

    /// Gives the sign of life when half its time has passed, as sd_watchdog_enabled(3) advises.
    pub fn ping(&mut self, now: BootTime) {
        if self.ping_at() <= now {
            self.say(&"WATCHDOG=1");
            self.pinged_at = now;
        }
    }

    /// When the next sign of life is due.
    #[must_use]
    pub fn ping_at(&self) -> BootTime {
        self.watchdog.map_or(BootTime::NEVER, |watchdog| self.pinged_at + watchdog / 2)
    }

    /// A manager that cannot be reached will see to that itself.
    fn say(&self, message: &dyn Display) {
        if let Some(socket) = &self.socket {
            let _ = socket.send(message.to_string().as_bytes());
        }
    }
}

fn connect(address: &str) -> io::Result<UnixDatagram> {
    let address = match address.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager() -> (UnixDatagram, Supervisor) {
        let (manager, socket) = UnixDatagram::pair().unwrap();
        manager.set_nonblocking(true).unwrap();
        let watchdog = Some(Duration::from_secs(20));
        (manager, Supervisor { socket: Some(socket), watchdog, pinged_at: BootTime::default() })
    }

    fn heard(manager: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 256];
        std::iter::from_fn(|| manager.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec()))
            .map(|message| String::from_utf8(message).unwrap())
            .collect()
    }

    #[test]
    fn a_manager_hears_what_it_knows_how_to_read() {
        let (manager, supervisor) = manager();
        supervisor.ready();
        supervisor.status(&"publishing");
        supervisor.stopping();
        assert_eq!(heard(&manager), ["READY=1", "STATUS=publishing", "STOPPING=1"]);
    }

    #[test]
    fn a_sign_of_life_comes_twice_in_its_time() {
        let (manager, mut supervisor) = manager();
        for secs in 1..=40 {
            supervisor.ping(BootTime::from_millis(secs * 1000));
        }
        assert_eq!(heard(&manager), ["WATCHDOG=1"; 4]);
    }

    #[test]
    fn without_a_manager_nothing_is_due() {
        let mut supervisor = Supervisor::default();
        supervisor.ping(BootTime::from_millis(1));
        supervisor.ready();
        assert_eq!(supervisor.ping_at(), BootTime::NEVER);
    }

    #[test]
    fn an_abstract_socket_is_reached() {
        let name = format!("pivitals-supervisor-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        connect(&format!("@{name}")).unwrap().send(b"READY=1").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(manager.recv(&mut buffer).unwrap(), 7);
        assert!(connect("/not/there").is_err());
    }
}
