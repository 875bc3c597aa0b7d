//! Reading the kernel's small text files, and the pieces their parsers share.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::sample::NoData;

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
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::open(&self.path).map_err(|error| no_data(&error))?),
        };
        match file.read_at(buffer, 0) {
            Ok(length) => buffer.get(..length).ok_or(NoData::Unreadable),
            Err(error) => {
                self.file = None;
                Err(no_data(&error))
            }
        }
    }
}

/// What an error of the file system means for a reading.
pub fn no_data(error: &io::Error) -> NoData {
    match error.kind() {
        io::ErrorKind::NotFound => NoData::NotPresent,
        io::ErrorKind::PermissionDenied => NoData::Denied,
        _ => NoData::Unreadable,
    }
}

/// The lines that end with a newline: what follows the last one may be cut off by the buffer's end,
/// in the middle of a number.
pub fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"))
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
    }
}
