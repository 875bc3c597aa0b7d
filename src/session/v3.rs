//! MQTT 3.1.1 through `rumqttc`'s codec.

use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::v4::{ConnAck, Disconnect, PingReq, PubAck, Publish};
use rumqttc::mqttbytes::{FixedHeader, QoS};

use super::connect;
use super::frame::{CONNACK, Frame, PINGRESP, PUBACK};
use super::{Packet, Refusal, SessionError, Settings, Terms};

/// Writes the packets that depend on the session's settings.
#[derive(Debug)]
pub struct Codec {
    /// One for each topic: the topic is in it, so that it is copied once and not with every message.
    publishes: Vec<Publish>,
}

impl Codec {
    /// Writes CONNECT, too.
    pub fn new(settings: &Settings<'_>, outgoing: &mut BytesMut) -> Self {
        connect::write(settings, 4, &[], &[], outgoing);
        let publish = |topic: &String| Publish::from_bytes(topic, QoS::AtLeastOnce, Bytes::new());
        Self { publishes: settings.topics.iter().map(publish).collect() }
    }

    pub fn publish(&mut self, topic: usize, id: u16, payload: Bytes, retain: bool, outgoing: &mut BytesMut) {
        let Some(publish) = self.publishes.get_mut(topic) else {
            debug_assert!(false, "topics are numbered as the settings have them");
            return;
        };
        publish.pkid = id;
        publish.payload = payload;
        publish.retain = retain;
        let written = publish.write(outgoing);
        debug_assert!(written.is_ok(), "the id is not zero, and the length is bounded");
        publish.payload = Bytes::new(); // gives the buffer back
    }
}

pub fn ping_request(outgoing: &mut BytesMut) {
    let written = PingReq.write(outgoing);
    debug_assert!(written.is_ok(), "two bytes");
}

pub fn disconnect(outgoing: &mut BytesMut) {
    let written = Disconnect.write(outgoing);
    debug_assert!(written.is_ok(), "two bytes");
}

/// Reads one whole packet.
pub fn read(frame: Frame) -> Result<Packet, SessionError> {
    let header = FixedHeader::new(frame.kind() << 4, frame.header_len - 1, frame.body().len());
    match (frame.kind(), frame.body()) {
        (CONNACK, &[_, code]) if code != 0 => Ok(Packet::Refused(refusal(code))),
        (CONNACK, [_, _]) => {
            ConnAck::read(header, frame.bytes).map(|_| Packet::Accepted(Terms::default())).map_err(malformed)
        }
        (PUBACK, [_, _]) => PubAck::read(header, frame.bytes)
            .map(|ack| Packet::PubAck { id: ack.pkid, reason: 0 })
            .map_err(malformed),
        (PINGRESP, []) => Ok(Packet::PingResp),
        _ => Err(SessionError::Malformed), // a 3.1.1 broker has no DISCONNECT
    }
}

fn malformed(_: rumqttc::mqttbytes::Error) -> SessionError {
    SessionError::Malformed
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
