//! Both versions of MQTT, in every form that the standards allow; and the limits that a broker sets.

use pivitals::mqtt::{Pace, Session, Settings};
use pivitals::net::link::{Link, Target};
use pivitals::net::tls::CertificateFiles;
use pivitals::platform::clock::boot_time;
use pivitals::platform::event::wait;
use pivitals_broker::{Event, Manners, Published, Refusal, Version, Versions};

use crate::house::{House, PATIENCE, allowing, assert_none_missing, count, for_each};

#[test]
fn a_broker_that_refuses_version_5_in_any_form_is_spoken_to_in_3_1_1() {
    for refusal in [Refusal::Short, Refusal::Long, Refusal::Close] {
        let house =
            House::new("fallback", Manners { versions: Versions::OnlyV3(refusal), ..Manners::default() });
        let (status, lines) = house.start("once", &[]).wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{lines:#?}");
        let versions = [(); 2].map(|()| house.broker.wait_for(PATIENCE, Event::connected).version);
        assert_eq!(versions, [Version::V5, Version::V3]);
        // Asked for version 5, it takes no other.
        let (status, lines) = house.start("once", &["mqtt=5"]).wait(PATIENCE);
        assert_eq!(status.code(), Some(69), "{lines:#?}");
    }
}

#[test]
fn both_versions_are_understood_in_long_forms_and_byte_by_byte() {
    for (mqtt, long_forms, trickle) in
        [("5", true, false), ("5", true, true), ("3.1.1", false, true), ("5", false, true)]
    {
        let house = House::new("forms", Manners { long_forms, trickle, ..Manners::default() });
        let (status, lines) = house.start("once", &[&format!("mqtt={mqtt}")]).wait(PATIENCE);
        assert_eq!((status.code(), lines), (Some(0), vec![]), "{mqtt} {long_forms} {trickle}");
    }
}

#[test]
fn port_443_would_ask_for_the_protocol_of_aws() {
    // Nobody can listen on port 443 here; what is asked for is seen in the TLS configuration itself.
    let house =
        House::new("alpn", Manners { require_alpn: Some(b"x-amzn-mqtt-ca".to_vec()), ..Manners::default() });
    let files = CertificateFiles::find(&house.device.dir, None, None, None).unwrap();
    assert_eq!(files.load(true).unwrap().tls.alpn_protocols, [b"x-amzn-mqtt-ca".to_vec()]);
    assert!(files.load(false).unwrap().tls.alpn_protocols.is_empty());
    // A broker that wants it, and is asked on another port, is named.
    let (status, lines) = house.start("once", &[]).wait(PATIENCE);
    assert_eq!(status.code(), Some(69), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("check that `port` is")), "{lines:#?}");
}

#[test]
fn the_limits_that_a_broker_sets_are_kept() {
    // The broker notes a violation when more is in flight than it allows, or a packet is too long.
    let limits =
        || Manners { receive_maximum: Some(1), maximum_packet_size: Some(2000), ..Manners::default() };
    let mut house = House::new("limits", limits());
    let (status, lines) = house.start("once", &[]).wait(PATIENCE);
    assert_eq!((status.code(), lines), (Some(0), vec![]));
    // After an outage a batch holds several samples, but no more than fit.
    house.broker.stop();
    let mut agent = house.start("run", &["format=emf", "queue=100"]);
    for _ in 0..3 {
        agent.wait_for_line("next attempt in", PATIENCE);
        agent.signal("HUP");
    }
    house.broker.restart();
    let events = |message: &Published| {
        let value: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        value["batch"].as_array().unwrap().len()
    };
    house.broker.wait_for(PATIENCE, |event| {
        event.published().filter(|message| {
            message.topic.ends_with("metrics")
                && message.text().starts_with("{\"batch\"")
                && events(message) > 1
        })
    });
    house.end(agent);
}

#[test]
fn a_broker_with_the_manners_of_aws_gets_what_it_asks_for_in_both_versions() {
    for_each(["5", "3.1.1"], |mqtt| {
        let house = House::new("aws", Manners::aws(allowing(&["pivitals/pi-7/metrics"])));
        let (code, lines) = house.once(&[&format!("mqtt={mqtt}")]);
        assert_eq!((code, lines), (0, vec![]));
        assert_eq!((house.taken().len(), house.throttled()), (4, 0));
    });
}

#[test]
fn retain_is_never_asked_for() {
    // Nor would it be allowed: neither by this broker, nor by the policy, which lacks iot:RetainPublish.
    let formats = ["rule", "flat", "emf"].into_iter();
    for_each(formats.flat_map(|format| [(format, "5"), (format, "3.1.1")]), |(format, mqtt)| {
        let policy = Some(allowing(&["pivitals/pi-7/metrics"]));
        let house = House::new("retain", Manners { policy, refuse_retain: true, ..Manners::default() });
        let (code, lines) = house.once(&[&format!("format={format}"), &format!("mqtt={mqtt}")]);
        assert_eq!((code, lines), (0, vec![]));
        assert!(house.taken().iter().all(|message| !message.retain));
        assert_eq!(house.broker.violations(), Vec::<String>::new());
    });
}

#[test]
fn a_shorter_keep_alive_that_the_broker_imposes_is_kept() {
    let house = House::new("keep-alive", Manners { server_keep_alive_secs: Some(2), ..Manners::default() });
    let agent = house.start("run", &["mqtt=5", "interval=86400"]);
    for _ in 0..4 {
        house.broker.wait_for(PATIENCE, |event| matches!(event, Event::Ping { .. }).then_some(()));
    }
    house.end(agent); // after one and a half keep-alives of silence the broker would have noted a violation
}

#[test]
fn a_broker_that_speaks_tls_1_2_alone_is_served() {
    let house = House::new("tls12", Manners { tls12_only: true, ..Manners::default() });
    assert_eq!(house.once(&[]), (0, vec![]));
}

#[test]
fn bytes_that_come_one_at_a_time_are_understood_across_a_reconnect() {
    let house = House::new("bytes", Manners { trickle: true, long_forms: true, ..Manners::default() });
    let agent = house.start("run", &["mqtt=5"]);
    house.two_seconds_later();
    house.broker.close_connections(Some(0x8b));
    while house.published().conn < 2 {}
    house.two_seconds_later();
    let lines = house.end(agent);
    assert_eq!(count(&lines, "it is shutting down"), 1, "{lines:#?}");
    assert_none_missing(&house.taken());
}

#[test]
fn a_link_for_port_443_names_the_host_and_the_protocol_that_aws_wants() {
    // The port itself cannot be had here, so the link is made as `port = 443` makes it, to another.
    let alpn = "x-amzn-mqtt-ca";
    let house = House::new(
        "link",
        Manners {
            require_alpn: Some(alpn.as_bytes().to_vec()),
            require_sni: Some("localhost".to_owned()),
            ..Manners::default()
        },
    );
    let files = CertificateFiles::find(&house.device.dir, None, None, None).unwrap();
    let target = Target::new("localhost", house.broker.port()).unwrap();
    let mut link = Link::open(&target, files.load(true).unwrap().tls, boot_time()).unwrap();
    while !link.is_open() {
        let mut descriptors = [link.interest()];
        wait(&mut descriptors, link.deadline().since(boot_time()));
        link.advance(descriptors[0].1, boot_time()).unwrap();
    }
    let topics = ["t".to_owned()];
    let settings = Settings {
        version: pivitals::mqtt::Version::V5,
        client_id: "pi-7",
        topics: &topics,
        keep_alive_secs: 60,
        will: None,
    };
    let mut session = Session::<()>::new(&settings, Pace::default(), boot_time());
    session.flush(boot_time(), |bytes| link.write(bytes)).unwrap();
    let connected = house.broker.wait_for(PATIENCE, Event::connected);
    assert_eq!((connected.alpn, connected.sni.as_deref()), (vec![alpn.to_owned()], Some("localhost")));
    link.close();
}
