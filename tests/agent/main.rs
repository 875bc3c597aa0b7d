//! The program against a broker on loopback that behaves, and one that does not: one file a subject,
//! one test a promise.
//!
//! Nothing is timed: what has to happen is waited for. They wait more than they work, so that more of
//! them run at a time than there are cores (`.cargo/config.toml`).

mod acknowledgements;
mod alerts;
mod awaited;
mod certificates;
mod denials;
mod discovery;
mod health;
mod house;
mod liveness;
mod log_lines;
mod mailbox;
mod memory;
mod once;
mod outage;
mod protocol;
mod quota;
mod refusals;
mod reload;
mod renewal;
mod run;
