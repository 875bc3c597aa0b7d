//! The boot clock and the wall clock (clock_gettime(2)).

use std::mem::MaybeUninit;
use std::time::Duration;

/// Time since boot, suspend included (`CLOCK_BOOTTIME`).
#[must_use]
pub fn since_boot() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is to a timespec of our own; all-zero bytes are a valid one, so it may be
    // read even if the call failed, which it does not for a clock that every Linux since 2.6.39 has.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, time.as_mut_ptr());
        time.assume_init()
    };
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "0 ≤ tv_nsec < 10⁹")]
    let time = Duration::new(time.tv_sec as u64, time.tv_nsec as u32);
    #[cfg(feature = "test-clock")]
    let time = super::scale::boot(time);
    time
}

/// The system's wall clock as time since 1970, UTC (`CLOCK_REALTIME`); zero if it stands before that.
#[must_use]
pub fn since_1970() -> Duration {
    let time = realtime();
    #[cfg(feature = "test-clock")]
    let time = super::scale::wall(time, since_boot);
    time
}

#[cfg(target_pointer_width = "64")]
fn realtime() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}

/// The kernel's 64-bit call (Linux 5.1), by number: std goes through a 32-bit `time_t` on 32-bit ARM and
/// panics from January 2038 on.
#[cfg(target_pointer_width = "32")]
fn realtime() -> Duration {
    const SYS_CLOCK_GETTIME64: libc::c_long = 403; // the same on every 32-bit architecture
    let mut time = [0_i64; 2];
    // SAFETY: the call writes two 64-bit words, seconds and nanoseconds, to memory of that size.
    let result = unsafe { libc::syscall(SYS_CLOCK_GETTIME64, libc::CLOCK_REALTIME, time.as_mut_ptr()) };
    if result == -1 {
        // A kernel without the call has a clock that cannot pass 2038.
        return std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    }
    let [secs, nanos] = time;
    Duration::new(u64::try_from(secs).unwrap_or(0), u32::try_from(nanos).unwrap_or(0))
}
