//! The policy decides, and the broker answers as AWS does or as others do.

use pivitals_broker::{DeniedConnect, DeniedPublish, Event, Manners, Policy, PubackManner};

use crate::client::*;
use crate::ends::assert_connack;

/// A thing may connect by its name, and publish below it.
const OWN: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:us-east-1:123456789012:client/${iot:Connection.Thing.ThingName}",
     "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}},
    {"Effect": "Allow", "Action": "iot:Publish",
     "Resource": "arn:aws:iot:us-east-1:123456789012:topic/${iot:ClientId}/*"},
    {"Effect": "Allow", "Action": "iot:RetainPublish",
     "Resource": "arn:aws:iot:us-east-1:123456789012:topic/pi-7/state"}
]}"#;

fn own() -> Manners {
    let policy = Policy::from_json(OWN).expect("AWS would take it");
    Manners { policy: Some(policy), ..Manners::default() }
}

/// What the policy denied so far.
fn denied(house: &House) -> Vec<(&'static str, String)> {
    let events = house.broker.events_so_far().into_iter();
    events
        .filter_map(|event| match event {
            Event::Denied { action, resource, .. } => Some((action, resource)),
            _ => None,
        })
        .collect()
}

#[test]
fn what_the_policy_allows_is_served_as_without_one() {
    let house = House::new("policy-good", own());
    let mut client = house.client_v3();
    client.send(&publish_v3("pi-7/a/b", 1, ""));
    client.expect(&PUBACK_1);
    let mut client = house.client_v5();
    client.send(&publish_v5("pi-7/a/b", 1, ""));
    client.expect(&PUBACK_1);
    for _ in 0..2 {
        assert!(house.broker.wait_for(PATIENCE, Event::published).allowed);
    }
    assert_eq!(denied(&house), []);
}

#[test]
fn a_denied_connect_is_told_to_version_5_only() {
    let unattached = || Manners { is_thing_attached: false, ..own() };
    assert_connack("policy-connect", unattached(), Some(&[]), Some(&[0x20, 3, 0, 0x87, 0]));
    let others = Manners { denied_connect: DeniedConnect::Refuse(5), ..unattached() };
    assert_connack("policy-connect-5", others, Some(&[0x20, 2, 0, 5]), Some(&[0x20, 3, 0, 0x87, 0]));
}

#[test]
fn a_client_id_that_is_not_the_things_name_is_denied_and_named() {
    let house = House::new("policy-name", own());
    for connect in [connect_v3("pi-70", 60), connect_v5("pi-70")] {
        let mut client = house.client();
        client.send(&connect);
        let connected = house.broker.wait_for(PATIENCE, Event::connected);
        assert!(!connected.accepted);
        let Event::Denied { conn, action, resource, .. } = house.event() else {
            panic!("expected to be told of the denial next");
        };
        assert_eq!(conn, connected.conn);
        assert_eq!((action, resource.as_str()), ("iot:Connect", "client/pi-70"));
        house.end();
    }
}

#[test]
fn a_denied_publish_closes_version_3_without_its_puback() {
    let house = House::new("policy-publish-3", own());
    let mut client = house.client_v3();
    client.send(&[publish_v3("pi-7/a", 1, ""), publish_v3("pi-70/a", 2, "")].concat());
    client.expect(&PUBACK_1);
    client.expect_end();
    house.end();
    assert_eq!(denied(&house), [("iot:Publish", "topic/pi-70/a".to_owned())]);
    let published = house.broker.events_so_far().into_iter().filter_map(Event::published);
    assert_eq!(published.map(|published| published.allowed).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_denied_publish_is_told_to_version_5_in_three_ways() {
    for (name, denied_publish, expected) in [
        ("policy-puback", DeniedPublish::Puback, &[0x40, 3, 0, 1, 0x87][..]),
        ("policy-disconnect", DeniedPublish::Disconnect, &[0xe0, 1, 0x87]),
        ("policy-both", DeniedPublish::PubackThenDisconnect, &[0x40, 3, 0, 1, 0x87, 0xe0, 1, 0x87]),
    ] {
        let house = House::new(name, Manners { denied_publish, ..own() });
        let mut client = house.client_v5();
        client.send(&publish_v5("elsewhere", 1, ""));
        client.expect(expected);
        if denied_publish == DeniedPublish::Puback {
            // The packet id is free again, and what is allowed goes on.
            client.send(&publish_v5("pi-7/a", 1, ""));
            client.expect(&PUBACK_1);
        } else {
            client.expect_end();
            house.end();
        }
        assert_eq!(denied(&house), [("iot:Publish", "topic/elsewhere".to_owned())]);
    }
}

#[test]
fn a_denied_publish_of_qos_0_closes_version_3_and_is_dropped_by_version_5() {
    let house = House::new("policy-qos-0", own());
    let qos_0 = [0x30, 3, 0, 1, b'x'];
    let mut client = house.client_v3();
    client.send(&qos_0);
    client.expect_end();

    let mut client = house.client_v5();
    client.send(&[&[0x30, 4, 0, 1, b'x', 0][..], &publish_v5("pi-7/a", 1, "")].concat());
    client.expect(&PUBACK_1);
    assert_eq!(denied(&house).len(), 2);
}

#[test]
fn to_retain_takes_a_permission_of_its_own() {
    let house = House::new("policy-retain", own());
    let mut client = house.client_v5();
    client.send(&retained(publish_v5("pi-7/state", 1, "")));
    client.expect(&PUBACK_1);
    client.send(&retained(publish_v5("pi-7/metrics", 1, "")));
    client.expect(&[0x40, 3, 0, 1, 0x87]);

    let mut client = house.client_v3();
    client.send(&retained(publish_v3("pi-7/metrics", 1, "")));
    client.expect_end();
    let topic = || "topic/pi-7/metrics".to_owned();
    assert_eq!(denied(&house), [("iot:RetainPublish", topic()), ("iot:RetainPublish", topic())]);
}

#[test]
fn to_retain_needs_no_permission_where_there_is_no_policy() {
    let house = House::new("no-policy-retain", Manners::default());
    let mut client = house.client_v3();
    client.send(&retained(publish_v3("a", 1, "")));
    client.expect(&PUBACK_1);
    let published = house.broker.wait_for(PATIENCE, Event::published);
    assert!(published.retain && published.allowed);
}

#[test]
fn to_retain_can_be_refused_altogether() {
    let house = House::new("refuse-retain", Manners { refuse_retain: true, ..Manners::default() });
    let mut client = house.client();
    client.send(&connect_v5("pi-7"));
    client.expect(&[0x20, 7, 0, 0, 4, 0x24, 1, 0x25, 0]);
    client.send(&retained(publish_v5("a", 1, "")));
    client.expect(&[0xe0, 1, 0x9a]);
    assert_eq!(house.violation(), "PUBLISH with retain");

    let mut client = house.client_v3();
    client.send(&retained(publish_v3("a", 1, "")));
    client.expect_end();
    assert_eq!(house.violation(), "PUBLISH with retain");
}

#[test]
fn a_policy_holds_from_the_next_publish_on() {
    let house = House::new("policy-change", Manners::default());
    let mut client = house.client_v5();
    client.send(&publish_v5("elsewhere", 1, ""));
    client.expect(&PUBACK_1);
    house.broker.set_manners(|manners| manners.policy = own().policy);
    client.send(&publish_v5("elsewhere", 1, ""));
    client.expect(&[0x40, 3, 0, 1, 0x87]);
    house.broker.set_manners(|manners| manners.policy = None);
    client.send(&publish_v5("elsewhere", 1, ""));
    client.expect(&PUBACK_1);
}

#[test]
fn the_scripted_answers_are_for_what_is_allowed() {
    let scripted = Manners { publish: Box::new(|_| PubackManner::Reason(0x10)), ..own() };
    let house = House::new("policy-script", scripted);
    let mut client = house.client_v5();
    client.send(&[publish_v5("elsewhere", 1, ""), publish_v5("pi-7/a", 2, "")].concat());
    client.expect(&[0x40, 3, 0, 1, 0x87, 0x40, 3, 0, 2, 0x10]);
}
