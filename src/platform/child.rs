//! Child processes with a deadline, for system calls that can block and that nothing cuts short.
//!
//! A child is forked, calls one function, writes its answer to a pipe, and exits. The parent waits for the
//! answer, with poll(2), for as long as it wants, and kills the child when it is given up.
//!
//! A child in an uninterruptible system call, on a file server that is silent for example, cannot be killed
//! yet. So nothing here waits for the end of a child whose pipe is still open. Such a child is set aside and
//! reaped when the next one starts; it gets its SIGKILL when the call returns. There are at most
//! [`SET_ASIDE_MAX`] of them: with so many, no new child starts.

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use heapless::Vec;

use super::check;
use super::event::{Readiness, wait};

/// Killed children that have not ended yet, at most.
pub const SET_ASIDE_MAX: usize = 8;

/// How long a killed child may take to close its pipe before it is set aside. It takes less than a
/// millisecond unless a system call holds it up.
const END_WAIT: Duration = Duration::from_millis(100);

/// Above every descriptor of the agent: it has fewer than 64, and each is the lowest that is free.
const DESCRIPTORS_MAX: RawFd = 256;

/// The children that are set aside, 0 for a free place.
static SET_ASIDE: [AtomicI32; SET_ASIDE_MAX] = [const { AtomicI32::new(0) }; SET_ASIDE_MAX];

/// A child process, from its start until its answer is of no interest any more. Dropping it ends it.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
    /// The pipe's read end, non-blocking.
    answer: File,
}

impl Child {
    /// Starts a child that calls `work` and answers with what that returns.
    ///
    /// `work` runs in a copy of this process that has no descriptors but the pipe, as number 0.
    ///
    /// # Errors
    /// `EAGAIN` or `ENOMEM` of fork(2), `EMFILE` of pipe(2); `EAGAIN` also if too many former children have
    /// not ended.
    pub fn start<const N: usize>(work: impl FnOnce() -> Vec<u8, N>) -> io::Result<Self> {
        // Atomic, so that the answer is read as a whole: pipe(7).
        const { assert!(N <= libc::PIPE_BUF) };
        if reap_set_aside() == SET_ASIDE_MAX {
            return Err(io::Error::from_raw_os_error(libc::EAGAIN));
        }
        let mut ends = [0; 2];
        // SAFETY: pipe2 writes two descriptors, new and owned by nobody else.
        let (answer, to_parent) = unsafe {
            check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK))?;
            let [read_end, write_end] = ends;
            (OwnedFd::from_raw_fd(read_end), OwnedFd::from_raw_fd(write_end))
        };
        // SAFETY: the agent has one thread, so the child may go on using the heap.
        let pid = check(unsafe { libc::fork() })?;
        if pid == 0 {
            let is_sent = leave_parent(to_parent.as_raw_fd()).is_ok() && send(&work());
            // SAFETY: the child ends here, without what the parent has to do at its exit.
            unsafe { libc::_exit(c_int::from(!is_sent)) }
        }
        Ok(Self { pid, answer: answer.into() })
    }

    /// Reads the answer into `buffer`. `None` if it has not come yet; empty if the child ended without one.
    pub fn answer<'a>(&mut self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        match self.answer.read(buffer) {
            Ok(length) => Some(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(&[]),
        }
    }

    /// Whether the child closes its pipe, at its end, within `timeout`.
    fn hangs_up(&self, timeout: Duration) -> bool {
        let mut descriptors = [(self.answer.as_raw_fd(), Readiness::default())];
        wait(&mut descriptors, timeout);
        descriptors.map(|(_, readiness)| readiness.readable) == [true]
    }
}

/// Readable when there is an answer, or when the child ended without one.
impl AsRawFd for Child {
    fn as_raw_fd(&self) -> RawFd {
        self.answer.as_raw_fd()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if has_ended(self.pid) {
            return;
        }
        // SAFETY: the child has not been waited for, so its number cannot be another process's.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        if self.hangs_up(END_WAIT) {
            // Closing its descriptors is the last that can take time.
            // SAFETY: the pointer may be null (waitpid(2)).
            while unsafe { libc::waitpid(self.pid, ptr::null_mut(), 0) } == -1
                && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
            {}
            return;
        }
        for place in &SET_ASIDE {
            if place.compare_exchange(0, self.pid, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return;
            }
        }
    }
}

/// Reaps a child if it has ended. True also if it is no child any more: where SIGCHLD is ignored, the kernel
/// reaps.
fn has_ended(pid: libc::pid_t) -> bool {
    // SAFETY: the pointer may be null (waitpid(2)).
    unsafe { libc::waitpid(pid, ptr::null_mut(), libc::WNOHANG) != 0 }
}

/// Reaps those children that were set aside and have ended. Gives the number of those that have not.
fn reap_set_aside() -> usize {
    let mut left = 0;
    for place in &SET_ASIDE {
        let pid = place.load(Ordering::Relaxed);
        if pid != 0 && has_ended(pid) {
            // Unless another thread was faster.
            let _ = place.compare_exchange(pid, 0, Ordering::Relaxed, Ordering::Relaxed);
        } else if pid != 0 {
            left += 1;
        }
    }
    left
}

/// Makes the pipe descriptor 0 and closes all others: a child that cannot be killed would otherwise hold
/// open what the parent closes, such as its connection to the broker. Lets the child end with its parent.
fn leave_parent(pipe: RawFd) -> io::Result<()> {
    // SAFETY: this process has no other thread, and uses none of the descriptors any more.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        check(libc::dup2(pipe, 0))?;
        // Not close_range(2): filters of system calls that are older than it kill the process for it.
        for descriptor in 1..DESCRIPTORS_MAX {
            libc::close(descriptor);
        }
    }
    Ok(())
}

/// Writes the answer to descriptor 0.
fn send(answer: &[u8]) -> bool {
    // SAFETY: the buffer is ours, and its length is given.
    let sent = unsafe { libc::write(0, answer.as_ptr().cast(), answer.len()) };
    usize::try_from(sent) == Ok(answer.len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn await_answer(child: &mut Child) -> std::vec::Vec<u8> {
        let readable = Readiness { readable: true, writable: false };
        wait(&mut [(child.as_raw_fd(), readable)], PATIENCE);
        child.answer(&mut [0; 64]).expect("an answer").to_vec()
    }

    /// The state of a child of this process, as in /proc/PID/stat. `None` if there is no such child.
    fn state(pid: libc::pid_t) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let (state, parent) = (fields.next()?, fields.next()?);
        (parent == std::process::id().to_string()).then(|| state.chars().next())?
    }

    fn sleep_for_ever() -> Vec<u8, 1> {
        // SAFETY: it only waits for a signal.
        unsafe { libc::pause() };
        Vec::new()
    }

    #[test]
    fn answer_comes_through_the_pipe_and_the_child_is_reaped() {
        let mut child = Child::start(|| Vec::<u8, 8>::from_slice(b"answer").unwrap()).unwrap();
        let pid = child.pid;
        assert_eq!(await_answer(&mut child), b"answer");
        drop(child);
        assert_eq!(state(pid), None);
    }

    #[test]
    fn child_without_an_answer_reads_as_empty() {
        let mut child = Child::start(Vec::<u8, 8>::new).unwrap();
        assert_eq!(await_answer(&mut child), b"");
    }

    #[test]
    fn child_that_is_given_up_is_killed_and_reaped() {
        let mut child = Child::start(sleep_for_ever).unwrap();
        assert_eq!(child.answer(&mut [0; 8]), None);
        let pid = child.pid;
        assert!(state(pid).is_some());
        drop(child);
        assert_eq!(state(pid), None);
    }

    #[test]
    fn child_has_no_descriptor_but_the_pipe() {
        let mut child = Child::start(|| {
            // SAFETY: it only asks for flags.
            let is_open = |fd: &RawFd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } != -1;
            (0..DESCRIPTORS_MAX).filter(is_open).map(|fd| u8::try_from(fd).unwrap()).collect::<Vec<u8, 256>>()
        })
        .unwrap();
        assert_eq!(await_answer(&mut child), [0]);
    }
}
