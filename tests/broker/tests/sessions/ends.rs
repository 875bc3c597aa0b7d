//! The broker misbehaves, or ends what was good.

use pivitals_broker::manners::DisconnectAfter;
use pivitals_broker::{ConnackManner, Event, Manners, PubackManner, Refusal, Versions};

use crate::client::*;

/// Manners with this answer to every PUBLISH.
fn answering(manner: PubackManner) -> Manners {
    Manners { publish: Box::new(move |_| manner), ..Manners::default() }
}

/// What a client of each version gets for its CONNECT, then the end.
pub fn assert_connack(test: &str, manners: Manners, v3: Option<&[u8]>, v5: Option<&[u8]>) {
    let house = House::new(test, manners);
    for (connect, answer) in [(connect_v3("pi-7", 60), v3), (connect_v5("pi-7"), v5)] {
        let Some(answer) = answer else { continue };
        let mut client = house.client();
        client.send(&connect);
        client.expect(answer);
        client.expect_end();
        let connected = house.broker.wait_for(PATIENCE, Event::connected);
        assert!(!connected.accepted);
        house.end();
    }
    assert_eq!(house.broker.violations(), [""; 0]);
}

#[test]
fn version_5_can_be_refused_in_three_ways() {
    let only_v3 = |refusal| Manners { versions: Versions::OnlyV3(refusal), ..Manners::default() };
    let short = [0x20, 2, 0, 1];
    assert_connack("short", only_v3(Refusal::Short), None, Some(&short));
    let long = [0x20, 3, 0, 0x84, 0];
    assert_connack("long", only_v3(Refusal::Long), None, Some(&long));
    assert_connack("close", only_v3(Refusal::Close), None, Some(&[]));

    let house = House::new("fallback", only_v3(Refusal::Short));
    let _client = house.client_v3();
}

#[test]
fn version_3_can_be_refused() {
    let manners = Manners { versions: Versions::OnlyV5, ..Manners::default() };
    assert_connack("only-v5", manners, Some(&[0x20, 2, 0, 1]), None);
}

#[test]
fn a_connect_can_be_refused_or_dropped() {
    let with = |connack| Manners { connack, ..Manners::default() };
    assert_connack(
        "refused",
        with(ConnackManner::Refuse(0x87)),
        Some(&[0x20, 2, 0, 0x87]),
        Some(&[0x20, 3, 0, 0x87, 0]),
    );
    assert_connack("dropped", with(ConnackManner::Close), Some(&[]), Some(&[]));
}

#[test]
fn a_connect_can_stay_without_an_answer() {
    let manners = Manners { connack: ConnackManner::Silence, ..Manners::default() };
    let house = House::new("mute", manners);
    let mut client = house.client();
    client.send(&connect_v3("pi-7", 60));
    let connected = house.broker.wait_for(PATIENCE, Event::connected);
    assert!(!connected.accepted);
    client.close();
    house.end();
}

#[test]
fn a_client_without_a_name_is_refused() {
    let house = House::new("nameless", Manners::default());
    let mut client = house.client();
    client.send(&connect_v3("", 60));
    client.expect(&[0x20, 2, 0, 2]);
    let mut client = house.client();
    client.send(&connect_v5(""));
    client.expect(&[0x20, 3, 0, 0x85, 0]);
}

#[test]
fn version_5_is_told_what_it_is_granted() {
    let manners = Manners {
        receive_maximum: Some(16),
        maximum_packet_size: Some(0x2_0000),
        server_keep_alive_secs: Some(1200),
        ..Manners::default()
    };
    let house = House::new("grants", manners);
    let mut client = house.client();
    client.send(&connect_v5("pi-7"));
    client.expect(&[0x20, 16, 0, 0, 13, 0x21, 0, 16, 0x24, 1, 0x27, 0, 2, 0, 0, 0x13, 4, 0xb0]);
}

#[test]
fn pubacks_come_as_the_manners_say() {
    const DENIED: PubackManner = PubackManner::Reason(0x87);
    for (name, manner, expected) in [
        ("denied", DENIED, &[0x40, 3, 0, 1, 0x87, 0x40, 3, 0, 2, 0x87][..]),
        ("first", PubackManner::First, &[PUBACK_2, PUBACK_1].concat()),
        ("twice", PubackManner::Twice, &[PUBACK_1, PUBACK_1, PUBACK_2, PUBACK_2].concat()),
        (
            "foreign",
            PubackManner::ForeignFirst,
            &[[0x40, 2, 255, 255], PUBACK_1, [0x40, 2, 255, 255], PUBACK_2].concat(),
        ),
        ("closed", PubackManner::Close, &[]),
        ("kicked", PubackManner::Disconnect(0x87), &[0xe0, 1, 0x87]),
    ] {
        let house = House::new(name, answering(manner));
        let mut client = house.client_v5();
        client.send(&[publish_v5("a", 1, ""), publish_v5("a", 2, "")].concat());
        client.expect(expected);
        if matches!(manner, PubackManner::Close | PubackManner::Disconnect(_)) {
            client.expect_end();
        } else {
            client.send(&DISCONNECT);
            client.close();
        }
        house.end();
    }
}

#[test]
fn version_3_gets_plain_pubacks_and_a_bare_close() {
    let house = House::new("denied-v3", answering(PubackManner::Reason(0x87)));
    let mut client = house.client_v3();
    client.send(&publish_v3("a", 1, ""));
    client.expect(&PUBACK_1);
    house.broker.set_manners(|manners| manners.publish = Box::new(|_| PubackManner::Disconnect(0x87)));
    client.send(&publish_v3("a", 1, ""));
    client.expect_end();
    house.end();
}

#[test]
fn manners_may_look_at_the_publish() {
    let manners = Manners {
        publish: Box::new(|publish| match publish.topic.as_str() {
            "denied" => PubackManner::Close,
            _ if publish.ordinal == 2 => PubackManner::Silence,
            _ => PubackManner::Acknowledge,
        }),
        long_forms: true,
        ..Manners::default()
    };
    let house = House::new("looks", manners);
    let mut client = house.client_v5();
    client.send(&[publish_v5("a", 1, ""), publish_v5("a", 2, "")].concat());
    // What was gathered before the close is still sent.
    client.send(&[publish_v5("a", 3, ""), publish_v5("denied", 4, "")].concat());
    client.expect(&[0x40, 4, 0, 1, 0, 0, 0x40, 4, 0, 3, 0, 0]);
    client.expect_end();
    house.end();
}

#[test]
fn a_connection_can_end_after_so_many_publishes() {
    let manners = Manners {
        disconnect_after: Some(DisconnectAfter { publishes: 2, reason: 0x98 }),
        ..Manners::default()
    };
    let house = House::new("after", manners);
    let mut client = house.client_v5();
    client.send(&publish_v5("a", 1, ""));
    client.expect(&PUBACK_1);
    client.send(&publish_v5("a", 2, ""));
    client.expect(&[&PUBACK_2[..], &[0xe0, 1, 0x98]].concat());
    client.expect_end();

    let mut client = house.client_v3();
    client.send(&[publish_v3("a", 1, ""), publish_v3("a", 2, "")].concat());
    client.expect(&[PUBACK_1, PUBACK_2].concat());
    client.expect_end();
}

#[test]
fn pings_can_be_ignored() {
    let manners = Manners { ignore_pings: true, ..Manners::default() };
    let house = House::new("pings", manners);
    let mut client = house.client_v3();
    client.send(&[&[0xc0, 0][..], &publish_v3("a", 1, "")].concat());
    client.expect(&PUBACK_1);
}

#[test]
fn the_newcomer_with_a_client_id_takes_over() {
    let house = House::new("takeover", Manners::default());
    let mut first = house.client_v5();
    let mut second = house.client_v3();
    first.expect(&[0xe0, 1, 0x8e]);
    first.expect_end();
    let _third = house.client_v5();
    second.expect_end();
    for conn in [1, 2] {
        let Event::Disconnected { conn: ended, .. } = house.end() else {
            unreachable!("end() gives ends");
        };
        assert_eq!(ended, conn);
    }
    assert_eq!(house.broker.violations(), [""; 0]);
}

#[test]
fn all_connections_can_be_ended_with_and_without_a_word() {
    let house = House::new("ending", Manners::default());
    let mut client = house.client_v5();
    house.broker.close_connections(Some(0x8b));
    client.expect(&[0xe0, 1, 0x8b]);
    client.expect_end();
    house.end();

    let mut client = house.client_v5();
    house.broker.close_connections(None);
    client.expect_end();
    house.end();
}
