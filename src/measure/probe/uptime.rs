//! `/proc/uptime`: seconds since boot, and seconds that all cores were idle.
//!
//! `443217.61 1667842.64`
//!
//! Time asleep is counted, as by the boot clock. Source: proc_uptime(5).

use std::path::Path;

use super::kernel_file::{KernelFile, hundredths, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

const LINE_LEN_MAX: usize = 64;

/// Seconds since boot.
#[derive(Debug)]
pub struct Uptime {
    file: KernelFile,
}

impl Uptime {
    /// The probe of `proc/uptime` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { file: KernelFile::new(root.join("proc/uptime")) }
    }

    /// Seconds now.
    ///
    /// # Errors
    /// Why the file cannot be read, or what [`parse_hundredths`] says of it.
    pub fn read(&mut self) -> Reading {
        let mut buffer = [0; LINE_LEN_MAX];
        let hundredths = parse_hundredths(self.file.read_into(&mut buffer)?)?;
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
        Ok(hundredths as f64 / 100.0)
    }
}

/// Hundredths of a second since boot.
///
/// # Errors
/// `Malformed`, if the first word of the first line is no number with two decimals.
pub fn parse_hundredths(text: &[u8]) -> Result<u64, NoData> {
    let line = whole_lines(text).next().ok_or(NoData::Malformed)?;
    words(line).next().and_then(hundredths).ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_time_since_boot() {
        assert_eq!(parse_hundredths(b"443217.61 1667842.64\n"), Ok(44_321_761));
        assert_eq!(parse_hundredths(b"0.00 0.00\n"), Ok(0));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            &b""[..],
            b"\n",
            b"443217.61 1667842.64", // cut off
            b"443217 1\n",
            b"443217.6 1\n",
            b".61 1\n",
            b"-1.00 1\n",
            b"99999999999999999999.99 -1.00\n",
        ] {
            assert_eq!(parse_hundredths(text), Err(NoData::Malformed), "{text:?}");
        }
    }
}
