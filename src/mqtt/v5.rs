//! What is MQTT 5's own.

use super::frame::{CONNACK, DISCONNECT, Frame, PINGRESP, PUBACK};
use super::packet::Dialect;
use super::{INBOUND_LEN_MAX, Packet, Refusal, SessionError, Terms};

/// CONNECT says the longest packet that is taken (section 3.1.2.11.4), and nothing else.
pub const DIALECT: Dialect =
    Dialect { level: 5, connect_properties: &CONNECT_PROPERTIES, no_properties: &[0] };

const CONNECT_PROPERTIES: [u8; 6] = {
    #[expect(clippy::cast_possible_truncation, reason = "1024")]
    let [a, b, c, d] = (INBOUND_LEN_MAX as u32).to_be_bytes();
    [5, MAXIMUM_PACKET_SIZE, a, b, c, d]
};

// Properties of CONNACK (section 3.2.2.3).
const SESSION_EXPIRY_INTERVAL: u8 = 0x11;
const ASSIGNED_CLIENT_IDENTIFIER: u8 = 0x12;
const SERVER_KEEP_ALIVE: u8 = 0x13;
const AUTHENTICATION_METHOD: u8 = 0x15;
const AUTHENTICATION_DATA: u8 = 0x16;
const RESPONSE_INFORMATION: u8 = 0x1a;
const SERVER_REFERENCE: u8 = 0x1c;
const REASON_STRING: u8 = 0x1f;
const RECEIVE_MAXIMUM: u8 = 0x21;
const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
const MAXIMUM_QOS: u8 = 0x24;
const RETAIN_AVAILABLE: u8 = 0x25;
const USER_PROPERTY: u8 = 0x26;
const MAXIMUM_PACKET_SIZE: u8 = 0x27;
const WILDCARD_SUBSCRIPTION_AVAILABLE: u8 = 0x28;
const SUBSCRIPTION_IDENTIFIERS_AVAILABLE: u8 = 0x29;
const SHARED_SUBSCRIPTION_AVAILABLE: u8 = 0x2a;

/// Reads one whole packet. Of the properties only those of CONNACK say something that is asked for.
pub fn read(frame: &Frame<'_>) -> Result<Packet, SessionError> {
    match (frame.kind, frame.body) {
        // Also of a 3.1.1 broker, in its own short form.
        (CONNACK, &[_, code, ..]) if code != 0 => Ok(Packet::Refused(refusal(code))),
        (CONNACK, [_, _, properties @ ..]) => terms(properties).map(Packet::Accepted),
        (PUBACK, &[high, low]) => Ok(Packet::PubAck { id: u16::from_be_bytes([high, low]), reason: 0 }),
        (PUBACK, &[high, low, reason, ..]) => {
            Ok(Packet::PubAck { id: u16::from_be_bytes([high, low]), reason })
        }
        (PINGRESP, []) => Ok(Packet::PingResp),
        (DISCONNECT, []) => Ok(Packet::Disconnect { reason: 0 }),
        (DISCONNECT, &[reason, ..]) => Ok(Packet::Disconnect { reason }),
        _ => Err(SessionError::Malformed),
    }
}

/// What CONNACK's properties say; they begin with their length.
fn terms(properties: &[u8]) -> Result<Terms, SessionError> {
    let mut rest = properties;
    if take_length(&mut rest)? != rest.len() {
        return Err(SessionError::Malformed);
    }
    let mut terms = Terms::default();
    let mut seen = 0_u64;
    while !rest.is_empty() {
        let [property] = take(&mut rest)?;
        match property {
            RECEIVE_MAXIMUM => terms.receive_maximum = Some(u16::from_be_bytes(take(&mut rest)?)),
            SERVER_KEEP_ALIVE => terms.keep_alive_secs = Some(u16::from_be_bytes(take(&mut rest)?)),
            MAXIMUM_PACKET_SIZE => terms.packet_len_max = Some(u32::from_be_bytes(take(&mut rest)?)),
            MAXIMUM_QOS => terms.qos_0_only = take(&mut rest)? == [0],
            RETAIN_AVAILABLE => terms.retains_nothing = take(&mut rest)? == [0],
            WILDCARD_SUBSCRIPTION_AVAILABLE
            | SUBSCRIPTION_IDENTIFIERS_AVAILABLE
            | SHARED_SUBSCRIPTION_AVAILABLE => drop(take::<1>(&mut rest)?),
            TOPIC_ALIAS_MAXIMUM => drop(take::<2>(&mut rest)?),
            SESSION_EXPIRY_INTERVAL => drop(take::<4>(&mut rest)?),
            ASSIGNED_CLIENT_IDENTIFIER
            | AUTHENTICATION_METHOD
            | AUTHENTICATION_DATA
            | RESPONSE_INFORMATION
            | SERVER_REFERENCE
            | REASON_STRING => skip_text(&mut rest)?,
            USER_PROPERTY => {
                skip_text(&mut rest)?;
                skip_text(&mut rest)?;
                continue; // the one that may come again
            }
            _ => return Err(SessionError::Malformed),
        }
        if seen & 1 << property != 0 {
            return Err(SessionError::Malformed);
        }
        seen |= 1 << property;
    }
    Ok(terms)
}

/// The next `N` bytes.
fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SessionError> {
    let (taken, after) = rest.split_first_chunk().ok_or(SessionError::Malformed)?;
    *rest = after;
    Ok(*taken)
}

/// A length of up to four bytes (section 1.5.5).
fn take_length(rest: &mut &[u8]) -> Result<usize, SessionError> {
    let mut length = 0;
    for index in 0..4 {
        let [byte] = take(rest)?;
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(SessionError::Malformed)
}

/// A text or other bytes, with their length before them.
fn skip_text(rest: &mut &[u8]) -> Result<(), SessionError> {
    let length = u16::from_be_bytes(take(rest)?);
    *rest = rest.get(length.into()..).ok_or(SessionError::Malformed)?;
    Ok(())
}

/// Section 3.2.2.2; 1 is what a 3.1.1 broker says of a version that it does not know.
fn refusal(code: u8) -> Refusal {
    match code {
        0x01 | 0x84 => Refusal::Version,
        0x85 => Refusal::ClientId,
        0x86 | 0x8c => Refusal::Credentials,
        0x87 | 0x8a => Refusal::NotAuthorized,
        0x88 | 0x89 => Refusal::Unavailable,
        other => Refusal::Other(other),
    }
}
