//! A second device with the same certificate and the same client id.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use pivitals_broker::{Manners, Program};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::house::{Examination, House, PATIENCE};

/// CONNECT of MQTT 5, keep-alive 60, `pi-7`.
const CONNECT: [u8; 19] = *b"\x10\x11\0\x04MQTT\x05\x02\0\x3c\0\0\x04pi-7";

/// Connects as `pi-7`, and is connected for as long as the value lives.
pub fn connect(house: &House) -> impl Sized {
    let device = &house.device;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&device.ca).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_file(&device.certificate).unwrap()];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&device.key).unwrap())
        .unwrap();
    let name = ServerName::try_from(house.broker.host()).unwrap();
    let tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, house.broker.port())).unwrap();
    let mut clone = StreamOwned::new(tls, stream);
    clone.write_all(&CONNECT).unwrap();
    let mut answer = [0; 4];
    clone.read_exact(&mut answer).unwrap();
    assert_eq!((answer[0], answer[3]), (0x20, 0), "the broker takes the clone");
    clone
}

/// The doctor, and the clone that comes back when the last of its messages is acknowledged.
pub fn examine(house: &House, options: &[&str]) -> Examination {
    let mut doctor = Program::start(&mut house.command(options));
    doctor.wait_for_line("puback", PATIENCE);
    let _clone = connect(house);
    Examination::after(&mut doctor)
}

#[test]
fn another_device_with_the_client_id_is_named() {
    let house = House::new("clone", Manners::default());
    let examination = examine(&house, &["--set", "mqtt=5"]);
    examination.only("fail", "client-id", 77, "another device uses client id pi-7", "{serial}");
    examination.is_ok("puback");
}

#[test]
fn in_3_1_1_another_device_with_the_client_id_is_named_as_probable() {
    let house = House::new("clone-v3", Manners::default());
    let examination = examine(&house, &["--set", "mqtt=3.1.1"]);
    examination.only("fail", "client-id", 77, "closed the connection of client id pi-7", "{serial}");
    examination.is_ok("puback");
}
