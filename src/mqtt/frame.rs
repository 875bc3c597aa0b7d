//! Whole packets, cut out of the stream before the codec sees them.
//!
//! The codec gets whole packets only: its MQTT 5 reader cannot tell some short but complete packets from
//! incomplete ones. The limit of the length is checked before the rest of the packet is waited for.

use super::event::SessionError;
use super::limits::INBOUND_LEN_MAX;

// Packet types (MQTT 5, section 2.1.2).
pub const CONNACK: u8 = 2;
pub const PUBACK: u8 = 4;
pub const PINGRESP: u8 = 13;
pub const DISCONNECT: u8 = 14;

/// One whole packet.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The packet type.
    pub kind: u8,
    /// All of the packet.
    pub bytes: &'a [u8],
    /// What follows the fixed header.
    pub body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Cuts the first packet out of `bytes`; `None` while it is incomplete.
    ///
    /// # Errors
    /// [`SessionError::Unexpected`] for a packet type that a publisher never gets,
    /// [`SessionError::InboundTooLong`] and [`SessionError::Malformed`].
    pub fn first_of(bytes: &'a [u8]) -> Result<Option<Self>, SessionError> {
        // The four types have no flags (MQTT 5, section 2.1.3).
        let kind = match bytes.first().map(|first| (first >> 4, first & 0x0f)) {
            None => return Ok(None),
            Some((kind @ (CONNACK | PUBACK | PINGRESP | DISCONNECT), 0)) => kind,
            Some((CONNACK | PUBACK | PINGRESP | DISCONNECT, _)) => return Err(SessionError::Malformed),
            Some((kind, _)) => return Err(SessionError::Unexpected(kind)),
        };
        let Some((body_len, rest)) = length(bytes.get(1..).unwrap_or_default())? else { return Ok(None) };
        let header_len = bytes.len() - rest.len();
        let length = header_len + body_len;
        if length > INBOUND_LEN_MAX {
            return Err(SessionError::InboundTooLong(length));
        }
        Ok(rest.get(..body_len).zip(bytes.get(..length)).map(|(body, bytes)| Self { kind, bytes, body }))
    }

    /// The length of the fixed header, in bytes.
    pub const fn header_len(&self) -> usize {
        self.bytes.len() - self.body.len()
    }
}

/// Reads a length of up to four bytes (MQTT 5, section 1.5.5); gives it, and what follows it. `None` while it is
/// incomplete.
///
/// # Errors
/// [`SessionError::Malformed`] if it is longer.
pub fn length(bytes: &[u8]) -> Result<Option<(usize, &[u8])>, SessionError> {
    let mut length = 0;
    let mut rest = bytes;
    for shift in [0, 7, 14, 21] {
        let Some((&byte, after)) = rest.split_first() else { return Ok(None) };
        rest = after;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(Some((length, rest)));
        }
    }
    Err(SessionError::Malformed)
}
