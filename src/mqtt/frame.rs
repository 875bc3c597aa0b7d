//! Whole packets out of a stream of bytes.

use super::{INBOUND_LEN_MAX, SessionError};

// Kinds of packets (MQTT 5, section 2.1.2).
pub const CONNACK: u8 = 2;
pub const PUBACK: u8 = 4;
pub const PINGRESP: u8 = 13;
pub const DISCONNECT: u8 = 14;

/// One whole packet.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The kind of packet.
    pub kind: u8,
    /// What follows the fixed header.
    pub body: &'a [u8],
    /// Of all of it, in bytes.
    pub length: usize,
}

impl<'a> Frame<'a> {
    /// The packet that `bytes` begin with, once all of it is there.
    pub fn first_of(bytes: &'a [u8]) -> Result<Option<Self>, SessionError> {
        // Only what a publisher gets; and those kinds have no flags (MQTT 5, section 2.1.3).
        let kind = match bytes.first().map(|first| (first >> 4, first & 0x0f)) {
            None => return Ok(None),
            Some((kind @ (CONNACK | PUBACK | PINGRESP | DISCONNECT), 0)) => kind,
            Some((CONNACK | PUBACK | PINGRESP | DISCONNECT, _)) => return Err(SessionError::Malformed),
            Some((kind, _)) => return Err(SessionError::Unexpected(kind)),
        };
        let mut body_len = 0;
        for (index, &byte) in bytes.iter().skip(1).take(4).enumerate() {
            body_len |= usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let header_len = 2 + index;
                let length = header_len + body_len;
                if length > INBOUND_LEN_MAX {
                    return Err(SessionError::InboundTooLong(length));
                }
                return Ok(bytes.get(header_len..length).map(|body| Self { kind, body, length }));
            }
        }
        // MQTT 5, section 1.5.5: four bytes at the most.
        if bytes.len() > 4 { Err(SessionError::Malformed) } else { Ok(None) }
    }
}
