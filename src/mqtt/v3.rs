//! What is MQTT 3.1.1's own.

use super::frame::{CONNACK, Frame, PINGRESP, PUBACK};
use super::packet::Dialect;
use super::{Packet, Refusal, SessionError, Terms};

/// It has no properties.
pub const DIALECT: Dialect = Dialect { level: 4, connect_properties: &[], no_properties: &[] };

/// Reads one whole packet.
pub fn read(frame: &Frame<'_>) -> Result<Packet, SessionError> {
    match (frame.kind, frame.body) {
        (CONNACK, [_, 0]) => Ok(Packet::Accepted(Terms::default())),
        (CONNACK, &[_, code]) => Ok(Packet::Refused(refusal(code))),
        (PUBACK, &[high, low]) => Ok(Packet::PubAck { id: u16::from_be_bytes([high, low]), reason: 0 }),
        (PINGRESP, []) => Ok(Packet::PingResp),
        _ => Err(SessionError::Malformed), // a 3.1.1 broker has no DISCONNECT
    }
}

/// MQTT 3.1.1, section 3.2.2.3.
fn refusal(code: u8) -> Refusal {
    match code {
        1 => Refusal::Version,
        2 => Refusal::ClientId,
        3 => Refusal::Unavailable,
        4 => Refusal::Credentials,
        5 => Refusal::NotAuthorized,
        other => Refusal::Other(other),
    }
}
