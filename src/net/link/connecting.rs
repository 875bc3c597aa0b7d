//! TCP: tries the addresses of a name one after the other until one accepts.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use super::error::LinkError;
use crate::platform::clock::BootTime;
use crate::platform::net;
use crate::platform::os_error::OsError;
use crate::platform::resolve::{ADDRESSES_MAX, Addresses, ResolveError};

/// Time for all addresses together.
const TCP_WAIT: Duration = Duration::from_secs(20);
/// Time for one address even if none is left for others: a slow line needs that long.
const ADDRESS_WAIT_MIN: Duration = Duration::from_secs(5);

type Candidates = heapless::Deque<SocketAddr, ADDRESSES_MAX>;

/// An attempt to reach one address, and the addresses to try after it.
#[derive(Debug)]
pub struct Connecting {
    candidates: Candidates,
    /// The end of the time for all addresses.
    until: BootTime,
    /// The end of the time for this address.
    deadline: BootTime,
    address: SocketAddr,
    stream: TcpStream,
    /// The error of the first address that failed: the system puts the most likely address first.
    failed: Option<LinkError>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Attempt {
    /// The address accepted the connection.
    Reached(TcpStream),
    /// It did not, and the next address is tried.
    Next(Box<Connecting>),
}

impl Connecting {
    /// Begins with the first address for which an attempt can begin.
    ///
    /// # Errors
    /// The first address's error, if there is none; or [`LinkError::Socket`].
    pub fn begin(addresses: &Addresses, port: u16, now: BootTime) -> Result<Self, LinkError> {
        Self::next(candidates(addresses, port), None, now + TCP_WAIT, now)
    }

    fn next(
        mut candidates: Candidates,
        mut failed: Option<LinkError>,
        until: BootTime,
        now: BootTime,
    ) -> Result<Self, LinkError> {
        while now < until
            && let Some(address) = candidates.pop_front()
        {
            match net::connect(address) {
                Ok(stream) => {
                    let left = u32::try_from(candidates.len() + 1).unwrap_or(1);
                    let share = (until.since(now) / left).max(ADDRESS_WAIT_MIN);
                    let deadline = (now + share).min(until);
                    return Ok(Self { candidates, until, deadline, address, stream, failed });
                }
                Err(error) => {
                    let error = OsError::from(error);
                    if error.shortage().is_some() {
                        return Err(LinkError::Socket(error)); // no other address would fare better
                    }
                    failed = failed.or(Some(LinkError::Tcp(address, error)));
                }
            }
        }
        Err(failed.unwrap_or(LinkError::Dns(ResolveError::NoSuchName)))
    }

    /// When [`finish`](Self::finish) is to be called at the latest.
    pub const fn deadline(&self) -> BootTime {
        self.deadline
    }

    /// Ends the attempt: the stream is writable if the system `answered`, otherwise its time is over.
    ///
    /// # Errors
    /// The first address's error, if no other is left to try; or [`LinkError::Socket`].
    pub fn finish(self, answered: bool, now: BootTime) -> Result<Attempt, LinkError> {
        let Self { candidates, until, address, stream, failed, .. } = self;
        let error = match stream.take_error() {
            Ok(None) if answered => return Ok(Attempt::Reached(stream)),
            Ok(None) => LinkError::TcpTimeout(address),
            Ok(Some(error)) | Err(error) => LinkError::Tcp(address, error.into()),
        };
        Self::next(candidates, failed.or(Some(error)), until, now).map(|next| Attempt::Next(Box::new(next)))
    }
}

impl AsRawFd for Connecting {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}

/// The addresses with IPv4 and IPv6 in turn, beginning with the one that the system prefers: a family without
/// a route costs no more than one attempt in two.
fn candidates(addresses: &Addresses, port: u16) -> Candidates {
    let preferred_is_v4 = addresses.first().is_some_and(IpAddr::is_ipv4);
    let of_family = |preferred| {
        addresses.iter().filter(move |address| (address.is_ipv4() == preferred_is_v4) == preferred)
    };
    let (mut preferred, mut others) = (of_family(true), of_family(false));
    let mut candidates = Candidates::new();
    for _ in addresses {
        for address in [preferred.next(), others.next()].into_iter().flatten() {
            // Cannot be full: it has room for all addresses.
            let _ = candidates.push_back(SocketAddr::new(*address, port));
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_beginning_with_the_preferred_one() {
        for (addresses, order) in [
            (&["::1", "::2", "1.1.1.1", "::3"][..], &["::1", "1.1.1.1", "::2", "::3"][..]),
            (&["1.1.1.1", "2.2.2.2", "::1", "::2"], &["1.1.1.1", "::1", "2.2.2.2", "::2"]),
            (&["1.1.1.1"], &["1.1.1.1"]),
        ] {
            let addresses: Addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
            let candidates = candidates(&addresses, 8883);
            let found: Vec<_> = candidates.iter().map(|address| address.ip().to_string()).collect();
            assert_eq!(found, order);
            assert!(candidates.iter().all(|address| address.port() == 8883));
        }
    }
}
