//! What a client leaves to be published when its connection breaks.

use pivitals_broker::{Event, Manners, Version, Will};

use crate::client::*;

/// `offline` on `t`, QoS 1, retained.
fn will() -> Will {
    Will { topic: "t".to_owned(), payload: b"offline".to_vec(), qos: 1, retain: true }
}

/// CONNECT of pi-7 with that will.
fn connect(version: Version) -> Vec<u8> {
    let (mut connect, will) = match version {
        Version::V3 => (connect_v3("pi-7", 60), &b"\0\x01t\0\x07offline"[..]),
        Version::V5 => (connect_v5("pi-7"), &b"\0\0\x01t\0\x07offline"[..]),
    };
    connect[1] += u8::try_from(will.len()).unwrap();
    connect[9] |= 0x04 | 1 << 3 | 0x20;
    [&connect, will].concat()
}

fn house_with_client(test: &str, version: Version) -> (House, Client) {
    let house = House::new(test, Manners::default());
    let mut client = house.client();
    client.send(&connect(version));
    client.expect(if version == Version::V3 { &CONNACK_V3[..] } else { &CONNACK_V5[..] });
    assert_eq!(house.broker.wait_for(PATIENCE, Event::connected).will, Some(will()));
    (house, client)
}

#[test]
fn a_will_is_published_when_the_connection_breaks() {
    for version in [Version::V3, Version::V5] {
        let (house, client) = house_with_client("broken", version);
        client.close();
        match house.event() {
            Event::Will { will: published, .. } => assert_eq!(published, will()),
            event => panic!("expected the will, met {event}"),
        }
        assert!(matches!(house.event(), Event::Disconnected { cleanly: false, .. }));
    }
}

#[test]
fn a_will_is_published_when_the_broker_ends_the_connection() {
    let (house, _client) = house_with_client("ended", Version::V5);
    house.broker.close_connections(None);
    assert!(matches!(house.event(), Event::Will { .. }));
}

#[test]
fn a_will_is_dropped_after_disconnect_unless_that_asks_for_it() {
    for (version, disconnect, is_published) in [
        (Version::V3, &DISCONNECT[..], false),
        (Version::V5, &DISCONNECT[..], false),
        (Version::V5, &[0xe0, 1, 4], true),
    ] {
        let (house, mut client) = house_with_client("goodbye", version);
        client.send(disconnect);
        client.close();
        if is_published {
            assert!(matches!(house.event(), Event::Will { .. }));
        }
        assert!(matches!(house.event(), Event::Disconnected { cleanly: true, .. }));
    }
}

#[test]
fn version_5_refuses_a_will_to_be_retained_where_nothing_is() {
    let house = House::new("no-retain", Manners { refuse_retain: true, ..Manners::default() });
    let mut client = house.client();
    client.send(&connect(Version::V5));
    client.expect(&[0x20, 3, 0, 0x9a, 0]);
    let mut client = house.client();
    client.send(&connect(Version::V3));
    client.expect(&CONNACK_V3);
}
