//! The disk that the root file system is on.

use std::path::Path;

use super::diskstats;
use super::mountinfo::Mountinfo;

/// The name of the disk that the root file system is on. `None` if `proc` under `root` does not tell, or
/// if the root file system is on no block device, as an overlay.
#[must_use]
pub fn root_disk(root: &Path) -> Option<String> {
    diskstats::disk_with(root, Mountinfo::new(root).root().ok()?.device)
}
