//! `/proc/vmstat`: what memory management has counted since boot.
//!
//! `oom_kill 0`
//!
//! One counter a line; this one counts the processes that were killed because memory ran out, since
//! Linux 4.13. Source: proc_vmstat(5), and Documentation/admin-guide/cgroup-v2.rst for `oom_kill`.

use std::path::Path;

use super::kernel_file::{KernelFile, TEXT_LEN_MAX, number, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

/// Processes killed for want of memory.
#[derive(Debug)]
pub struct Vmstat {
    file: KernelFile,
}

impl Vmstat {
    /// The probe of `proc/vmstat` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { file: KernelFile::new(root.join("proc/vmstat")) }
    }

    /// The count now.
    ///
    /// # Errors
    /// Why the file cannot be read, or what [`parse_oom_kills`] says of it.
    pub fn read(&mut self) -> Reading {
        let mut buffer = [0; TEXT_LEN_MAX];
        let kills = parse_oom_kills(self.file.read_all_into(&mut buffer)?)?;
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
        Ok(kills as f64)
    }
}

/// Processes that were killed for want of memory since boot.
///
/// # Errors
/// `NotPresent`, if there is no such line; `Malformed`, if its value is no number.
pub fn parse_oom_kills(text: &[u8]) -> Result<u64, NoData> {
    let mut values = whole_lines(text).filter_map(|line| {
        let mut words = words(line);
        (words.next() == Some(b"oom_kill")).then(|| words.next())
    });
    values.next().ok_or(NoData::NotPresent)?.and_then(number).ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found_by_its_whole_name() {
        assert_eq!(parse_oom_kills(b"pswpout 7\noom_kill 3\n"), Ok(3));
        assert_eq!(parse_oom_kills(b"oom_killer 7\nxoom_kill 8\noom_kill 3\n"), Ok(3));
    }

    #[test]
    fn a_kernel_that_does_not_count_has_no_reading() {
        for text in [&b""[..], b"oom_killer 3\n", b"oom_kill 3"] {
            assert_eq!(parse_oom_kills(text), Err(NoData::NotPresent), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in
            [&b"oom_kill\n"[..], b"oom_kill -1\n", b"oom_kill 99999999999999999999\n", b"oom_kill x\n"]
        {
            assert_eq!(parse_oom_kills(text), Err(NoData::Malformed), "{text:?}");
        }
    }
}
