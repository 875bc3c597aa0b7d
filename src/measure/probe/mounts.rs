//! The block counts of mount points, without the risk that one which does not answer stops everything.
//!
//! statvfs(3) of a file system whose server is gone blocks for as long as the server is, and no signal ends
//! it. A local mount ([`mount_table`](super::mount_table)) is asked directly. Every other one is asked in a
//! child process, one mount after the other, and a sample waits [`ANSWER_WAIT`] for each. A child that has not
//! answered by then stays: as long as it is pending, the mount is not answering, and no second child is
//! started for it. What it answers later is old, so it is thrown away and the mount is asked again.

use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heapless::Vec as Bytes;

use super::mount_table::MountTable;
use crate::metric::limits::MOUNTS_MAX;
use crate::metric::sample::NoData;
use crate::platform::child::{Child, SET_ASIDE_MAX};
use crate::platform::device::{FsBlocks, fs_blocks};
use crate::platform::event::{Waited, wait_unless_signalled};

/// How long a sample waits for a mount's answer, which takes one or two round trips to a server.
const ANSWER_WAIT: Duration = Duration::from_millis(500);

// Mounts that do not answer leave children for name look-ups.
const _: () = assert!(MOUNTS_MAX < SET_ASIDE_MAX);

/// The error number and the three counts of [`FsBlocks`]. With an error the counts are 0.
const ANSWER_LEN: usize = 4 * size_of::<u64>();

/// Mount points that are read.
#[derive(Debug, Default)]
pub struct Mounts {
    /// Read when the first mount point is added.
    table: Option<MountTable>,
    mounts: Vec<Mount>,
}

#[derive(Debug)]
struct Mount {
    path: PathBuf,
    /// The same for the system call; `None` for a path with a NUL, which no file system has.
    c_path: Option<CString>,
    is_root: bool,
    is_local: bool,
    pending: Option<Child>,
}

impl Mounts {
    /// Adds a mount point under `root`, unless it is known, and gives its index.
    pub fn watch(&mut self, root: &Path, mount: &str) -> usize {
        let path = root.join(mount.trim_start_matches('/'));
        if let Some(known) = self.mounts.iter().position(|known| known.path == path) {
            return known;
        }
        let table = self.table.get_or_insert_with(MountTable::read);
        table.update();
        self.mounts.push(Mount {
            c_path: CString::new(path.as_os_str().as_bytes()).ok(),
            is_root: mount == "/",
            is_local: table.is_local(&path),
            pending: None,
            path,
        });
        self.mounts.len() - 1
    }

    /// Whether the mount point with this index is read in a child process.
    #[must_use]
    pub fn needs_child(&self, index: usize) -> bool {
        self.mounts.get(index).is_some_and(|mount| !mount.is_local)
    }

    /// The block counts now of the mount point with this index.
    ///
    /// # Errors
    /// `NotAnswering`, if it does not answer in time; `NotYet`, if a signal came while it was waited for;
    /// else what statvfs(3) says.
    pub fn blocks(&mut self, index: usize) -> Result<FsBlocks, NoData> {
        // The root stays what it is, and the table is not looked at for it. Elsewhere, what was a folder may
        // have become a mount since.
        let is_root = self.mounts.get(index).is_some_and(|mount| mount.is_root);
        if !is_root
            && let Some(table) = &mut self.table
            && table.update()
        {
            for mount in &mut self.mounts {
                mount.is_local = table.is_local(&mount.path);
            }
        }
        for mount in &mut self.mounts {
            // Also of mounts that are not measured any more.
            mount.pending.take_if(|child| child.answer(&mut [0; ANSWER_LEN]).is_some());
        }
        let mount = self.mounts.get_mut(index).ok_or(NoData::NotPresent)?;
        let path = mount.c_path.as_deref().ok_or(NoData::NotPresent)?;
        if mount.is_local {
            return Ok(fs_blocks(path)?);
        }
        if mount.pending.is_some() {
            return Err(NoData::NotAnswering);
        }
        let mut child = Child::start(|| encode(&fs_blocks(path)))?;
        let waited = wait_unless_signalled(child.as_raw_fd(), ANSWER_WAIT);
        let mut buffer = [0; ANSWER_LEN];
        if let Some(answer) = child.answer(&mut buffer) {
            return decode(answer);
        }
        mount.pending = Some(child);
        Err(if waited == Waited::Signalled { NoData::NotYet } else { NoData::NotAnswering })
    }
}

fn encode(answer: &std::io::Result<FsBlocks>) -> Bytes<u8, ANSWER_LEN> {
    let words = match answer {
        Ok(FsBlocks { total, free, available }) => [0, *total, *free, *available],
        Err(error) => {
            [error.raw_os_error().and_then(|error| u64::try_from(error).ok()).unwrap_or(u64::MAX), 0, 0, 0]
        }
    };
    words.into_iter().flat_map(u64::to_ne_bytes).collect()
}

fn decode(answer: &[u8]) -> Result<FsBlocks, NoData> {
    let (words, []) = answer.as_chunks() else { return Err(NoData::Unreadable) };
    match *words {
        [error, total, free, available] => match u64::from_ne_bytes(error) {
            0 => Ok(FsBlocks {
                total: u64::from_ne_bytes(total),
                free: u64::from_ne_bytes(free),
                available: u64::from_ne_bytes(available),
            }),
            error => Err(i32::try_from(error)
                .map_or(NoData::Unreadable, |error| std::io::Error::from_raw_os_error(error).into())),
        },
        // The child ended without an answer.
        _ => Err(NoData::Unreadable),
    }
}
