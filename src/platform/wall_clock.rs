//! UTC for samples, and whether the wall clock can be trusted with it.
//!
//! A Pi without a battery boots with a clock that stands in 1970, or with one that fake-hwclock, systemd or
//! systemd-timesyncd restored from a file: hours or months behind, and it looks like any other. Two rules
//! keep samples from being dated with such a clock:
//!
//! 1. A clock before [`EARLIEST_SECS`] is not set, at any time.
//! 2. In the first [`SYNC_WAIT`] after boot, a clock is set only if something vouches for it: the kernel says
//!    that it is synchronised, or it was stepped by more than [`STEP_MIN`] since the agent's start, or it
//!    came from a hardware clock ([`hardware_clock`](super::hardware_clock)). After that it is used as it is.
//!
//! Who tells the kernel (`adjtimex(2)`) that the clock is synchronised, by clearing `STA_UNSYNC` or by setting
//! `maxerror` below 16 s:
//!
//! | program | tells the kernel |
//! |---|---|
//! | systemd-timesyncd | with the first answer of a server |
//! | chronyd | when synchronised: both with `rtcsync` (Debian's default), else `maxerror` only |
//! | ntpd, NTPsec | when synchronised, unless its configuration has `disable kernel` |
//! | OpenNTPD | when its first adjustment of the clock has ended |
//! | BusyBox ntpd | with its first small correction; a step before that sets `STA_UNSYNC` again |
//! | `ntpd -q`, ntpdate, sntp, rdate, htpdate, `date -s` | never: they set the clock, which sets `STA_UNSYNC` |
//!
//! The last row and a virtual machine or a board without any client are what rule 2's time limit is for: a
//! big step counts by itself, a small one leaves the clock right to a minute, and without a client there is
//! no better time to wait for. Containers see the state of the host's clock.

use std::time::Duration;

use super::adjtimex::KernelClock;
use super::clock::{BootTime, EARLIEST_SECS, Utc};

/// Time since boot after which a clock is used that nothing vouches for.
pub const SYNC_WAIT: Duration = Duration::from_secs(600);
/// A step of the wall clock above this is taken for somebody setting it.
pub const STEP_MIN: Duration = Duration::from_secs(60);
/// A difference between wall clock and boot clock is kept until it is off by more than this. The small
/// corrections of an NTP daemon would otherwise let two samples of a one-second grid share a second.
const DRIFT_MAX_MILLIS: u64 = 250;
const _: () = assert!((DRIFT_MAX_MILLIS as u128) < STEP_MIN.as_millis());

/// Whether the wall clock is set, and why it is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockState {
    /// Not set: it shows a time before this version's release. Also the state before the first update.
    #[default]
    BeforeRelease,
    /// Taken as not set: its time may be one that was saved before the last shutdown.
    NotSynchronised,
    /// Set.
    Set(Trust),
}

impl ClockState {
    /// Whether samples are dated with the clock.
    #[must_use]
    pub const fn is_set(self) -> bool {
        matches!(self, Self::Set(_))
    }
}

/// Why the wall clock is taken to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The kernel says that it is synchronised.
    Synchronised,
    /// It was stepped by more than [`STEP_MIN`] since the agent's start.
    Stepped,
    /// The kernel set it from a hardware clock at boot.
    HardwareClock,
    /// The kernel does not answer: a sandbox denies adjtimex(2).
    KernelSilent,
    /// Nothing vouches for it, but [`SYNC_WAIT`] has passed since boot.
    Assumed,
}

/// The boot clock's relation to UTC, held still against small corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WallClock {
    is_from_hardware_clock: bool,
    /// UTC minus boot time at the first update.
    first_offset_millis: Option<u64>,
    /// Why the clock is trusted; once it is, it stays so.
    trust: Option<Trust>,
    /// UTC minus boot time, while the clock is set.
    offset_millis: Option<u64>,
    state: ClockState,
}

impl WallClock {
    /// A clock before its first update. `is_from_hardware_clock` is what
    /// [`hardware_clock::has_set_the_clock`](super::hardware_clock::has_set_the_clock) says.
    #[must_use]
    pub fn new(is_from_hardware_clock: bool) -> Self {
        Self { is_from_hardware_clock, ..Self::default() }
    }

    /// Compares the clocks; `now` and `utc` are the same moment. `kernel` is asked only until the clock is
    /// trusted, so that an agent that works makes no system call for it.
    pub fn update(&mut self, now: BootTime, utc: Utc, kernel: impl FnOnce() -> KernelClock) -> ClockState {
        let offset = utc.as_millis().saturating_sub(now.as_millis());
        let first = *self.first_offset_millis.get_or_insert(offset);
        self.state = if utc.as_secs() < EARLIEST_SECS {
            ClockState::BeforeRelease
        } else {
            let step = Duration::from_millis(first.abs_diff(offset));
            self.trust = self.trust.or_else(|| self.judge(now, step, kernel));
            self.trust.map_or(ClockState::NotSynchronised, ClockState::Set)
        };
        self.offset_millis = match self.offset_millis {
            _ if !self.state.is_set() => None,
            Some(held) if held.abs_diff(offset) <= DRIFT_MAX_MILLIS => Some(held),
            _ => Some(offset),
        };
        self.state
    }

    /// Why a clock after the release can be trusted, if it can.
    fn judge(&self, now: BootTime, step: Duration, kernel: impl FnOnce() -> KernelClock) -> Option<Trust> {
        if self.is_from_hardware_clock {
            return Some(Trust::HardwareClock);
        }
        if step > STEP_MIN {
            return Some(Trust::Stepped);
        }
        match kernel() {
            KernelClock::Synchronised => Some(Trust::Synchronised),
            KernelClock::Unknown => Some(Trust::KernelSilent),
            KernelClock::NotSynchronised if now.since(BootTime::default()) >= SYNC_WAIT => {
                Some(Trust::Assumed)
            }
            KernelClock::NotSynchronised => None,
        }
    }

    /// The state after the last update.
    #[must_use]
    pub const fn state(&self) -> ClockState {
        self.state
    }

    /// Whether samples can be dated.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.state.is_set()
    }

    /// What UTC was at `time`; `None` while the wall clock is not set.
    #[must_use]
    pub fn utc_of(&self, time: BootTime) -> Option<Utc> {
        let millis = time.as_millis();
        self.offset_millis.map(|offset| Utc::from_millis(millis.saturating_add(offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds after boot.
    const EARLY: BootTime = BootTime::from_millis(10_000);
    const LATE: BootTime = BootTime::from_millis(600_000);
    const NOW: Utc = Utc::from_millis((EARLIEST_SECS + 1_000_000) * 1000);

    fn later(utc: Utc, by: Duration) -> Utc {
        Utc::from_millis(utc.as_millis() + u64::try_from(by.as_millis()).unwrap())
    }

    fn synchronised() -> KernelClock {
        KernelClock::Synchronised
    }

    fn not_synchronised() -> KernelClock {
        KernelClock::NotSynchronised
    }

    fn not_asked() -> KernelClock {
        panic!("the kernel was asked")
    }

    /// A clock that the kernel vouched for.
    fn at(now: BootTime, utc: Utc) -> WallClock {
        let mut clock = WallClock::default();
        clock.update(now, utc, synchronised);
        clock
    }

    #[test]
    fn clock_before_the_release_is_never_set() {
        let before = Utc::from_millis(EARLIEST_SECS * 1000 - 1);
        for (is_from_hardware_clock, now) in [(true, EARLY), (false, LATE)] {
            let mut clock = WallClock::new(is_from_hardware_clock);
            assert_eq!(clock.update(now, before, not_asked), ClockState::BeforeRelease);
            assert_eq!(clock.utc_of(now), None);
        }
        assert!(at(EARLY, Utc::from_millis(EARLIEST_SECS * 1000)).is_set());
    }

    #[test]
    fn unsynchronised_clock_is_not_set_until_the_kernel_says_it_is_synchronised() {
        let mut clock = WallClock::new(false);
        assert_eq!(clock.update(EARLY, NOW, not_synchronised), ClockState::NotSynchronised);
        assert_eq!(clock.utc_of(EARLY), None);
        assert_eq!(clock.update(EARLY, NOW, synchronised), ClockState::Set(Trust::Synchronised));
        assert_eq!(clock.utc_of(EARLY), Some(NOW));
    }

    #[test]
    fn kernel_is_asked_no_more_once_the_clock_is_trusted() {
        let mut clock = at(EARLY, NOW);
        assert_eq!(clock.update(EARLY, NOW, not_asked), ClockState::Set(Trust::Synchronised));
        clock.update(EARLY, Utc::from_millis(0), not_asked);
        assert_eq!(clock.update(EARLY, NOW, not_asked), ClockState::Set(Trust::Synchronised));
    }

    #[test]
    fn step_above_a_minute_in_either_direction_sets_the_clock() {
        for (start, is_set) in [
            (later(NOW, Duration::from_secs(61)), true),
            (Utc::from_millis(NOW.as_millis() - 86_400_000), true),
            (Utc::from_millis(7), true),
            (later(NOW, STEP_MIN), false),
            (Utc::from_millis(NOW.as_millis() - 59_000), false),
        ] {
            let mut clock = WallClock::new(false);
            assert!(!clock.update(EARLY, start, not_synchronised).is_set());
            let state = clock.update(EARLY, NOW, not_synchronised);
            let expected = if is_set { ClockState::Set(Trust::Stepped) } else { ClockState::NotSynchronised };
            assert_eq!(state, expected, "{start}");
        }
    }

    #[test]
    fn corrections_that_add_up_to_more_than_a_minute_count_as_a_step() {
        let mut clock = WallClock::new(false);
        clock.update(EARLY, NOW, not_synchronised);
        let half = later(NOW, Duration::from_secs(40));
        assert_eq!(clock.update(EARLY, half, not_synchronised), ClockState::NotSynchronised);
        let whole = later(half, Duration::from_secs(40));
        assert_eq!(clock.update(EARLY, whole, not_synchronised), ClockState::Set(Trust::Stepped));
    }

    #[test]
    fn clock_from_hardware_is_set_at_once_and_without_asking_the_kernel() {
        let mut clock = WallClock::new(true);
        assert_eq!(clock.update(EARLY, NOW, not_asked), ClockState::Set(Trust::HardwareClock));
    }

    #[test]
    fn clock_of_which_the_kernel_tells_nothing_is_used_at_once() {
        let mut clock = WallClock::new(false);
        let state = clock.update(EARLY, NOW, || KernelClock::Unknown);
        assert_eq!(state, ClockState::Set(Trust::KernelSilent));
    }

    #[test]
    fn unsynchronised_clock_is_used_ten_minutes_after_boot() {
        let mut clock = WallClock::new(false);
        clock.update(EARLY, NOW, not_synchronised);
        let before = BootTime::from_millis(599_999);
        let passed = |to: BootTime| later(NOW, to.since(EARLY));
        assert_eq!(clock.update(before, passed(before), not_synchronised), ClockState::NotSynchronised);
        let state = clock.update(LATE, passed(LATE), not_synchronised);
        assert_eq!(state, ClockState::Set(Trust::Assumed));
        assert_eq!(clock.utc_of(EARLY), Some(NOW), "samples from before get their time");
    }

    #[test]
    fn sample_from_before_the_clock_was_set_gets_its_true_time() {
        let mut clock = at(EARLY, Utc::from_millis(7));
        let taken = EARLY + Duration::from_secs(1);
        clock.update(EARLY + Duration::from_secs(31), NOW, not_asked);
        assert_eq!(clock.utc_of(taken).unwrap().as_millis(), NOW.as_millis() - 30_000);
    }

    #[test]
    fn small_correction_moves_no_sample_and_a_step_moves_all() {
        let mut clock = at(EARLY, NOW);
        clock.update(EARLY, Utc::from_millis(NOW.as_millis() + DRIFT_MAX_MILLIS), not_asked);
        assert_eq!(clock.utc_of(EARLY), Some(NOW));
        for step in [3_600_000, -3_600_000] {
            let stepped = Utc::from_millis(NOW.as_millis().saturating_add_signed(step));
            clock.update(EARLY, stepped, not_asked);
            assert_eq!(clock.utc_of(EARLY), Some(stepped));
        }
    }

    #[test]
    fn clock_that_is_set_back_before_the_release_is_not_set_any_more() {
        let mut clock = at(EARLY, NOW);
        assert_eq!(clock.update(EARLY, Utc::from_millis(0), not_asked), ClockState::BeforeRelease);
        assert_eq!(clock.utc_of(EARLY), None);
    }
}
