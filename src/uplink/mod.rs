//! The life of the connection to the broker.

pub mod backoff;
pub mod denials;
pub mod version;
