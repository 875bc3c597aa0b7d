//! MQTT 3.1.1 through `rumqttc`'s codec.

use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::{self, Connect, Publish};

use super::{INBOUND_LEN_MAX, Packet, Refusal, SessionError, Settings, Terms, body};

/// Writes the packets that depend on the session's settings.
#[derive(Debug)]
pub struct Codec {
    /// The topic is in it, so that it is copied once and not with every message.
    publish: Publish,
}

impl Codec {
    /// Writes CONNECT, too.
    pub fn new(settings: &Settings<'_>, outgoing: &mut BytesMut) -> Self {
        let mut connect = Connect::new(settings.client_id);
        connect.keep_alive = settings.keep_alive_secs;
        let written = connect.write(outgoing);
        debug_assert!(written.is_ok(), "the client id's length is bounded");
        Self { publish: Publish::from_bytes(settings.topic, QoS::AtLeastOnce, Bytes::new()) }
    }

    pub fn publish(&mut self, id: u16, payload: Bytes, outgoing: &mut BytesMut) {
        self.publish.pkid = id;
        self.publish.payload = payload;
        let written = self.publish.write(outgoing);
        debug_assert!(written.is_ok(), "the id is not zero, and the length is bounded");
        self.publish.payload = Bytes::new(); // gives the buffer back
    }
}

pub fn ping_request(outgoing: &mut BytesMut) {
    let written = v4::PingReq.write(outgoing);
    debug_assert!(written.is_ok(), "two bytes");
}

pub fn disconnect(outgoing: &mut BytesMut) {
    let written = v4::Disconnect.write(outgoing);
    debug_assert!(written.is_ok(), "two bytes");
}

/// Reads one whole packet.
pub fn read(mut frame: BytesMut) -> Result<Packet, SessionError> {
    let first = frame.first().copied().unwrap_or(0);
    if let (0x20, &[_, code]) = (first, body(&frame))
        && code != 0
    {
        return Ok(Packet::Refused(refusal(code)));
    }
    match v4::Packet::read(&mut frame, INBOUND_LEN_MAX) {
        Ok(v4::Packet::ConnAck(_)) => Ok(Packet::Accepted(Terms::default())),
        Ok(v4::Packet::PubAck(ack)) => Ok(Packet::PubAck { id: ack.pkid, reason: 0 }),
        Ok(v4::Packet::PingResp) => Ok(Packet::PingResp),
        _ => Err(SessionError::Malformed),
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
