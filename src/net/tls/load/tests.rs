use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use pivitals_broker::{Issuer, Pki, TestDir, Validity as Dates};

use super::*;

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
fn what_is_loaded_tells_the_dates_of_the_device_and_each_file_those_of_its_own() {
    let (_dir, pki, files) = device("dates");
    let loaded = files.load(false).unwrap();
    assert_eq!(loaded.validity, Validity { from: day(2020), until: day(2100) });
    assert_eq!(files.validity(), Ok(loaded.validity));
    assert_eq!(files.authorities(), Ok(vec![Ok(Validity { from: day(2015), until: day(2120) })]));
    assert!(!loaded.has_built_in_roots() && loaded.files == files);
    // Whether an old certificate is still good, the broker says.
    pki.device_with("pi-7", Dates::Expired, Issuer::Ours);
    let loaded = files.load(false).unwrap();
    assert_eq!(loaded.validity.state(day(2026)), State::Expired);
}

#[test]
fn a_key_of_another_certificate_is_told_with_both_files() {
    let (_dir, pki, mut files) = device("pair");
    assert_eq!(files.check_pair(), Ok(()));
    files.key = pki.device("pi-8").key;
    let mismatch =
        CertificateProblem::KeyMismatch { certificate: files.certificate.clone(), key: files.key.clone() };
    assert_eq!(files.check_pair(), Err(vec![mismatch.clone()]));
    assert_eq!(files.load(false).unwrap_err(), [mismatch]);
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
fn dates_that_cannot_be_read_or_contradict_each_other_are_told_with_the_file() {
    let (_dir, pki, files) = device("dateless");
    pki.device_with("pi-7", Dates::Expired, Issuer::Ours);
    let whole = files.read_chain().unwrap().remove(0);
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
fn a_key_that_others_may_read_is_told_but_no_error() {
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
    let gone = CertificateProblem::Unreadable(Role::Key, files.key.clone(), io::ErrorKind::NotFound);
    assert_eq!(files.key_readers(), Err(gone));
}

#[test]
fn the_same_content_is_the_same_and_any_other_is_not() {
    let (_dir, pki, files) = device("same");
    let first = files.load(false).unwrap();
    assert!(first.is_same(&files.load(false).unwrap()));
    let ca = files.ca.clone().unwrap();
    let text = std::fs::read_to_string(&ca).unwrap();
    std::fs::write(&ca, format!("a remark before it\n{text}")).unwrap();
    assert!(first.is_same(&files.load(false).unwrap()), "what is read counts");
    std::fs::copy(&files.certificate, &ca).unwrap();
    assert!(!first.is_same(&files.load(false).unwrap()));
    std::fs::write(&ca, text).unwrap();
    pki.device("pi-7");
    assert!(!first.is_same(&files.load(false).unwrap()));
}

#[test]
fn what_is_loaded_can_be_taken_to_another_port() {
    let (_dir, _pki, files) = device("alpn");
    let loaded = files.load(false).unwrap();
    assert_eq!(loaded.clone().with_alpn(true).tls.alpn_protocols, [ALPN]);
    assert!(loaded.tls.alpn_protocols.is_empty(), "a connection keeps what it began with");
    assert!(loaded.with_alpn(true).with_alpn(false).tls.alpn_protocols.is_empty());
}

#[test]
fn a_certificate_out_of_date_is_told_with_its_date_and_the_clocks() {
    let at = |utc: Utc| UnixTime::since_unix_epoch(std::time::Duration::from_secs(utc.as_secs()));
    let told = |error| TlsError::from(rustls::Error::InvalidCertificate(error));
    let early =
        |clock| told(CertificateError::NotValidYetContext { time: at(clock), not_before: at(day(2020)) });
    let late = |clock| told(CertificateError::ExpiredContext { time: at(clock), not_after: at(day(2020)) });
    let dates = |clock| Some(OutOfDate { certificate: day(2020), clock });
    assert_eq!(early(day(1970)), TlsError::NotYetValid(dates(day(1970))));
    assert_eq!(late(day(2026)), TlsError::Expired(dates(day(2026))));
    assert_eq!(told(CertificateError::NotValidYet), TlsError::NotYetValid(None));
    assert_eq!(told(CertificateError::Expired), TlsError::Expired(None));
    // A second later it is the same failure, and not told again.
    assert!(late(day(2026)).is_like(&late(day(2027))) && early(day(1970)).is_like(&early(day(1971))));
    assert!(!late(day(2026)).is_like(&early(day(2026))));
    assert!(!late(day(2026)).is_like(&told(CertificateError::Expired)));
}
