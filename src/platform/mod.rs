//! Every system call that std does not offer, each behind a safe face: the only room with `unsafe`.
//!
//! - [`start`] what a process inherits from its starter
//! - [`time`] the clocks; [`clock`] moments on them; [`adjtimex`] and [`hardware_clock`] where the wall clock's
//!   time comes from; [`wall_clock`] whether it can be trusted
//! - [`device`] file systems and the mailbox
//! - [`event`] poll and signals
//! - [`net`] a connect that does not block; [`resolve`] a name look-up that does not block

#![expect(unsafe_code, reason = "system calls; every other file is checked to have none")]

use std::ffi::c_int;
use std::io;

pub mod adjtimex;
pub mod clock;
pub mod device;
pub mod event;
pub mod hardware_clock;
pub mod net;
pub mod resolve;
#[cfg(feature = "test-clock")]
mod scale;
pub mod start;
pub mod time;
pub mod wall_clock;

/// Turns the `-1` of a system call into the error it stands for.
fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
