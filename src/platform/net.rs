//! A TCP connect that does not block: std's either blocks or blocks with a limit. And an end that leaves
//! nothing behind.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::from_ref;

use super::check;

/// Begins a connection. It is made, or has failed, once the stream is writable; then
/// [`TcpStream::take_error`] tells which.
///
/// # Errors
/// What socket(2) and connect(2) can say at once: `ENETUNREACH`, `EAFNOSUPPORT`, `EMFILE`, …
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the descriptor is new and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(check(libc::socket(family, kind, 0))?) };
    match connect_socket(&socket, address) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket.into()),
    }
}

fn connect_socket(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    let fd = socket.as_raw_fd();
    #[expect(clippy::cast_possible_truncation, reason = "a family is 2 or 10, an address 16 or 28 bytes")]
    let result = match address {
        SocketAddr::V4(address) => {
            // SAFETY: all-zero bytes are a valid sockaddr_in.
            let mut raw: libc::sockaddr_in = unsafe { zeroed() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = address.port().to_be();
            raw.sin_addr.s_addr = u32::from_ne_bytes(address.ip().octets());
            let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            // SAFETY: the pointer is to an address of the family of the socket, of that length.
            unsafe { libc::connect(fd, from_ref(&raw).cast(), length) }
        }
        SocketAddr::V6(address) => {
            // SAFETY: all-zero bytes are a valid sockaddr_in6.
            let mut raw: libc::sockaddr_in6 = unsafe { zeroed() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = address.port().to_be();
            raw.sin6_addr.s6_addr = address.ip().octets();
            raw.sin6_scope_id = address.scope_id();
            let length = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            // SAFETY: as above.
            unsafe { libc::connect(fd, from_ref(&raw).cast(), length) }
        }
    };
    check(result).map(drop)
}

/// Closes a connection in such a way that nothing of it arrives any more: what the system has not sent yet
/// is dropped, and the other end gets a reset if it can be reached (socket(7), `SO_LINGER`).
pub fn reset(stream: TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    #[expect(clippy::cast_possible_truncation, reason = "8")]
    let length = size_of::<libc::linger>() as libc::socklen_t;
    // SAFETY: the pointer is to a linger of that length, which the option takes.
    unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            from_ref(&linger).cast(),
            length,
        );
    }
    drop(stream); // which closes it, in whatever way
}

/// Two connected sockets that do not block, for tests that count writes: each write is a packet of its own
/// (`SOCK_SEQPACKET`).
#[cfg(test)]
pub(crate) fn packet_pair() -> (TcpStream, TcpStream) {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: socketpair writes two descriptors, new and owned by nobody else.
    let [one, other] = unsafe {
        check(libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr())).unwrap();
        ends.map(|end| OwnedFd::from_raw_fd(end))
    };
    (one.into(), other.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::super::event::{Readiness, wait};
    use super::*;

    fn connect_and_wait(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = connect(address)?;
        let writable = Readiness { readable: false, writable: true };
        wait(&mut [(stream.as_raw_fd(), writable)], Duration::from_secs(60));
        stream.take_error()?.map_or(Ok(stream), Err)
    }

    #[test]
    fn a_listener_is_reached_over_both_families() {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(local) else {
                assert_ne!(local, "127.0.0.1:0", "a machine without IPv4 loopback");
                continue; // a machine without IPv6
            };
            let address = listener.local_addr().unwrap();
            let stream = connect_and_wait(address).unwrap();
            assert_eq!(stream.peer_addr().unwrap(), address);
        }
    }

    #[test]
    fn a_port_that_nobody_listens_on_refuses() {
        // An address that no other test listens on: the port cannot be taken in between.
        let address = TcpListener::bind("127.0.0.77:0").unwrap().local_addr().unwrap();
        assert_eq!(connect_and_wait(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn nothing_of_a_connection_arrives_after_its_reset() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = connect_and_wait(listener.local_addr().unwrap()).unwrap();
        let (mut other, _) = listener.accept().unwrap();
        stream.write_all(b"unread").unwrap();
        reset(stream);
        let error = other.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
