//! Reading the kernel's small text files, and the pieces their parsers share.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::metric::DEVICE_LEN_MAX;
use crate::metric::sample::NoData;

/// For files that grow with the board, read to their end: 60 interfaces, or as many block devices. What a
/// larger one has beyond that is not seen.
pub const TEXT_LEN_MAX: usize = 8 * 1024;

/// A file of procfs or sysfs, opened once and read from its beginning each time.
#[derive(Debug)]
pub struct KernelFile {
    path: PathBuf,
    file: Option<File>,
}

impl KernelFile {
    /// The file at `path`, not opened yet.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Reads the file's beginning into `buffer`.
    ///
    /// # Errors
    /// Why it cannot be opened or read. It is opened again at the next call.
    pub fn read_into<'a>(&mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], NoData> {
        let length = self.read_at(buffer, 0)?;
        buffer.get(..length).ok_or(NoData::Unreadable)
    }

    /// Reads the whole file, as far as `buffer` holds it: the kernel gives a page at a time.
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into).
    pub fn read_all_into<'a>(&mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], NoData> {
        let mut length = 0;
        while let Some(free) = buffer.get_mut(length..).filter(|free| !free.is_empty()) {
            match self.read_at(free, length)? {
                0 => break,
                more => length += more,
            }
        }
        buffer.get(..length).ok_or(NoData::Unreadable)
    }

    /// Closes the file. It is opened again at the next reading.
    pub fn close(&mut self) {
        self.file = None;
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: usize) -> Result<usize, NoData> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path)?),
        };
        file.read_at(buffer, offset as u64).map_err(|error| {
            self.file = None;
            error.into()
        })
    }
}

/// The lines that end with a newline: what follows the last one may be cut off by the buffer's end,
/// in the middle of a number.
pub fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"))
}

/// Whether this can be the name of an interface or a disk in a payload and a topic: letters, digits, `.`,
/// `-` and `_`. The kernel allows more in an interface's, and nobody uses it.
#[must_use]
pub fn is_device_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    (1..=DEVICE_LEN_MAX).contains(&name.len()) && name.bytes().all(is_letter)
}

/// The words of a line.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A decimal number as the kernel writes it: digits only, and not more than fit.
pub fn number(word: &[u8]) -> Option<u64> {
    word.iter().try_fold(None, |number: Option<u64>, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?))
    })?
}

/// Hundredths, from a number with two decimals.
pub fn hundredths(word: &[u8]) -> Option<u64> {
    let (digits, decimals) = word.split_at_checked(word.len().checked_sub(3)?)?;
    number(digits)?.checked_mul(100)?.checked_add(number(decimals.strip_prefix(b".")?)?)
}

/// A number as [`number`] reads it, with a sign before it if it is negative.
pub fn signed_number(word: &[u8]) -> Option<i64> {
    match word.strip_prefix(b"-") {
        Some(digits) => i64::try_from(number(digits)?).ok()?.checked_neg(),
        None => i64::try_from(number(word)?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    #[test]
    fn a_number_is_digits_that_fit() {
        assert_eq!(number(b"0"), Some(0));
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for wrong in [
            &b""[..],
            b"18446744073709551616",
            b"99999999999999999999",
            b"-1",
            b"+1",
            b"1 ",
            b"1.0",
            b"0x1",
            b"\xff",
        ] {
            assert_eq!(number(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_signed_number_may_be_negative() {
        assert_eq!(signed_number(b"-40000"), Some(-40_000));
        assert_eq!(signed_number(b"48312"), Some(48_312));
        for wrong in [&b""[..], b"-", b"--1", b"+1", b"9223372036854775808"] {
            assert_eq!(signed_number(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_number_with_two_decimals_is_hundredths() {
        assert_eq!(hundredths(b"0.07"), Some(7));
        assert_eq!(hundredths(b"443217.61"), Some(44_321_761));
        for wrong in [&b""[..], b".61", b"1.6", b"1.610", b"1", b"-1.00", b"1.-1", b"184467440737095517.00"] {
            assert_eq!(hundredths(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_device_has_a_name_that_may_stand_in_a_topic() {
        for name in ["eth0", "wlan0", "eth0.7", "br-1234567890ab", "mmcblk0", "a"] {
            assert!(is_device_name(name), "{name}");
        }
        for name in ["", "sixteen-letters-", "a b", "a/b", "a#", "+", "\"", "é", "\u{1}"] {
            assert!(!is_device_name(name), "{name}");
        }
    }

    #[test]
    fn a_line_without_its_end_is_not_a_line() {
        let lines: Vec<_> = whole_lines(b"MemTotal: 1\n\nMemAvail").collect();
        assert_eq!(lines, [&b"MemTotal: 1"[..], b""]);
        assert_eq!(whole_lines(b"").count(), 0);
    }

    #[test]
    fn a_file_is_read_again_in_place_and_opened_again_after_it_was_gone() {
        let dir = TestDir::new("kernel-file");
        let path = dir.path().join("file");
        let mut file = KernelFile::new(path.clone());
        let mut buffer = [0; 8];
        assert_eq!(file.read_into(&mut buffer), Err(NoData::NotPresent));
        std::fs::write(&path, "one").unwrap();
        assert_eq!(file.read_into(&mut buffer), Ok(&b"one"[..]));
        std::fs::write(&path, "two, and more").unwrap();
        assert_eq!(file.read_into(&mut buffer), Ok(&b"two, and"[..]));
        assert_eq!(file.read_all_into(&mut buffer), Ok(&b"two, and"[..]));
        assert_eq!(file.read_all_into(&mut [0; 64]), Ok(&b"two, and more"[..]));
    }

    #[test]
    fn a_file_of_several_pages_is_read_to_its_end() {
        let mut file = KernelFile::new("/proc/self/smaps".into());
        let mut buffer = vec![0; 1024 * 1024];
        let all = file.read_all_into(&mut buffer).unwrap();
        assert!(all.len() > 4096 && all.ends_with(b"\n"), "{}", all.len());
    }
}
