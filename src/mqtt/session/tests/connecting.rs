//! CONNECT, CONNACK, and the terms of the broker.

use super::*;

#[test]
fn connect_is_written_as_in_the_specification() {
    let mut session = new_session(Version::V3);
    let v3 = [&[0x10, 16, 0, 4][..], b"MQTT", &[4, 2, 0, 240, 0, 4], b"pi-7"].concat();
    assert_eq!(sent(&mut session, at(0)), v3);
    let mut session = new_session(Version::V5);
    let v5 = [&[0x10, 22, 0, 4][..], b"MQTT", &[5, 2, 0, 240, 5, 0x27, 0, 0, 4, 0, 0, 4], b"pi-7"];
    assert_eq!(sent(&mut session, at(0)), v5.concat());
}

#[test]
fn refusal_of_version_5_is_read_in_every_form() {
    let refused = Err(SessionError::Refused(Refusal::Version));
    assert_eq!(answered(Version::V5, &[0x20, 2, 0, 1]), refused);
    assert_eq!(answered(Version::V5, &[0x20, 2, 0, 0x84]), refused);
    assert_eq!(answered(Version::V5, &[0x20, 3, 0, 0x84, 0]), refused);
    assert_eq!(answered(Version::V3, &[0x20, 2, 0, 1]), refused);
}

#[test]
fn refused_session_has_the_reason() {
    for (version, answer, refusal) in [
        (Version::V3, &[0x20, 2, 0, 2][..], Refusal::ClientId),
        (Version::V3, &[0x20, 2, 0, 3], Refusal::Unavailable),
        (Version::V3, &[0x20, 2, 0, 4], Refusal::Credentials),
        (Version::V3, &[0x20, 2, 0, 5], Refusal::NotAuthorized),
        (Version::V3, &[0x20, 2, 0, 99], Refusal::Other(99)),
        (Version::V5, &[0x20, 3, 0, 0x85, 0], Refusal::ClientId),
        (Version::V5, &[0x20, 3, 0, 0x87, 0], Refusal::NotAuthorized),
        (Version::V5, &[0x20, 3, 0, 0x89, 0], Refusal::Unavailable),
        (Version::V5, &[0x20, 3, 0, 0x9f, 0], Refusal::Other(0x9f)),
        (Version::V5, &[0x20, 3, 0, 0xfe, 0], Refusal::Other(0xfe)), // a code of no specification
    ] {
        assert_eq!(answered(version, answer), Err(SessionError::Refused(refusal)));
    }
}

#[test]
fn connack_with_every_property_is_read() {
    let properties: &[u8] = &[
        0x11, 0, 0, 0, 0, // Session Expiry Interval
        0x21, 0, 100, // Receive Maximum
        0x25, 1, // Retain Available
        0x27, 0, 2, 0, 0, // Maximum Packet Size
        0x22, 0, 8, // Topic Alias Maximum
        0x1f, 0, 2, b'o', b'k', // Reason String
        0x26, 0, 1, b'a', 0, 1, b'b', // User Property
        0x28, 1, 0x29, 0, 0x2a, 0, // subscriptions
        0x13, 4, 0xb0, // Server Keep Alive
    ];
    let session = connected_with(Version::V5, properties);
    assert_eq!(session.deadline(), secs(600));
    assert_eq!(session.in_flight_max, IN_FLIGHT_MAX);
}

#[test]
fn malformed_properties_end_the_session() {
    for properties in [
        &[0x21, 0][..],      // cut off
        &[0x1f, 0, 3, b'o'], // a text that is longer than all of it
        &[0x26, 0, 1, b'a'], // one half of a pair
        &[0x01, 0],          // of a message, not of CONNACK
        &[0x24, 1, 0x24, 1], // twice
        &[0x21, 0, 9, 0x21, 0, 9],
        &[0x1f, 0, 1, 0xff], // a text that is not UTF-8
    ] {
        let length = u8::try_from(properties.len()).unwrap();
        let answer = [&[0x20, 3 + length, 0, 0, length], properties].concat();
        assert_eq!(answered(Version::V5, &answer), Err(SessionError::Malformed), "{properties:x?}");
    }
    // None, cut off, too long; shorter than the properties, or than the last of them.
    for length in [&[][..], &[1], &[0x80, 0x80, 0x80, 0x80], &[0, 0x21, 0, 9], &[2, 0x21, 0, 9]] {
        let answer = [&[0x20, 2 + u8::try_from(length.len()).unwrap(), 0, 0], length].concat();
        assert_eq!(answered(Version::V5, &answer), Err(SessionError::Malformed), "{length:x?}");
    }
}

#[test]
fn limits_of_zero_are_malformed() {
    let nothing = [&[0x20, 6, 0, 0, 3, 0x21, 0, 0][..], &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 0]];
    for answer in nothing {
        assert_eq!(answered(Version::V5, answer), Err(SessionError::Malformed));
    }
}

#[test]
fn packet_limit_and_missing_quality_of_service_1_are_errors() {
    let mut session = connected_with(Version::V5, &[0x27, 0, 0, 0, 12]); // Maximum Packet Size
    session.publish(0, b"xxx", 1, at(0)).unwrap();
    assert_eq!(session.publish(0, b"1234567", 2, at(0)), Err(SessionError::PacketTooLong(15)));
    assert_eq!(
        answered(Version::V5, &[0x20, 5, 0, 0, 2, 0x24, 0]), // Maximum QoS
        Err(SessionError::QosUnsupported)
    );
}

#[test]
fn keep_alive_of_the_broker_replaces_that_of_the_client() {
    let session = connected_with(Version::V5, &[0x13, 0, 60]); // Server Keep Alive
    assert_eq!(session.deadline(), secs(30));
    let session = connected_with(Version::V5, &[0x13, 0, 0]);
    assert_eq!(session.deadline(), BootTime::NEVER, "zero turns it off");
}
