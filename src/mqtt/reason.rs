//! The reason codes of MQTT 5 (section 2.4).

/// Success; in DISCONNECT: normal disconnection.
pub const SUCCESS: u8 = 0x00;
/// A refusal without a reason; this code and those above are refusals.
pub const UNSPECIFIED_ERROR: u8 = 0x80;
/// CONNACK: the broker does not support this version of MQTT.
pub const UNSUPPORTED_PROTOCOL_VERSION: u8 = 0x84;
/// CONNACK: the broker does not accept the client id.
pub const CLIENT_IDENTIFIER_NOT_VALID: u8 = 0x85;
/// CONNACK: the broker does not accept the user name or the password.
pub const BAD_USER_NAME_OR_PASSWORD: u8 = 0x86;
/// CONNACK, PUBACK, DISCONNECT: the policy does not allow it.
pub const NOT_AUTHORIZED: u8 = 0x87;
/// CONNACK: the broker is not available.
pub const SERVER_UNAVAILABLE: u8 = 0x88;
/// CONNACK, DISCONNECT: the broker is busy.
pub const SERVER_BUSY: u8 = 0x89;
/// CONNACK: an administrator has banned the client.
pub const BANNED: u8 = 0x8a;
/// DISCONNECT: the broker is shutting down.
pub const SERVER_SHUTTING_DOWN: u8 = 0x8b;
/// CONNACK: the broker does not support the authentication method.
pub const BAD_AUTHENTICATION_METHOD: u8 = 0x8c;
/// DISCONNECT: the broker received nothing for one and a half keep-alives.
pub const KEEP_ALIVE_TIMEOUT: u8 = 0x8d;
/// DISCONNECT: another client has connected with the same client id.
pub const SESSION_TAKEN_OVER: u8 = 0x8e;
/// CONNACK, PUBACK, DISCONNECT: the broker does not accept the topic.
pub const TOPIC_NAME_INVALID: u8 = 0x90;
/// CONNACK, DISCONNECT: the packet is longer than the broker's limit.
pub const PACKET_TOO_LARGE: u8 = 0x95;
/// DISCONNECT: the client sends too many messages a second.
pub const MESSAGE_RATE_TOO_HIGH: u8 = 0x96;
/// CONNACK, PUBACK, DISCONNECT: a quota of the broker is exceeded.
pub const QUOTA_EXCEEDED: u8 = 0x97;
/// DISCONNECT: an administrator has ended the connection.
pub const ADMINISTRATIVE_ACTION: u8 = 0x98;
/// CONNACK, DISCONNECT: the broker does not retain messages.
pub const RETAIN_NOT_SUPPORTED: u8 = 0x9a;

/// Every reason code of the specification with its name there.
const NAMES: [(u8, &str); 43] = [
    (SUCCESS, "success"),
    (0x01, "granted QoS 1"),
    (0x02, "granted QoS 2"),
    (0x04, "disconnect with will message"),
    (0x10, "no matching subscribers"),
    (0x11, "no subscription existed"),
    (0x18, "continue authentication"),
    (0x19, "re-authenticate"),
    (UNSPECIFIED_ERROR, "unspecified error"),
    (0x81, "malformed packet"),
    (0x82, "protocol error"),
    (0x83, "implementation specific error"),
    (UNSUPPORTED_PROTOCOL_VERSION, "unsupported protocol version"),
    (CLIENT_IDENTIFIER_NOT_VALID, "client identifier not valid"),
    (BAD_USER_NAME_OR_PASSWORD, "bad user name or password"),
    (NOT_AUTHORIZED, "not authorized"),
    (SERVER_UNAVAILABLE, "server unavailable"),
    (SERVER_BUSY, "server busy"),
    (BANNED, "banned"),
    (SERVER_SHUTTING_DOWN, "server shutting down"),
    (BAD_AUTHENTICATION_METHOD, "bad authentication method"),
    (KEEP_ALIVE_TIMEOUT, "keep alive timeout"),
    (SESSION_TAKEN_OVER, "session taken over"),
    (0x8f, "topic filter invalid"),
    (TOPIC_NAME_INVALID, "topic name invalid"),
    (0x91, "packet identifier in use"),
    (0x92, "packet identifier not found"),
    (0x93, "receive maximum exceeded"),
    (0x94, "topic alias invalid"),
    (PACKET_TOO_LARGE, "packet too large"),
    (MESSAGE_RATE_TOO_HIGH, "message rate too high"),
    (QUOTA_EXCEEDED, "quota exceeded"),
    (ADMINISTRATIVE_ACTION, "administrative action"),
    (0x99, "payload format invalid"),
    (RETAIN_NOT_SUPPORTED, "retain not supported"),
    (0x9b, "QoS not supported"),
    (0x9c, "use another server"),
    (0x9d, "server moved"),
    (0x9e, "shared subscriptions not supported"),
    (0x9f, "connection rate exceeded"),
    (0xa0, "maximum connect time"),
    (0xa1, "subscription identifiers not supported"),
    (0xa2, "wildcard subscriptions not supported"),
];

/// The name of a reason code in the specification; `None` for a code that it does not have.
#[must_use]
pub fn name(code: u8) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// Whether a broker says with this code that it gets too many messages.
#[must_use]
pub const fn is_quota(code: u8) -> bool {
    matches!(code, MESSAGE_RATE_TOO_HIGH | QUOTA_EXCEEDED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_each_is_there_once() {
        assert!(NAMES.is_sorted_by(|(code, _), (next, _)| code < next));
    }

    #[test]
    fn codes_of_the_specification_have_a_name_and_others_have_none() {
        assert_eq!(name(QUOTA_EXCEEDED), Some("quota exceeded"));
        assert_eq!(name(0xa2), Some("wildcard subscriptions not supported"));
        assert_eq!([0x03, 0x7f, 0xa3, 0xfe].map(name), [None; 4]);
    }
}
