//! MQTT 3.1.1: packets through `rumqttc`, and the answers of a broker.

use bytes::{Bytes, BytesMut};
pub use rumqttc::mqttbytes::v4::Publish;
use rumqttc::mqttbytes::v4::{Connect, Disconnect, LastWill, PingReq};
use rumqttc::mqttbytes::{Error, Protocol, QoS};

use super::event::{Refusal, SessionError};
use super::frame::{CONNACK, Frame, PINGRESP, PUBACK};
use super::packet::{Message, Packet, Terms};
use super::settings::Settings;

/// Writes CONNECT (section 3.1) into an empty buffer.
pub fn connect(settings: &Settings<'_>, outgoing: &mut BytesMut) -> Result<usize, Error> {
    let will = settings.will.map(|will| LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true));
    let connect = Connect {
        protocol: Protocol::V4,
        keep_alive: settings.keep_alive_secs,
        client_id: settings.client_id.to_owned(),
        clean_session: true,
        last_will: will,
        login: None,
    };
    connect.write(outgoing)
}

/// A PUBLISH with quality of service 1 that has its topic, and no packet id and payload yet.
pub fn template(topic: &str) -> Publish {
    Publish::from_bytes(topic, QoS::AtLeastOnce, Bytes::new())
}

/// Writes a PUBLISH (section 3.3), if it is not longer than `len_max`. The payload is dropped afterwards.
pub fn publish(
    template: &mut Publish,
    message: Message,
    len_max: usize,
    outgoing: &mut BytesMut,
) -> Result<(), SessionError> {
    (template.pkid, template.payload, template.retain) = (message.id, message.payload, message.retain);
    let length = template.size();
    let is_written = length <= len_max && template.write(outgoing).is_ok();
    template.payload = Bytes::new();
    if is_written { Ok(()) } else { Err(SessionError::PacketTooLong(length)) }
}

/// Writes PINGREQ (section 3.12).
pub fn ping_request(outgoing: &mut BytesMut) -> Result<usize, Error> {
    PingReq.write(outgoing)
}

/// Writes DISCONNECT (section 3.14).
pub fn disconnect(outgoing: &mut BytesMut) -> Result<usize, Error> {
    Disconnect.write(outgoing)
}

/// Reads one whole packet.
pub fn read(frame: &Frame<'_>) -> Result<Packet, SessionError> {
    match (frame.kind, frame.body) {
        (CONNACK, [_, 0]) => Ok(Packet::Accepted(Terms::default())),
        (CONNACK, &[_, code]) => Ok(Packet::Refused(refusal(code))),
        (PUBACK, &[high, low]) => Ok(Packet::PubAck { id: u16::from_be_bytes([high, low]), reason: 0 }),
        (PINGRESP, []) => Ok(Packet::PingResp),
        _ => Err(SessionError::Malformed), // a broker sends no DISCONNECT in 3.1.1
    }
}

/// The meaning of a return code (section 3.2.2.3).
const fn refusal(code: u8) -> Refusal {
    match code {
        1 => Refusal::Version,
        2 => Refusal::ClientId,
        3 => Refusal::Unavailable,
        4 => Refusal::Credentials,
        5 => Refusal::NotAuthorized,
        other => Refusal::Other(other),
    }
}
