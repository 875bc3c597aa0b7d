//! What users are told: failures in words, log, status file, service manager.

pub mod failure;
pub mod logging;
pub mod notices;
pub mod service_manager;
pub mod status;
