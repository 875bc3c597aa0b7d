//! Waiting (poll(2)) and signals that can be waited for (signalfd(2)).

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, Read as _};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use super::check;

/// What to wait for on a descriptor; after the wait, what has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readiness {
    /// Bytes to read, an end of file, or an error to be learned by reading.
    pub readable: bool,
    /// Room to write, or the end of a connect.
    pub writable: bool,
}

/// Waits until one of `descriptors` has what its `Readiness` asks for, or `timeout` has passed; then
/// each `Readiness` says what has come. A signal with a handler ends the wait with nothing ready.
pub fn wait<const N: usize>(descriptors: &mut [(RawFd, Readiness); N], timeout: Duration) {
    let mut polled = descriptors.map(|(fd, wanted)| libc::pollfd {
        fd,
        events: if wanted.readable { libc::POLLIN } else { 0 }
            | if wanted.writable { libc::POLLOUT } else { 0 },
        revents: 0,
    });
    #[cfg(feature = "test-clock")]
    let timeout = super::scale::shrunk(timeout);
    // Rounded up, so that a wait never ends a fraction of a millisecond before its time and spins.
    let timeout = timeout.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(c_int::MAX);
    // SAFETY: the array is ours, and its length is given.
    let woken = unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, timeout) };
    for ((_, readiness), polled) in descriptors.iter_mut().zip(polled) {
        let events = if woken > 0 { polled.revents } else { 0 };
        let failed = events & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0;
        readiness.readable = events & libc::POLLIN != 0 || failed;
        readiness.writable = events & libc::POLLOUT != 0 || failed;
    }
}

/// What ended a wait for one descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// The descriptor is readable.
    Readable,
    /// A signal is pending that the agent acts upon.
    Signalled,
    /// The time has passed.
    TimedOut,
}

/// Waits until `fd` is readable, at most for `timeout`. A signal that [`Signals`] has blocked and that is
/// pending ends the wait, so that it is handled in time.
pub fn wait_unless_signalled(fd: RawFd, timeout: Duration) -> Waited {
    const READABLE: Readiness = Readiness { readable: true, writable: false };
    // Without a descriptor for them, the signals are handled after the timeout.
    let signals = signal_descriptor(&signal_set()).ok();
    let signals = signals.as_ref().map_or(-1, AsRawFd::as_raw_fd);
    let mut descriptors = [(fd, READABLE), (signals, READABLE)];
    wait(&mut descriptors, timeout);
    match descriptors.map(|(_, ready)| ready.readable) {
        [true, _] => Waited::Readable,
        [false, true] => Waited::Signalled,
        [false, false] => Waited::TimedOut,
    }
}

/// The set of the signals that the agent acts upon.
fn signal_set() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the set is ours, and sigemptyset makes it one before the others change it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// A descriptor that is readable while one of these signals is blocked and pending.
fn signal_descriptor(set: &libc::sigset_t) -> io::Result<OwnedFd> {
    // SAFETY: the set is a valid one; the descriptor is new and owned by nobody else.
    unsafe {
        let flags = libc::SFD_NONBLOCK | libc::SFD_CLOEXEC;
        Ok(OwnedFd::from_raw_fd(check(libc::signalfd(-1, set, flags))?))
    }
}

/// A signal that the agent acts upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: come to an end.
    Terminate,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// SIGTERM, SIGINT and SIGHUP as a descriptor to wait on: no handler, no race.
#[derive(Debug)]
pub struct Signals(File);

impl Signals {
    /// Takes the three signals out of their default actions and into the descriptor.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn new() -> io::Result<Self> {
        let set = signal_set();
        // SAFETY: the set is a valid one, and the old one is not asked for.
        check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) })?;
        Ok(Self(signal_descriptor(&set)?.into()))
    }

    /// The next signal that came, without waiting.
    pub fn next_signal(&mut self) -> Option<Signal> {
        let mut info = [0; size_of::<libc::signalfd_siginfo>()];
        self.0.read_exact(&mut info).ok()?;
        let number = u32::from_ne_bytes(*info.first_chunk()?); // ssi_signo
        match c_int::try_from(number).ok()? {
            libc::SIGHUP => Some(Signal::Reload),
            _ => Some(Signal::Terminate),
        }
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    const READ: Readiness = Readiness { readable: true, writable: false };

    #[test]
    fn a_wait_tells_which_descriptor_is_ready() {
        let (quiet, _peer) = UnixStream::pair().unwrap();
        let (ready, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(b"x").unwrap();
        let mut descriptors = [(quiet.as_raw_fd(), READ), (ready.as_raw_fd(), READ)];
        wait(&mut descriptors, Duration::from_secs(60));
        assert_eq!(descriptors.map(|(_, readiness)| readiness.readable), [false, true]);
    }

    #[test]
    fn a_wait_in_vain_leaves_nothing_ready() {
        let (quiet, _peer) = UnixStream::pair().unwrap();
        let mut descriptors = [(quiet.as_raw_fd(), READ)];
        wait(&mut descriptors, Duration::ZERO);
        assert_eq!(descriptors[0].1, Readiness::default());
    }

    #[test]
    fn wait_for_one_descriptor_tells_what_ended_it() {
        let (end, mut peer) = UnixStream::pair().unwrap();
        assert_eq!(wait_unless_signalled(end.as_raw_fd(), Duration::ZERO), Waited::TimedOut);
        // Blocked and pending in this thread only.
        let set = signal_set();
        // SAFETY: the set is a valid one; the signal is of this thread, which blocks it.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
            libc::pthread_kill(libc::pthread_self(), libc::SIGHUP);
        }
        assert_eq!(wait_unless_signalled(end.as_raw_fd(), Duration::from_secs(60)), Waited::Signalled);
        peer.write_all(b"x").unwrap();
        assert_eq!(wait_unless_signalled(end.as_raw_fd(), Duration::from_secs(60)), Waited::Readable);
    }

    #[test]
    fn a_peer_that_went_away_is_readable() {
        let (end, peer) = UnixStream::pair().unwrap();
        drop(peer);
        let mut descriptors = [(end.as_raw_fd(), READ)];
        wait(&mut descriptors, Duration::from_secs(60));
        assert!(descriptors[0].1.readable);
    }
}
