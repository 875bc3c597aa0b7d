//! `pivitals` reads a Raspberry Pi's vital signs and publishes them over mutual-TLS MQTT.
//!
//! One process, one thread, one poll loop. Data flows one way, and acknowledgements come back to one place:
//!
//! ```text
//! probe → Sample → outbox → payload → session → link      the way out
//!         delivery ← PUBACK ← session                     the way back
//! ```
//!
//! # Rooms
//!
//! From the ground up. A file imports only from its own room and from those above it in this list; inside
//! a room, files import each other in one direction. `tests/layers.rs` enforces both.
//!
//! 1. [`platform`] system calls that std lacks (the only `unsafe`), boot time, UTC
//! 2. [`metric`] the table of metrics, and samples of them
//! 3. [`measure`] probes, the VideoCore mailbox, the schedule, alerts
//! 4. [`queue`] the outbox: samples until they are acknowledged
//! 5. [`message`] samples as JSON in fixed buffers, and topics
//! 6. [`mqtt`] the session: a state machine without a socket or a clock
//! 7. [`net`] certificates, name lookup, TCP, TLS
//! 8. [`config`] text into a checked configuration, with all errors at once
//! 9. [`report`] failures in words, the log, the status file, the service manager
//! 10. [`uplink`] the life of the connection: delivery, waits, denied topics
//! 11. [`agent`] the loop
//! 12. [`doctor`] the same steps one by one, with findings
//! 13. [`cli`] the command line
//!
//! # Invariants
//!
//! - Below [`agent`] and [`doctor`] nothing asks for the time: it is an argument. rustls alone asks by itself,
//!   when it checks the dates of certificates.
//! - After start-up, sampling, queueing and encoding allocate nothing (`tests/allocations.rs`).
//! - No thread and no async runtime. Calls that can block, such as name look-ups, run in a child process
//!   ([`platform::resolve`]).
//! - An unavailable reading is never a zero; it has a reason ([`metric::sample::NoData`]).
//! - Nothing is written to storage.
//! - No input makes a parser panic: indexing and unwrapping are errors in this crate.

#![deny(unsafe_code, missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

pub mod agent;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod measure;
pub mod message;
pub mod metric;
pub mod mqtt;
pub mod net;
pub mod platform;
pub mod queue;
pub mod report;
pub mod uplink;
