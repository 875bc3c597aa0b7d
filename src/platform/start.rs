//! What a process inherits from whoever started it, and what of that must not reach the agent.
//!
//! | inherited | without a remedy | remedy |
//! |---|---|---|
//! | descriptors 0–2 closed, no `/dev/null` | std aborts before `main` | a pipe stands in, see below |
//! | SIGCHLD ignored | children vanish by themselves; a `kill` may hit a foreign process that got the number | default action |
//! | signals blocked | `once` and `doctor` cannot be ended by SIGTERM or Ctrl-C | none is blocked |
//! | SIGXFSZ with a file size limit | a write beyond the limit kills | ignored: the write fails |
//! | umask 0 | everybody may write to the files that the agent makes | at least 022 |
//!
//! Left as they are, because somebody may have meant them: other ignored signals (nohup(1)), resource limits,
//! further descriptors (a lock that lasts as long as the agent), the working directory, a pending alarm(2).
//! std ignores SIGPIPE.

use std::mem::{MaybeUninit, zeroed};
use std::ptr;

/// Runs before std's own start, which looks at the descriptors 0–2 first: it opens `/dev/null` for those that
/// are closed, and aborts where that fails, as in a chroot without devices.
///
/// The other way to be earlier than std is a `main` of one's own (`#![no_main]`). It would have to do itself
/// all that std's start does: the arguments, which std knows from there under musl, SIGPIPE, and the guard
/// page of the stack. C libraries call the functions in this section when they have set themselves up, in a
/// static program as in a dynamic one.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_STD: extern "C" fn() = fill_standard_descriptors;

/// Puts the reading end of an abandoned pipe where a standard descriptor is closed: reading from it gives the
/// end of the file, and writing fails with `EBADF`, which std takes for success on these three.
extern "C" fn fill_standard_descriptors() {
    for descriptor in 0..=2 {
        let mut ends = [0; 2];
        // SAFETY: there is one thread yet, and no owner of a descriptor. pipe2 takes the two lowest that are
        // free, so that the first of them is `descriptor`: those before it are open by now.
        unsafe {
            if libc::fcntl(descriptor, libc::F_GETFD) == -1 && libc::pipe2(ends.as_mut_ptr(), 0) == 0 {
                let [_, writing_end] = ends;
                libc::close(writing_end);
            }
        }
    }
}

/// Undoes what is inherited and does harm, except for the descriptors, which were seen to before `main`. To be
/// called before anything else.
pub fn reset_inherited_state() {
    // SAFETY: both dispositions are no handlers; all-zero bytes are a valid sigaction, with an empty mask and no
    // flags; the set is made by sigemptyset before its use. None of the calls can fail with these arguments.
    unsafe {
        for (signal, disposition) in [(libc::SIGCHLD, libc::SIG_DFL), (libc::SIGXFSZ, libc::SIG_IGN)] {
            let mut action: libc::sigaction = zeroed();
            action.sa_sigaction = disposition;
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
        let mut none = MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        let inherited = libc::umask(0o022);
        libc::umask(inherited | 0o022);
    }
}
