//! What the kernel knows of its clock (adjtimex(2)), read without changing it, which takes no privilege.

use std::ffi::c_int;
use std::io;
use std::sync::OnceLock;

use super::check;

/// `maxerror` of a clock that nobody disciplines, in microseconds (`NTP_PHASE_LIMIT` of the kernel).
const ERROR_MAX_MICROS: i64 = 16_000_000;

/// What the kernel says about the system clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelClock {
    /// A program keeps it in step with a reference.
    Synchronised,
    /// No program has done so since boot, or since the clock was last stepped.
    NotSynchronised,
    /// It may not be asked: a sandbox denies the call.
    Unknown,
}

/// Asks the kernel about the system clock.
///
/// `STA_UNSYNC` is not the whole answer: chronyd without `rtcsync` leaves it set, lest the kernel write the
/// hardware clock, and says that it is synchronised by the estimated error alone.
#[must_use]
pub fn kernel_clock() -> KernelClock {
    static MAY_ASK: OnceLock<bool> = OnceLock::new();
    let answer = if *MAY_ASK.get_or_init(survives_the_call) { read() } else { return KernelClock::Unknown };
    match answer {
        Ok((status, error_micros)) if status & libc::STA_UNSYNC == 0 || error_micros < ERROR_MAX_MICROS => {
            KernelClock::Synchronised
        }
        Ok(_) => KernelClock::NotSynchronised,
        Err(_) => KernelClock::Unknown,
    }
}

/// Whether the call returns. A seccomp filter may kill whoever makes it, as that of a systemd unit with
/// `SystemCallFilter=@system-service` does; under a filter, a child process tries it first.
fn survives_the_call() -> bool {
    const SECCOMP_MODE_FILTER: c_int = 2;
    // SAFETY: plain numbers. The child makes system calls only, and ends without running what its parent has
    // to do at exit; it leaves no core file where the filter kills it.
    unsafe {
        if libc::prctl(libc::PR_GET_SECCOMP) != SECCOMP_MODE_FILTER {
            return true;
        }
        let Ok(child) = check(libc::fork()) else { return false };
        if child == 0 {
            libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
            let _ = read();
            libc::_exit(0)
        }
        let mut status = 0;
        while libc::waitpid(child, &raw mut status, 0) == -1 {
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return false;
            }
        }
        libc::WIFEXITED(status)
    }
}

/// Status bits, and the greatest error in microseconds.
#[cfg(target_pointer_width = "64")]
fn read() -> io::Result<(c_int, i64)> {
    // SAFETY: all-zero bytes are a valid timex, of which `modes` 0 asks for nothing but the answer.
    unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        check(libc::adjtimex(&raw mut timex))?;
        Ok((timex.status, timex.maxerror))
    }
}

/// Status bits, and the greatest error in microseconds.
///
/// The C libraries' `timex` has 32-bit or 64-bit fields depending on how they were built, so the kernel is
/// called by number. The old call goes on answering after 2038: only its time of day, which is not read, is
/// cut to 32 bits. A kernel that was built without 32-bit times has the new one (Linux 5.1) alone.
#[cfg(target_pointer_width = "32")]
fn read() -> io::Result<(c_int, i64)> {
    const SYS_CLOCK_ADJTIME64: libc::c_long = 405; // the same on every 32-bit architecture

    /// `struct old_timex32` of the kernel.
    #[repr(C)]
    struct Timex32 {
        modes: u32,
        offset: i32,
        freq: i32,
        maxerror: i32,
        esterror: i32,
        status: i32,
        rest: [i32; 26],
    }
    /// `struct __kernel_timex`.
    #[repr(C)]
    struct Timex64 {
        modes: u32,
        pad: i32,
        offset: i64,
        freq: i64,
        maxerror: i64,
        esterror: i64,
        status: i32,
        rest: [i32; 41],
    }
    const _: () = assert!(size_of::<Timex32>() == 128 && size_of::<Timex64>() == 208);

    // SAFETY: all-zero bytes are valid for both, and `modes` 0 asks for nothing but the answer. Each call gets
    // the struct that it fills.
    unsafe {
        let mut old: Timex32 = std::mem::zeroed();
        match check(libc::syscall(libc::SYS_adjtimex, &raw mut old) as c_int) {
            Ok(_) => return Ok((old.status, old.maxerror.into())),
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {}
            Err(error) => return Err(error),
        }
        let mut new: Timex64 = std::mem::zeroed();
        check(libc::syscall(SYS_CLOCK_ADJTIME64, libc::CLOCK_REALTIME, &raw mut new) as c_int)?;
        Ok((new.status, new.maxerror))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_answers_with_an_error_that_grows_to_its_limit_and_not_beyond() {
        let (_, error_micros) = read().unwrap();
        assert!((0..=ERROR_MAX_MICROS).contains(&error_micros), "{error_micros}");
        assert_ne!(kernel_clock(), KernelClock::Unknown);
    }
}
