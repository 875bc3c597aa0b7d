//! How many things of a kind are measured at once, and how long their names are.

/// Mount points.
pub const MOUNTS_MAX: usize = 4;
/// Network interfaces.
pub const INTERFACES_MAX: usize = 4;
/// Disks.
pub const DISKS_MAX: usize = 4;

/// Longest mount point, in bytes.
pub const MOUNT_LEN_MAX: usize = 64;
/// Longest name of an interface (the kernel's limit) or of a disk, in bytes. It has no character that
/// JSON escapes.
pub const DEVICE_LEN_MAX: usize = 15;
