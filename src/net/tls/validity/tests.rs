use pivitals_broker::{Pki, Random, TestDir};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::*;

fn day(year: u32, month: u32, day: u32) -> Utc {
    Utc::from_civil([year, month, day], [0, 0, 0]).unwrap()
}

/// A DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length: &[u8] = if content.len() < 0x80 { &length[1..] } else { &[0x82, length[0], length[1]] };
    [&[tag], length, content].concat()
}

/// The part of a certificate that is read, with these two times.
fn certificate(times: [(u8, &str); 2]) -> Vec<u8> {
    let times = times.map(|(tag, text)| der(tag, text.as_bytes())).concat();
    with(&der(SEQUENCE, &[b'x'; 200]), &der(SEQUENCE, &times))
}

/// The part of a certificate that is read, with this issuer and this validity.
fn with(issuer: &[u8], validity: &[u8]) -> Vec<u8> {
    let [version, serial, algorithm] =
        [der(VERSION, &der(INTEGER, &[2])), der(INTEGER, &[7; 20]), der(SEQUENCE, &[])];
    der(SEQUENCE, &der(SEQUENCE, &[&version, &serial, &algorithm, issuer, validity].concat()))
}

fn real() -> Vec<u8> {
    let dir = TestDir::new("validity");
    let device = Pki::new(dir.path()).device("pi-7");
    CertificateDer::from_pem_file(device.certificate).unwrap().to_vec()
}

#[test]
fn dates_of_a_real_certificate_are_read() {
    let dir = TestDir::new("dates");
    let pki = Pki::new(dir.path());
    let read = |path| Validity::read(&CertificateDer::from_pem_file(path).unwrap());
    let authority = Validity { from: day(2015, 1, 1), until: day(2120, 1, 1) };
    assert_eq!(read(pki.root_file()), Ok(authority));
    let device = Validity { from: day(2020, 1, 1), until: day(2100, 1, 1) };
    assert_eq!(read(pki.device("pi-7").certificate), Ok(device));
}

#[test]
fn both_time_formats_are_read_in_their_centuries() {
    for (from, until, expected) in [
        ((UTC_TIME, "500101000000Z"), (UTC_TIME, "491231235959Z"), [day(1970, 1, 1), day(2049, 12, 31)]),
        ((UTC_TIME, "700102000000Z"), (UTC_TIME, "991231235959Z"), [day(1970, 1, 2), day(1999, 12, 31)]),
        (
            (UTC_TIME, "000229000000Z"),
            (GENERALIZED_TIME, "20500101235959Z"),
            [day(2000, 2, 29), day(2050, 1, 1)],
        ),
    ] {
        let validity = Validity::read(&certificate([from, until])).unwrap();
        let [from, until] = expected;
        assert_eq!(validity.from, from);
        assert_eq!(validity.until.as_millis(), until.as_millis() + 86_399_000);
        assert!(!validity.is_endless());
    }
    let endless = [(UTC_TIME, "200101000000Z"), (GENERALIZED_TIME, "99991231235959Z")];
    let endless = Validity::read(&certificate(endless)).unwrap();
    assert!(endless.is_endless() && endless.days_left(day(2026, 1, 1)) > 2_900_000);
}

#[test]
fn certificate_is_valid_from_its_first_second_to_its_last() {
    let validity = Validity { from: day(2026, 1, 1), until: day(2026, 1, 31) };
    let at = |base: Utc, millis: i64| Utc::from_millis(base.as_millis().saturating_add_signed(millis));
    for (now, state, days) in [
        (Utc::from_millis(0), State::NotYet, 20_484),
        (at(validity.from, -1), State::NotYet, 30),
        (validity.from, State::Current, 30),
        (at(validity.from, 1000), State::Current, 29),
        (at(validity.until, -86_400_000), State::Current, 1),
        (at(validity.until, -86_399_000), State::Current, 0),
        (at(validity.until, 999), State::Current, 0),
        (at(validity.until, 1000), State::Expired, -1),
        (at(validity.until, 86_401_000), State::Expired, -2),
    ] {
        assert_eq!((validity.state(now), validity.days_left(now)), (state, days), "{now}");
    }
    assert!(validity.days_left(Utc::from_millis(u64::MAX)) < 0);
}

#[test]
fn malformed_times_and_reversed_dates_are_errors() {
    let good = (UTC_TIME, "200101000000Z");
    for bad in [
        (UTC_TIME, "200101000000"),
        (UTC_TIME, "2001010000Z"),
        (UTC_TIME, "20200101000000Z"),
        (UTC_TIME, "200101000000+0100"),
        (UTC_TIME, "201301000000Z"),
        (UTC_TIME, "200230000000Z"),
        (UTC_TIME, "200101000060Z"),
        (UTC_TIME, "2001010000 0Z"),
        (UTC_TIME, ""),
        (GENERALIZED_TIME, "200101000000Z"),
        (GENERALIZED_TIME, "20200101000000.5Z"),
        (INTEGER, "200101000000Z"),
    ] {
        for times in [[bad, good], [good, bad]] {
            assert_eq!(Validity::read(&certificate(times)), Err(ValidityError::Malformed), "{times:?}");
        }
    }
    let reversed = Validity { from: day(2026, 1, 1), until: day(2025, 1, 1) };
    let times = [(UTC_TIME, "260101000000Z"), (UTC_TIME, "250101000000Z")];
    assert_eq!(Validity::read(&certificate(times)), Err(ValidityError::Reversed(reversed)));
}

#[test]
fn wrong_lengths_are_malformed() {
    let whole = real();
    for length in 0..whole.len() {
        assert_eq!(Validity::read(&whole[..length]), Err(ValidityError::Malformed));
    }
    let longer = [&whole[..], &[0]].concat();
    for bytes in
        [&longer[..], b"\x30\x80", b"\x30\x84\0\0\0\0", b"\x30\x83\xff\xff\xff", b"\x30\x81", b"\x30"]
    {
        assert_eq!(Validity::read(bytes), Err(ValidityError::Malformed));
    }
}

#[test]
fn indefinite_length_and_third_time_are_malformed() {
    let time = der(UTC_TIME, b"200101000000Z");
    let times = |number| der(SEQUENCE, &time.repeat(number));
    let issuer = der(SEQUENCE, &[]);
    assert!(Validity::read(&with(&issuer, &times(2))).is_ok());
    for bad in [with(&issuer, &times(3)), with(&issuer, &times(1)), with(&[SEQUENCE, 0x80], &times(2))] {
        assert_eq!(Validity::read(&bad), Err(ValidityError::Malformed));
    }
}

#[test]
fn damaged_certificates_cause_no_panic_and_no_reversed_dates() {
    let whole = real();
    let (mut good, mut bad) = (0, 0);
    let mut try_out = |bytes: &[u8]| match Validity::read(bytes) {
        Ok(validity) => {
            good += 1;
            assert!(validity.from <= validity.until, "{bytes:x?}");
        }
        Err(_) => bad += 1,
    };
    // Every byte with every other value…
    for at in 0..whole.len() {
        for byte in 0..=0xff {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            try_out(&damaged);
        }
    }
    // …and several random bytes near the beginning, which holds the dates.
    let mut random = Random::new(4);
    for _ in 0..100_000 {
        let mut damaged = whole.clone();
        for _ in 0..=(random.word() >> 62) {
            let at = usize::try_from(random.word() >> 40).unwrap() % 200;
            damaged[at] = (random.word() >> 56) as u8;
        }
        try_out(&damaged);
    }
    assert!(good > 10_000 && bad > 10_000, "{good} {bad}");
}
