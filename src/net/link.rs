//! The link to the broker: name, TCP, TLS, then bytes. Nothing here blocks, and each phase has its own deadline
//! and errors.

use std::mem;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use crate::platform::clock::BootTime;
use crate::platform::event::Readiness;
use crate::platform::resolve::{Addresses, LookUp};

mod connecting;
mod error;
mod secured;
mod target;

pub use error::LinkError;
pub use target::Target;

use connecting::{Attempt, Connecting};
use secured::Secured;

const DNS_WAIT: Duration = Duration::from_secs(10);
const TLS_WAIT: Duration = Duration::from_secs(20);

/// How far a link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The name is looked up.
    Resolving,
    /// A TCP connection is being made.
    Connecting,
    /// The TLS handshake is under way.
    Handshaking,
    /// The link is open: bytes can be sent and received. Or only TCP was wanted, and is reached.
    Done,
}

#[derive(Debug)]
enum Stage {
    Resolving(LookUp),
    Connecting(Box<Connecting>),
    /// A TCP stream, where no more is wanted.
    Reached(TcpStream),
    Handshaking(Box<Secured>),
    Open(Box<Secured>),
    /// After an error or the end.
    Broken,
}

/// A connection, from the name look-up on.
#[derive(Debug)]
pub struct Link {
    target: Target,
    /// `None` where only TCP is wanted.
    tls: Option<Arc<ClientConfig>>,
    stage: Stage,
    deadline: BootTime,
    addresses: Addresses,
}

impl Link {
    /// Begins to connect.
    ///
    /// # Errors
    /// The look-up cannot begin.
    pub fn open(target: &Target, tls: Arc<ClientConfig>, now: BootTime) -> Result<Self, LinkError> {
        Self::begin(target, Some(tls), now)
    }

    /// Begins to connect, and stops when TCP is reached.
    ///
    /// # Errors
    /// The look-up cannot begin.
    pub fn try_tcp(target: &Target, now: BootTime) -> Result<Self, LinkError> {
        Self::begin(target, None, now)
    }

    fn begin(target: &Target, tls: Option<Arc<ClientConfig>>, now: BootTime) -> Result<Self, LinkError> {
        let look_up = LookUp::start(target.host()).map_err(|error| LinkError::LookUp(error.into()))?;
        let (target, stage, addresses) = (target.clone(), Stage::Resolving(look_up), Addresses::new());
        Ok(Self { target, tls, stage, deadline: now + DNS_WAIT, addresses })
    }

    /// How far the link has come; `None` after an error or the end.
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        match &self.stage {
            Stage::Resolving(_) => Some(Phase::Resolving),
            Stage::Connecting(_) => Some(Phase::Connecting),
            Stage::Handshaking(_) => Some(Phase::Handshaking),
            Stage::Reached(_) | Stage::Open(_) => Some(Phase::Done),
            Stage::Broken => None,
        }
    }

    /// The addresses that the resolver has given.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The address that was reached.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        match &self.stage {
            Stage::Reached(stream) => stream.peer_addr().ok(),
            Stage::Handshaking(secured) | Stage::Open(secured) => secured.stream().peer_addr().ok(),
            Stage::Resolving(_) | Stage::Connecting(_) | Stage::Broken => None,
        }
    }

    /// The version of TLS, once the link is open.
    #[must_use]
    pub fn tls_version(&self) -> Option<&'static str> {
        match &self.stage {
            Stage::Open(secured) => secured.version(),
            _ => None,
        }
    }

    /// Whether bytes can be sent and received.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// What to wait for before [`advance`](Self::advance).
    #[must_use]
    pub fn interest(&self) -> (RawFd, Readiness) {
        const READABLE: Readiness = Readiness { readable: true, writable: false };
        const WRITABLE: Readiness = Readiness { readable: false, writable: true };
        match &self.stage {
            Stage::Resolving(look_up) => (look_up.as_raw_fd(), READABLE),
            Stage::Connecting(connecting) => (connecting.as_raw_fd(), WRITABLE),
            Stage::Handshaking(secured) | Stage::Open(secured) => (secured.as_raw_fd(), secured.interest()),
            Stage::Reached(_) | Stage::Broken => (-1, Readiness::default()),
        }
    }

    /// When [`advance`](Self::advance) is to be called at the latest.
    #[must_use]
    pub const fn deadline(&self) -> BootTime {
        self.deadline
    }

    /// Does what can be done without waiting.
    ///
    /// When a handshake of TLS 1.3 completes, the link is open although the client's last flight still waits:
    /// it leaves in one write with the first bytes of [`write`](Self::write), or without any with the next
    /// call of this, for which [`interest`](Self::interest) then asks.
    ///
    /// # Errors
    /// The link has failed and is of no further use.
    pub fn advance(&mut self, ready: Readiness, now: BootTime) -> Result<(), LinkError> {
        let timed_out = self.deadline <= now;
        self.stage = match mem::replace(&mut self.stage, Stage::Broken) {
            Stage::Resolving(look_up) if ready.readable => {
                self.addresses = look_up.finish().map_err(LinkError::Dns)?;
                let connecting = Connecting::begin(&self.addresses, self.target.port(), now)?;
                self.connect(Box::new(connecting))
            }
            Stage::Resolving(_) if timed_out => return Err(LinkError::DnsTimeout),
            Stage::Connecting(connecting) if ready.writable || timed_out => {
                match connecting.finish(ready.writable, now)? {
                    Attempt::Reached(stream) => self.reached(stream, now)?,
                    Attempt::Next(connecting) => self.connect(connecting),
                }
            }
            Stage::Handshaking(mut secured) => {
                if secured.shake_hands(ready)? {
                    self.deadline = BootTime::NEVER;
                    Stage::Open(secured)
                } else if timed_out {
                    return Err(LinkError::TlsTimeout);
                } else {
                    Stage::Handshaking(secured)
                }
            }
            Stage::Open(mut secured) => {
                secured.exchange(ready)?;
                Stage::Open(secured)
            }
            unchanged => unchanged,
        };
        Ok(())
    }

    fn connect(&mut self, connecting: Box<Connecting>) -> Stage {
        self.deadline = connecting.deadline();
        Stage::Connecting(connecting)
    }

    fn reached(&mut self, stream: TcpStream, now: BootTime) -> Result<Stage, LinkError> {
        let Some(tls) = self.tls.clone() else {
            self.deadline = BootTime::NEVER;
            return Ok(Stage::Reached(stream));
        };
        self.deadline = now + TLS_WAIT;
        Ok(Stage::Handshaking(Box::new(Secured::begin(stream, tls, self.target.server_name())?)))
    }

    /// Takes what was received into `buffer`; 0 if there is nothing more for now.
    ///
    /// # Errors
    /// [`LinkError::Closed`] once everything before the end was taken.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkError> {
        match &mut self.stage {
            Stage::Open(secured) => secured.read(buffer),
            _ => Ok(0),
        }
    }

    /// Encrypts `bytes` as one TLS record, if they fit into one, and keeps it until the next
    /// [`write`](Self::write), [`advance`](Self::advance) or [`close`](Self::close) sends it.
    ///
    /// # Errors
    /// [`LinkError::Broken`], or [`LinkError::Closed`] if the link is not open.
    pub fn queue(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        match &mut self.stage {
            Stage::Open(secured) => secured.queue(bytes),
            _ => Err(LinkError::Closed),
        }
    }

    /// Sends `bytes`, in one write with all that waits: queued bytes, and in TLS 1.3 the handshake's last
    /// flight. What the socket does not take now is kept, and goes out as it becomes writable.
    ///
    /// # Errors
    /// [`LinkError::Broken`], or [`LinkError::Closed`] if the link is not open.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        match &mut self.stage {
            Stage::Open(secured) => secured.write(bytes),
            _ => Err(LinkError::Closed),
        }
    }

    /// Closes an open link in order: sends all that waits and `close_notify` in one write, as far as the
    /// socket takes it at once.
    pub fn close(&mut self) {
        if let Stage::Open(secured) = mem::replace(&mut self.stage, Stage::Broken) {
            secured.close();
        }
    }

    /// Gives an open link up. Bytes that the system still holds would arrive once the line is back, after
    /// they were sent again on another connection; they are dropped.
    pub fn abandon(&mut self) {
        if let Stage::Open(secured) = mem::replace(&mut self.stage, Stage::Broken) {
            secured.reset();
        }
    }
}
