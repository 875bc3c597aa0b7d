//! Samples as JSON in fixed buffers, and the topics they are published on.

pub mod json;
pub mod payload;
pub mod topics;
