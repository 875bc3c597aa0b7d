//! Why a link fails, by phase. `report::failure` has the words.

use std::net::SocketAddr;

use crate::net::tls::TlsError;
use crate::platform::os_error::OsError;
use crate::platform::resolve::ResolveError;

/// Why there is no link to the broker, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// The process that looks the name up, or the pipe to it, cannot be made.
    LookUp(OsError),
    /// The name has no address.
    Dns(ResolveError),
    /// The resolver has not answered in time.
    DnsTimeout,
    /// No socket can be made: the system has too little of something.
    Socket(OsError),
    /// The address cannot be reached: what connect(2) says.
    Tcp(SocketAddr, OsError),
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
    Broken(OsError),
}
