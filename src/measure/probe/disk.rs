//! statvfs(3) of a mount point: how full it is, as `df` counts.
//!
//! A file system keeps a part of its blocks for root (5 % on ext4). `df` leaves them out: full is
//! what unprivileged programs cannot write to any more.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::metric::sample::{NoData, Reading};
use crate::platform::device::{FsBlocks, fs_blocks};

/// The used part of a file system, in percent.
#[derive(Debug)]
pub struct Disk {
    /// `None` for a path with a NUL in it, which no file system has.
    path: Option<CString>,
}

impl Disk {
    pub fn new(root: &Path, mount: &str) -> Self {
        let path = root.join(mount.trim_start_matches('/'));
        Self { path: CString::new(path.as_os_str().as_bytes()).ok() }
    }

    pub fn read(&self) -> Reading {
        let path = self.path.as_deref().ok_or(NoData::NotPresent)?;
        used_percent(fs_blocks(path)?)
    }
}

fn used_percent(FsBlocks { total, free, available }: FsBlocks) -> Reading {
    let used = total.checked_sub(free).ok_or(NoData::Malformed)?;
    #[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than f64 has")]
    match used as f64 + available as f64 {
        0.0 => Err(NoData::NotPresent), // procfs and its like have no blocks
        usable => Ok((100.0 * used as f64 / usable).min(100.0)), // the quotient is rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(total: u64, free: u64, available: u64) -> Reading {
        used_percent(FsBlocks { total, free, available })
    }

    #[test]
    fn blocks_kept_for_root_are_left_out() {
        assert_eq!(percent(1000, 550, 450), Ok(50.0));
        assert_eq!(percent(1000, 50, 0), Ok(100.0));
        assert_eq!(percent(1000, 1000, 950), Ok(0.0));
    }

    #[test]
    fn a_file_system_without_blocks_has_no_usage() {
        assert_eq!(percent(0, 0, 0), Err(NoData::NotPresent));
        assert_eq!(Disk::new(Path::new("/"), "/proc").read(), Err(NoData::NotPresent));
    }

    #[test]
    fn more_free_than_there_is_is_malformed() {
        assert_eq!(percent(10, 11, 0), Err(NoData::Malformed));
    }

    #[test]
    fn the_largest_counts_do_not_overflow() {
        assert_eq!(percent(u64::MAX, 0, u64::MAX), Ok(50.0));
    }

    #[test]
    fn a_mount_point_is_looked_up_under_the_root() {
        assert_eq!(Disk::new(Path::new("/"), "/not/there").read(), Err(NoData::NotPresent));
        assert!(Disk::new(Path::new("/proc/self/root"), "/").read().is_ok());
        assert_eq!(Disk::new(Path::new("/"), "/nul\0").read(), Err(NoData::NotPresent));
    }
}
