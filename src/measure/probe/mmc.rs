//! `/sys/block/mmcblk0/device/life_time` and `pre_eol_info`: how far an eMMC is worn, as it says itself.
//!
//! `0x01 0x02`, and `0x01`
//!
//! Life time used of cells of type A and of type B, in tenths, rounded up; 0x0b is beyond it, 0 is not
//! said. Reserved blocks: 1 normal, 2 a fifth or less left, 3 a tenth or less. An SD card has neither file.
//! Source: Documentation/driver-api/mmc/mmc-dev-attrs.rst, and JESD84-B51, section 7.4.

use std::path::Path;

use super::kernel_file::{KernelFile, whole_lines, words};
use crate::metric::Metric;
use crate::metric::sample::{NoData, Reading};

const TEXT_LEN_MAX: usize = 32;

/// Wear of the disk that the root file system is on.
#[derive(Debug)]
pub struct Mmc {
    life_time: KernelFile,
    pre_eol_info: KernelFile,
}

impl Mmc {
    /// The probe of a disk under `root`, whose files are opened at the first reading.
    #[must_use]
    pub fn new(root: &Path, disk: &str) -> Self {
        let device = root.join("sys/block").join(disk).join("device");
        Self {
            life_time: KernelFile::new(device.join("life_time")),
            pre_eol_info: KernelFile::new(device.join("pre_eol_info")),
        }
    }

    /// What the disk says now.
    ///
    /// # Errors
    /// Why the file cannot be read, or what its parser says of it.
    pub fn read(&mut self, metric: Metric) -> Reading {
        let mut buffer = [0; TEXT_LEN_MAX];
        match metric {
            Metric::SdLifeTimeA => parse_life_time(self.life_time.read_into(&mut buffer)?, 0).map(f64::from),
            Metric::SdLifeTimeB => parse_life_time(self.life_time.read_into(&mut buffer)?, 1).map(f64::from),
            Metric::SdPreEol => parse_pre_eol(self.pre_eol_info.read_into(&mut buffer)?).map(f64::from),
            _ => Err(NoData::NotPresent),
        }
    }
}

/// Percent of the life time that is used, 10 to 110, from the word of that number.
///
/// # Errors
/// `NotPresent`, if the device does not say; `Malformed`, if it is no such value.
pub fn parse_life_time(text: &[u8], word: usize) -> Result<u8, NoData> {
    byte(text, word, 0x0b).map(|tenths| 10 * tenths)
}

/// 1 to 3.
///
/// # Errors
/// As [`parse_life_time`].
pub fn parse_pre_eol(text: &[u8]) -> Result<u8, NoData> {
    byte(text, 0, 3)
}

fn byte(text: &[u8], word: usize, max: u8) -> Result<u8, NoData> {
    let line = whole_lines(text).next().ok_or(NoData::Malformed)?;
    let digits = words(line).nth(word).and_then(|word| str::from_utf8(word.strip_prefix(b"0x")?).ok());
    let is_hex = |digits: &&str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    match digits.filter(is_hex).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(0) => Err(NoData::NotPresent),
        Some(value) if value <= max => Ok(value),
        _ => Err(NoData::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn life_time_is_in_tenths_of_each_type() {
        assert_eq!(parse_life_time(b"0x01 0x02\n", 0), Ok(10));
        assert_eq!(parse_life_time(b"0x01 0x02\n", 1), Ok(20));
        assert_eq!(parse_life_time(b"0x0a 0x0b\n", 1), Ok(110), "beyond it");
        assert_eq!(parse_pre_eol(b"0x03\n"), Ok(3));
    }

    #[test]
    fn what_the_device_does_not_say_is_no_zero() {
        assert_eq!(parse_life_time(b"0x00 0x02\n", 0), Err(NoData::NotPresent));
        assert_eq!(parse_pre_eol(b"0x00\n"), Err(NoData::NotPresent));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            &b""[..],
            b"0x01",
            b"\n",
            b"1\n",
            b"0x\n",
            b"0x0c\n",
            b"0x+1\n",
            b"0x-1\n",
            b"0xzz\n",
            b"0x99999999999999999999\n",
        ] {
            assert_eq!(parse_life_time(text, 0), Err(NoData::Malformed), "{text:?}");
        }
        assert_eq!(parse_life_time(b"0x01\n", 1), Err(NoData::Malformed));
        assert_eq!(parse_pre_eol(b"0x04\n"), Err(NoData::Malformed));
    }
}
