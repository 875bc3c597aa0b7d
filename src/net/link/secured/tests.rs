use std::fs;

use pivitals_broker::{Leaf, Pki, TestDir};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;
use crate::net::tls::CertificateFiles;

const READABLE: Readiness = Readiness { readable: true, writable: false };
const WRITABLE: Readiness = Readiness { readable: false, writable: true };

/// A server that demands a certificate, on the other end of a socket on which each write is a packet.
struct Server {
    stream: TcpStream,
    tls: ServerConnection,
}

impl Server {
    /// Takes one packet: all that one write has sent. Returns its length, 0 if there is none.
    fn receive_packet(&mut self) -> usize {
        let mut packet = vec![0; 65_536];
        let length = match self.stream.read(&mut packet) {
            Ok(length) => length,
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                return 0;
            }
        };
        let mut bytes = &packet[..length];
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes).unwrap();
            self.tls.process_new_packets().unwrap();
        }
        length
    }

    /// Sends what waits, cut into this many packets.
    fn send_packets(&mut self, count: usize) {
        let mut flight = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut flight).unwrap();
        }
        for packet in flight.chunks(flight.len().div_ceil(count)) {
            self.stream.write_all(packet).unwrap();
        }
    }

    /// What the client has said.
    fn text(&mut self) -> String {
        let mut text = [0; 100];
        let length = self.tls.reader().read(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    }
}

/// A client that has sent its first flight, and the server that has not read it yet.
fn begin(version: &'static SupportedProtocolVersion) -> (Secured, Server, TestDir) {
    let dir = TestDir::new("secured");
    let pki = Pki::new(dir.path());
    let device = pki.device("pi-7");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(pki.root_file()).unwrap()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build();
    let (certificate, key) = pki.server(&Leaf::default());
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let files = CertificateFiles::find(&device.dir, None, None, None).unwrap();
    let config = files.load(false).unwrap().tls;
    let (ours, theirs) = net::packet_pair();
    let client = Secured::begin(ours, config, ServerName::try_from("localhost").unwrap()).unwrap();
    (client, Server { stream: theirs, tls: ServerConnection::new(server.into()).unwrap() }, dir)
}

/// The same after the handshake of TLS 1.3, as the client sees it.
fn shake_hands(packets: usize) -> (Secured, Server, TestDir) {
    let (mut client, mut server, dir) = begin(&TLS13);
    assert!(server.receive_packet() > 0, "ClientHello");
    server.send_packets(packets);
    assert_eq!(client.shake_hands(READABLE), Ok(true));
    (client, server, dir)
}

#[test]
fn last_flight_of_tls13_and_the_first_bytes_leave_in_one_write() {
    // Also when the server's flight arrives in pieces.
    for packets in [1, 3] {
        let (mut client, mut server, _dir) = shake_hands(packets);
        assert_eq!(server.receive_packet(), 0, "nothing leaves before the first bytes");
        client.write(b"CONNECT").unwrap();
        assert!(server.receive_packet() > 0 && !server.tls.is_handshaking());
        assert_eq!((server.text().as_str(), server.receive_packet()), ("CONNECT", 0));
    }
}

#[test]
fn last_flight_leaves_by_itself_if_nothing_is_written() {
    let (mut client, mut server, _dir) = shake_hands(1);
    assert_eq!(client.interest(), Readiness { readable: true, writable: true });
    client.exchange(WRITABLE).unwrap();
    assert!(server.receive_packet() > 0 && !server.tls.is_handshaking());
    assert_eq!(client.interest(), READABLE);
}

#[test]
fn last_bytes_and_close_notify_leave_in_one_write() {
    let (mut client, mut server, _dir) = shake_hands(1);
    client.write(b"CONNECT").unwrap();
    server.receive_packet();
    assert_eq!(server.text(), "CONNECT");
    client.queue(b"DISCONNECT").unwrap();
    client.close();
    assert!(server.receive_packet() > 0);
    assert_eq!((server.text().as_str(), server.text().as_str()), ("DISCONNECT", ""));
}

#[test]
fn tls12_waits_for_the_servers_last_flight() {
    let (mut client, mut server, _dir) = begin(&TLS12);
    server.receive_packet();
    server.send_packets(1);
    assert_eq!(client.shake_hands(READABLE), Ok(false));
    assert!(server.receive_packet() > 0, "the client's last flight leaves at once");
    server.send_packets(1);
    assert_eq!(client.shake_hands(READABLE), Ok(true));
    client.write(b"CONNECT").unwrap();
    assert!(server.receive_packet() > 0);
    assert_eq!((server.text().as_str(), client.version()), ("CONNECT", Some("TLS 1.2")));
}
