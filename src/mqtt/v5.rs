//! MQTT 5: packets through `rumqttc`, and the answers of a broker.
//!
//! `rumqttc` reads CONNACK only if it accepts the session. Its reader waits for more after the short forms
//! `20 02 00 01` and `e0 01 8e`, rejects `e0 00`, and rejects reason codes that it does not know; all of them
//! are legal, or sent by brokers of 3.1.1, so these packets are read here.

use bytes::{Bytes, BytesMut};
pub use rumqttc::v5::mqttbytes::v5::Publish;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, DisconnectReasonCode, FixedHeader,
    LastWill, PingReq,
};
use rumqttc::v5::mqttbytes::{Error, QoS};

use super::event::{Refusal, SessionError};
use super::frame::{CONNACK, DISCONNECT, Frame, PINGRESP, PUBACK, length};
use super::limits::INBOUND_LEN_MAX;
use super::packet::{Message, Packet, Terms};
use super::reason;
use super::settings::Settings;

/// Writes CONNECT (section 3.1) into an empty buffer. Its only property is the longest packet that is read.
pub fn connect(settings: &Settings<'_>, outgoing: &mut BytesMut) -> Result<usize, Error> {
    let will =
        settings.will.map(|will| LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true, None));
    let max_packet_size = u32::try_from(INBOUND_LEN_MAX).ok();
    let connect = Connect {
        keep_alive: settings.keep_alive_secs,
        client_id: settings.client_id.to_owned(),
        clean_start: true,
        properties: Some(ConnectProperties { max_packet_size, ..ConnectProperties::new() }),
    };
    connect.write(&will, &None, outgoing)
}

/// A PUBLISH with quality of service 1 that has its topic, and no packet id and payload yet.
pub fn template(topic: &str) -> Publish {
    Publish::new(topic, QoS::AtLeastOnce, Bytes::new(), None)
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
    PingReq::write(outgoing)
}

/// Writes DISCONNECT with the reason 0 (section 3.14).
pub fn disconnect(outgoing: &mut BytesMut) -> Result<usize, Error> {
    Disconnect::new(DisconnectReasonCode::NormalDisconnection).write(outgoing)
}

/// Reads one whole packet. Properties of packets other than an accepted CONNACK are ignored.
pub fn read(frame: &Frame<'_>) -> Result<Packet, SessionError> {
    match (frame.kind, frame.body) {
        // Also the short form of a 3.1.1 broker.
        (CONNACK, &[_, code, ..]) if code != 0 => Ok(Packet::Refused(refusal(code))),
        (CONNACK, _) => terms(frame).map(Packet::Accepted),
        (PUBACK, &[high, low]) => Ok(Packet::PubAck { id: u16::from_be_bytes([high, low]), reason: 0 }),
        (PUBACK, &[high, low, reason, ..]) => {
            Ok(Packet::PubAck { id: u16::from_be_bytes([high, low]), reason })
        }
        (PINGRESP, []) => Ok(Packet::PingResp),
        (DISCONNECT, []) => Ok(Packet::Disconnect { reason: reason::SUCCESS }),
        (DISCONNECT, &[reason, ..]) => Ok(Packet::Disconnect { reason }),
        _ => Err(SessionError::Malformed),
    }
}

/// Reads a CONNACK with the code 0. Its properties begin with their length.
fn terms(frame: &Frame<'_>) -> Result<Terms, SessionError> {
    let properties = frame.body.get(2..).unwrap_or_default();
    if length(properties)?.is_none_or(|(length, rest)| length != rest.len()) {
        return Err(SessionError::Malformed);
    }
    let header = FixedHeader::new(CONNACK << 4, frame.header_len() - 1, frame.body.len());
    let connack =
        ConnAck::read(header, Bytes::copy_from_slice(frame.bytes)).map_err(|_| SessionError::Malformed)?;
    // rumqttc keeps one of two properties that are there twice, which is a protocol error (section 2.2.2.2):
    // what it has read is then shorter than the packet.
    if connack.size() != frame.bytes.len() {
        return Err(SessionError::Malformed);
    }
    Ok(connack.properties.as_ref().map_or_else(Terms::default, terms_of))
}

fn terms_of(properties: &ConnAckProperties) -> Terms {
    Terms {
        receive_maximum: properties.receive_max,
        keep_alive_secs: properties.server_keep_alive,
        packet_len_max: properties.max_packet_size.and_then(|max| usize::try_from(max).ok()),
        qos_0_only: properties.max_qos == Some(0),
        retains_nothing: properties.retain_available == Some(0),
    }
}

/// The meaning of a reason code (section 3.2.2.2). A 3.1.1 broker refuses version 5 with the code 1.
const fn refusal(code: u8) -> Refusal {
    match code {
        0x01 | reason::UNSUPPORTED_PROTOCOL_VERSION => Refusal::Version,
        reason::CLIENT_IDENTIFIER_NOT_VALID => Refusal::ClientId,
        reason::BAD_USER_NAME_OR_PASSWORD | reason::BAD_AUTHENTICATION_METHOD => Refusal::Credentials,
        reason::NOT_AUTHORIZED | reason::BANNED => Refusal::NotAuthorized,
        reason::SERVER_UNAVAILABLE | reason::SERVER_BUSY => Refusal::Unavailable,
        other => Refusal::Other(other),
    }
}
