//! What a session reports: events, and the error that ends it.

/// The meaning of a received packet. `T` is the caller's name for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<T> {
    /// The broker accepted the session.
    Connected,
    /// The broker acknowledged this message.
    Acknowledged(T),
    /// The broker refused this message, with a reason code of 0x80 or more (MQTT 5, section 3.4.2.1). After a
    /// [quota](super::reason::is_quota) the session has slowed down, and the message may be sent again on it,
    /// unless the pace is the [slowest](super::Pace::is_slowest) already.
    Refused(T, u8),
    /// The broker acknowledged this packet id, which is not in flight. Nothing changes.
    Stray(u16),
}

/// An answer that the broker owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To CONNECT.
    ConnAck,
    /// To PUBLISH.
    PubAck,
    /// To PINGREQ.
    PingResp,
}

/// Why the broker refuses a session; the codes of both versions in one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The broker does not support this version of the protocol.
    Version,
    /// The broker does not accept the client id.
    ClientId,
    /// The broker wants a user name and a password, or others than it got.
    Credentials,
    /// The client is known, and is not allowed to connect.
    NotAuthorized,
    /// The broker is unavailable or busy.
    Unavailable,
    /// Another code (MQTT 5, section 3.2.2.2).
    Other(u8),
}

/// The error that ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionError {
    /// CONNACK with a refusal.
    Refused(Refusal),
    /// DISCONNECT from the broker, with its reason code (MQTT 5, section 3.14.2.1).
    Disconnected(u8),
    /// The broker did not answer in time.
    Unanswered(Answer),
    /// The broker does not support quality of service 1.
    QosUnsupported,
    /// The broker does not accept a packet of this length, in bytes.
    PacketTooLong(usize),
    /// The broker sent a packet of this length, in bytes, which is above
    /// [`INBOUND_LEN_MAX`](super::INBOUND_LEN_MAX).
    InboundTooLong(usize),
    /// The broker sent a packet of this type, which a publisher never gets (MQTT 5, section 2.1.2).
    Unexpected(u8),
    /// The broker sent bytes that are not MQTT.
    Malformed,
}
