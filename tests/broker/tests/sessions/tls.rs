//! Who is let in, and what a client can be shown.

use std::io::Read as _;
use std::sync::Arc;

use pivitals_broker::{DeviceFiles, Event, Issuer, Leaf, Manners, Silence, Validity};
use rustls::ClientConfig;

use crate::client::*;

/// In TLS 1.3 the refusal comes after the client's side of the handshake.
fn refusal(house: &House, config: &ClientConfig) -> String {
    let mut answer = [0];
    Client::with(&house.broker, config)
        .and_then(|mut client| client.tls.read_exact(&mut answer))
        .expect_err("the broker refuses")
        .to_string()
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    for tls12_only in [false, true] {
        let manners = Manners { tls12_only, ..Manners::default() };
        let house = House::new(&format!("anonymous-{tls12_only}"), manners);
        let anonymous =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("ring serves them")
                .with_root_certificates(roots(&house.device))
                .with_no_client_auth();
        let told = refusal(&house, &anonymous);
        assert!(told.contains("alert"), "{told}");
        let why = house.tls_failure();
        assert!(why.contains("no certificates"), "{why}");
    }
}

#[test]
fn tls_1_2_alone_can_be_spoken() {
    let manners = Manners { tls12_only: true, ..Manners::default() };
    let house = House::new("tls12", manners);
    let client = house.client_v3();
    let spoken = client.tls.conn.protocol_version();
    assert_eq!(spoken, Some(rustls::ProtocolVersion::TLSv1_2));
}

#[test]
fn faulty_device_certificates_are_refused() {
    let house = House::new("devices", Manners::default());
    for (validity, issuer, expected) in [
        (Validity::Expired, Issuer::Ours, "expired"),
        (Validity::NotYet, Issuer::Ours, "not valid yet"),
        (Validity::Current, Issuer::Foreign, "UnknownIssuer"),
    ] {
        let device: DeviceFiles = house.pki.device_with("faulty", validity, issuer);
        let told = refusal(&house, &config(&device));
        assert!(told.contains("alert"), "{told}");
        let why = house.tls_failure();
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn faulty_server_certificates_can_be_shown() {
    let house = House::new("servers", Manners::default());
    let elsewhere = vec!["elsewhere.example".to_owned()];
    for (leaf, expected) in [
        (Leaf { names: elsewhere, ..Leaf::default() }, "not valid for name"),
        (Leaf { validity: Validity::Expired, ..Leaf::default() }, "expired"),
        (Leaf { validity: Validity::NotYet, ..Leaf::default() }, "not valid yet"),
        (Leaf { issuer: Issuer::Foreign, ..Leaf::default() }, "UnknownIssuer"),
    ] {
        house.broker.set_manners(|manners| manners.certificate = leaf);
        let seen = refusal(&house, &config(&house.device));
        assert!(seen.contains(expected), "{seen}");
        let why = house.tls_failure();
        assert!(why.contains("alert"), "{why}");
    }
}

#[test]
fn alpn_and_sni_can_be_required() {
    let manners = Manners {
        require_alpn: Some(b"x-amzn-mqtt-ca".to_vec()),
        require_sni: Some("localhost".to_owned()),
        ..Manners::default()
    };
    let house = House::new("alpn", manners);
    refusal(&house, &config(&house.device));
    assert_eq!(house.tls_failure(), "expected ALPN, got none");

    let mut other = config(&house.device);
    other.alpn_protocols = vec![b"mqtt".to_vec()];
    assert!(refusal(&house, &other).contains("NoApplicationProtocol"));
    house.tls_failure();

    let mut right = config(&house.device);
    right.alpn_protocols = vec![b"x-amzn-mqtt-ca".to_vec()];
    let mut client = Client::with(&house.broker, &right).expect("the handshake succeeds");
    client.send(&connect_v3("pi-7", 60));
    client.expect(&CONNACK_V3);
    let connected = house.broker.wait_for(PATIENCE, Event::connected);
    assert_eq!(connected.alpn, ["x-amzn-mqtt-ca"]);

    right.enable_sni = false;
    refusal(&house, &right);
    assert!(house.tls_failure().contains("expected the SNI"));
}

#[test]
fn silence_lasts_until_the_client_gives_up() {
    let manners = Manners { silence: Silence::AfterTls, ..Manners::default() };
    let house = House::new("silence", manners);
    let mut client = house.client();
    client.send(&connect_v3("pi-7", 60));
    client.close();
    // No CONNECT is told: nobody was listening.
    assert!(matches!(house.event(), Event::Disconnected { close_notify: true, .. }));

    house.broker.set_manners(|manners| manners.silence = Silence::AfterTcp);
    let port = house.broker.port();
    drop(std::net::TcpStream::connect(("127.0.0.1", port)).expect("TCP is served"));
    assert!(house.tls_failure().contains("kept silent"));
}

#[test]
fn what_is_no_tls_is_refused() {
    use std::io::Write as _;
    let house = House::new("plain", Manners::default());
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", house.broker.port())).expect("TCP is served");
    stream.write_all(&connect_v3("pi-7", 60)).expect("the broker reads");
    let why = house.tls_failure();
    assert!(why.contains("corrupt message"), "{why}");
}
