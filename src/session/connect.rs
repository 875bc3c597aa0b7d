//! CONNECT, which both versions write alike but for the properties of 5 (MQTT 5, section 3.1).

use bytes::{BufMut as _, BytesMut};

use super::Settings;

const CONNECT: u8 = 1 << 4;
/// Of the connect flags.
const CLEAN_START: u8 = 0x02;
const WILL: u8 = 0x04;
const WILL_QOS_1: u8 = 0x08;
const WILL_RETAIN: u8 = 0x20;

/// Writes CONNECT with this protocol level, and with the properties of the packet and of the will, which
/// 3.1.1 does not have.
pub fn write(
    settings: &Settings<'_>,
    level: u8,
    properties: &[u8],
    will_properties: &[u8],
    outgoing: &mut BytesMut,
) {
    let mut flags = CLEAN_START;
    let mut body_len = 10 + properties.len() + 2 + settings.client_id.len();
    if let Some(will) = settings.will {
        flags |= WILL | WILL_QOS_1 | WILL_RETAIN;
        body_len += will_properties.len() + 4 + will.topic.len() + will.payload.len();
    }
    outgoing.put_u8(CONNECT);
    while body_len > 0 {
        let [digit, ..] = (body_len % 128).to_le_bytes();
        body_len /= 128;
        outgoing.put_u8(if body_len > 0 { digit | 0x80 } else { digit });
    }
    put_text("MQTT", outgoing);
    outgoing.put_slice(&[level, flags]);
    outgoing.put_u16(settings.keep_alive_secs);
    outgoing.put_slice(properties);
    put_text(settings.client_id, outgoing);
    if let Some(will) = settings.will {
        outgoing.put_slice(will_properties);
        put_text(will.topic, outgoing);
        put_text(will.payload, outgoing);
    }
}

/// A text with its length before it. The configuration has none that is longer than two bytes can say.
fn put_text(text: &str, outgoing: &mut BytesMut) {
    outgoing.put_u16(u16::try_from(text.len()).unwrap_or_default());
    outgoing.put_slice(text.as_bytes());
}
