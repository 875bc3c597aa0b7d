//! Retained messages, and the will.

use super::*;

/// The first packet of a session with a will.
fn connect_with_will(version: Version) -> Vec<u8> {
    let will = Some(Will { topic: "t/availability", payload: "offline" });
    sent(&mut Session::<u32>::new(&Settings { will, ..settings(version) }, Pace::default(), at(0)), at(0))
}

#[test]
fn will_is_retained_and_has_quality_of_service_1() {
    // Will Retain, Will QoS 1, Will Flag, Clean Session.
    const FLAGS: u8 = 0x20 | 1 << 3 | 0x04 | 0x02;
    let will = b"\0\x0et/availability\0\x07offline";
    let v3 = [&[0x10, 41, 0, 4][..], b"MQTT", &[4, FLAGS, 0, 240, 0, 4], b"pi-7", will].concat();
    assert_eq!(connect_with_will(Version::V3), v3);
    let properties = &[5, 0x27, 0, 0, 4, 0][..]; // Maximum Packet Size
    let v5 = [
        &[0x10, 48, 0, 4][..],
        b"MQTT",
        &[5, FLAGS, 0, 240],
        properties,
        &[0, 4],
        b"pi-7",
        &[0], // no properties of the will
        will,
    ];
    assert_eq!(connect_with_will(Version::V5), v5.concat());
}

#[test]
fn retain_flag_is_set_for_one_message_only() {
    for version in BOTH {
        let mut session = connected(version);
        session.publish_retained(0, b"x", 1, at(0)).unwrap();
        session.publish(0, b"x", 2, at(0)).unwrap();
        let bytes = sent(&mut session, at(0));
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let one: &[u8] = match version {
            Version::V3 => &[0x33, 6, 0, 1, b't', 0, 1, b'x'],
            Version::V5 => &[0x33, 7, 0, 1, b't', 0, 1, 0, b'x'],
        };
        assert_eq!(first, one);
        assert_eq!(second[0], 0x32);
        session.receive(&[0x40, 2, 0, 1, 0x40, 2, 0, 2]);
        for ticket in [1, 2] {
            assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(ticket))));
        }
    }
}

#[test]
fn retained_message_may_be_longer_than_the_buffer() {
    let mut session = connected(Version::V5);
    let payload = vec![b'x'; 3 * OUTGOING_LEN_MAX];
    assert!(session.has_room(payload.len(), at(0)));
    session.publish_retained(0, &payload, 1, at(0)).unwrap();
    assert!(!session.has_room(1, at(0)), "it is written alone");
    let bytes = sent(&mut session, at(0));
    assert_eq!((bytes.len() - payload.len(), &bytes[bytes.len() - 1..]), (10, &b"x"[..]));
    assert!(session.has_room(1, at(0)));
}

#[test]
fn connack_tells_whether_the_broker_retains_messages() {
    for (properties, retains) in [(&[][..], true), (&[0x25, 1], true), (&[0x25, 0], false)] {
        assert_eq!(connected_with(Version::V5, properties).retains(), retains, "{properties:?}");
    }
    assert!(connected(Version::V3).retains(), "3.1.1 does not tell");
    // The answer of such a broker to a will that is to be retained (section 3.2.2.3.5).
    let refused = Err(SessionError::Refused(Refusal::Other(0x9a)));
    assert_eq!(answered(Version::V5, &[0x20, 3, 0, 0x9a, 0]), refused);
}
