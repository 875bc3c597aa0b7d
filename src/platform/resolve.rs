//! A name look-up that does not block.
//!
//! getaddrinfo(3) blocks for as long as the resolver is silent, five seconds and more, in which no
//! sample would be taken and no signal handled. It is also the one function that knows everything a
//! system says about names (hosts file, search domains, the order of addresses). So it is called, in a
//! [`Child`] for each look-up.

use std::ffi::{CStr, c_int};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr;

use heapless::Vec;

use super::child::Child;

/// Addresses kept of one answer. AWS IoT Core's names have up to eight of each family.
pub const ADDRESSES_MAX: usize = 16;

/// The addresses of a name, in the order of preference that the system gives (RFC 6724).
pub type Addresses = Vec<IpAddr, ADDRESSES_MAX>;

/// Why there is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolveError {
    /// The resolver says that there is no such name (`EAI_NONAME`, `EAI_NODATA`).
    NoSuchName,
    /// No resolver answered, or none could (`EAI_AGAIN`).
    TryAgain,
    /// Anything else, getaddrinfo's code.
    Failed(c_int),
}

/// The answer in the pipe: getaddrinfo's code, then 17 bytes an address, family first.
const HEAD_LEN: usize = size_of::<c_int>();
const ADDRESS_LEN: usize = 17;
const ANSWER_LEN_MAX: usize = HEAD_LEN + ADDRESS_LEN * ADDRESSES_MAX;

/// A look-up under way: wait until it is readable, then call [`finish`](Self::finish). Dropping it ends it.
#[derive(Debug)]
pub struct LookUp(Child);

impl LookUp {
    /// Begins a look-up of `host`.
    ///
    /// # Errors
    /// As [`Child::start`].
    pub fn start(host: &CStr) -> io::Result<Self> {
        Child::start(|| look_up(host)).map(Self)
    }

    /// Reads the answer, which has to be there.
    ///
    /// # Errors
    /// Why there is no address. A child that has not answered, or ended without an answer, counts as
    /// `TryAgain`.
    pub fn finish(mut self) -> Result<Addresses, ResolveError> {
        let mut buffer = [0; ANSWER_LEN_MAX];
        let answer = self.0.answer(&mut buffer).unwrap_or_default();
        let (code, mut rest) = answer.split_first_chunk().ok_or(ResolveError::TryAgain)?;
        match c_int::from_ne_bytes(*code) {
            0 => {}
            libc::EAI_NONAME | libc::EAI_NODATA => return Err(ResolveError::NoSuchName),
            libc::EAI_AGAIN => return Err(ResolveError::TryAgain),
            code => return Err(ResolveError::Failed(code)),
        }
        let mut addresses = Addresses::new();
        while let Some((&[family, ref octets @ ..], more)) = rest.split_first_chunk::<ADDRESS_LEN>() {
            rest = more;
            let octets: [u8; 16] = *octets;
            let [a, b, c, d, ..] = octets;
            let address = if family == 4 {
                IpAddr::V4(Ipv4Addr::new(a, b, c, d))
            } else {
                IpAddr::V6(Ipv6Addr::from(octets))
            };
            if addresses.push(address).is_err() {
                break;
            }
        }
        if addresses.is_empty() { Err(ResolveError::NoSuchName) } else { Ok(addresses) }
    }
}

impl AsRawFd for LookUp {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Calls getaddrinfo(3), and encodes its answer for the pipe.
fn look_up(host: &CStr) -> Vec<u8, ANSWER_LEN_MAX> {
    let mut found: *mut libc::addrinfo = ptr::null_mut();
    // SAFETY: the name ends with NUL; all-zero hints are valid; the list is freed below.
    let code = unsafe {
        let mut hints: libc::addrinfo = std::mem::zeroed();
        hints.ai_socktype = libc::SOCK_STREAM;
        libc::getaddrinfo(host.as_ptr(), ptr::null(), &raw const hints, &raw mut found)
    };
    let mut answer = Vec::new();
    // Cannot fail: the buffer has room for the head, and a full one ends the list below.
    let _ = answer.extend_from_slice(&code.to_ne_bytes());
    let mut next = if code == 0 { found } else { ptr::null_mut() };
    // SAFETY: the list is as getaddrinfo made it: each entry is valid, points to an address of the
    // family it names, and the last entry's `ai_next` is null.
    while let Some(entry) = unsafe { next.as_ref() } {
        next = entry.ai_next;
        let mut encoded = [0; ADDRESS_LEN];
        let (family, octets) = encoded.split_at_mut(1);
        match entry.ai_family {
            libc::AF_INET => {
                // SAFETY: as above.
                let address = unsafe { entry.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
                family.fill(4);
                octets
                    .iter_mut()
                    .zip(address.sin_addr.s_addr.to_ne_bytes())
                    .for_each(|(to, from)| *to = from);
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let address = unsafe { entry.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
                family.fill(6);
                octets.copy_from_slice(&address.sin6_addr.s6_addr);
            }
            _ => continue,
        }
        if answer.extend_from_slice(&encoded).is_err() {
            break;
        }
    }
    if !found.is_null() {
        // SAFETY: the list is getaddrinfo's, and nothing of it is used any more.
        unsafe { libc::freeaddrinfo(found) };
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::platform::event::{Readiness, wait};

    fn resolve(host: &CStr) -> Result<Addresses, ResolveError> {
        let look_up = LookUp::start(host).unwrap();
        let readable = Readiness { readable: true, writable: false };
        wait(&mut [(look_up.as_raw_fd(), readable)], Duration::from_secs(60));
        look_up.finish()
    }

    #[test]
    fn localhost_is_a_loopback_address() {
        let addresses = resolve(c"localhost").unwrap();
        assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }

    #[test]
    fn address_resolves_to_itself() {
        for text in [c"127.0.0.1", c"::1"] {
            let addresses = resolve(text).unwrap();
            assert_eq!(addresses.first().unwrap().to_string(), text.to_str().unwrap());
        }
    }

    #[test]
    fn impossible_name_is_an_error() {
        assert!(resolve(c"no such name").is_err());
    }
}
