//! Samples that wait for their acknowledgement.

pub mod outbox;
