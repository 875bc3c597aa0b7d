//! `/proc/swaps`: the swap spaces, and how much of each is in use, in KiB.
//!
//! `/var/swap   file   524284   39168   -2`
//!
//! After a line of titles one line each: name (a blank in it is `\040`), kind, size, used, priority.
//! Source: proc_swaps(5).

use std::path::Path;

use super::kernel_file::{KernelFile, number, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

/// A dozen swap spaces; a Pi has one or two.
const TEXT_LEN_MAX: usize = 1024;

/// Swap space in use, in 10⁶ bytes.
#[derive(Debug)]
pub struct Swaps {
    file: KernelFile,
}

impl Swaps {
    /// The probe of `proc/swaps` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { file: KernelFile::new(root.join("proc/swaps")) }
    }

    /// Megabytes now.
    ///
    /// # Errors
    /// Why the file cannot be read, or what [`parse_used_kib`] says of it.
    pub fn read(&mut self) -> Reading {
        let mut buffer = [0; TEXT_LEN_MAX];
        let used_kib = parse_used_kib(self.file.read_into(&mut buffer)?)?;
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³ KiB, more than there is")]
        Ok(used_kib as f64 * 1024.0 / 1e6)
    }
}

/// The sum of what is in use of each swap space, in KiB.
///
/// # Errors
/// `NotPresent`, if there is no swap space; `Malformed`, if a line is not as it should be, or is cut off.
pub fn parse_used_kib(text: &[u8]) -> Result<u64, NoData> {
    if !text.ends_with(b"\n") {
        return Err(NoData::Malformed); // one that is left out would make the sum wrong
    }
    let used = whole_lines(text).skip(1).map(|line| words(line).nth(3).and_then(number));
    let sum = used.fold(None, |sum: Option<Option<u64>>, used| {
        Some(sum.unwrap_or(Some(0)).and_then(|sum| sum.checked_add(used?)))
    });
    sum.ok_or(NoData::NotPresent)?.ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

    fn used_kib(lines: &str) -> Result<u64, NoData> {
        parse_used_kib(format!("{TITLES}{lines}").as_bytes())
    }

    #[test]
    fn what_is_used_of_all_swap_spaces_is_summed_up() {
        assert_eq!(used_kib("/var/swap file\t524284\t\t39168\t\t-2\n"), Ok(39_168));
        assert_eq!(used_kib("/dev/zram0 partition 100 7 100\n/a\\040b file 9 2 -2\n"), Ok(9));
        assert_eq!(used_kib("/var/swap file 8184 0 -2\n"), Ok(0), "none in use is known");
    }

    #[test]
    fn a_board_without_swap_space_has_no_reading() {
        assert_eq!(used_kib(""), Err(NoData::NotPresent));
    }

    #[test]
    fn anything_else_is_malformed() {
        assert_eq!(parse_used_kib(b""), Err(NoData::Malformed));
        for lines in [
            "/var/swap file\n",
            "/var/swap file 8184 7 -2", // cut off
            "/var/swap file 8184 7 -2\n/dev/sda2\tpart",
            "\n",
            "/var/swap file 8184 -7 -2\n",
            "/var/swap file 8184 99999999999999999999 -2\n",
            "/a file 1 18446744073709551615 -2\n/b file 1 1 -2\n",
        ] {
            assert_eq!(used_kib(lines), Err(NoData::Malformed), "{lines:?}");
        }
    }
}
