//! Packets to the broker, which both versions write alike but for the properties of 5.

use super::{Settings, Will};

// Kinds of packets, and the flags that they have (MQTT 5, sections 2.1.2 and 2.1.3).
const CONNECT: u8 = 1 << 4;
const PUBLISH: u8 = 3 << 4;
const PUBLISH_QOS_1: u8 = 1 << 1;
const PUBLISH_RETAIN: u8 = 1;
const PINGREQ: u8 = 12 << 4;
const DISCONNECT: u8 = 14 << 4;

// The connect flags (MQTT 5, section 3.1.2.3).
const CLEAN_START: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_QOS_1: u8 = 0x08;
const WILL_RETAIN: u8 = 0x20;

/// What a version of the protocol writes otherwise than another.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The protocol level.
    pub level: u8,
    /// The properties of CONNECT, their length before them.
    pub connect_properties: &'static [u8],
    /// Where nothing is said in properties.
    pub no_properties: &'static [u8],
}

/// CONNECT (MQTT 5, section 3.1).
pub fn connect(settings: &Settings<'_>, dialect: Dialect, outgoing: &mut Vec<u8>) {
    let Dialect { level, connect_properties, no_properties } = dialect;
    let mut flags = CLEAN_START;
    let mut body_len = 10 + connect_properties.len() + 2 + settings.client_id.len();
    if let Some(Will { topic, payload }) = settings.will {
        flags |= WILL | WILL_QOS_1 | WILL_RETAIN;
        body_len += no_properties.len() + 4 + topic.len() + payload.len();
    }
    put_header(CONNECT, body_len, outgoing);
    put_text("MQTT", outgoing);
    outgoing.extend_from_slice(&[level, flags]);
    put_u16(settings.keep_alive_secs, outgoing);
    outgoing.extend_from_slice(connect_properties);
    put_text(settings.client_id, outgoing);
    if let Some(Will { topic, payload }) = settings.will {
        outgoing.extend_from_slice(no_properties);
        put_text(topic, outgoing);
        put_text(payload, outgoing);
    }
}

/// PUBLISH with quality of service 1 (MQTT 5, section 3.3).
pub fn publish(topic: &str, id: u16, payload: &[u8], retain: bool, dialect: Dialect, outgoing: &mut Vec<u8>) {
    let first = PUBLISH | PUBLISH_QOS_1 | if retain { PUBLISH_RETAIN } else { 0 };
    let body_len = 4 + topic.len() + dialect.no_properties.len() + payload.len();
    put_header(first, body_len, outgoing);
    put_text(topic, outgoing);
    put_u16(id, outgoing);
    outgoing.extend_from_slice(dialect.no_properties);
    outgoing.extend_from_slice(payload);
}

/// PINGREQ (MQTT 5, section 3.12).
pub fn ping_request(outgoing: &mut Vec<u8>) {
    put_header(PINGREQ, 0, outgoing);
}

/// DISCONNECT for no other reason than that it is over (MQTT 5, section 3.14).
pub fn disconnect(outgoing: &mut Vec<u8>) {
    put_header(DISCONNECT, 0, outgoing);
}

/// The fixed header: the kind with its flags, and the length of the rest (MQTT 5, section 1.5.5).
fn put_header(first: u8, mut body_len: usize, outgoing: &mut Vec<u8>) {
    outgoing.push(first);
    loop {
        let [digit, ..] = (body_len % 128).to_le_bytes();
        body_len /= 128;
        if body_len == 0 {
            return outgoing.push(digit);
        }
        outgoing.push(digit | 0x80);
    }
}

/// A text with its length before it. The configuration has none that is longer than two bytes can say.
fn put_text(text: &str, outgoing: &mut Vec<u8>) {
    put_u16(u16::try_from(text.len()).unwrap_or_default(), outgoing);
    outgoing.extend_from_slice(text.as_bytes());
}

fn put_u16(number: u16, outgoing: &mut Vec<u8>) {
    outgoing.extend_from_slice(&number.to_be_bytes());
}
