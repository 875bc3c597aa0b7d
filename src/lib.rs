//! `pivitals` reads a Raspberry Pi's vital signs and publishes them over mutual-TLS MQTT.
//!
//! One process, one thread, one loop. Data flows one way: probe → sample → outbox → payload → session
//! → link. Acknowledgements flow back to one place: the outbox.
//!
//! # Layers, from the ground up
//!
//! A file imports only from those above it in this list (`tests/layers.rs` checks it):
//!
//! 1. [`sys`] system calls behind safe faces; the only `unsafe`
//! 2. [`clock`] boot time, UTC, and whether UTC can be believed
//! 3. [`metric`] the list of metrics; adding one begins there
//! 4. [`sample`] what is measured at one moment: values, or the reasons why not
//! 5. [`alert`] thresholds on values: crossed, and back
//! 6. [`mailbox`] VideoCore property messages
//! 7. [`probe`] one file a source of the kernel's or the firmware's
//! 8. [`outbox`] the ring of samples that wait for their acknowledgement
//! 9. [`topics`] where the parts of a sample are published
//! 10. [`json`] JSON, written as it comes
//! 11. [`payload`] samples as JSON in a fixed buffer
//! 12. [`schedule`] the sampling grid and its phase
//! 13. [`watch`] what the alerts read each second
//! 14. [`backoff`] the waits between attempts to connect
//! 15. [`denials`] topics that the broker does not let the device publish on
//! 16. [`session`] MQTT as a state machine: no socket, no clock
//! 17. [`tls`] PEM files into a TLS configuration
//! 18. [`credentials`] certificates that change while the agent runs
//! 19. [`link`] name, TCP, TLS, bytes; nothing blocks
//! 20. [`failure`] causes and remedies in words, and exit codes
//! 21. [`identity`] what the placeholders stand for
//! 22. [`policy`] what an AWS IoT Core policy document allows a device
//! 23. [`config`] text into a checked configuration, with every error at once
//! 24. [`version`] which version of MQTT to speak
//! 25. [`logging`] where log lines go
//! 26. [`supervisor`] what a service manager is told
//! 27. [`status`] the agent's state in a file
//! 28. [`cli`] arguments into a command
//! 29. [`setup`] options into all that an agent needs
//! 30. [`doctor`] the whole way to the broker, step by step, with causes and remedies
//! 31. [`agent`] the loop, where all parts meet
//!
//! # Invariants
//!
//! - Time is an argument below `doctor` and `agent`; only rustls, which checks dates in certificates, asks by itself.
//! - Taking a sample, queueing and encoding it allocates nothing after the first time
//!   (`tests/allocations.rs`).
//! - No thread, no async runtime. A look-up of a name runs in a child process of its own, because the
//!   system's resolver blocks (see [`sys::resolve`]).
//! - A reading that is not to be had is never a zero; it has a reason ([`sample::NoData`]).
//! - Nothing is written to storage.
//! - No input makes a parser panic: indexing, unwrapping and their like are errors in this crate.

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

pub mod sys;

pub mod alert;
pub mod clock;
pub mod metric;
pub mod sample;

pub mod mailbox;
pub mod probe;

pub mod json;
pub mod outbox;
pub mod payload;
pub mod topics;

pub mod backoff;
pub mod denials;
pub mod schedule;
pub mod session;
pub mod watch;

pub mod credentials;
pub mod link;
pub mod tls;

pub mod failure;

pub mod config;
pub mod identity;
pub mod policy;
pub mod version;

pub mod cli;
pub mod logging;
pub mod setup;
pub mod status;
pub mod supervisor;

pub mod agent;
pub mod doctor;
