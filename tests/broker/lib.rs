//! An MQTT broker for publishers, on loopback, with mutual TLS: for the tests of `pivitals` and
//! its demo.
//!
//! It speaks MQTT 3.1.1 and 5, QoS 0 and 1, and is strict on both sides. What it sends follows
//! the standards unless its [`Manners`] say otherwise. What it receives is held against them:
//! every breach is an [`Event::Violation`], after which the connection is closed. Its packets are
//! read and written by hand and share no code with the agent, so they share no mistake with it.
//!
//! Read in this order:
//! - [`pki`]: the certificate authority and the files of a device, good ones and faulty ones
//! - [`manners`]: how the broker behaves, to be changed while it runs
//! - [`policy`]: AWS IoT policies, as AWS evaluates them; `rate`: so many a second
//! - [`event`]: what it saw, in order
//! - [`server`]: start, stop, the accepting thread
//! - `connection`: one client from its first byte to its last; one thread each
//! - `wire`: TLS, one record at a time; `packet`: MQTT's bytes
//! - [`program`]: the agent under test as a child process, and a folder for its files; [`board`]:
//!   what it measures; [`random`]: numbers
//!
//! Invariants:
//! - Every connection gives exactly one [`Event::TlsFailed`] or [`Event::Disconnected`], its last.
//! - No thread and no socket outlives the [`Broker`].
//! - A fault of the harness panics; a fault of the client is an event.
//!
//! Sources: `[3]` is MQTT 3.1.1 (OASIS, 29 October 2014), `[5]` is MQTT 5.0 (OASIS, 7 March 2019);
//! the number after it is the section, or the normative statement where it has a name.

#![forbid(unsafe_code)]
#![warn(missing_docs, clippy::pedantic)]
#![expect(clippy::doc_markdown, reason = "QoS and ClientHello are the standards' words, not code")]
#![expect(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "in a test harness panics are the errors, and results are asserted on"
)]

pub mod board;
mod connection;
pub mod event;
pub mod manners;
mod packet;
pub mod pki;
pub mod policy;
pub mod program;
pub mod random;
mod rate;
pub mod server;
mod shared;
mod wire;

pub use board::Board;
pub use event::{Connected, Event, Published, Will};
pub use manners::{
    ConnackManner, DeniedConnect, DeniedPublish, Manners, PubackManner, Refusal, Silence, ThrottledPublish,
    Versions,
};
pub use packet::Version;
pub use pki::{DeviceFiles, Issuer, Leaf, Pki, Validity};
pub use policy::Policy;
pub use program::{Program, TestDir, send_signal};
pub use random::Random;
pub use server::Broker;
