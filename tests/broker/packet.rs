//! The packets a publisher sends, decoded as strictly as the standards word it.

pub(crate) mod answer;
pub(crate) mod properties;
mod reader;

use crate::event::Will;
use properties::{PAYLOAD_FORMAT, Place, Properties};
use reader::Reader;

/// The reasons a client may give in a DISCONNECT. `[5]` table 3-10.
const CLIENT_DISCONNECT_REASONS: [u8; 14] =
    [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];

/// The version of the protocol a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1, protocol level 4.
    V3,
    /// MQTT 5.0, protocol level 5.
    V5,
}

/// What a client did wrong, and the reason code of version 5 for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: u8,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn new(reason: u8, what: impl Into<String>) -> Self {
        Self { reason, what: what.into() }
    }

    /// Malformed packet, 0x81.
    fn malformed(what: impl Into<String>) -> Self {
        Self::new(0x81, what)
    }

    /// Protocol error, 0x82.
    pub(crate) fn protocol(what: impl Into<String>) -> Self {
        Self::new(0x82, what)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    Connect(Connect),
    Publish(Publish),
    PingReq,
    Disconnect { reason: u8, session_expiry_secs: Option<u32> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    pub(crate) client_id: String,
    pub(crate) keep_alive_secs: u16,
    pub(crate) clean_start: bool,
    /// Empty in 3.1.1.
    pub(crate) properties: Properties,
    pub(crate) will: Option<Will>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    /// 0, 1 or 2.
    pub(crate) qos: u8,
    pub(crate) dup: bool,
    pub(crate) retain: bool,
    /// `None` with QoS 0.
    pub(crate) packet_id: Option<u16>,
}

/// The fixed header: where the packet's parts lie. `[3] 2.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first: u8,
    /// Where the rest begins.
    pub(crate) body: usize,
    /// Where the packet ends.
    pub(crate) end: usize,
}

impl Header {
    /// `None`: not complete yet.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, Fault> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        Ok(reader::varint(rest)?.map(|(len, used)| Self { first, body: 1 + used, end: 1 + used + len }))
    }
}

/// Decodes one whole packet. `version` is `None` until a CONNECT has said it.
pub(crate) fn decode(first: u8, body: &[u8], version: Option<Version>) -> Result<Packet, Fault> {
    let (kind, flags) = (first >> 4, first & 0x0f);
    let Some(version) = version else {
        if kind != 1 {
            // [MQTT-3.1.0-1]
            return Err(Fault::protocol(format!("the first packet is {}, not CONNECT", name(kind))));
        }
        check_flags(kind, flags)?;
        return connect(body).map(Packet::Connect);
    };
    if kind == 3 {
        return publish(flags, body, version).map(Packet::Publish);
    }
    check_flags(kind, flags)?;
    match kind {
        // [MQTT-3.1.0-2]
        1 => Err(Fault::protocol("a second CONNECT")),
        12 => {
            Reader::new("PINGREQ", body).finish()?;
            Ok(Packet::PingReq)
        }
        14 => disconnect(body, version),
        _ => Err(Fault::protocol(format!("{}, which a publisher has no use for", name(kind)))),
    }
}

/// The flags of everything but PUBLISH are fixed. `[MQTT-2.2.2-2]`, `[5]` `[MQTT-2.1.3-1]`.
fn check_flags(kind: u8, flags: u8) -> Result<(), Fault> {
    // PUBREL, SUBSCRIBE and UNSUBSCRIBE have 2, all others 0. [3] table 2.2
    let wanted = if matches!(kind, 6 | 8 | 10) { 2 } else { 0 };
    if flags == wanted {
        Ok(())
    } else {
        Err(Fault::malformed(format!("{} with the flags 0x{flags:x}, not 0x{wanted:x}", name(kind))))
    }
}

fn name(kind: u8) -> &'static str {
    match kind {
        1 => "CONNECT",
        2 => "CONNACK",
        3 => "PUBLISH",
        4 => "PUBACK",
        5 => "PUBREC",
        6 => "PUBREL",
        7 => "PUBCOMP",
        8 => "SUBSCRIBE",
        9 => "SUBACK",
        10 => "UNSUBSCRIBE",
        11 => "UNSUBACK",
        12 => "PINGREQ",
        13 => "PINGRESP",
        14 => "DISCONNECT",
        15 => "AUTH",
        _ => "a packet of the reserved type 0",
    }
}

/// `[3] 3.1`, `[5] 3.1`.
fn connect(body: &[u8]) -> Result<Connect, Fault> {
    let mut reader = Reader::new("CONNECT", body);
    let protocol = reader.string("protocol name")?;
    if protocol != "MQTT" {
        return Err(Fault::new(0x84, format!("the protocol `{protocol}`")));
    }
    let version = match reader.u8("protocol level")? {
        4 => Version::V3,
        5 => Version::V5,
        level => return Err(Fault::new(0x84, format!("the protocol level {level}"))),
    };
    let flags = reader.u8("connect flags")?;
    check_connect_flags(flags, version)?;
    let keep_alive_secs = reader.u16("keep-alive")?;
    let properties = match version {
        Version::V3 => Properties::default(),
        Version::V5 => Properties::read(&mut reader, Place::Connect)?,
    };
    let client_id = reader.string("client id")?.to_owned();
    let will = if flags & 0x04 == 0 { None } else { Some(will(&mut reader, flags, version)?) };
    if flags & 0x80 != 0 {
        reader.string("user name")?;
    }
    if flags & 0x40 != 0 {
        reader.binary("password")?;
    }
    reader.finish()?;
    Ok(Connect { version, client_id, keep_alive_secs, clean_start: flags & 0x02 != 0, properties, will })
}

fn check_connect_flags(flags: u8, version: Version) -> Result<(), Fault> {
    let will = flags & 0x04 != 0;
    let will_qos = flags >> 3 & 0x03;
    let will_retain = flags & 0x20 != 0;
    let (password, user_name) = (flags & 0x40 != 0, flags & 0x80 != 0);
    let breach = if flags & 0x01 != 0 {
        // [MQTT-3.1.2-3]
        "the reserved bit"
    } else if will_qos == 3 {
        // [MQTT-3.1.2-14]
        "will QoS 3"
    } else if !will && (will_qos != 0 || will_retain) {
        // [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-15]
        "a QoS or retain for no will"
    } else if version == Version::V3 && password && !user_name {
        // [MQTT-3.1.2-22]; version 5 allows it.
        "a password without a user name"
    } else {
        return Ok(());
    };
    Err(Fault::malformed(format!("CONNECT flags with {breach}")))
}

/// `[3] 3.1.3`, `[5] 3.1.3`. A will delay is not kept: a will is told of at once.
fn will(reader: &mut Reader<'_>, flags: u8, version: Version) -> Result<Will, Fault> {
    if version == Version::V5 {
        Properties::read(reader, Place::Will)?;
    }
    let topic = reader.string("will topic")?.to_owned();
    check_topic(&topic)?;
    let payload = reader.binary("will message")?.to_vec();
    Ok(Will { topic, payload, qos: flags >> 3 & 0x03, retain: flags & 0x20 != 0 })
}

/// `[3] 3.3`, `[5] 3.3`.
fn publish(flags: u8, body: &[u8], version: Version) -> Result<Publish, Fault> {
    let mut reader = Reader::new("PUBLISH", body);
    let (dup, qos, retain) = (flags & 0x08 != 0, flags >> 1 & 0x03, flags & 0x01 != 0);
    match (qos, dup) {
        // [MQTT-3.3.1-4]
        (3, _) => return Err(Fault::malformed("PUBLISH with QoS 3")),
        // [MQTT-3.3.1-2]
        (0, true) => return Err(Fault::malformed("PUBLISH with DUP and QoS 0")),
        _ => {}
    }
    let topic = reader.string("topic name")?.to_owned();
    check_topic(&topic)?;
    let packet_id = match qos {
        0 => None,
        _ => Some(reader.u16("packet id")?),
    };
    if packet_id == Some(0) {
        // [MQTT-2.3.1-1]
        return Err(Fault::protocol("PUBLISH with the packet id 0"));
    }
    let properties = match version {
        Version::V3 => Properties::default(),
        Version::V5 => Properties::read(&mut reader, Place::Publish)?,
    };
    let payload = reader.rest();
    if properties.number(PAYLOAD_FORMAT) == Some(1) && str::from_utf8(payload).is_err() {
        return Err(Fault::new(0x99, "a payload that says UTF-8 and is not"));
    }
    Ok(Publish { topic, payload: payload.to_vec(), qos, dup, retain, packet_id })
}

/// A topic to publish to: not empty, no wildcard. `[MQTT-3.3.2-2]`, `[MQTT-4.7.3-1]`.
fn check_topic(topic: &str) -> Result<(), Fault> {
    if topic.is_empty() {
        Err(Fault::protocol("an empty topic"))
    } else if topic.contains(['#', '+']) {
        Err(Fault::new(0x90, format!("a wildcard in the topic `{topic}`")))
    } else {
        Ok(())
    }
}

/// `[3] 3.14`, `[5] 3.14`.
fn disconnect(body: &[u8], version: Version) -> Result<Packet, Fault> {
    let mut reader = Reader::new("DISCONNECT", body);
    let mut reason = 0;
    let mut properties = Properties::default();
    if version == Version::V5 && !reader.is_empty() {
        reason = reader.u8("reason")?;
        if !reader.is_empty() {
            properties = Properties::read(&mut reader, Place::Disconnect)?;
        }
    }
    reader.finish()?;
    if !CLIENT_DISCONNECT_REASONS.contains(&reason) {
        return Err(Fault::protocol(format!(
            "DISCONNECT with the reason 0x{reason:02x}, which no client may give"
        )));
    }
    Ok(Packet::Disconnect { reason, session_expiry_secs: properties.number(properties::SESSION_EXPIRY) })
}

#[cfg(test)]
mod tests;
