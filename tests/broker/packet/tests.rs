//! Packets as the standards print them, whole, cut short and spoilt.

use super::*;

/// Splits and decodes the only packet in `bytes`.
fn read(bytes: &[u8], version: Option<Version>) -> Result<Option<Packet>, Fault> {
    let Some(header) = Header::read(bytes)? else {
        return Ok(None);
    };
    match bytes.get(header.body..header.end) {
        Some(body) => decode(header.first, body, version).map(Some),
        None => Ok(None),
    }
}

fn reason(bytes: &[u8], version: Option<Version>) -> u8 {
    match read(bytes, version) {
        Err(fault) => fault.reason,
        Ok(packet) => panic!("expected a fault in {bytes:02x?}, decoded {packet:?}"),
    }
}

/// The example of `[3] 3.1.2` with the client id "pi": user name, password, will at QoS 1, clean session,
/// keep-alive 10.
const CONNECT_V3: [u8; 33] = [
    0x10, 0x1f, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x04, 0xce, 0x00, 0x0a, 0x00, 0x02, b'p', b'i', 0x00,
    0x01, b'w', 0x00, 0x02, b'b', b'y', 0x00, 0x01, b'u', 0x00, 0x05, b'h', b'e', b'l', b'l', b'o',
];

/// After the example of `[5] 3.1.2`: session expiry 10, clean start, keep-alive 10; client id "pi".
const CONNECT_V5: [u8; 22] = [
    0x10, 0x14, 0x00, 0x04, b'M', b'Q', b'T', b'T', 0x05, 0x02, 0x00, 0x0a, 0x05, 0x11, 0x00, 0x00, 0x00,
    0x0a, 0x00, 0x02, b'p', b'i',
];

/// The example of `[3] 3.3.2`: topic "a/b", packet id 10; and the payload "hi".
const PUBLISH_V3: [u8; 11] = [0x32, 0x09, 0x00, 0x03, b'a', b'/', b'b', 0x00, 0x0a, b'h', b'i'];

/// The example of `[5] 3.3.2`: topic "a/b", packet id 10, no properties; and the payload "hi".
const PUBLISH_V5: [u8; 12] = [0x32, 0x0a, 0x00, 0x03, b'a', b'/', b'b', 0x00, 0x0a, 0x00, b'h', b'i'];

#[test]
fn a_connect_of_each_version_is_read() {
    let Ok(Some(Packet::Connect(v3))) = read(&CONNECT_V3, None) else {
        panic!("expected a CONNECT");
    };
    assert_eq!((v3.version, v3.keep_alive_secs), (Version::V3, 10));
    assert_eq!((v3.client_id.as_str(), v3.clean_start), ("pi", true));

    let Ok(Some(Packet::Connect(v5))) = read(&CONNECT_V5, None) else {
        panic!("expected a CONNECT");
    };
    assert_eq!((v5.version, v5.keep_alive_secs), (Version::V5, 10));
    assert_eq!((v5.client_id.as_str(), v5.clean_start), ("pi", true));
    assert_eq!(v5.properties.number(properties::SESSION_EXPIRY), Some(10));
}

#[test]
fn a_publish_of_each_version_is_read() {
    let expected = Publish {
        topic: "a/b".to_owned(),
        payload: b"hi".to_vec(),
        qos: 1,
        dup: false,
        retain: false,
        packet_id: Some(10),
    };
    for (bytes, version) in [(&PUBLISH_V3[..], Version::V3), (&PUBLISH_V5[..], Version::V5)] {
        assert_eq!(read(bytes, Some(version)), Ok(Some(Packet::Publish(expected.clone()))));
    }
    // QoS 0 has no packet id; retain is bit 0.
    let Ok(Some(Packet::Publish(publish))) = read(&[0x31, 0x04, 0, 1, b'a', b'!'], Some(Version::V3)) else {
        panic!("expected a PUBLISH");
    };
    assert_eq!((publish.qos, publish.packet_id), (0, None));
    assert!(publish.retain);
}

#[test]
fn pings_and_all_forms_of_disconnect_are_read() {
    let goodbye = |reason, session_expiry_secs| Ok(Some(Packet::Disconnect { reason, session_expiry_secs }));
    for version in [Version::V3, Version::V5] {
        assert_eq!(read(&[0xc0, 0], Some(version)), Ok(Some(Packet::PingReq)));
        assert_eq!(read(&[0xe0, 0], Some(version)), goodbye(0, None));
    }
    let v5 = Some(Version::V5);
    assert_eq!(read(&[0xe0, 1, 0x04], v5), goodbye(4, None));
    assert_eq!(read(&[0xe0, 2, 0, 0], v5), goodbye(0, None));
    let expiry = [0xe0, 7, 0, 5, 0x11, 0, 0, 0, 9];
    assert_eq!(read(&expiry, v5), goodbye(0, Some(9)));
    // Reasons are of version 5; 0x8e is the broker's alone.
    assert_eq!(reason(&[0xe0, 1, 0], Some(Version::V3)), 0x81);
    assert_eq!(reason(&[0xe0, 1, 0x8e], v5), 0x82);
}

#[test]
fn a_packet_cut_short_is_awaited_and_one_that_says_so_is_a_fault() {
    for (packet, version) in [
        (&CONNECT_V3[..], None),
        (&CONNECT_V5[..], None),
        (&PUBLISH_V3[..], Some(Version::V3)),
        (&PUBLISH_V5[..], Some(Version::V5)),
    ] {
        for len in 0..packet.len() {
            assert_eq!(read(&packet[..len], version), Ok(None), "first {len} bytes");
        }
        // The same with a length that matches. A PUBLISH may end anywhere in its payload.
        for len in 2..packet.len() - 2 {
            let mut short = packet[..len].to_vec();
            short[1] = u8::try_from(len - 2).expect("these packets are short");
            assert_eq!(reason(&short, version), 0x81, "first {len} bytes");
        }
    }
}

#[test]
fn every_single_byte_may_be_anything_without_a_panic() {
    for (packet, version) in [
        (&CONNECT_V3[..], None),
        (&CONNECT_V5[..], None),
        (&PUBLISH_V3[..], Some(Version::V3)),
        (&PUBLISH_V5[..], Some(Version::V5)),
        (&[0xe0, 7, 0, 5, 0x11, 0, 0, 0, 9], Some(Version::V5)),
    ] {
        for place in 0..packet.len() {
            for byte in 0..=u8::MAX {
                let mut spoilt = packet.to_vec();
                spoilt[place] = byte;
                if let Ok(Some(Packet::Publish(publish))) = read(&spoilt, version) {
                    assert!(!publish.topic.is_empty(), "{spoilt:02x?}");
                    assert!(!publish.topic.contains(['#', '+', '\0']), "{spoilt:02x?}");
                    assert_eq!(publish.qos > 0, publish.packet_id.is_some());
                    assert_ne!(publish.packet_id, Some(0));
                }
            }
        }
    }
}

#[test]
fn malformed_connects_are_faults() {
    let with = |place: usize, byte: u8| {
        let mut packet = CONNECT_V5.to_vec();
        packet[place] = byte;
        reason(&packet, None)
    };
    assert_eq!(with(0, 0x11), 0x81, "flags of the fixed header");
    assert_eq!(with(4, b'm'), 0x84, "protocol name");
    assert_eq!(with(8, 6), 0x84, "protocol level");
    assert_eq!(with(9, 0x03), 0x81, "reserved bit");
    assert_eq!(with(9, 0x0a), 0x81, "will QoS without a will");
    assert_eq!(with(9, 0x22), 0x81, "will retain without a will");
    assert_eq!(with(9, 0x1e), 0x81, "will QoS 3");
    assert_eq!(with(21, 0xff), 0x81, "client id that is not UTF-8");
    assert_eq!(with(1, 0x13), 0x81, "length too short by one");

    let mut password_alone = CONNECT_V3;
    password_alone[9] = 0x4e;
    assert_eq!(reason(&password_alone, None), 0x81);
    assert_eq!(reason(&PUBLISH_V3, None), 0x82, "no CONNECT first");
    assert_eq!(reason(&CONNECT_V3, Some(Version::V3)), 0x82, "a second one");
}

#[test]
fn malformed_publishes_are_faults() {
    let v3 = Some(Version::V3);
    let with = |place: usize, byte: u8| {
        let mut packet = PUBLISH_V3;
        packet[place] = byte;
        reason(&packet, v3)
    };
    assert_eq!(with(0, 0x36), 0x81, "QoS 3");
    assert_eq!(with(0, 0x38), 0x81, "DUP with QoS 0");
    assert_eq!(with(8, 0), 0x82, "packet id 0");
    assert_eq!(with(5, 0xff), 0x81, "a topic that is not UTF-8");
    assert_eq!(with(5, 0), 0x81, "U+0000 in a topic");
    assert_eq!(with(5, b'#'), 0x90, "a wildcard in a topic");
    assert_eq!(with(5, b'+'), 0x90, "a wildcard in a topic");
    assert_eq!(reason(&[0x32, 4, 0, 0, 0, 1], v3), 0x82, "an empty topic");

    let not_utf_8 = [0x30, 7, 0, 1, b'a', 2, 0x01, 1, 0xff];
    assert_eq!(reason(&not_utf_8, Some(Version::V5)), 0x99);
}

#[test]
fn what_a_publisher_never_sends_is_a_fault() {
    for first in [0x00, 0x20, 0x40, 0x50, 0x62, 0x70, 0x82, 0x90, 0xa2, 0xb0, 0xd0, 0xf0] {
        assert_eq!(reason(&[first, 0], Some(Version::V5)), 0x82, "{first:02x}");
    }
    assert_eq!(reason(&[0xc1, 0], Some(Version::V3)), 0x81);
    assert_eq!(reason(&[0xc0, 1, 0], Some(Version::V3)), 0x81);
}
