//! The way to the broker: name, TCP, TLS, then bytes. Nothing here blocks, and each phase has its
//! deadline and its errors.

use std::ffi::CString;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};

use crate::net::tls::TlsError;
use crate::platform::clock::BootTime;
use crate::platform::event::Readiness;
use crate::platform::net;
use crate::platform::resolve::{ADDRESSES_MAX, Addresses, LookUp, ResolveError};

const DNS_WAIT: Duration = Duration::from_secs(10);
/// An address gets so long, even if others then get nothing: on a slow line it takes that.
const ADDRESS_WAIT_MIN: Duration = Duration::from_secs(5);
/// For all addresses together.
const TCP_WAIT: Duration = Duration::from_secs(20);
const TLS_WAIT: Duration = Duration::from_secs(20);

/// Where to connect.
#[derive(Debug, Clone)]
pub struct Target {
    host: CString,
    server_name: ServerName<'static>,
    port: u16,
}

impl Target {
    /// `None` if `host` is neither a name of the DNS nor an address; the configuration is checked for
    /// that.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Option<Self> {
        let server_name = ServerName::try_from(host.to_owned()).ok()?;
        Some(Self { host: CString::new(host).ok()?, server_name, port })
    }
}

/// Why there is no way to the broker, or no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// The name has no address.
    Dns(ResolveError),
    /// The resolver has not answered in time.
    DnsTimeout,
    /// The address cannot be reached: what connect(2) says.
    Tcp(SocketAddr, io::ErrorKind),
    /// Nobody answers at the address.
    TcpTimeout(SocketAddr),
    /// TLS does not come about, or breaks.
    Tls(TlsError),
    /// The handshake has not ended in time.
    TlsTimeout,
    /// The other end closed the connection in the middle of the handshake.
    ClosedInHandshake,
    /// The other end closed the connection.
    Closed,
    /// The connection broke: what read(2) or write(2) says.
    Broken(io::ErrorKind),
    /// The system has no descriptor, process or socket to give.
    System(io::ErrorKind),
}

#[derive(Debug)]
enum Stage {
    Resolving(LookUp),
    Connecting(Box<Connecting>),
    /// A socket, where no more is wanted.
    Reached(TcpStream),
    Handshaking(Box<Secured>),
    Open(Box<Secured>),
    /// After an error, and in between.
    Broken,
}

/// How far a link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The resolver is asked.
    Resolving,
    /// An address is called.
    Connecting,
    /// TLS is agreed on.
    Handshaking,
    /// Nothing is left to do: bytes can be sent and received, or TCP was all that was wanted.
    Done,
}

#[derive(Debug)]
struct Connecting {
    addresses: heapless::Deque<SocketAddr, ADDRESSES_MAX>,
    /// The end of the time that all addresses share.
    until: BootTime,
    address: SocketAddr,
    stream: TcpStream,
    /// What the first address said that failed: the system puts the likeliest first.
    failed: Option<LinkError>,
}

#[derive(Debug)]
struct Secured {
    stream: TcpStream,
    tls: ClientConnection,
    /// The end of the stream was read.
    ended: bool,
}

/// A connection, from the first question to the resolver on.
#[derive(Debug)]
pub struct Link {
    target: Target,
    /// `None` where TCP is all that is wanted.
    tls: Option<Arc<ClientConfig>>,
    stage: Stage,
    deadline: BootTime,
    addresses: Addresses,
}

impl Link {
    /// Begins to connect.
    ///
    /// # Errors
    /// What can be known at once.
    pub fn open(target: &Target, tls: Arc<ClientConfig>, now: BootTime) -> Result<Self, LinkError> {
        Self::begin(target, Some(tls), now)
    }

    /// Begins to connect, and stops where TCP is reached.
    ///
    /// # Errors
    /// What can be known at once.
    pub fn try_tcp(target: &Target, now: BootTime) -> Result<Self, LinkError> {
        Self::begin(target, None, now)
    }

    fn begin(target: &Target, tls: Option<Arc<ClientConfig>>, now: BootTime) -> Result<Self, LinkError> {
        let look_up = LookUp::start(&target.host).map_err(|error| LinkError::System(error.kind()))?;
        let stage = Stage::Resolving(look_up);
        let addresses = Addresses::new();
        Ok(Self { target: target.clone(), tls, stage, deadline: now + DNS_WAIT, addresses })
    }

    /// How far it has come; `None` after an error.
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

    /// What the resolver has answered.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// Who was reached.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        match &self.stage {
            Stage::Reached(stream) => stream.peer_addr().ok(),
            Stage::Handshaking(secured) | Stage::Open(secured) => secured.stream.peer_addr().ok(),
            Stage::Resolving(_) | Stage::Connecting(_) | Stage::Broken => None,
        }
    }

    /// The version of TLS that was agreed on, once one was.
    #[must_use]
    pub fn tls_version(&self) -> Option<&'static str> {
        let Stage::Open(secured) = &self.stage else { return None };
        Some(match secured.tls.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "TLS 1.2",
            _ => "TLS 1.3", // no other is offered
        })
    }

    /// Whether bytes can be sent and received.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// What to wait for before [`advance`](Self::advance).
    #[must_use]
    pub fn interest(&self) -> (RawFd, Readiness) {
        match &self.stage {
            Stage::Resolving(look_up) => (look_up.as_raw_fd(), Readiness { readable: true, writable: false }),
            Stage::Connecting(connecting) => {
                (connecting.stream.as_raw_fd(), Readiness { readable: false, writable: true })
            }
            Stage::Handshaking(secured) | Stage::Open(secured) => (
                secured.stream.as_raw_fd(),
                Readiness { readable: true, writable: secured.tls.wants_write() },
            ),
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
    /// # Errors
    /// Why the link is of no use any more.
    pub fn advance(&mut self, ready: Readiness, now: BootTime) -> Result<(), LinkError> {
        let timed_out = self.deadline <= now;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Broken) {
            Stage::Resolving(look_up) if ready.readable => {
                self.addresses = look_up.finish().map_err(LinkError::Dns)?;
                let candidates = Connecting::candidates(&self.addresses, self.target.port);
                self.connect(candidates, None, now + TCP_WAIT, now)?
            }
            Stage::Resolving(_) if timed_out => return Err(LinkError::DnsTimeout),
            Stage::Connecting(connecting) if ready.writable || timed_out => {
                self.connected(connecting, ready.writable, now)?
            }
            Stage::Handshaking(mut secured) => {
                secured.exchange(ready)?;
                if !secured.tls.is_handshaking() {
                    self.deadline = BootTime::NEVER;
                    Stage::Open(secured)
                } else if secured.ended {
                    return Err(LinkError::ClosedInHandshake);
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

    /// Goes on to the next address that a connection can be begun to.
    fn connect(
        &mut self,
        mut addresses: heapless::Deque<SocketAddr, ADDRESSES_MAX>,
        mut failed: Option<LinkError>,
        until: BootTime,
        now: BootTime,
    ) -> Result<Stage, LinkError> {
        while now < until
            && let Some(address) = addresses.pop_front()
        {
            match net::connect(address) {
                Ok(stream) => {
                    let left = u32::try_from(addresses.len() + 1).unwrap_or(1);
                    let share = (until.since(now) / left).max(ADDRESS_WAIT_MIN);
                    self.deadline = (now + share).min(until);
                    let connecting = Connecting { addresses, until, address, stream, failed };
                    return Ok(Stage::Connecting(Box::new(connecting)));
                }
                Err(error) => failed = failed.or(Some(LinkError::Tcp(address, error.kind()))),
            }
        }
        Err(failed.unwrap_or(LinkError::Dns(ResolveError::NoSuchName)))
    }

    /// The connection to an address was made, or was not.
    fn connected(
        &mut self,
        connecting: Box<Connecting>,
        answered: bool,
        now: BootTime,
    ) -> Result<Stage, LinkError> {
        let Connecting { addresses, until, address, stream, failed } = *connecting;
        let error = match stream.take_error() {
            Ok(None) if answered => {
                let Some(tls) = self.tls.clone() else {
                    self.deadline = BootTime::NEVER;
                    return Ok(Stage::Reached(stream));
                };
                return self.begin_tls(stream, tls, now);
            }
            Ok(None) => LinkError::TcpTimeout(address),
            Ok(Some(error)) | Err(error) => LinkError::Tcp(address, error.kind()),
        };
        self.connect(addresses, failed.or(Some(error)), until, now)
    }

    fn begin_tls(
        &mut self,
        stream: TcpStream,
        tls: Arc<ClientConfig>,
        now: BootTime,
    ) -> Result<Stage, LinkError> {
        // What is written is a whole message; waiting for more would only delay it. A socket that
        // cannot be set so serves as well.
        let _ = stream.set_nodelay(true);
        let mut tls = ClientConnection::new(tls, self.target.server_name.clone())
            .map_err(|error| LinkError::Tls(error.into()))?;
        tls.set_buffer_limit(None); // the session has its own, smaller one
        self.deadline = now + TLS_WAIT;
        let mut secured = Box::new(Secured { stream, tls, ended: false });
        secured.send()?;
        Ok(Stage::Handshaking(secured))
    }

    /// Takes what was received into `buffer`; 0 if there is nothing more for now.
    ///
    /// # Errors
    /// [`LinkError::Closed`], once everything before it was taken.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkError> {
        let Stage::Open(secured) = &mut self.stage else { return Ok(0) };
        match secured.tls.reader().read(buffer) {
            Ok(0) => Err(LinkError::Closed),
            Ok(length) => Ok(length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if secured.ended {
                    Err(LinkError::Closed)
                } else {
                    Ok(0)
                }
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(LinkError::Closed),
            Err(error) => Err(LinkError::Broken(error.kind())),
        }
    }

    /// Sends `bytes` as one TLS record, if they fit into one. What the socket does not take now is
    /// kept, and goes out as it becomes writable.
    ///
    /// # Errors
    /// [`LinkError::Broken`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let Stage::Open(secured) = &mut self.stage else { return Err(LinkError::Closed) };
        secured.tls.writer().write_all(bytes).map_err(|error| LinkError::Broken(error.kind()))?;
        secured.send()
    }

    /// Says goodbye to the other end, as far as the socket takes it at once.
    pub fn close(&mut self) {
        if let Stage::Open(mut secured) = std::mem::replace(&mut self.stage, Stage::Broken) {
            secured.tls.send_close_notify();
            // Whether it arrives or not, the socket is closed. What was received is taken before: a
            // socket that is closed with something unread in it resets the connection, and what was
            // just sent may be lost.
            let _ = secured.send();
            let _ = secured.receive();
        }
    }

    /// Gives an open connection up. What is still on its way in the system would arrive once the line is
    /// back, after it was sent anew on another connection.
    pub fn abandon(&mut self) {
        if let Stage::Open(secured) = std::mem::replace(&mut self.stage, Stage::Broken) {
            net::reset(secured.stream);
        }
    }
}

impl Connecting {
    /// The addresses with both families by turns, beginning with the one that the system prefers: one
    /// whose family has no way out costs no more than a turn.
    fn candidates(addresses: &Addresses, port: u16) -> heapless::Deque<SocketAddr, ADDRESSES_MAX> {
        let preferred_is_v4 = addresses.first().is_some_and(IpAddr::is_ipv4);
        let of_family = |preferred| {
            addresses.iter().filter(move |address| (address.is_ipv4() == preferred_is_v4) == preferred)
        };
        let (mut preferred, mut others) = (of_family(true), of_family(false));
        let mut candidates = heapless::Deque::new();
        for _ in addresses {
            for address in [preferred.next(), others.next()].into_iter().flatten() {
                // Cannot be full: it has room for as many as there are.
                let _ = candidates.push_back(SocketAddr::new(*address, port));
            }
        }
        candidates
    }
}

impl Secured {
    /// Receives what has come, at most one read of the socket, and sends what waits.
    fn exchange(&mut self, ready: Readiness) -> Result<(), LinkError> {
        if ready.readable && !self.ended {
            self.receive()?;
        }
        self.send()
    }

    fn receive(&mut self) -> Result<(), LinkError> {
        match self.tls.read_tls(&mut self.stream) {
            Ok(0) => self.ended = true,
            Ok(_) => {}
            Err(error) if is_transient(&error) => {}
            Err(error) => return Err(LinkError::Broken(error.kind())),
        }
        self.tls.process_new_packets().map(drop).map_err(|error| {
            // The alert that says why is on its way out; if it does not get there, so be it.
            let _ = self.tls.write_tls(&mut self.stream);
            LinkError::Tls(error.into())
        })
    }

    fn send(&mut self) -> Result<(), LinkError> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if is_transient(&error) => break,
                Err(error) => {
                    // An end that has closed may have said why before: what was received tells more
                    // than that nothing can be sent.
                    let broken = LinkError::Broken(error.kind());
                    return Err(self
                        .receive()
                        .err()
                        .filter(|said| matches!(said, LinkError::Tls(_)))
                        .unwrap_or(broken));
                }
            }
        }
        Ok(())
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_tried_by_turns_beginning_with_the_preferred() {
        for (addresses, order) in [
            (&["::1", "::2", "1.1.1.1", "::3"][..], &["::1", "1.1.1.1", "::2", "::3"][..]),
            (&["1.1.1.1", "2.2.2.2", "::1", "::2"], &["1.1.1.1", "::1", "2.2.2.2", "::2"]),
            (&["1.1.1.1"], &["1.1.1.1"]),
        ] {
            let addresses: Addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
            let candidates = Connecting::candidates(&addresses, 8883);
            let found: Vec<_> = candidates.iter().map(|address| address.ip().to_string()).collect();
            assert_eq!(found, order);
            assert!(candidates.iter().all(|address| address.port() == 8883));
        }
    }
}
