use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use pivitals_broker::{Issuer, Pki, TestDir, Validity as Dates};

use super::super::validity::State;
use super::*;
use crate::platform::clock::Utc;

/// An authority in a folder of its own, and the files of a device.
fn device(test: &str) -> (TestDir, Pki, CertificateFiles) {
    let dir = TestDir::new(test);
    let pki = Pki::new(dir.path());
    let device = pki.device("pi-7");
    let files = CertificateFiles::find(&device.dir, None, None, None).unwrap();
    (dir, pki, files)
}

fn day(year: u32) -> Utc {
    Utc::from_civil([year, 1, 1], [0, 0, 0]).unwrap()
}

#[test]
fn loading_reads_the_dates_of_device_and_authority() {
    let (_dir, pki, files) = device("dates");
    let loaded = files.load(false).unwrap();
    assert_eq!(loaded.validity, Validity { from: day(2020), until: day(2100) });
    assert_eq!(files.validity(), Ok(loaded.validity));
    assert_eq!(files.authorities(), Ok(vec![Ok(Validity { from: day(2015), until: day(2120) })]));
    assert!(!loaded.has_built_in_roots() && loaded.files == files);
    // An expired certificate is loaded: whether it is accepted is up to the broker.
    pki.device_with("pi-7", Dates::Expired, Issuer::Ours);
    let loaded = files.load(false).unwrap();
    assert_eq!(loaded.validity.state(day(2026)), State::Expired);
}

#[test]
fn built_in_roots_are_trusted_without_a_ca_file() {
    let (_dir, _pki, mut files) = device("roots");
    files.ca = None;
    assert_eq!(files.read().roots().unwrap().roots, BUILT_IN);
    assert_eq!(files.authorities(), Ok(vec![]));
    assert!(files.load(false).unwrap().has_built_in_roots());
}

#[test]
fn key_of_another_certificate_is_reported_with_both_files() {
    let (_dir, pki, mut files) = device("pair");
    assert_eq!(files.check_pair(), Ok(()));
    files.key = pki.device("pi-8").key;
    let mismatch =
        CertificateProblem::KeyMismatch { certificate: files.certificate.clone(), key: files.key.clone() };
    assert_eq!(files.check_pair(), Err(vec![mismatch.clone()]));
    assert_eq!(files.load(false).unwrap_err(), [mismatch]);
}

#[test]
fn problems_of_all_files_are_reported_together() {
    let names = ["root-ca.pem", "x-certificate.pem.crt", "x-private.pem.key"];
    let dir = TestDir::new("load");
    let [ca, certificate, key] = names.map(|name| dir.path().join(name));
    for path in [&ca, &certificate, &key] {
        std::fs::write(path, "").unwrap();
    }
    let files = CertificateFiles::find(dir.path(), None, None, None).unwrap();
    assert_eq!(
        files.load(false).unwrap_err(),
        [
            CertificateProblem::NotPem(Role::Ca, ca.clone()),
            CertificateProblem::NotPem(Role::Certificate, certificate.clone()),
            CertificateProblem::NotPem(Role::Key, key.clone())
        ]
    );
    let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    std::fs::write(&ca, pem("PUBLIC KEY")).unwrap();
    std::fs::write(&certificate, pem("CERTIFICATE").replace("-----END", "")).unwrap();
    std::fs::write(&key, pem("ENCRYPTED PRIVATE KEY")).unwrap();
    assert_eq!(
        files.load(false).unwrap_err(),
        [
            CertificateProblem::Empty(Role::Ca, ca),
            CertificateProblem::NotPem(Role::Certificate, certificate),
            CertificateProblem::Encrypted(key)
        ]
    );
}

/// A certificate as PEM.
fn pem(der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for bytes in der.chunks(3) {
        let word =
            bytes.iter().fold(0, |word, byte| word << 8 | usize::from(*byte)) << (8 * (3 - bytes.len()));
        for digit in 0..4 {
            let is_there = digit <= bytes.len();
            text.push(if is_there { char::from(DIGITS[word >> (18 - 6 * digit) & 63]) } else { '=' });
        }
    }
    text + "\n-----END CERTIFICATE-----\n"
}

#[test]
fn malformed_or_contradictory_dates_are_reported_with_the_file() {
    let (_dir, pki, files) = device("dateless");
    pki.device_with("pi-7", Dates::Expired, Issuer::Ours);
    let whole = files.read().chain().unwrap().remove(0);
    let first = whole.windows(6).position(|window| window == b"200101").unwrap();
    let reversed = ValidityError::Reversed(Validity { from: day(2022), until: day(2021) });
    for (date, error) in [(b"201301", ValidityError::Malformed), (b"220101", reversed)] {
        let mut damaged = whole.to_vec();
        damaged[first..first + date.len()].copy_from_slice(date);
        std::fs::write(&files.certificate, pem(&damaged)).unwrap();
        let problem = CertificateProblem::Dates(files.certificate.clone(), error);
        assert_eq!(files.validity(), Err(problem.clone()));
        assert_eq!(files.load(false).unwrap_err(), [problem]);
    }
}

#[test]
fn key_that_others_may_read_is_loaded() {
    let (_dir, _pki, files) = device("readers");
    for (mode, group, everybody) in
        [(0o600, false, false), (0o400, false, false), (0o640, true, false), (0o644, true, true)]
    {
        std::fs::set_permissions(&files.key, Permissions::from_mode(mode)).unwrap();
        let readers = files.key_readers().unwrap();
        assert_eq!((readers.mode, readers.group(), readers.everybody()), (mode, group, everybody));
        assert!(files.load(false).is_ok());
    }
    std::fs::remove_file(&files.key).unwrap();
    let gone = files.key_readers().unwrap_err();
    assert!(matches!(gone, CertificateProblem::Unreadable(Role::Key, path, _) if path == files.key));
}

#[test]
fn same_content_is_the_same_and_other_content_is_not() {
    let (_dir, pki, files) = device("same");
    let first = files.load(false).unwrap();
    assert!(first.is_same(&files.load(false).unwrap()));
    let ca = files.ca.clone().unwrap();
    let text = std::fs::read_to_string(&ca).unwrap();
    std::fs::copy(&files.certificate, &ca).unwrap();
    assert!(!first.is_same(&files.load(false).unwrap()));
    std::fs::write(&ca, text).unwrap();
    assert!(first.is_same(&files.load(false).unwrap()));
    pki.device("pi-7");
    assert!(!first.is_same(&files.load(false).unwrap()));
}

#[test]
fn changing_alpn_leaves_open_connections_alone() {
    let (_dir, _pki, files) = device("alpn");
    let loaded = files.load(false).unwrap();
    assert_eq!(loaded.clone().with_alpn(true).tls.alpn_protocols, [ALPN]);
    assert!(loaded.tls.alpn_protocols.is_empty());
    assert!(loaded.with_alpn(true).with_alpn(false).tls.alpn_protocols.is_empty());
}

#[test]
fn key_file_that_is_too_long_to_be_wiped_is_not_read() {
    let (_dir, _pki, files) = device("long");
    let key = std::fs::read_to_string(&files.key).unwrap();
    for (len, is_loaded) in [(32 * 1024, true), (32 * 1024 + 1, false)] {
        std::fs::write(&files.key, format!("{key:<len$}")).unwrap();
        assert_eq!(files.load(false).is_ok(), is_loaded);
    }
}
