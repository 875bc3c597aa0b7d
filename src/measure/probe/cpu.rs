//! `/proc/stat`: time that all cores have spent, in ticks of 1/100 s since boot.
//!
//! `cpu  user nice system idle iowait irq softirq steal guest guest_nice`
//!
//! `guest` and `guest_nice` are part of `user` and `nice` already. Source: proc_stat(5), and
//! Documentation/filesystems/proc.rst, which warns that iowait "is not reliable" and may decrease.

use std::path::Path;

use super::kernel_file::{KernelFile, number, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

/// The first line, with ten numbers of twenty digits.
const LINE_LEN_MAX: usize = 256;

/// Busy time of all cores, in percent, between two readings.
#[derive(Debug)]
pub struct Cpu {
    stat: KernelFile,
    last: Option<Ticks>,
}

/// What the counters say, summed up, in ticks since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    /// In user, nice, system, irq, softirq and steal.
    pub busy: u64,
    /// In idle and iowait.
    pub idle: u64,
}

impl Cpu {
    /// The probe of `proc/stat` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { stat: KernelFile::new(root.join("proc/stat")), last: None }
    }

    /// Percent since the last reading.
    ///
    /// # Errors
    /// Why one of the two readings is not to be had, or what [`busy_percent`] says of them.
    pub fn read(&mut self) -> Reading {
        let mut buffer = [0; LINE_LEN_MAX];
        let now = self.stat.read_into(&mut buffer).and_then(parse);
        // After a reading that failed, the next one has nothing to be compared with.
        let last = std::mem::replace(&mut self.last, now.ok());
        busy_percent(last.ok_or(NoData::NotYet), now)
    }
}

/// Reads the first line of `/proc/stat`; what follows may be cut off.
///
/// # Errors
/// `Malformed`, if that is not `cpu` and at least four numbers, or if their sums do not fit.
pub fn parse(text: &[u8]) -> Result<Ticks, NoData> {
    let line = whole_lines(text).next().ok_or(NoData::Malformed)?;
    let mut words = words(line);
    if words.next() != Some(b"cpu") {
        return Err(NoData::Malformed);
    }
    let mut ticks = [0_u64; 8]; // user nice system idle iowait irq softirq steal
    let mut found = 0;
    for (slot, word) in ticks.iter_mut().zip(words) {
        *slot = number(word).ok_or(NoData::Malformed)?;
        found += 1;
    }
    if found < 4 {
        return Err(NoData::Malformed); // since Linux 1.0 there are four, later kernels added the rest
    }
    let [user, nice, system, idle, iowait, irq, softirq, steal] = ticks;
    let sum = |parts: &[u64]| parts.iter().try_fold(0_u64, |sum, &part| sum.checked_add(part));
    Ok(Ticks {
        busy: sum(&[user, nice, system, irq, softirq, steal]).ok_or(NoData::Malformed)?,
        idle: sum(&[idle, iowait]).ok_or(NoData::Malformed)?,
    })
}

/// The busy part of what passed between two readings, 0–100.
///
/// # Errors
/// The reading's that has none; `NotYet`, if no time lies between them; `Backwards` after a reset.
pub fn busy_percent(last: Result<Ticks, NoData>, now: Result<Ticks, NoData>) -> Reading {
    let (now, last) = (now?, last?);
    let busy = now.busy.checked_sub(last.busy).ok_or(NoData::Backwards)?;
    let idle = match now.idle.checked_sub(last.idle) {
        Some(idle) => idle,
        // iowait is corrected downwards when a task that waited moves to another core: by less than
        // what the cores did meanwhile, or it is a reset.
        None if last.idle.abs_diff(now.idle) < busy => 0,
        None => return Err(NoData::Backwards),
    };
    #[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than f64 has")]
    match busy as f64 + idle as f64 {
        0.0 => Err(NoData::NotYet),
        total => Ok(100.0 * (busy as f64 / total)), // in this order it is never above 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &[u8] = b"cpu  10 1 5 100 4 2 3 1 7 7\ncpu0 9 9 9 9 9 9 9 9 9 9\nintr 1\n";

    #[expect(clippy::unnecessary_wraps, reason = "it is what parse gives")]
    fn ticks(busy: u64, idle: u64) -> Result<Ticks, NoData> {
        Ok(Ticks { busy, idle })
    }

    #[test]
    fn guest_time_is_not_counted_twice_and_iowait_is_not_busy() {
        assert_eq!(parse(STAT), ticks(22, 104));
    }

    #[test]
    fn the_four_fields_of_an_old_kernel_are_enough() {
        assert_eq!(parse(b"cpu 1 2 3 4\n"), ticks(6, 4));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            &b""[..],
            b"\n",
            b"cpu",
            b"cpu  1 2 3 4", // cut off: the last number may be incomplete
            b"cpu0 1 2 3 4\n",
            b"cpux 1 2 3 4\n",
            b"cpu 1 2 3\n",
            b"cpu 1 2 3 -4\n",
            b"cpu 1 2 three 4\n",
            b"cpu 99999999999999999999 2 3 4\n",
            b"cpu 18446744073709551615 18446744073709551615 3 4\n",
            b"cpu 1 2 3 18446744073709551615 1\n",
            b"\0\0\0\0\n",
            b"\xff\xfe\n",
        ] {
            assert_eq!(parse(text), Err(NoData::Malformed), "{text:?}");
        }
    }

    #[test]
    fn busy_time_is_a_part_of_all_time() {
        assert_eq!(busy_percent(ticks(100, 1000), ticks(125, 1075)), Ok(25.0));
        assert_eq!(busy_percent(ticks(0, 0), ticks(7, 0)), Ok(100.0));
        assert_eq!(busy_percent(ticks(5, 0), ticks(5, 9)), Ok(0.0));
    }

    #[test]
    fn the_first_reading_and_one_without_time_between_have_no_value() {
        assert_eq!(busy_percent(Err(NoData::NotYet), ticks(1, 1)), Err(NoData::NotYet));
        assert_eq!(busy_percent(ticks(1, 1), ticks(1, 1)), Err(NoData::NotYet));
    }

    #[test]
    fn a_counter_that_was_reset_is_named_and_not_made_a_number_of() {
        assert_eq!(busy_percent(ticks(9000, 9000), ticks(10, 10)), Err(NoData::Backwards));
        assert_eq!(busy_percent(ticks(10, 9000), ticks(20, 10)), Err(NoData::Backwards));
    }

    #[test]
    fn iowait_that_is_corrected_downwards_is_no_reset() {
        assert_eq!(busy_percent(ticks(100, 1000), ticks(200, 999)), Ok(100.0));
        assert_eq!(busy_percent(ticks(100, 1000), ticks(101, 999)), Err(NoData::Backwards));
    }

    #[test]
    fn no_rounding_makes_it_more_than_a_hundred() {
        assert_eq!(busy_percent(ticks(6, 4), ticks(16_484_744_073_709_275_814, 0)), Ok(100.0));
    }

    #[test]
    fn the_largest_counters_do_not_overflow() {
        let percent = busy_percent(ticks(0, 0), ticks(u64::MAX, u64::MAX)).unwrap();
        assert!((percent - 50.0).abs() < 0.001);
    }
}
