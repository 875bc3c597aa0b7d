//! Both sides behave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use pivitals_broker::{Event, Manners, Version};

use crate::client::*;

#[test]
fn a_session_of_each_version_is_served_and_told() {
    let house = House::new("good", Manners::default());
    for version in [Version::V3, Version::V5] {
        let mut client = match version {
            Version::V3 => house.client_v3(),
            Version::V5 => house.client_v5(),
        };
        let publish = |topic, id, payload| match version {
            Version::V3 => publish_v3(topic, id, payload),
            Version::V5 => publish_v5(topic, id, payload),
        };
        let Event::Connected(connected) = house.event() else {
            panic!("expected CONNECT first");
        };
        assert_eq!(connected.version, version);
        assert_eq!(connected.client_id, "pi-7");
        assert_eq!(connected.certificate_cn, "pi-7");
        assert_eq!(connected.keep_alive_secs, 60);
        assert_eq!(connected.sni.as_deref(), Some("localhost"));
        assert!(connected.alpn.is_empty());
        assert!(connected.clean_start && connected.accepted);

        client.send(&[publish("a/b", 1, "one"), publish("a/c", 2, "two")].concat());
        client.expect(&[PUBACK_1, PUBACK_2].concat());
        let first = house.broker.wait_for(PATIENCE, Event::published);
        let second = house.broker.wait_for(PATIENCE, Event::published);
        assert_eq!((first.topic.as_str(), first.text()), ("a/b", "one"));
        assert_eq!((second.topic.as_str(), second.text()), ("a/c", "two"));
        assert_eq!((first.packet_id, second.packet_id), (Some(1), Some(2)));
        assert_eq!(first.record, second.record, "they came together");
        assert_eq!(first.ordinal + 1, second.ordinal);

        client.send(&[0xc0, 0]);
        client.expect(&[0xd0, 0]);
        assert!(matches!(house.event(), Event::Ping { .. }));

        client.send(&DISCONNECT);
        client.close();
        let Event::Disconnected { conn, cleanly, reason, close_notify, .. } = house.event() else {
            panic!("expected the end last");
        };
        assert_eq!(conn, connected.conn);
        assert!(cleanly && close_notify);
        assert_eq!(reason, (version == Version::V5).then_some(0));
    }
    assert_eq!(house.broker.violations(), [""; 0]);
}

#[test]
fn records_tell_what_was_sent_together() {
    let house = House::new("records", Manners::default());
    let mut client = house.client_v3();
    let first = publish_v3("a", 1, "one");
    let (head, tail) = first.split_at(4);
    // CONNECT was record 1.
    client.send(head);
    client.send(&[tail, &publish_v3("a", 2, "two")].concat());
    client.expect(&[PUBACK_1, PUBACK_2].concat());
    let split = house.broker.wait_for(PATIENCE, Event::published);
    let whole = house.broker.wait_for(PATIENCE, Event::published);
    assert_eq!((split.first_record, split.record), (2, 3));
    assert_eq!((whole.first_record, whole.record), (3, 3));
}

#[test]
fn publishes_of_one_record_are_acknowledged_in_one_record() {
    let house = House::new("one-write", Manners::default());
    let mut client = house.client_v3();
    client.send(&[publish_v3("a", 1, ""), publish_v3("a", 2, "")].concat());
    let mut head = [0; 5];
    let seen = client.tls.sock.peek(&mut head).expect("the broker answers");
    // Two PUBACKs of 4 bytes; TLS 1.3 adds a type and a tag. RFC 8446, 5.2.
    assert_eq!(head[..seen], [23, 3, 3, 0, 4 + 4 + 1 + 16]);
    client.expect(&[PUBACK_1, PUBACK_2].concat());
}

#[test]
fn qos_0_gets_no_answer() {
    let house = House::new("qos0", Manners::default());
    let mut client = house.client_v3();
    client.send(&[&[0x30, 4, 0, 1, b'a', b'!'][..], &publish_v3("a", 1, "")].concat());
    client.expect(&PUBACK_1);
    let published = house.broker.wait_for(PATIENCE, Event::published);
    assert_eq!((published.qos, published.packet_id), (0, None));
}

#[test]
fn a_trickle_is_slow_and_right() {
    let trickling = Manners { trickle: true, ..Manners::default() };
    let house = House::new("trickle", trickling);
    let mut client = house.client_v5();
    client.send(&[publish_v5("a", 1, ""), publish_v5("a", 2, "")].concat());
    client.expect(&[PUBACK_1, PUBACK_2].concat());
}

#[test]
fn a_stopped_broker_refuses_and_serves_again_on_its_port() {
    let mut house = House::new("stop", Manners::default());
    let port = house.broker.port();
    let mut client = house.client_v3();
    house.broker.stop();
    client.expect_end();
    assert!(matches!(house.end(), Event::Disconnected { cleanly: false, conn: 1, .. }));
    assert!(Client::with(&house.broker, &config(&house.device)).is_err());

    house.broker.restart();
    assert_eq!(house.broker.port(), port);
    let _client = house.client_v3();
    let again = house.broker.wait_for(PATIENCE, Event::connected);
    assert_eq!(again.conn, 2);
}

#[test]
fn an_event_that_does_not_come_is_a_panic_that_lists_the_others() {
    let house = House::new("patience", Manners::default());
    let _client = house.client_v3();
    house.broker.wait_for(PATIENCE, Event::connected);
    let silence = catch_unwind(AssertUnwindSafe(|| house.broker.next_event(Duration::from_millis(1))));
    let panic = silence.expect_err("nothing comes");
    let message = panic.downcast::<String>().expect("a message");
    assert!(message.contains("CONNECT V3 pi-7, accepted"), "{message}");
}
