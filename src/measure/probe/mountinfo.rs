//! `/proc/self/mountinfo`: how the root file system is mounted, and on which device it is.
//!
//! `25 1 179:2 / / rw,noatime - ext4 /dev/root rw,errors=remount-ro`
//!
//! Number, parent, device, root, mount point, options of the mount, optional fields, `-`, type, source,
//! options of the file system. Source: proc_pid_mountinfo(5).

use std::path::Path;

use super::kernel_file::{KernelFile, TEXT_LEN_MAX, number, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

/// File systems that nobody can write to: that they are read-only says nothing.
const READ_ONLY_TYPES: [&[u8]; 5] = [b"squashfs", b"erofs", b"cramfs", b"romfs", b"iso9660"];

/// Whether the root file system is read-only.
#[derive(Debug)]
pub struct Mountinfo {
    file: KernelFile,
}

/// What the file says of the root file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootMount {
    /// Major and minor number of its device; major 0 is none of the kernel's block devices.
    pub device: (u64, u64),
    /// Whether it is read-only; `None` where it can be nothing else.
    pub is_read_only: Option<bool>,
}

impl Mountinfo {
    /// The probe of `proc/self/mountinfo` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { file: KernelFile::new(root.join("proc/self/mountinfo")) }
    }

    /// 1 while the root file system is read-only, else 0.
    ///
    /// # Errors
    /// As [`root`](Self::root); `NotPresent` also for one that can be nothing else.
    pub fn read(&mut self) -> Reading {
        self.root()?
            .is_read_only
            .map(|is_read_only| f64::from(u8::from(is_read_only)))
            .ok_or(NoData::NotPresent)
    }

    /// The root file system now.
    ///
    /// # Errors
    /// Why the file cannot be read, or what [`parse`] says of it.
    pub fn root(&mut self) -> Result<RootMount, NoData> {
        let mut buffer = [0; TEXT_LEN_MAX];
        parse(self.file.read_all_into(&mut buffer)?)
    }
}

/// The last mount at `/`, which hides those before it.
///
/// # Errors
/// `NotPresent`, if there is none; `Malformed`, if a field is missing.
pub fn parse(text: &[u8]) -> Result<RootMount, NoData> {
    let is_root = |line: &&[u8]| words(line).nth(4) == Some(b"/");
    let line = whole_lines(text).filter(is_root).last().ok_or(NoData::NotPresent)?;
    parse_line(line).ok_or(NoData::Malformed)
}

fn parse_line(line: &[u8]) -> Option<RootMount> {
    let mut words = words(line).skip(2);
    let mut device = words.next()?.splitn(2, |&byte| byte == b':').map(number);
    let device = (device.next()??, device.next()??);
    let mount_options = words.nth(2)?;
    words.find(|word| *word == b"-")?;
    let (kind, options) = (words.next()?, words.nth(1)?);
    // Since Linux 6.12 ext4 does not call itself `ro` after an error; since 6.15 it says so in its own word.
    let has = |options: &[u8], word: &[u8]| options.split(|&byte| byte == b',').any(|option| option == word);
    let is_read_only = has(mount_options, b"ro") || has(options, b"ro") || has(options, b"emergency_ro");
    let is_read_only = (!READ_ONLY_TYPES.contains(&kind)).then_some(is_read_only);
    Some(RootMount { device, is_read_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(line: &str) -> Result<RootMount, NoData> {
        parse(format!("22 26 0:21 / /sys rw - sysfs sysfs rw\n{line}\n").as_bytes())
    }

    fn is_read_only(line: &str) -> Option<bool> {
        root(line).unwrap().is_read_only
    }

    #[test]
    fn the_root_has_a_device_and_can_be_written_to() {
        let mount = root("26 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw,errors=remount-ro");
        assert_eq!(mount, Ok(RootMount { device: (179, 2), is_read_only: Some(false) }));
    }

    #[test]
    fn it_is_read_only_by_its_mount_by_an_error_or_by_an_error_of_a_new_kernel() {
        assert_eq!(is_read_only("26 1 179:2 / / ro,noatime - ext4 /dev/root rw"), Some(true));
        assert_eq!(is_read_only("26 1 179:2 / / rw,noatime - ext4 /dev/root ro"), Some(true));
        assert_eq!(is_read_only("26 1 179:2 / / rw - ext4 /dev/root rw,emergency_ro"), Some(true));
        assert_eq!(is_read_only("26 1 179:2 / / rw,rox - ext4 /dev/ro rw,xro,errors=ro"), Some(false));
    }

    #[test]
    fn one_that_can_be_nothing_else_has_no_reading() {
        assert_eq!(is_read_only("26 1 179:2 / / ro - squashfs /dev/root ro"), None);
        assert_eq!(is_read_only("26 1 0:25 / / rw - overlay overlay rw,lowerdir=/ro"), Some(false));
    }

    #[test]
    fn the_last_mount_at_the_root_hides_those_before_it() {
        let both = "1 1 0:2 / / rw - rootfs rootfs rw\n26 1 179:2 / / ro - ext4 /dev/root ro";
        assert_eq!(root(both), Ok(RootMount { device: (179, 2), is_read_only: Some(true) }));
    }

    #[test]
    fn anything_else_is_malformed_or_not_there() {
        for text in [&b""[..], b"26 1 179:2 / /data rw - ext4 /dev/x rw\n", b"26 1 179:2 / / rw - ext4 x rw"]
        {
            assert_eq!(parse(text), Err(NoData::NotPresent), "{text:?}");
        }
        for line in [
            "26 1 179:2 / /",
            "26 1 179:2 / / rw",
            "26 1 179:2 / / rw - ext4 /dev/root",
            "26 1 179:2 / / rw ext4 /dev/root rw",
            "26 1 179 / / rw - ext4 /dev/root rw",
            "26 1 179:x / / rw - ext4 /dev/root rw",
            "26 1 99999999999999999999:2 / / rw - ext4 /dev/root rw",
        ] {
            assert_eq!(root(line), Err(NoData::Malformed), "{line}");
        }
    }
}
