//! Limits that several files of this room keep.

use crate::message::payload;

/// Publishes in flight at most; also the messages in one burst at full pace.
pub const IN_FLIGHT_MAX: usize = 16;

/// Longest packet that is read, in bytes: a publisher gets only acknowledgements.
pub const INBOUND_LEN_MAX: usize = 1024;

/// Bytes that may wait to be written: three quarters of a TLS record. One message that is longer makes the
/// buffer grow.
pub const OUTGOING_LEN_MAX: usize = 12 * 1024;

/// Bytes that PUBLISH adds to a payload at most, most of them the topic with the name of a rule before it.
pub const PUBLISH_OVERHEAD_MAX: usize = 512;

/// Longest packet that MQTT can express, in bytes: header and remaining length (MQTT 5, section 1.5.5).
pub const PACKET_LEN_MAX: usize = 5 + 268_435_455;

// The longest message of a sample fits, so no buffer grows in the loop.
const _: () = assert!(payload::LEN_MAX + PUBLISH_OVERHEAD_MAX <= OUTGOING_LEN_MAX);
