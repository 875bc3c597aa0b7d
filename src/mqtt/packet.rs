//! Packets in the form that both versions share.

use bytes::Bytes;

use super::event::Refusal;

/// What PUBLISH holds beside its topic.
#[derive(Debug)]
pub struct Message {
    /// The packet id, not zero.
    pub id: u16,
    /// The payload.
    pub payload: Bytes,
    /// Whether the broker is to keep the message for later subscribers.
    pub retain: bool,
}

/// A packet from the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet {
    /// CONNACK that accepts the session.
    Accepted(Terms),
    /// CONNACK that refuses it.
    Refused(Refusal),
    /// PUBACK; the reason is 0 where the packet has none.
    PubAck { id: u16, reason: u8 },
    /// PINGRESP.
    PingResp,
    /// DISCONNECT; the reason is 0 where the packet has none.
    Disconnect { reason: u8 },
}

/// The terms on which a broker accepts a session (MQTT 5, section 3.2.2.3). 3.1.1 has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// Publishes that may be in flight.
    pub receive_maximum: Option<u16>,
    /// The keep-alive that replaces the client's, in seconds.
    pub keep_alive_secs: Option<u16>,
    /// The longest packet that the broker accepts, in bytes.
    pub packet_len_max: Option<usize>,
    /// The broker does not support quality of service 1.
    pub qos_0_only: bool,
    /// The broker does not retain messages.
    pub retains_nothing: bool,
}
