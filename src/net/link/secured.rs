//! TLS on a TCP stream that does not block.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};

use super::error::LinkError;
use crate::platform::event::Readiness;
use crate::platform::net;

#[cfg(test)]
mod tests;

/// A TCP stream and the client's side of TLS on it.
#[derive(Debug)]
pub struct Secured {
    stream: TcpStream,
    tls: ClientConnection,
    /// The end of the stream was read.
    has_ended: bool,
}

impl Secured {
    /// Begins the handshake with a server of that name.
    ///
    /// # Errors
    /// TLS cannot begin, or the stream is broken.
    pub fn begin(
        stream: TcpStream,
        config: Arc<ClientConfig>,
        server_name: ServerName<'static>,
    ) -> Result<Self, LinkError> {
        // Each write is a whole message; to wait for more would only delay it. A socket that cannot be set
        // so works as well.
        let _ = stream.set_nodelay(true);
        let mut tls =
            ClientConnection::new(config, server_name).map_err(|error| LinkError::Tls(error.into()))?;
        tls.set_buffer_limit(None); // the session has its own, lower limit
        let mut secured = Self { stream, tls, has_ended: false };
        secured.send()?;
        Ok(secured)
    }

    /// Goes on with the handshake. Returns true once it is complete. In TLS 1.3 the client's last flight then
    /// still waits, so that it leaves in one write with the first bytes of [`write`](Self::write); without
    /// any, it leaves with the next [`exchange`](Self::exchange).
    ///
    /// # Errors
    /// The handshake failed, or the stream is broken or closed.
    pub fn shake_hands(&mut self, ready: Readiness) -> Result<bool, LinkError> {
        // Reads until the socket is empty: a reply to half of the server's flight would be a write of its own.
        while ready.readable && self.tls.is_handshaking() && self.receive()? {}
        if !self.tls.is_handshaking() {
            return Ok(true);
        }
        self.send()?;
        if self.has_ended { Err(LinkError::ClosedInHandshake) } else { Ok(false) }
    }

    /// Receives what has arrived, with at most one read of the socket, and sends what waits.
    ///
    /// # Errors
    /// The stream is broken, or the other end broke the rules of TLS or sent an alert.
    pub fn exchange(&mut self, ready: Readiness) -> Result<(), LinkError> {
        if ready.readable && !self.has_ended {
            self.receive()?;
        }
        self.send()
    }

    /// Takes what was received into `buffer`; 0 if there is nothing more for now.
    ///
    /// # Errors
    /// [`LinkError::Closed`] once everything before the end was taken.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkError> {
        match self.tls.reader().read(buffer) {
            Ok(0) => Err(LinkError::Closed),
            Ok(length) => Ok(length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if self.has_ended {
                    Err(LinkError::Closed)
                } else {
                    Ok(0)
                }
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(LinkError::Closed),
            Err(error) => Err(LinkError::Broken(error.into())),
        }
    }

    /// Encrypts `bytes` as one TLS record, if they fit into one, and keeps it for the next write of the socket.
    ///
    /// # Errors
    /// The record cannot be made.
    pub fn queue(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.tls.writer().write_all(bytes).map_err(|error| LinkError::Broken(error.into()))
    }

    /// Sends `bytes` after all that was queued. What the socket does not take now is kept, and goes out with
    /// the next [`exchange`](Self::exchange).
    ///
    /// # Errors
    /// The stream is broken.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.queue(bytes)?;
        self.send()
    }

    /// Sends `close_notify` after all that was queued, if the socket takes it at once.
    pub fn close(mut self) {
        self.tls.send_close_notify();
        // Whether it arrives or not, the socket is closed. What was received is read first: closing a socket
        // with unread bytes resets the connection, and what was just sent may be lost.
        let _ = self.send();
        let _ = self.receive();
    }

    /// Closes the stream so that nothing of it arrives any more.
    pub fn reset(self) {
        net::reset(self.stream);
    }

    /// The TCP stream.
    pub const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// What to wait for before the next [`exchange`](Self::exchange).
    pub fn interest(&self) -> Readiness {
        Readiness { readable: true, writable: self.tls.wants_write() }
    }

    /// The version of TLS, once it is agreed on.
    pub fn version(&self) -> Option<&'static str> {
        Some(match self.tls.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "TLS 1.2",
            _ => "TLS 1.3", // no other is offered
        })
    }

    /// Reads the socket once. Returns whether anything was received.
    fn receive(&mut self) -> Result<bool, LinkError> {
        let length = match self.tls.read_tls(&mut self.stream) {
            Ok(length) => length,
            Err(error) if is_transient(&error) => return Ok(false),
            Err(error) => return Err(LinkError::Broken(error.into())),
        };
        self.has_ended = length == 0;
        match self.tls.process_new_packets() {
            Ok(_) => Ok(length > 0),
            Err(error) => {
                // Sends the alert that tells the other end why, if it gets there.
                let _ = self.tls.write_tls(&mut self.stream);
                Err(LinkError::Tls(error.into()))
            }
        }
    }

    fn send(&mut self) -> Result<(), LinkError> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.stream) {
                Ok(_) => {}
                Err(error) if is_transient(&error) => break,
                Err(error) => {
                    // An alert that arrived before says more than that nothing can be sent.
                    let broken = LinkError::Broken(error.into());
                    let alert = self.receive().err().filter(|error| matches!(error, LinkError::Tls(_)));
                    return Err(alert.unwrap_or(broken));
                }
            }
        }
        Ok(())
    }
}

impl AsRawFd for Secured {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
