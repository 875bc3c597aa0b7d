//! The system calls: the filter, the listener, and what it is told.

#![expect(unsafe_code, reason = "system calls that std does not offer; every other file has none")]

use std::ffi::{c_int, c_long, c_ulong};
use std::fs::File;
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::ptr::from_mut;

use libc::{
    SECCOMP_IOCTL_NOTIF_ADDFD, SECCOMP_IOCTL_NOTIF_ID_VALID, SECCOMP_IOCTL_NOTIF_RECV,
    SECCOMP_IOCTL_NOTIF_SEND, seccomp_notif, seccomp_notif_addfd, seccomp_notif_resp, seccomp_notif_sizes,
    sock_filter, sock_fprog,
};

/// The calls that are asked about. Newer architectures have no `open`. A path can only be seen from
/// outside, so it is all files' opens; and all ioctls, for a wrong request is to be seen, too.
#[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
const CALLS: &[c_long] = &[libc::SYS_openat, libc::SYS_ioctl, libc::SYS_open];
#[cfg(not(any(target_arch = "x86_64", target_arch = "arm")))]
const CALLS: &[c_long] = &[libc::SYS_openat, libc::SYS_ioctl];

/// Turns the `-1` of a system call into the error it stands for.
fn check<T: Copy + Into<i64>>(result: T) -> io::Result<T> {
    if result.into() == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// An empty file without a name, which is on no file system.
pub fn memory_file() -> io::Result<File> {
    // SAFETY: the name ends with NUL; the descriptor is new and owned by nobody else.
    let file =
        unsafe { OwnedFd::from_raw_fd(check(libc::memfd_create(c"vcio".as_ptr(), libc::MFD_CLOEXEC))?) };
    Ok(file.into())
}

/// Where the kernel asks about the calls of the supervised.
#[derive(Debug)]
pub struct Listener(OwnedFd);

/// A call that waits for an answer.
#[derive(Debug)]
pub struct Call {
    id: u64,
    thread: u32,
    number: c_long,
    arguments: [u64; 6],
}

impl Call {
    /// The number of the thread that called, which `/proc` takes for a process's.
    pub fn thread(&self) -> u32 {
        self.thread
    }

    /// Where the path is of a file to open, if that is the call.
    pub fn path_opened(&self) -> Option<u64> {
        match self.number {
            libc::SYS_openat => Some(self.arguments[1]),
            #[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
            libc::SYS_open => Some(self.arguments[0]),
            _ => None,
        }
    }

    /// Descriptor, request and argument of an ioctl, if that is the call.
    #[expect(clippy::cast_possible_truncation, reason = "the kernel takes the lower 32 bits of both")]
    pub fn ioctl(&self) -> Option<(c_int, u32, u64)> {
        let [fd, request, argument, ..] = self.arguments;
        (self.number == libc::SYS_ioctl).then_some((fd as c_int, request as u32, argument))
    }
}

impl Listener {
    /// Puts the calling thread, and whatever it starts, under supervision, for ever. From here on each of
    /// its opens and ioctls waits until the listener, in another thread, has an answer.
    pub fn install() -> io::Result<Self> {
        let mut filter = filter();
        let program =
            sock_fprog { len: filter.len().try_into().expect("a handful"), filter: filter.as_mut_ptr() };
        // SAFETY: plain numbers, and a struct of ours that the kernel fills.
        let sizes = unsafe {
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
                .map_err(|error| explain("prctl(2)", error))?;
            let mut sizes: seccomp_notif_sizes = zeroed();
            check(libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_NOTIF_SIZES, 0, from_mut(&mut sizes)))
                .map_err(|error| explain("seccomp(2)", error))?;
            sizes
        };
        // The kernel writes as much as it says.
        if usize::from(sizes.seccomp_notif) > size_of::<seccomp_notif>() {
            return Err(io::Error::other(format!("a notification has {} bytes", sizes.seccomp_notif)));
        }
        // SAFETY: the program points to instructions of ours, as many as it says; the kernel copies them.
        // The descriptor is new and owned by nobody else.
        let listener = unsafe {
            let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
            check(libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program))
                .map(|fd| OwnedFd::from_raw_fd(fd.try_into().expect("a descriptor")))
        };
        listener.map(Self).map_err(|error| explain("seccomp(2)", error))
    }

    /// Waits for a call; `None` when all that were supervised have ended.
    pub fn next(&self) -> io::Result<Option<Call>> {
        loop {
            let mut polled = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one pollfd of ours.
            let ready = check(unsafe { libc::poll(&raw mut polled, 1, -1) });
            if ready.is_ok() && polled.revents & libc::POLLIN == 0 {
                return Ok(None);
            }
            // SAFETY: all-zero bytes are a valid notification, and what the kernel wants to be given.
            let mut told: seccomp_notif = unsafe { zeroed() };
            // SAFETY: the kernel writes no more than the struct's size, as `install` has seen.
            let received =
                ready.and_then(|_| unsafe { self.ioctl(SECCOMP_IOCTL_NOTIF_RECV, from_mut(&mut told)) });
            match received.map_err(|error| (error.raw_os_error(), error)) {
                Ok(_) => {
                    let (number, arguments) = (told.data.nr.into(), told.data.args);
                    return Ok(Some(Call { id: told.id, thread: told.pid, number, arguments }));
                }
                // A signal; or the caller was killed before it was its turn.
                Err((Some(libc::EINTR | libc::ENOENT), _)) => {}
                Err((_, error)) => return Err(error),
            }
        }
    }

    /// Sees that the call still waits: that its thread's number is its own.
    pub fn check_waiting(&self, call: &Call) -> io::Result<()> {
        let mut id = call.id;
        // SAFETY: the kernel reads a number.
        unsafe { self.ioctl(SECCOMP_IOCTL_NOTIF_ID_VALID, from_mut(&mut id)) }.map(drop)
    }

    /// Lets the kernel do the call.
    pub fn let_go_on(&self, call: &Call) -> io::Result<()> {
        self.send(call, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE)
    }

    /// Ends the call with 0, or with an errno.
    pub fn answer(&self, call: &Call, outcome: Result<(), c_int>) -> io::Result<()> {
        self.send(call, outcome.err().map_or(0, |errno| -errno), 0)
    }

    /// Ends the call with a new descriptor for `file`.
    pub fn hand_over(&self, call: &Call, file: &File) -> io::Result<()> {
        let mut order = seccomp_notif_addfd {
            id: call.id,
            flags: narrow(libc::SECCOMP_ADDFD_FLAG_SEND),
            srcfd: file.as_raw_fd().try_into().expect("a descriptor"),
            newfd: 0,
            newfd_flags: libc::O_CLOEXEC.try_into().expect("a flag"),
        };
        // SAFETY: the kernel reads the struct.
        unsafe { self.ioctl(SECCOMP_IOCTL_NOTIF_ADDFD, from_mut(&mut order)) }.map(drop).map_err(|error| {
            if error.raw_os_error() == Some(libc::EINVAL) { explain("ADDFD", error) } else { error }
        })
    }

    fn send(&self, call: &Call, error: c_int, flags: c_ulong) -> io::Result<()> {
        let mut answer = seccomp_notif_resp { id: call.id, val: 0, error, flags: narrow(flags) };
        // SAFETY: the kernel reads the struct.
        unsafe { self.ioctl(SECCOMP_IOCTL_NOTIF_SEND, from_mut(&mut answer)) }.map(drop)
    }

    /// # Safety
    /// `argument` has to be what the request takes.
    unsafe fn ioctl<T>(&self, request: libc::Ioctl, argument: *mut T) -> io::Result<c_int> {
        // SAFETY: as the caller says.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), request, argument) })
    }
}

/// Ask about the calls of [`CALLS`], and let all others pass. The architecture is not looked at: a
/// program of another one has other numbers, and merely sees no device.
fn filter() -> Vec<sock_filter> {
    let instruction =
        |code: u32, jt, k| sock_filter { code: code.try_into().expect("16 bits"), jt, jf: 0, k };
    let mut filter = vec![instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0)]; // seccomp_data.nr
    for (index, call) in CALLS.iter().enumerate() {
        let to_the_end = u8::try_from(CALLS.len() - index).expect("a handful");
        let number = u32::try_from(*call).expect("a small number");
        filter.push(instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, to_the_end, number));
    }
    filter.push(instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW));
    filter.push(instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_USER_NOTIF));
    filter
}

fn narrow(flags: c_ulong) -> u32 {
    flags.try_into().expect("flags of 32 bits")
}

/// Says why the kernel may have refused.
fn explain(call: &str, error: io::Error) -> io::Error {
    let why = match error.raw_os_error() {
        Some(libc::EBUSY) => "this process is under another supervisor already",
        Some(libc::EPERM | libc::EACCES) => "a sandbox around this process forbids it",
        Some(libc::ENOSYS | libc::EINVAL) => "it takes Linux 5.14 or later, with CONFIG_SECCOMP_FILTER",
        _ => return error,
    };
    io::Error::new(error.kind(), format!("{call}: {error}: {why}"))
}
