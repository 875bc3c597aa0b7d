//! PUBLISH, PUBACK, and the messages in flight.

use super::*;

#[test]
fn messages_are_written_in_one_piece_and_acknowledged_in_any_order() {
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
fn message_is_published_on_its_topic() {
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
fn acknowledgement_of_an_unknown_id_is_stray_and_changes_nothing() {
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
fn second_acknowledgement_meets_no_younger_message() {
    let mut session = connected(Version::V3);
    session.publish(0, b"x", 1, at(0)).unwrap();
    session.receive(&[0x40, 2, 0, 1]);
    assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(1))));
    session.publish(0, b"x", 2, at(0)).unwrap();
    session.receive(&[0x40, 2, 0, 1]);
    assert_eq!(session.next_event(), Ok(Some(Event::Stray(1))));
}

#[test]
fn refused_publish_has_the_reason_and_the_session_goes_on() {
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
fn refused_publish_leaves_other_acknowledgements_alone() {
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
fn receive_maximum_limits_the_messages_in_flight() {
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
fn sixteen_messages_are_in_flight_at_most() {
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
fn backlog_stays_below_a_hundred_publishes_a_second() {
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
fn full_buffer_has_no_room_until_it_is_sent() {
    let mut session = connected(Version::V3);
    let payload = [b'x'; OUTGOING_LEN_MAX / 2];
    assert!(session.has_room(payload.len(), at(0)));
    session.publish(0, &payload, 1, at(0)).unwrap();
    assert!(!session.has_room(payload.len(), at(0)), "two would not fit into the buffer");
    sent(&mut session, at(0));
    assert!(session.has_room(payload.len(), at(0)));
}
