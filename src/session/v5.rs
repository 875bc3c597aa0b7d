//! MQTT 5 through `rumqttc`'s codec.
//!
//! Its reader does not know three answers that are short but legal, and gives an error for reason
//! codes that it has no name for; those packets are looked at before it gets them.

use bytes::{Bytes, BytesMut};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, Disconnect, DisconnectReasonCode, FixedHeader, PingReq, PubAck, Publish,
};

use super::connect;
use super::frame::{CONNACK, DISCONNECT, Frame, PINGRESP, PUBACK};
use super::{INBOUND_LEN_MAX, Packet, Refusal, SessionError, Settings, Terms};

/// Of CONNECT: their length; and the longest packet that is taken (MQTT 5, section 3.1.2.11.4).
const PROPERTIES: [u8; 6] = {
    #[expect(clippy::cast_possible_truncation, reason = "1024")]
    let [a, b, c, d] = (INBOUND_LEN_MAX as u32).to_be_bytes();
    [5, 0x27, a, b, c, d]
};

/// Writes the packets that depend on the session's settings.
#[derive(Debug)]
pub struct Codec {
    /// One for each topic: the topic is in it, so that it is copied once and not with every message.
    publishes: Vec<Publish>,
}

impl Codec {
    /// Writes CONNECT, too.
    pub fn new(settings: &Settings<'_>, outgoing: &mut BytesMut) -> Self {
        connect::write(settings, 5, &PROPERTIES, &[0], outgoing);
        let publish = |topic: &String| Publish::new(topic, QoS::AtLeastOnce, Bytes::new(), None);
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
    let written = PingReq::write(outgoing);
    debug_assert!(written.is_ok(), "two bytes");
}

pub fn disconnect(outgoing: &mut BytesMut) {
    let written = Disconnect::new(DisconnectReasonCode::NormalDisconnection).write(outgoing);
    debug_assert!(written.is_ok(), "two bytes");
}

/// Reads one whole packet.
pub fn read(frame: Frame) -> Result<Packet, SessionError> {
    let header = FixedHeader::new(frame.kind() << 4, frame.header_len - 1, frame.body().len());
    match (frame.kind(), frame.body()) {
        // Of a 3.1.1 broker, in its own short form.
        (CONNACK, &[_, code, ..]) if code != 0 => Ok(Packet::Refused(refusal(code))),
        (CONNACK, _) => ConnAck::read(header, frame.bytes).map(accepted).map_err(malformed),
        // Whatever properties follow.
        (PUBACK, &[high, low, reason, ..]) if reason >= 0x80 => {
            Ok(Packet::PubAck { id: u16::from_be_bytes([high, low]), reason })
        }
        (PUBACK, _) => PubAck::read(header, frame.bytes)
            .map(|ack| Packet::PubAck { id: ack.pkid, reason: 0 })
            .map_err(malformed),
        (PINGRESP, []) => Ok(Packet::PingResp),
        (DISCONNECT, []) => Ok(Packet::Disconnect { reason: 0 }),
        (DISCONNECT, &[reason, ..]) => Ok(Packet::Disconnect { reason }),
        _ => Err(SessionError::Malformed),
    }
}

fn accepted(ack: ConnAck) -> Packet {
    Packet::Accepted(ack.properties.map_or_else(Terms::default, |terms| Terms {
        receive_maximum: terms.receive_max,
        keep_alive_secs: terms.server_keep_alive,
        packet_len_max: terms.max_packet_size,
        qos_0_only: terms.max_qos == Some(0),
        retains_nothing: terms.retain_available == Some(0),
    }))
}

fn malformed(_: rumqttc::v5::mqttbytes::Error) -> SessionError {
    SessionError::Malformed
}

/// MQTT 5, section 3.2.2.2; 1 is what a 3.1.1 broker says of a version that it does not know.
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
