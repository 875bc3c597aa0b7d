//! Samples, when they are due: probes, schedule, alerts.

pub mod alert;
pub mod inventory;
pub mod mailbox;
pub mod probe;
pub mod sampling;
pub mod schedule;
pub mod watch;
