//! What a message in flight is.

use crate::platform::clock::BootTime;
use crate::queue::outbox::Ticket;

/// A message in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// From the outbox.
    Sample {
        /// Its place there.
        ticket: Ticket,
        /// When it was handed to the session.
        at: BootTime,
    },
    /// About the device itself, retained, on the topic with this number.
    Notice {
        /// As [`Topics`](crate::message::topics::Topics) numbers them.
        topic: usize,
    },
}
