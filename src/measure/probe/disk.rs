//! statvfs(3) of a mount point: how full its file system is, as `df` counts.
//!
//! A file system keeps a part of its blocks for root (5 % on ext4). `df` leaves them out: a file system is
//! full when unprivileged programs cannot write to it any more.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::mounts::Mounts;
use crate::metric::sample::{NoData, Reading};
use crate::platform::device::FsBlocks;

/// The used part of file systems, in percent.
#[derive(Debug, Default, Clone)]
pub struct Disks {
    mounts: Rc<RefCell<Mounts>>,
}

impl Disks {
    /// Adds a mount point under `root` and gives its index.
    pub fn watch(&self, root: &Path, mount: &str) -> usize {
        self.mounts.borrow_mut().watch(root, mount)
    }

    /// Whether a reading of the mount point with this index takes a child process.
    #[must_use]
    pub fn needs_child(&self, index: usize) -> bool {
        self.mounts.borrow().needs_child(index)
    }

    /// Percent now of the mount point with this index.
    ///
    /// # Errors
    /// As [`Mounts::blocks`]; `NotPresent` for a file system without blocks.
    pub fn read(&self, index: usize) -> Reading {
        used_percent(self.mounts.borrow_mut().blocks(index)?)
    }
}

fn used_percent(FsBlocks { total, free, available }: FsBlocks) -> Reading {
    let used = total.checked_sub(free).ok_or(NoData::Malformed)?;
    #[expect(clippy::cast_precision_loss, reason = "a percentage needs no more than f64 has")]
    match used as f64 + available as f64 {
        0.0 => Err(NoData::NotPresent), // procfs, for example, has no blocks
        usable => Ok((100.0 * used as f64 / usable).min(100.0)), // the quotient is rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(total: u64, free: u64, available: u64) -> Reading {
        used_percent(FsBlocks { total, free, available })
    }

    fn read(root: &str, mount: &str) -> Reading {
        let disks = Disks::default();
        disks.read(disks.watch(Path::new(root), mount))
    }

    #[test]
    fn blocks_kept_for_root_are_left_out() {
        assert_eq!(percent(1000, 550, 450), Ok(50.0));
        assert_eq!(percent(1000, 50, 0), Ok(100.0));
        assert_eq!(percent(1000, 1000, 950), Ok(0.0));
    }

    #[test]
    fn file_system_without_blocks_has_no_usage() {
        assert_eq!(percent(0, 0, 0), Err(NoData::NotPresent));
        assert_eq!(read("/", "/proc"), Err(NoData::NotPresent));
    }

    #[test]
    fn more_free_than_total_blocks_are_malformed() {
        assert_eq!(percent(10, 11, 0), Err(NoData::Malformed));
    }

    #[test]
    fn largest_counts_do_not_overflow() {
        assert_eq!(percent(u64::MAX, 0, u64::MAX), Ok(50.0));
    }

    #[test]
    fn mount_point_is_looked_up_under_the_root() {
        assert_eq!(read("/", "/not/there"), Err(NoData::NotPresent));
        assert!(read("/proc/self/root", "/").is_ok());
        assert_eq!(read("/", "/nul\0"), Err(NoData::NotPresent));
        assert_eq!(Disks::default().read(0), Err(NoData::NotPresent), "never watched");
    }
}
