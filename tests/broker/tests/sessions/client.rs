//! A house with a broker and a device in it, and a client that sends exactly the bytes it is told.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pivitals_broker::{Broker, DeviceFiles, Event, Manners, Pki, Version};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// More than anything here takes on a busy host.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const PUBACK_1: [u8; 4] = [0x40, 2, 0, 1];
pub const PUBACK_2: [u8; 4] = [0x40, 2, 0, 2];
pub const DISCONNECT: [u8; 2] = [0xe0, 0];
pub const CONNACK_V3: [u8; 4] = [0x20, 2, 0, 0];
/// Grants QoS 1 and nothing else.
pub const CONNACK_V5: [u8; 7] = [0x20, 5, 0, 0, 2, 0x24, 1];

/// How a version writes a PUBLISH with QoS 1: topic, packet id, payload.
pub type Publish = fn(&str, u8, &str) -> Vec<u8>;

pub struct House {
    dir: PathBuf,
    pub pki: Pki,
    pub broker: Broker,
    pub device: DeviceFiles,
}

impl House {
    /// `test` names the folder: the tests of a crate run at the same time.
    pub fn new(test: &str, manners: Manners) -> Self {
        let dir = std::env::temp_dir().join(format!("pivitals-{test}-{}", std::process::id()));
        let pki = Pki::new(&dir);
        Self { broker: Broker::start(&pki, manners), device: pki.device("pi-7"), pki, dir }
    }

    pub fn event(&self) -> Event {
        self.broker.next_event(PATIENCE)
    }

    /// The connection's end, whatever comes before it, but for violations.
    pub fn end(&self) -> Event {
        self.broker.wait_for(PATIENCE, |event| matches!(event, Event::Disconnected { .. }).then_some(event))
    }

    /// The next violation, whatever comes before it.
    pub fn violation(&self) -> String {
        self.broker.wait_for(PATIENCE, |event| match event {
            Event::Violation { what, .. } => Some(what),
            _ => None,
        })
    }

    /// Why the next handshake that fails does.
    pub fn tls_failure(&self) -> String {
        self.broker.wait_for(PATIENCE, |event| match event {
            Event::TlsFailed { why, .. } => Some(why),
            _ => None,
        })
    }

    pub fn client(&self) -> Client {
        Client::with(&self.broker, &config(&self.device)).expect("the handshake succeeds")
    }

    /// A client whose CONNECT, keep-alive 60, was accepted.
    pub fn client_v3(&self) -> Client {
        let mut client = self.client();
        client.send(&connect_v3("pi-7", 60));
        client.expect(&CONNACK_V3);
        client
    }

    /// The same in version 5.
    pub fn client_v5(&self) -> Client {
        let mut client = self.client();
        client.send(&connect_v5("pi-7"));
        client.expect(&CONNACK_V5);
        client
    }

    /// A client of each version, one after the other, and how it publishes.
    pub fn clients(&self) -> impl Iterator<Item = (Client, Publish)> {
        [Version::V3, Version::V5].into_iter().map(|version| match version {
            Version::V3 => (self.client_v3(), publish_v3 as Publish),
            Version::V5 => (self.client_v5(), publish_v5 as Publish),
        })
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // A folder that stays in /tmp spoils no test.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The configuration of a well-behaved client.
pub fn config(device: &DeviceFiles) -> ClientConfig {
    let chain = CertificateDer::from_pem_file(&device.certificate).expect("it parses");
    let key = PrivateKeyDer::from_pem_file(&device.key).expect("it parses");
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring serves them")
        .with_root_certificates(roots(device))
        .with_client_auth_cert(vec![chain], key)
        .expect("they belong together")
}

pub fn roots(device: &DeviceFiles) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&device.ca).expect("it parses")).expect("it is a CA");
    roots
}

pub struct Client {
    pub tls: StreamOwned<ClientConnection, TcpStream>,
}

impl Client {
    /// Connects and does the handshake, as far as a client can see it.
    pub fn with(broker: &Broker, config: &ClientConfig) -> std::io::Result<Self> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, broker.port()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        // A close with session tickets unread is a reset, which drops what Nagle holds back.
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(broker.host()).expect("a host name");
        let mut tls = ClientConnection::new(Arc::new(config.clone()), name).expect("the config is complete");
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        Ok(Self { tls: StreamOwned::new(tls, stream) })
    }

    /// Sends `bytes` in one record.
    pub fn send(&mut self, bytes: &[u8]) {
        self.tls.write_all(bytes).expect("the broker reads");
        self.tls.flush().expect("the broker reads");
    }

    /// The next bytes are these.
    #[track_caller]
    pub fn expect(&mut self, bytes: &[u8]) {
        let mut got = vec![0; bytes.len()];
        if let Err(error) = self.tls.read_exact(&mut got) {
            panic!("expected {bytes:02x?}, met {error}");
        }
        assert_eq!(got, bytes, "{got:02x?} came, not {bytes:02x?}");
    }

    /// Nothing comes any more but the end.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let mut rest = Vec::new();
        match self.tls.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {}
            Err(error) => panic!("expected the broker to close, met {error}"),
        }
        assert_eq!(rest, [0; 0], "expected the end and nothing before it");
    }

    /// Ends TLS as it should be.
    pub fn close(mut self) {
        self.send_close_notify();
    }

    /// Says goodbye and ends TLS, and meets nothing but the end of what the broker sends.
    #[track_caller]
    pub fn leave_unanswered(mut self) {
        self.send(&DISCONNECT);
        self.send_close_notify();
        self.expect_end();
    }

    fn send_close_notify(&mut self) {
        self.tls.conn.send_close_notify();
        self.tls.flush().expect("the broker reads");
    }
}

pub fn connect_v3(client_id: &str, keep_alive_secs: u8) -> Vec<u8> {
    let head = [0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, keep_alive_secs];
    packet(0x10, &[&head, &string(client_id)[..]].concat())
}

/// Keep-alive 60, no properties.
pub fn connect_v5(client_id: &str) -> Vec<u8> {
    let head = [0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0];
    packet(0x10, &[&head, &string(client_id)[..]].concat())
}

/// QoS 1.
pub fn publish_v3(topic: &str, id: u8, payload: &str) -> Vec<u8> {
    let body = [&string(topic), &[0, id][..], payload.as_bytes()].concat();
    packet(0x32, &body)
}

/// QoS 1, no properties.
pub fn publish_v5(topic: &str, id: u8, payload: &str) -> Vec<u8> {
    let body = [&string(topic), &[0, id, 0][..], payload.as_bytes()].concat();
    packet(0x32, &body)
}

/// The same PUBLISH with RETAIN set.
pub fn retained(mut publish: Vec<u8>) -> Vec<u8> {
    publish[0] |= 1;
    publish
}

/// The same CONNECT with another keep-alive.
pub fn with_keep_alive(mut connect: Vec<u8>, secs: u16) -> Vec<u8> {
    // Behind the fixed header, the protocol's name and level, and the flags. [3] 3.1.2
    connect[10..12].copy_from_slice(&secs.to_be_bytes());
    connect
}

pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(body.len()).expect("test packets are short");
    assert!(len < 128, "expected a length of one byte");
    [&[first, len], body].concat()
}

fn string(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).expect("test strings are short");
    [&len.to_be_bytes(), text.as_bytes()].concat()
}
