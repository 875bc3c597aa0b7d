//! A name look-up that does not block.
//!
//! getaddrinfo(3) blocks for as long as the resolver is silent, five seconds and more, in which no
//! sample would be taken and no signal seen. It is also the one function that knows everything a
//! system says about names (hosts file, search domains, the order of addresses), so it is used as it
//! is, in a child process that lives for one look-up and answers through a pipe.

use std::ffi::{CStr, c_int};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use heapless::Vec;

use super::check;
use super::os_error::OsError;

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
    /// A system call failed (`EAI_SYSTEM`, `EAI_MEMORY`): too many open files, for example.
    System(OsError),
    /// The process that looked the name up was killed before it answered.
    NoAnswer,
    /// Anything else, getaddrinfo's code.
    Failed(c_int),
}

/// The answer in the pipe: getaddrinfo's code, errno, then 17 bytes an address, family first.
const HEAD_LEN: usize = 2 * size_of::<c_int>();
const ADDRESS_LEN: usize = 17;
const ANSWER_LEN_MAX: usize = HEAD_LEN + ADDRESS_LEN * ADDRESSES_MAX;
// A write of up to PIPE_BUF bytes is never torn (pipe(7)).
const _: () = assert!(ANSWER_LEN_MAX <= libc::PIPE_BUF);

/// A look-up under way: wait until it is readable, then call [`finish`](Self::finish).
#[derive(Debug)]
pub struct LookUp {
    child: libc::pid_t,
    answer: File,
}

impl LookUp {
    /// Begins a look-up of `host`.
    ///
    /// # Errors
    /// `EAGAIN` or `ENOMEM` of fork(2), `EMFILE` of pipe(2).
    pub fn start(host: &CStr) -> io::Result<Self> {
        let mut ends = [0; 2];
        // SAFETY: pipe2 writes two descriptors, new and owned by nobody else.
        let (answer, to_parent) = unsafe {
            check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
            let [read_end, write_end] = ends;
            (OwnedFd::from_raw_fd(read_end), OwnedFd::from_raw_fd(write_end))
        };
        // SAFETY: the agent has one thread, so the child may go on using the heap.
        let child = check(unsafe { libc::fork() })?;
        if child == 0 {
            // SAFETY: both only concern this process: it ends with its parent, and without running
            // what the parent has left to do at exit.
            unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
            // Where files are scarce, getaddrinfo(3) has one to open.
            drop(answer);
            let sent = File::from(to_parent).write_all(&look_up(host));
            // SAFETY: as above.
            unsafe { libc::_exit(c_int::from(sent.is_err())) }
        }
        Ok(Self { child, answer: answer.into() })
    }

    /// Reads the answer; blocks if it has not come yet.
    ///
    /// # Errors
    /// Why there is no address.
    pub fn finish(mut self) -> Result<Addresses, ResolveError> {
        let mut buffer = [0; ANSWER_LEN_MAX];
        let length = self.answer.read(&mut buffer).unwrap_or(0);
        parse(buffer.get(..length).unwrap_or_default())
    }
}

impl AsRawFd for LookUp {
    fn as_raw_fd(&self) -> RawFd {
        self.answer.as_raw_fd()
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        // SAFETY: the child is ours and not yet waited for, so the number is still its own.
        unsafe {
            libc::kill(self.child, libc::SIGKILL);
            libc::waitpid(self.child, ptr::null_mut(), 0);
        }
    }
}

/// Reads the answer of a look-up.
fn parse(answer: &[u8]) -> Result<Addresses, ResolveError> {
    let (code, rest) = answer.split_first_chunk().ok_or(ResolveError::NoAnswer)?;
    let (errno, mut rest) = rest.split_first_chunk().ok_or(ResolveError::NoAnswer)?;
    let errno = c_int::from_ne_bytes(*errno);
    match c_int::from_ne_bytes(*code) {
        0 => {}
        libc::EAI_NONAME | libc::EAI_NODATA => return Err(ResolveError::NoSuchName),
        libc::EAI_AGAIN => return Err(ResolveError::TryAgain),
        libc::EAI_SYSTEM => return Err(ResolveError::System(of_number(errno))),
        libc::EAI_MEMORY => return Err(ResolveError::System(of_number(libc::ENOMEM))),
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

fn of_number(errno: c_int) -> OsError {
    io::Error::from_raw_os_error(errno).into()
}

/// Asks getaddrinfo(3), and puts what it says into the form of the pipe.
fn look_up(host: &CStr) -> Vec<u8, ANSWER_LEN_MAX> {
    let mut found: *mut libc::addrinfo = ptr::null_mut();
    // SAFETY: the name ends with NUL; all-zero hints are valid; the list is freed below.
    let code = unsafe {
        let mut hints: libc::addrinfo = std::mem::zeroed();
        hints.ai_socktype = libc::SOCK_STREAM;
        libc::getaddrinfo(host.as_ptr(), ptr::null(), &raw const hints, &raw mut found)
    };
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let mut answer = Vec::new();
    for number in [code, errno] {
        // Cannot fail: the buffer has room for the head, and a full one ends the list below.
        let _ = answer.extend_from_slice(&number.to_ne_bytes());
    }
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
    use super::*;

    #[test]
    fn localhost_is_a_loopback_address() {
        let addresses = LookUp::start(c"localhost").unwrap().finish().unwrap();
        assert!(addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    }

    #[test]
    fn an_address_resolves_to_itself() {
        for text in [c"127.0.0.1", c"::1"] {
            let addresses = LookUp::start(text).unwrap().finish().unwrap();
            assert_eq!(addresses.first().unwrap().to_string(), text.to_str().unwrap());
        }
    }

    #[test]
    fn a_name_that_cannot_be_is_an_error() {
        assert!(LookUp::start(c"no such name").unwrap().finish().is_err());
    }

    #[test]
    fn error_of_a_system_call_keeps_its_number() {
        let answer = |numbers: [c_int; 2]| numbers.map(c_int::to_ne_bytes).concat();
        let too_many = ResolveError::System(of_number(libc::EMFILE));
        assert_eq!(parse(&answer([libc::EAI_SYSTEM, libc::EMFILE])), Err(too_many));
        let no_memory = ResolveError::System(of_number(libc::ENOMEM));
        assert_eq!(parse(&answer([libc::EAI_MEMORY, 0])), Err(no_memory));
        // Left there by an earlier call.
        assert_eq!(parse(&answer([libc::EAI_AGAIN, libc::EMFILE])), Err(ResolveError::TryAgain));
        for length in 0..HEAD_LEN {
            assert_eq!(parse(&answer([0, 0])[..length]), Err(ResolveError::NoAnswer));
        }
    }

    #[test]
    fn a_look_up_that_is_given_up_leaves_no_child() {
        let look_up = LookUp::start(c"localhost").unwrap();
        let child = look_up.child;
        drop(look_up);
        // SAFETY: signal 0 only asks whether the process is there.
        assert_eq!(unsafe { libc::kill(child, 0) }, -1);
    }
}
