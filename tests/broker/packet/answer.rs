//! The packets a broker sends to a publisher.

use super::Version;

/// PINGRESP. `[3] 3.13`.
pub(crate) const PINGRESP: [u8; 2] = [0xd0, 0x00];

/// No packet: a type that a broker never sends, with flags that no packet has, and a length that does
/// not end where `[5] 1.5.5` makes it.
pub(crate) const GARBAGE: [u8; 8] = [0xff; 8];

/// The CONNACK by which a broker that knows 3.1.1 only refuses a client of version 5: in its own
/// version, so without properties. `[MQTT-3.1.2-2]` of 3.1.1.
pub(crate) const CONNACK_3_BAD_VERSION: [u8; 4] = [0x20, 0x02, 0x00, 0x01];

/// What a CONNACK of version 5 grants; what is `None` is left to the standard's default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grant {
    pub(crate) session_expiry_secs: Option<u32>,
    pub(crate) receive_maximum: Option<u16>,
    pub(crate) maximum_qos: Option<u8>,
    /// 0: retained messages are refused.
    pub(crate) retain_available: Option<u8>,
    pub(crate) maximum_packet_size: Option<u32>,
    pub(crate) server_keep_alive_secs: Option<u16>,
}

/// CONNACK without a session: return code (3.1.1) or reason code (5). 3.1.1 has no properties.
pub(crate) fn connack(version: Version, code: u8, grant: Grant) -> Vec<u8> {
    if version == Version::V3 {
        return vec![0x20, 0x02, 0x00, code];
    }
    let mut properties = Vec::new();
    if let Some(secs) = grant.session_expiry_secs {
        properties.push(0x11);
        properties.extend(secs.to_be_bytes());
    }
    if let Some(count) = grant.receive_maximum {
        properties.push(0x21);
        properties.extend(count.to_be_bytes());
    }
    if let Some(qos) = grant.maximum_qos {
        properties.extend([0x24, qos]);
    }
    if let Some(flag) = grant.retain_available {
        properties.extend([0x25, flag]);
    }
    if let Some(len) = grant.maximum_packet_size {
        properties.push(0x27);
        properties.extend(len.to_be_bytes());
    }
    if let Some(secs) = grant.server_keep_alive_secs {
        properties.push(0x13);
        properties.extend(secs.to_be_bytes());
    }
    let len = u8::try_from(properties.len()).expect("all properties take 20 bytes");
    [&[0x20, len + 3, 0x00, code, len], &properties[..]].concat()
}

/// PUBACK. 3.1.1 has no reason. Version 5 leaves out a reason of 0 and empty properties, as
/// `[5] 3.4.2` allows, unless `long` spells them out.
pub(crate) fn puback(version: Version, id: u16, reason: u8, long: bool) -> Vec<u8> {
    let [high, low] = id.to_be_bytes();
    match (version, reason) {
        (Version::V5, _) if long => vec![0x40, 0x04, high, low, reason, 0x00],
        (Version::V3, _) | (Version::V5, 0) => vec![0x40, 0x02, high, low],
        (Version::V5, _) => vec![0x40, 0x03, high, low, reason],
    }
}

/// DISCONNECT of version 5, short as `[5] 3.14.2` allows unless `long` spells everything out.
pub(crate) fn disconnect(reason: u8, long: bool) -> Vec<u8> {
    match reason {
        _ if long => vec![0xe0, 0x02, reason, 0x00],
        0 => vec![0xe0, 0x00],
        _ => vec![0xe0, 0x01, reason],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connack_grants_what_it_says() {
        assert_eq!(connack(Version::V3, 5, Grant::default()), [0x20, 0x02, 0x00, 0x05]);
        assert_eq!(connack(Version::V5, 0x84, Grant::default()), [0x20, 0x03, 0x00, 0x84, 0x00]);
        let grant = Grant {
            session_expiry_secs: Some(0),
            receive_maximum: Some(16),
            maximum_qos: Some(1),
            retain_available: Some(0),
            maximum_packet_size: Some(0x0002_0000),
            server_keep_alive_secs: Some(1200),
        };
        assert_eq!(
            connack(Version::V5, 0, grant),
            [
                0x20, 0x17, 0x00, 0x00, 0x14, 0x11, 0, 0, 0, 0, 0x21, 0, 16, 0x24, 1, 0x25, 0, 0x27, 0, 2, 0,
                0, 0x13, 0x04, 0xb0
            ]
            .as_slice()
        );
    }

    #[test]
    fn pubacks_and_disconnects_have_a_short_and_a_long_form() {
        assert_eq!(puback(Version::V3, 258, 0x87, true), [0x40, 2, 1, 2]);
        assert_eq!(puback(Version::V5, 258, 0, false), [0x40, 2, 1, 2]);
        assert_eq!(puback(Version::V5, 258, 0x87, false), [0x40, 3, 1, 2, 0x87]);
        assert_eq!(puback(Version::V5, 258, 0, true), [0x40, 4, 1, 2, 0, 0]);
        assert_eq!(disconnect(0, false), [0xe0, 0]);
        assert_eq!(disconnect(0x8e, false), [0xe0, 1, 0x8e]);
        assert_eq!(disconnect(0x8e, true), [0xe0, 2, 0x8e, 0]);
    }
}
