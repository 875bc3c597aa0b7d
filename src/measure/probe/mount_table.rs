//! `/proc/self/mountinfo`: which paths can be asked for their usage without the risk to wait for ever.
//!
//! `36 25 0:31 / /mnt/nas rw,relatime - nfs4 nas:/export rw,vers=4.2,hard`
//!
//! Fields as in [`mountinfo`](super::mountinfo). The file is this process's own, wherever the measured board
//! is rooted: it tells where a path of this process leads. Reading it asks no file system. poll(2) reports
//! when it changes.
//!
//! A path is local if every mount on the way to it is, symbolic links included. A mount is local if
//!
//! - its device is a block device. statvfs(2) of such a file system answers from memory (ext4, f2fs, xfs), or
//!   reads from a disk (vfat, the first time). Not local are [`SERVED_TYPES`]: file systems on a block device
//!   that ask somebody else for an answer.
//! - or its type is one of [`LOCAL_TYPES`], which have no device number of their own: tmpfs, ramfs, rootfs
//!   and devtmpfs are in memory; ubifs and jffs2 are on flash chips; squashfs and btrfs are on disks; overlay
//!   asks the file system of its upper layer, which on a device is a tmpfs or a partition, and cannot be an
//!   NFS.
//!
//! Every other type may wait for a server or a program: nfs, cifs, fuse, 9p, virtiofs, ceph, and autofs, which
//! mounts something first. Unknown types count as not local, too.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::kernel_file::{number, whole_lines, words};
use crate::platform::event::{Readiness, wait};

const FILE: &str = "/proc/self/mountinfo";

/// Types without a block device of their own that never wait for anybody else.
const LOCAL_TYPES: [&[u8]; 9] =
    [b"tmpfs", b"ramfs", b"rootfs", b"devtmpfs", b"squashfs", b"ubifs", b"jffs2", b"overlay", b"btrfs"];

/// Types on a block device that may wait: for a program (ntfs-3g, exfat-fuse), or for other machines of a
/// cluster.
const SERVED_TYPES: [&[u8]; 3] = [b"fuseblk", b"ocfs2", b"gfs2"];

/// As many symbolic links as the kernel follows (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// The mounts of this process, as last read.
#[derive(Debug, Default)]
pub struct MountTable {
    file: Option<File>,
    text: Vec<u8>,
}

impl MountTable {
    /// Reads the file.
    #[must_use]
    pub fn read() -> Self {
        let mut table = Self { file: File::open(FILE).ok(), text: Vec::new() };
        table.read_again();
        table
    }

    /// Reads the file again if it has changed. True if it was read.
    pub fn update(&mut self) -> bool {
        // An error is what the kernel reports a change as (proc_pid_mounts(5)).
        let Some(file) = &self.file else { return false };
        let mut descriptors = [(file.as_raw_fd(), Readiness::default())];
        wait(&mut descriptors, Duration::ZERO);
        let [(_, ready)] = descriptors;
        if ready.readable {
            self.read_again();
        }
        ready.readable
    }

    fn read_again(&mut self) {
        self.text.clear();
        let Some(file) = &mut self.file else { return };
        if file.rewind().and_then(|()| file.read_to_end(&mut self.text)).is_err() {
            self.text.clear(); // then no path is known to be local
        }
    }

    /// Whether no mount on the way to `path` can make a system call wait for a server or a program.
    #[must_use]
    pub fn is_local(&self, path: &Path) -> bool {
        std::path::absolute(path)
            .is_ok_and(|path| is_local(&self.text, &path, |link| fs::read_link(link).ok()))
    }
}

/// Whether every mount on the way to `path`, which is absolute, is local. `read_link` gives where a symbolic
/// link leads. It is called with paths on local mounts only.
pub fn is_local(text: &[u8], path: &Path, read_link: impl Fn(&Path) -> Option<PathBuf>) -> bool {
    let mut links = 0;
    let mut found = PathBuf::from("/");
    if are_local_at(text, &found) != Some(true) {
        return false;
    }
    let mut rest = path.to_owned();
    loop {
        let mut parts = rest.components();
        let Some(part) = parts.next() else { return true };
        let after = parts.as_path();
        let mut target = None;
        match part {
            Component::RootDir => found = PathBuf::from("/"),
            Component::ParentDir => drop(found.pop()),
            Component::Normal(name) => {
                found.push(name);
                match are_local_at(text, &found) {
                    Some(true) => {}
                    Some(false) => return false,
                    None => target = read_link(&found),
                }
            }
            Component::CurDir | Component::Prefix(_) => {}
        }
        rest = match target {
            Some(_) if links == LINKS_MAX => return false,
            Some(target) => {
                links += 1;
                found.pop();
                target.join(after)
            }
            None => after.to_owned(),
        };
    }
}

/// Whether all mounts at this mount point are local, also those that others hide. `None` if there is none.
fn are_local_at(text: &[u8], mount_point: &Path) -> Option<bool> {
    let mount_point = mount_point.as_os_str().as_bytes();
    let at =
        |line: &&[u8]| words(line).nth(4).is_some_and(|word| unescaped(word).eq(mount_point.iter().copied()));
    whole_lines(text).filter(at).map(is_local_mount).reduce(|all, this| all && this)
}

fn is_local_mount(line: &[u8]) -> bool {
    let mut words = words(line).skip(2);
    let major = words.next().and_then(|device| number(device.split(|&byte| byte == b':').next()?));
    let kind = words.find(|word| *word == b"-").and_then(|_| words.next()).unwrap_or_default();
    let is_on_block_device = major.is_some_and(|major| major != 0);
    is_on_block_device && !SERVED_TYPES.contains(&kind) || LOCAL_TYPES.contains(&kind)
}

/// A mount point as it is: a blank is written as `\040`, with three octal digits, and so are a tab, a newline
/// and a backslash.
fn unescaped(word: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) = (first, after) {
            rest = after;
            return Some((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
        }
        rest = after;
        Some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"1 1 0:2 / / rw - rootfs rootfs rw\n\
        25 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw\n\
        26 25 0:5 / /dev rw - devtmpfs udev rw\n\
        27 25 0:25 / /run rw - tmpfs tmpfs rw\n\
        28 25 179:1 / /boot/firmware rw - vfat /dev/mmcblk0p1 rw\n\
        29 25 0:31 / /mnt/nas rw - nfs4 nas:/export rw\n\
        30 29 8:1 / /mnt/nas/usb rw - ext4 /dev/sda1 rw\n\
        31 25 8:17 / /mnt/ntfs rw - fuseblk /dev/sdb1 rw\n\
        32 25 0:40 / /mnt/auto rw - autofs systemd-1 rw\n\
        33 32 8:33 / /mnt/auto rw - ext4 /dev/sdc1 rw\n\
        34 25 0:41 / /mnt/a\\040b\\134 rw - fuse.sshfs host: rw\n\
        35 25 0:42 / /data rw - btrfs /dev/sdd rw\n";

    /// With links that lead from `/nas` to the NFS, from `/fw` to the boot partition, and from `/loop` to
    /// itself. A link on a mount that may hang must not be read.
    fn is_local_here(path: &str) -> bool {
        is_local(TEXT, Path::new(path), |link| {
            assert!(!link.starts_with("/mnt/nas") && !link.starts_with("/mnt/ntfs"), "{link:?} was touched");
            match link.to_str()? {
                "/nas" => Some("mnt/nas".into()),
                "/fw" => Some("/boot/firmware".into()),
                "/run/up" => Some("../boot".into()),
                "/loop" => Some("loop".into()),
                _ => None,
            }
        })
    }

    #[test]
    fn block_device_memory_and_flash_are_local() {
        for path in
            ["/", "/home/pi", "/run/x", "/boot/firmware", "/dev", "/data/x", "/fw/x", "/run/up/firmware"]
        {
            assert!(is_local_here(path), "{path}");
        }
    }

    #[test]
    fn server_program_and_automounter_are_not_local() {
        for path in
            ["/mnt/nas", "/mnt/nas/x/..", "/mnt/ntfs", "/mnt/auto", "/mnt/a b\\", "/nas", "/nas/x", "/loop"]
        {
            assert!(!is_local_here(path), "{path}");
        }
        assert!(is_local_here("/mnt/nasx") && is_local_here("/mnt/a"), "only whole names count");
    }

    #[test]
    fn disk_behind_a_server_is_not_local() {
        assert!(!is_local_here("/mnt/nas/usb"));
    }

    #[test]
    fn nothing_is_local_where_the_table_does_not_say_so() {
        for text in
            [&b""[..], b"25 1 179:2 / /data rw - ext4 /dev/root rw\n", b"25 1 179:2 / / rw - ext4 x rw"]
        {
            assert!(!is_local(text, Path::new("/data"), |_| None), "{text:?}");
        }
        for line in [
            "25 1 0:9 / / rw - newfs x rw",
            "25 1 x:2 / / rw - ext4 /dev/root rw",
            "25 1 179:2 / / rw - fuseblk /dev/root rw",
            "25 1 0:2 / / rw - fuse.tmpfs x rw",
        ] {
            assert!(!is_local(format!("{line}\n").as_bytes(), Path::new("/"), |_| None), "{line}");
        }
        assert!(!MountTable::default().is_local(Path::new("/")));
    }

    #[test]
    fn this_machine_s_table_is_read_and_does_not_change_by_itself() {
        let mut table = MountTable::read();
        assert!(whole_lines(&table.text).count() > 0);
        assert!(!table.is_local(Path::new("/proc")));
        table.update();
        assert!(whole_lines(&table.text).count() > 0);
    }
}
