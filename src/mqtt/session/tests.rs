use std::sync::LazyLock;

use pivitals_broker::Random;

use super::*;
use crate::mqtt::event::Refusal;
use crate::mqtt::settings::{Version, Will};

mod connecting;
mod publishing;
mod quota;
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

/// A session whose CONNECT waits to be sent.
fn new_session(version: Version) -> Session<u32> {
    Session::new(&settings(version), Pace::default(), at(0))
}

/// The bytes that the session sends.
fn sent<T: Copy>(session: &mut Session<T>, now: BootTime) -> Vec<u8> {
    let mut bytes = Vec::new();
    let flushed: Result<(), ()> = session.flush(now, |sent| {
        bytes.extend_from_slice(sent);
        Ok(())
    });
    flushed.unwrap();
    bytes
}

/// A session that the broker has accepted at time zero, with `properties` in a CONNACK of version 5.
fn connected_with(version: Version, properties: &[u8]) -> Session<u32> {
    let mut session = new_session(version);
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

/// The first event of a session that waits for CONNACK and gets `answer`.
fn answered(version: Version, answer: &[u8]) -> Result<Option<Event<u32>>, SessionError> {
    let mut session = new_session(version);
    session.receive(answer);
    session.next_event()
}

/// The first event of a connected session that gets `bytes`.
fn received(version: Version, bytes: &[u8]) -> Result<Option<Event<u32>>, SessionError> {
    let mut session = connected(version);
    session.receive(bytes);
    session.next_event()
}

#[test]
fn answer_is_read_one_byte_at_a_time() {
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
fn disconnect_is_read_in_every_form() {
    for (bytes, reason) in
        [(&[0xe0, 0][..], 0), (&[0xe0, 1, 0x8e], 0x8e), (&[0xe0, 2, 0x8b, 0], 0x8b), (&[0xe0, 1, 0xfe], 0xfe)]
    {
        assert_eq!(received(Version::V5, bytes), Err(SessionError::Disconnected(reason)));
    }
}

#[test]
fn every_answer_has_a_deadline() {
    for version in BOTH {
        let mut session = new_session(version);
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
fn ping_is_sent_only_after_half_a_keep_alive_without_a_message() {
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
fn disconnect_is_written_without_a_reason() {
    for version in BOTH {
        let mut session = connected(version);
        session.disconnect();
        assert_eq!(sent(&mut session, at(0)), [0xe0, 0]);
    }
}

#[test]
fn packets_that_a_publisher_never_gets_end_the_session() {
    for version in BOTH {
        assert_eq!(received(version, &[0xc0, 0]), Err(SessionError::Unexpected(12))); // PINGREQ
        let publish: &[u8] = match version {
            Version::V3 => &[0x30, 4, 0, 1, b't', b'x'],
            Version::V5 => &[0x30, 5, 0, 1, b't', 0, b'x'],
        };
        assert_eq!(received(version, publish), Err(SessionError::Unexpected(3)));
        assert_eq!(received(version, &[0x90, 3, 0, 1, 1]), Err(SessionError::Unexpected(9))); // SUBACK
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
        let http = answered(version, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert_eq!(http, Err(SessionError::Malformed));
    }
}

#[test]
fn no_bytes_cause_a_panic() {
    let mut random = Random::new(1);
    for round in 0..200_000 {
        let version = BOTH[round % 2];
        let mut session = new_session(version);
        if round % 3 > 0 {
            session.receive(if version == Version::V3 { ACCEPTED_V3 } else { ACCEPTED_V5 });
            session.next_event().unwrap();
            session.publish(0, b"x", 1, at(0)).unwrap();
        }
        let mut bytes = [0; 24];
        for byte in &mut bytes {
            *byte = random.word().to_le_bytes()[3];
        }
        // Half of them begin with a type and a length that are possible.
        if round % 2 == 0 {
            bytes[0] = [0x20, 0x40, 0xd0, 0xe0][round / 2 % 4];
            bytes[1] %= 23;
        }
        session.receive(&bytes);
        while let Ok(Some(_)) = session.next_event() {}
        let _ = session.tick(at(random.word() % 100_000));
    }
}
