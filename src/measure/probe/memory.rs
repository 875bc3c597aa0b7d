//! `/proc/meminfo`: memory in KiB (written "kB").
//!
//! `MemAvailable:     703784 kB`
//!
//! `MemAvailable` is the kernel's estimate of what a new program can have without swapping, since
//! Linux 3.14. Source: proc_meminfo(5).

use std::path::Path;

use super::kernel_file::{KernelFile, number, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

/// Both lines are among the first three; the rest of the file is not needed.
const HEAD_LEN: usize = 512;

/// Memory that is not available to programs, in 10⁶ bytes.
#[derive(Debug)]
pub struct Memory {
    meminfo: KernelFile,
}

impl Memory {
    /// The probe of `proc/meminfo` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { meminfo: KernelFile::new(root.join("proc/meminfo")) }
    }

    /// Megabytes now.
    ///
    /// # Errors
    /// Why the file cannot be read, or what [`parse_used_kib`] says of it.
    pub fn read(&mut self) -> Reading {
        let mut buffer = [0; HEAD_LEN];
        let used_kib = parse_used_kib(self.meminfo.read_into(&mut buffer)?)?;
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³ KiB, more than a Pi has")]
        Ok(used_kib as f64 * 1024.0 / 1e6)
    }
}

/// MemTotal − MemAvailable, in KiB, from the beginning of `/proc/meminfo`.
///
/// # Errors
/// `Malformed`, if one of the two is missing or no number, or if more is available than there is.
pub fn parse_used_kib(text: &[u8]) -> Result<u64, NoData> {
    let total_kib = field_kib(text, b"MemTotal:")?;
    let available_kib = field_kib(text, b"MemAvailable:")?;
    total_kib.checked_sub(available_kib).ok_or(NoData::Malformed)
}

fn field_kib(text: &[u8], key: &[u8]) -> Result<u64, NoData> {
    let mut fields = whole_lines(text).map(words);
    let value = fields.find_map(|mut words| (words.next() == Some(key)).then(|| words.next()));
    value.flatten().and_then(number).ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_is_what_is_not_available() {
        let text = b"MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  600 kB\n";
        assert_eq!(parse_used_kib(text), Ok(400));
    }

    #[test]
    fn a_key_that_another_begins_with_is_not_taken_for_it() {
        let text = b"MemTotalX: 7 kB\nMemTotal: 1000 kB\nMemAvailableish: 1 kB\nMemAvailable: 600 kB\n";
        assert_eq!(parse_used_kib(text), Ok(400));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            &b""[..],
            b"MemTotal: 1000 kB\nMemFree: 100 kB\n", // before Linux 3.14
            b"MemTotal: 1000 kB\nMemAvailable: 60",  // cut off within the number
            b"MemTotal: 1000 kB\nMemAvailable: \n",
            b"MemTotal: 1000 kB\nMemAvailable: -600 kB\n",
            b"MemTotal: 1000 kB\nMemAvailable: 99999999999999999999 kB\n",
            b"MemTotal: 1000 kB\nMemAvailable: 1001 kB\n", // more than there is
            b"MemTotal 1000 kB\nMemAvailable: 600 kB\n",
        ] {
            assert_eq!(parse_used_kib(text), Err(NoData::Malformed), "{text:?}");
        }
    }
}
