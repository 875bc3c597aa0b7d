use std::sync::LazyLock;
use std::vec::Vec;

use pivitals_broker::Random;

use super::*;

mod retained;

static TOPICS: LazyLock<[String; 2]> = LazyLock::new(|| ["t", "u"].map(str::to_owned));

fn settings(version: Version) -> Settings<'static> {
    Settings { version, client_id: "pi-7", topics: &*TOPICS, keep_alive_secs: 240, will: None }
}

const BOTH: [Version; 2] = [Version::V3, Version::V5];

const ACCEPTED_V3: &[u8] = &[0x20, 2, 0, 0];
const ACCEPTED_V5: &[u8] = &[0x20, 3, 0, 0, 0];

fn at(millis: u64) -> BootTime {
    BootTime::from_millis(millis)
}

fn secs(secs: u64) -> BootTime {
    at(secs * 1000)
}

fn sent<T: Copy>(session: &mut Session<T>, now: BootTime) -> Vec<u8> {
    let mut bytes = Vec::new();
    let taken: Result<(), ()> = session.flush(now, |sent| {
        bytes.extend_from_slice(sent);
        Ok(())
    });
    taken.unwrap();
    bytes
}

/// A session that the broker has accepted at time zero, with `properties` in a version 5 CONNACK.
fn connected_with(version: Version, properties: &[u8]) -> Session<u32> {
    let mut session = Session::new(&settings(version), at(0));
    sent(&mut session, at(0));
    let length = u8::try_from(properties.len()).unwrap();
    match version {
        Version::V3 => session.receive(ACCEPTED_V3),
        Version::V5 => {
            session.receive(&[0x20, 3 + length, 0, 0, length]);
            session.receive(properties);
        }
    }
    assert_eq!(session.next_event(), Ok(Some(Event::Connected)));
    session
}

fn connected(version: Version) -> Session<u32> {
    connected_with(version, &[])
}

/// What a session that awaits CONNACK makes of an answer.
fn answered(version: Version, answer: &[u8]) -> Result<Option<Event<u32>>, SessionError> {
    let mut session = Session::new(&settings(version), at(0));
    session.receive(answer);
    session.next_event()
}

/// What a connected session makes of bytes.
fn received(version: Version, bytes: &[u8]) -> Result<Option<Event<u32>>, SessionError> {
    let mut session = connected(version);
    session.receive(bytes);
    session.next_event()
}

#[test]
fn connect_is_sent_as_the_specification_has_it() {
    let mut session = Session::<u32>::new(&settings(Version::V3), at(0));
    let v3 = [&[0x10, 16, 0, 4][..], b"MQTT", &[4, 2, 0, 240, 0, 4], b"pi-7"].concat();
    assert_eq!(sent(&mut session, at(0)), v3);
    let mut session = Session::<u32>::new(&settings(Version::V5), at(0));
    let v5 = [&[0x10, 22, 0, 4][..], b"MQTT", &[5, 2, 0, 240, 5, 0x27, 0, 0, 4, 0, 0, 4], b"pi-7"];
    assert_eq!(sent(&mut session, at(0)), v5.concat());
}

#[test]
fn messages_go_out_in_one_piece_and_are_acknowledged_in_any_order() {
    for version in BOTH {
        let mut session = connected(version);
        for ticket in 0..4 {
            session.publish(0, b"x", ticket, at(0)).unwrap();
        }
        let bytes = sent(&mut session, at(0));
        let one: &[u8] = match version {
            Version::V3 => &[0x32, 6, 0, 1, b't', 0, 1, b'x'],
            Version::V5 => &[0x32, 7, 0, 1, b't', 0, 1, 0, b'x'],
        };
        assert!(bytes.starts_with(one) && bytes.len() == 4 * one.len(), "{bytes:?}");
        session.receive(&[0x40, 2, 0, 3, 0x40, 2, 0, 1, 0x40, 2, 0, 4, 0x40, 2, 0, 2]);
        for ticket in [2, 0, 3, 1] {
            assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(ticket))));
        }
        assert_eq!(session.next_event(), Ok(None));
        assert_eq!(session.owed(), None);
    }
}

#[test]
fn answers_may_come_one_byte_at_a_time() {
    let mut session = connected(Version::V5);
    session.publish(0, b"x", 7, at(0)).unwrap();
    for byte in [0x40, 3, 0, 1] {
        session.receive(&[byte]);
        assert_eq!(session.next_event(), Ok(None));
    }
    session.receive(&[0x10]); // "no matching subscribers" is a success
    assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(7))));
}

#[test]
fn a_broker_that_refuses_version_5_is_understood_in_every_form() {
    let refused = Err(SessionError::Refused(Refusal::Version));
    assert_eq!(answered(Version::V5, &[0x20, 2, 0, 1]), refused);
    assert_eq!(answered(Version::V5, &[0x20, 2, 0, 0x84]), refused);
    assert_eq!(answered(Version::V5, &[0x20, 3, 0, 0x84, 0]), refused);
    assert_eq!(answered(Version::V3, &[0x20, 2, 0, 1]), refused);
}

#[test]
fn a_refused_session_says_why() {
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
fn a_message_goes_to_the_topic_that_is_named() {
    for version in BOTH {
        let mut session = connected(version);
        for topic in [1, 0] {
            session.publish(topic, b"x", 1, at(0)).unwrap();
        }
        let bytes = sent(&mut session, at(0));
        let (first, second) = bytes.split_at(bytes.len() / 2);
        assert_eq!((first[4], second[4]), (b'u', b't'));
    }
}

#[test]
fn a_refused_publish_says_why_and_the_session_goes_on() {
    for reason in [0x80, 0x87, 0x90, 0x97, 0x99, 0xfe] {
        for answer in [&[0x40, 3, 0, 1, reason][..], &[0x40, 4, 0, 1, reason, 0]] {
            let mut session = connected(Version::V5);
            session.publish(0, b"x", 7, at(0)).unwrap();
            session.receive(answer);
            assert_eq!(session.next_event(), Ok(Some(Event::Refused(7, reason))));
            assert_eq!((session.next_event(), session.in_flight()), (Ok(None), 0));
            session.publish(0, b"x", 7, at(0)).unwrap();
        }
        assert_eq!(received(Version::V5, &[0x40, 3, 0, 1, reason]), Ok(Some(Event::Stray(1))));
    }
}

#[test]
fn a_refused_publish_takes_no_other_acknowledgement_with_it() {
    let mut session = connected(Version::V5);
    for ticket in 0..3 {
        session.publish(0, b"x", ticket, at(0)).unwrap();
    }
    session.receive(&[0x40, 2, 0, 1, 0x40, 3, 0, 2, 0x97, 0x40, 2, 0, 3, 0xe0, 1, 0x97]);
    assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(0))));
    assert_eq!(session.next_event(), Ok(Some(Event::Refused(1, 0x97))));
    assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(2))));
    assert_eq!(session.next_event(), Err(SessionError::Disconnected(0x97)));
}

#[test]
fn a_broker_that_disconnects_says_why_in_every_form() {
    for (bytes, reason) in
        [(&[0xe0, 0][..], 0), (&[0xe0, 1, 0x8e], 0x8e), (&[0xe0, 2, 0x8b, 0], 0x8b), (&[0xe0, 1, 0xfe], 0xfe)]
    {
        assert_eq!(received(Version::V5, bytes), Err(SessionError::Disconnected(reason)));
    }
}

#[test]
fn an_acknowledgement_for_nothing_is_stray_and_changes_nothing() {
    for version in BOTH {
        let mut session = connected(version);
        session.publish(0, b"x", 7, at(0)).unwrap();
        session.receive(&[0x40, 2, 0x12, 0x34, 0x40, 2, 0, 1, 0x40, 2, 0, 1]);
        assert_eq!(session.next_event(), Ok(Some(Event::Stray(0x1234))));
        assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(7))));
        assert_eq!(session.next_event(), Ok(Some(Event::Stray(1))));
        assert_eq!(session.next_event(), Ok(None));
    }
}

#[test]
fn a_second_acknowledgement_meets_no_younger_message() {
    let mut session = connected(Version::V3);
    session.publish(0, b"x", 1, at(0)).unwrap();
    session.receive(&[0x40, 2, 0, 1]);
    assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(1))));
    session.publish(0, b"x", 2, at(0)).unwrap();
    session.receive(&[0x40, 2, 0, 1]);
    assert_eq!(session.next_event(), Ok(Some(Event::Stray(1))));
}

#[test]
fn packet_ids_go_round_without_zero_and_without_one_in_flight() {
    let mut session = connected(Version::V3);
    session.publish(0, b"x", 1, at(0)).unwrap();
    session.last_id = u16::MAX;
    session.publish(0, b"x", 2, at(0)).unwrap();
    let ids: Vec<_> = session.in_flight.iter().map(|message| message.id).collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn no_more_is_in_flight_than_the_broker_allows() {
    let mut session = connected_with(Version::V5, &[0x21, 0, 3]); // Receive Maximum
    for ticket in 0..3 {
        assert!(session.has_room(1, at(0)));
        session.publish(0, b"x", ticket, at(0)).unwrap();
    }
    assert!(!session.has_room(1, at(0)));
    assert_eq!(session.room_at(), BootTime::NEVER);
    session.receive(&[0x40, 2, 0, 1]);
    session.next_event().unwrap();
    assert!(session.has_room(1, at(0)));
}

#[test]
fn sixteen_are_in_flight_at_the_most() {
    for version in BOTH {
        let mut session = connected(version);
        let mut taken = 0;
        while session.has_room(1, at(0)) {
            session.publish(0, b"x", taken, at(0)).unwrap();
            taken += 1;
        }
        assert_eq!(taken, 16);
    }
}

#[test]
fn a_backlog_stays_below_a_hundred_publishes_a_second() {
    let mut session = connected(Version::V3);
    let mut published = Vec::new();
    let mut id = 0_u16;
    for millis in 0..3000 {
        let now = at(millis);
        while session.has_room(1, now) {
            session.publish(0, b"x", 0, now).unwrap();
            published.push(millis);
            id += 1;
            let [high, low] = id.to_be_bytes();
            session.receive(&[0x40, 2, high, low]); // a broker without delay
            session.next_event().unwrap().unwrap();
        }
        sent(&mut session, now);
    }
    for millis in 0..2000 {
        let second = published.iter().filter(|&&at| (millis..millis + 1000).contains(&at));
        assert!(second.count() < 100);
    }
    assert!(published.len() > 200, "{}", published.len());
}

#[test]
fn a_full_buffer_waits_to_be_sent() {
    let mut session = connected(Version::V3);
    let payload = [b'x'; OUTGOING_LEN_MAX / 2];
    assert!(session.has_room(payload.len(), at(0)));
    session.publish(0, &payload, 1, at(0)).unwrap();
    assert!(!session.has_room(payload.len(), at(0)), "two would not fit into the buffer");
    sent(&mut session, at(0));
    assert!(session.has_room(payload.len(), at(0)));
}

#[test]
fn a_broker_that_takes_only_short_packets_or_no_quality_of_service_is_named() {
    let mut session = connected_with(Version::V5, &[0x27, 0, 0, 0, 12]); // Maximum Packet Size
    session.publish(0, b"xxx", 1, at(0)).unwrap();
    assert_eq!(session.publish(0, b"1234567", 2, at(0)), Err(SessionError::PacketTooLong(15)));
    assert_eq!(
        answered(Version::V5, &[0x20, 5, 0, 0, 2, 0x24, 0]), // Maximum QoS
        Err(SessionError::QosUnsupported)
    );
}

#[test]
fn a_broker_that_allows_nothing_breaks_the_protocol() {
    let nothing = [&[0x20, 6, 0, 0, 3, 0x21, 0, 0][..], &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 0]];
    for answer in nothing {
        assert_eq!(answered(Version::V5, answer), Err(SessionError::Malformed));
    }
}

#[test]
fn silence_has_a_deadline_in_every_phase() {
    for version in BOTH {
        let mut session = Session::<u32>::new(&settings(version), at(0));
        assert_eq!(session.deadline(), secs(10));
        assert_eq!(session.tick(at(9_999)), Ok(()));
        assert_eq!(session.tick(secs(10)), Err(SessionError::Unanswered(Answer::ConnAck)));

        let mut session = connected(version);
        session.publish(0, b"x", 1, secs(1)).unwrap();
        sent(&mut session, secs(1));
        assert_eq!(session.deadline(), secs(31));
        assert_eq!(session.tick(secs(31)), Err(SessionError::Unanswered(Answer::PubAck)));

        let mut session = connected(version);
        session.tick(secs(120)).unwrap();
        assert_eq!(sent(&mut session, secs(120)), [0xc0, 0]);
        assert_eq!(session.deadline(), secs(140));
        assert_eq!(session.tick(secs(140)), Err(SessionError::Unanswered(Answer::PingResp)));
    }
}

#[test]
fn a_ping_is_sent_only_after_half_the_keep_alive_without_a_message() {
    for version in BOTH {
        let mut session = connected(version);
        for minute in 1..10 {
            session.tick(secs(60 * minute)).unwrap();
            session.publish(0, b"x", 1, secs(60 * minute)).unwrap();
            assert!(sent(&mut session, secs(60 * minute)).starts_with(&[0x32]), "no ping between");
            session.receive(&[0x40, 2, 0, u8::try_from(minute).unwrap()]);
            session.next_event().unwrap();
        }
        assert_eq!(session.deadline(), secs(540 + 120));
        session.tick(secs(660)).unwrap();
        assert_eq!(sent(&mut session, secs(660)), [0xc0, 0]);
        session.receive(&[0xd0, 0]);
        assert_eq!(session.next_event(), Ok(None));
        assert_eq!(session.deadline(), secs(660 + 120));
    }
}

#[test]
fn the_brokers_keep_alive_wins() {
    let session = connected_with(Version::V5, &[0x13, 0, 60]); // Server Keep Alive
    assert_eq!(session.deadline(), secs(30));
    let session = connected_with(Version::V5, &[0x13, 0, 0]);
    assert_eq!(session.deadline(), BootTime::NEVER, "zero turns it off");
}

#[test]
fn goodbye_is_a_disconnect() {
    for version in BOTH {
        let mut session = connected(version);
        session.disconnect();
        assert_eq!(sent(&mut session, at(0)), [0xe0, 0]);
    }
}

#[test]
fn packets_that_a_publisher_does_not_get_end_the_session() {
    for version in BOTH {
        assert_eq!(received(version, &[0xc0, 0]), Err(SessionError::Unexpected(12))); // PINGREQ
        let publish: &[u8] = match version {
            Version::V3 => &[0x30, 4, 0, 1, b't', b'x'],
            Version::V5 => &[0x30, 5, 0, 1, b't', 0, b'x'],
        };
        assert_eq!(received(version, publish), Err(SessionError::Unexpected(3)));
        let accepted = if version == Version::V3 { ACCEPTED_V3 } else { ACCEPTED_V5 };
        assert_eq!(received(version, accepted), Err(SessionError::Unexpected(2)));
        assert_eq!(answered(version, &[0x40, 2, 0, 1]), Err(SessionError::Malformed));
    }
}

#[test]
fn long_packets_and_garbage_end_the_session() {
    for version in BOTH {
        assert_eq!(received(version, &[0x40, 0x80, 0x08]), Err(SessionError::InboundTooLong(1027)));
        assert_eq!(received(version, &[0x40, 0xff, 0xff, 0xff, 0xff]), Err(SessionError::Malformed));
        assert_eq!(received(version, &[0x40, 1, 0]), Err(SessionError::Malformed));
        assert_eq!(received(version, &[0x40, 0]), Err(SessionError::Malformed));
        assert_eq!(received(version, &[0xf0, 0]), Err(SessionError::Unexpected(15)));
        let http = answered(
            version,
            b"HTTP/1.1 400 Bad Request

",
        );
        assert_eq!(http, Err(SessionError::Malformed));
    }
}

#[test]
fn properties_that_are_none_end_the_session() {
    for properties in [
        &[0x21, 0][..],      // cut off
        &[0x1f, 0, 3, b'o'], // a text that is longer than all of it
        &[0x26, 0, 1, b'a'], // one half of a pair
        &[0x01, 0],          // of a message, not of CONNACK
        &[0x24, 1, 0x24, 1], // twice
        &[0x21, 0, 9, 0x21, 0, 9],
    ] {
        let length = u8::try_from(properties.len()).unwrap();
        let answer = [&[0x20, 3 + length, 0, 0, length], properties].concat();
        assert_eq!(answered(Version::V5, &answer), Err(SessionError::Malformed), "{properties:x?}");
    }
    for length in [&[][..], &[1], &[0x80, 0x80, 0x80, 0x80]] {
        let answer = [&[0x20, 2 + u8::try_from(length.len()).unwrap(), 0, 0], length].concat();
        assert_eq!(answered(Version::V5, &answer), Err(SessionError::Malformed), "{length:x?}");
    }
}

#[test]
fn a_broker_that_says_all_it_may_say_is_understood() {
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
fn no_bytes_make_it_panic() {
    let mut random = Random::new(1);
    for round in 0..200_000 {
        let version = BOTH[round % 2];
        let mut session = Session::<u32>::new(&settings(version), at(0));
        if round % 3 > 0 {
            session.receive(if version == Version::V3 { ACCEPTED_V3 } else { ACCEPTED_V5 });
            session.next_event().unwrap();
            session.publish(0, b"x", 1, at(0)).unwrap();
        }
        let mut bytes = [0; 24];
        for byte in &mut bytes {
            *byte = random.word().to_le_bytes()[3];
        }
        // Half of them begin like a packet of a kind and a length that could be.
        if round % 2 == 0 {
            bytes[0] = [0x20, 0x40, 0xd0, 0xe0][round / 2 % 4];
            bytes[1] %= 23;
        }
        session.receive(&bytes);
        while let Ok(Some(_)) = session.next_event() {}
        let _ = session.tick(at(random.word() % 100_000));
    }
}
