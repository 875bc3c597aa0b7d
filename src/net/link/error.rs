//! Why a link fails, by phase. `report::failure` has the words.

use std::io;
use std::net::SocketAddr;

use crate::net::tls::TlsError;
use crate::platform::resolve::ResolveError;

/// Why there is no link to the broker, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// The name has no address.
    Dns(ResolveError),
    /// The resolver has not answered in time.
    DnsTimeout,
    /// The address cannot be reached: what connect(2) says.
    Tcp(SocketAddr, io::ErrorKind),
    /// The address has not answered in time.
    TcpTimeout(SocketAddr),
    /// The handshake failed, or TLS broke off later.
    Tls(TlsError),
    /// The handshake has not ended in time.
    TlsTimeout,
    /// The broker closed the connection during the handshake.
    ClosedInHandshake,
    /// The broker closed the connection.
    Closed,
    /// The connection broke: what read(2) or write(2) says.
    Broken(io::ErrorKind),
    /// The system has no descriptor, process or socket to give.
    System(io::ErrorKind),
}
