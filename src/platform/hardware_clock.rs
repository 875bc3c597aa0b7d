//! Whether the system clock came from a battery-backed clock: `/sys/class/rtc/rtc*/hctosys`, `1` for the one
//! from which the kernel set the system clock at boot (Linux, Documentation/ABI/testing/sysfs-class-rtc).
//!
//! That alone is not enough. A Pi 5 has the clock, but mostly no battery: the kernel sets the system clock to
//! 1970 from it, and systemd or fake-hwclock then restores a later time from a file. So the hardware clock
//! must show what the system clock shows; `since_epoch`, seconds since 1970.

use std::fs;
use std::path::Path;

use super::clock::Utc;

/// How far the two clocks may be apart. The hardware clock shows whole seconds and drifts by a few a day.
const DIFFERENCE_MAX_SECS: u64 = 60;

/// Whether the system clock, which shows `now`, came from a hardware clock. `root` is where `sys` is.
#[must_use]
pub fn has_set_the_clock(root: &Path, now: Utc) -> bool {
    let Ok(clocks) = fs::read_dir(root.join("sys/class/rtc")) else { return false };
    clocks.flatten().any(|clock| {
        let read = |name: &str| fs::read_to_string(clock.path().join(name));
        let is_source = read("hctosys").is_ok_and(|text| text.trim() == "1");
        // A clock that cannot be read again is believed: a driver may be busy.
        let is_right = || match read("since_epoch").ok().and_then(|text| text.trim().parse().ok()) {
            Some(secs) => now.as_secs().abs_diff(secs) <= DIFFERENCE_MAX_SECS,
            None => true,
        };
        is_source && is_right()
    })
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    const NOW: Utc = Utc::from_millis(1_800_000_000_000);

    /// Whether boards with such clocks have set the system clock from one: `(hctosys, since_epoch)`.
    fn has_set(clocks: &[(&str, Option<&str>)]) -> bool {
        let dir = TestDir::new("rtc");
        for (number, (hctosys, since_epoch)) in clocks.iter().enumerate() {
            let folder = dir.path().join(format!("sys/class/rtc/rtc{number}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("hctosys"), hctosys).unwrap();
            if let Some(since_epoch) = since_epoch {
                fs::write(folder.join("since_epoch"), since_epoch).unwrap();
            }
        }
        has_set_the_clock(dir.path(), NOW)
    }

    #[test]
    fn board_without_a_hardware_clock_has_not_set_it() {
        assert!(!has_set(&[]));
    }

    #[test]
    fn only_the_clock_that_the_kernel_used_counts() {
        assert!(!has_set(&[("0\n", Some("1800000000\n"))]));
        assert!(has_set(&[("0\n", Some("17\n")), ("1\n", Some("1800000000\n"))]));
        assert!(has_set(&[("1\n", None)]));
    }

    #[test]
    fn clock_without_a_battery_that_started_in_1970_does_not_count() {
        assert!(!has_set(&[("1\n", Some("17\n"))]));
        assert!(has_set(&[("1\n", Some("1799999940\n"))]));
        assert!(!has_set(&[("1\n", Some("1799999939\n"))]));
        assert!(!has_set(&[("1\n", Some("1800000061\n"))]));
    }
}
