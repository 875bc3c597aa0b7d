//! What is asked of a file system and of the VideoCore mailbox.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::{MaybeUninit, size_of, size_of_val};
use std::os::fd::AsRawFd as _;

use super::check;

// The same call with 64-bit counts on every architecture: musl has no other, glibc gives it a name.
#[cfg(not(target_env = "gnu"))]
use libc::{statfs, statvfs};
#[cfg(target_env = "gnu")]
use libc::{statfs64 as statfs, statvfs64 as statvfs};

/// The block counts of a file system, in units of its own (statvfs(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsBlocks {
    /// Blocks in all (`f_blocks`).
    pub total: u64,
    /// Free blocks, the ones kept for root included (`f_bfree`).
    pub free: u64,
    /// Free blocks that an unprivileged user can have (`f_bavail`).
    pub available: u64,
}

/// Asks for the block counts of the file system that holds `path`.
///
/// # Errors
/// What statvfs(3) says: `ENOENT`, `EACCES`, `EIO`, …
pub fn fs_blocks(path: &CStr) -> io::Result<FsBlocks> {
    let mut stat = MaybeUninit::<statvfs>::zeroed();
    // SAFETY: `path` ends with NUL; the pointer is to a statvfs of our own, read only after success.
    let stat = unsafe {
        check(statvfs(path.as_ptr(), stat.as_mut_ptr()))?;
        stat.assume_init()
    };
    Ok(FsBlocks { total: stat.f_blocks, free: stat.f_bfree, available: stat.f_bavail })
}

/// Whether what is written at `path` stays in memory, and wears no storage: a tmpfs or a ramfs.
///
/// # Errors
/// What statfs(2) says: `ENOENT`, `EACCES`, `EIO`, …
pub fn is_in_memory(path: &CStr) -> io::Result<bool> {
    const TMPFS: i128 = 0x0102_1994;
    const RAMFS: i128 = 0x8584_58f6;
    let mut stat = MaybeUninit::<statfs>::zeroed();
    // SAFETY: `path` ends with NUL; the pointer is to a statfs of our own, read only after success.
    let stat = unsafe {
        check(statfs(path.as_ptr(), stat.as_mut_ptr()))?;
        stat.assume_init()
    };
    // The field's type and sign differ between systems; the number has 32 bits.
    let kind = i128::from(stat.f_type) & 0xffff_ffff;
    Ok(kind == TMPFS || kind == RAMFS)
}

/// Hands a VideoCore property message to the firmware, which writes its answer into the same words.
///
/// The request is `_IOWR(100, 0, char *)`. It holds the pointer's size, so it differs between 32 and
/// 64 bits: `0xc0046400` and `0xc0086400`.
///
/// # Errors
/// `EINVAL` if the firmware refused a tag, or if the message's first word is not its length in bytes;
/// `ENOTTY` or `ENOSYS` if the file is not the mailbox.
pub fn vcio_property(vcio: &File, message: &mut [u32]) -> io::Result<()> {
    const READ_WRITE: u32 = 3 << 30;
    // musl declares the request as int, glibc as unsigned long; the bits are the same.
    #[expect(clippy::cast_possible_truncation, reason = "a pointer has 4 or 8 bytes")]
    const REQUEST: libc::Ioctl =
        (READ_WRITE | (size_of::<*const u8>() as u32) << 16 | 100 << 8) as libc::Ioctl;

    if message.first().map(|&bytes| bytes as usize) != Some(size_of_val(message)) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: the driver reads and writes as many bytes as the first word says, which is the
    // buffer's own length.
    check(unsafe { libc::ioctl(vcio.as_raw_fd(), REQUEST, message.as_mut_ptr()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_file_system_has_more_blocks_than_free_ones() {
        let blocks = fs_blocks(c"/").unwrap();
        assert!(blocks.total > blocks.free && blocks.free >= blocks.available, "{blocks:?}");
    }

    #[test]
    fn a_tmpfs_is_told_from_what_is_kept() {
        assert!(!is_in_memory(c"/proc").unwrap());
        assert_eq!(is_in_memory(c"/not/there").unwrap_err().kind(), io::ErrorKind::NotFound);
        // Where there is one: a container may have none.
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        for mount in mounts.lines().filter_map(|line| line.strip_prefix("tmpfs ")) {
            let path = std::ffi::CString::new(mount.split(' ').next().unwrap()).unwrap();
            assert!(is_in_memory(&path).unwrap_or(true), "{path:?}");
        }
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error() {
        assert_eq!(fs_blocks(c"/not/there").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_message_of_another_length_than_it_says_does_not_reach_the_driver() {
        let null = File::open("/dev/null").unwrap();
        let refused = vcio_property(&null, &mut [64, 0, 0]).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
        // Of the right length it does, and /dev/null is no mailbox.
        let refused = vcio_property(&null, &mut [12, 0, 0]).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ENOTTY));
    }
}
