//! The list of metrics, and samples of them.
//!
//! [`list`] has a row for each metric, with everything that is to be known of it: names, unit, scope,
//! whether it is a rate, and what Home Assistant shows. All other files follow from it.

pub mod home_assistant;
pub mod limits;
pub mod list;
mod lookup;
pub mod sample;
pub mod scope;
pub mod series;
pub mod unit;
pub mod words;

pub use limits::{DEVICE_LEN_MAX, DISKS_MAX, INTERFACES_MAX, MOUNT_LEN_MAX, MOUNTS_MAX};
pub use list::{Description, Metric};
pub use scope::Scope;
pub use series::{SERIES_MAX, Series, Suffix};
pub use unit::Unit;
