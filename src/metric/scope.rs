//! What a metric is measured of.

use super::limits::{DEVICE_LEN_MAX, DISKS_MAX, INTERFACES_MAX, MOUNT_LEN_MAX, MOUNTS_MAX};

/// The kind of thing that a metric is measured of. Each such thing has a series of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole device: one series.
    Board,
    /// A mount point.
    Mount,
    /// A network interface.
    Interface,
    /// A whole disk: a card, a stick, a drive; not a partition.
    Disk,
}

impl Scope {
    /// How many of its things are measured at once, at most.
    #[must_use]
    pub const fn things_max(self) -> usize {
        match self {
            Self::Board => 1,
            Self::Mount => MOUNTS_MAX,
            Self::Interface => INTERFACES_MAX,
            Self::Disk => DISKS_MAX,
        }
    }

    /// The longest name of one of its things, in bytes.
    #[must_use]
    pub const fn name_len_max(self) -> usize {
        match self {
            Self::Board => 0,
            Self::Mount => MOUNT_LEN_MAX,
            Self::Interface | Self::Disk => DEVICE_LEN_MAX,
        }
    }
}
