//! x
pub mod backoff;
pub mod clock;
pub mod mailbox;
pub mod metric;
pub mod outbox;
pub mod payload;
pub mod probe;
pub mod sample;
pub mod schedule;
pub mod session;
pub mod sys;
