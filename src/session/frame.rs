//! Whole packets out of a stream of bytes.
//!
//! The codec is given whole packets only: its version 5 reader cannot tell some short but whole ones
//! from packets of which more is to come.

use bytes::{Bytes, BytesMut};

use super::{INBOUND_LEN_MAX, SessionError};

// Kinds of packets (MQTT 5, section 2.1.2).
pub const CONNACK: u8 = 2;
pub const PUBACK: u8 = 4;
pub const PINGRESP: u8 = 13;
pub const DISCONNECT: u8 = 14;

/// One whole packet.
pub struct Frame {
    pub bytes: Bytes,
    /// Of the fixed header: the kind and the length.
    pub header_len: usize,
}

impl Frame {
    /// The packet that `bytes` begin with, once all of it is there.
    pub fn take_from(bytes: &mut BytesMut) -> Result<Option<Self>, SessionError> {
        // Only what a publisher gets; and those kinds have no flags (MQTT 5, section 2.1.3).
        match bytes.first().map(|first| (first >> 4, first & 0x0f)) {
            None => return Ok(None),
            Some((CONNACK | PUBACK | PINGRESP | DISCONNECT, 0)) => {}
            Some((CONNACK | PUBACK | PINGRESP | DISCONNECT, _)) => return Err(SessionError::Malformed),
            Some((kind, _)) => return Err(SessionError::Unexpected(kind)),
        }
        let mut body_len = 0;
        for (index, &byte) in bytes.iter().skip(1).take(4).enumerate() {
            body_len |= usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let header_len = 2 + index;
                let length = header_len + body_len;
                if length > INBOUND_LEN_MAX {
                    return Err(SessionError::InboundTooLong(length));
                }
                let is_whole = bytes.len() >= length;
                return Ok(is_whole.then(|| Self { bytes: bytes.split_to(length).freeze(), header_len }));
            }
        }
        // MQTT 5, section 1.5.5: four bytes at the most.
        if bytes.len() > 4 { Err(SessionError::Malformed) } else { Ok(None) }
    }

    /// The kind of packet (MQTT 5, section 2.1.2).
    pub fn kind(&self) -> u8 {
        self.bytes.first().map_or(0, |first| first >> 4)
    }

    /// What follows the fixed header.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.header_len..).unwrap_or_default()
    }
}
