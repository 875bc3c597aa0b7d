//! Every system call that std does not offer, each behind a safe face: the only place with `unsafe`.
//!
//! [`time`] the clocks · [`device`] file systems and the mailbox · [`event`] poll and signals ·
//! [`net`] a connect that does not block · [`resolve`] a name look-up that does not block ·
//! [`os_error`] why a system call failed · [`allocator`] memory that is wiped when it is freed

#![expect(unsafe_code, reason = "system calls; every other file is checked to have none")]

use std::ffi::c_int;
use std::io;

pub mod allocator;
pub mod clock;
pub mod device;
pub mod event;
pub mod net;
pub mod os_error;
pub mod resolve;
#[cfg(feature = "test-clock")]
mod scale;
pub mod time;

/// Turns the `-1` of a system call into the error it stands for.
fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
