//! Certificates that do not fit, and names and ports that lead nowhere: told with the values in question.

use pivitals_broker::{DeviceFiles, Issuer, Leaf, Manners, Validity};

use crate::house::{House, for_each};

/// What `once` says, and its exit code.
fn complaint(house: &House, set: &[&str]) -> (i32, String) {
    let (code, lines) = house.once(set);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    (code, lines.concat())
}

#[track_caller]
fn assert_has(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
}

#[test]
fn a_brokers_certificate_that_does_not_fit_is_named_with_its_dates_and_the_clock() {
    let of = |validity| Leaf { validity, ..Leaf::default() };
    let cases = [
        (
            Leaf { names: vec!["other.example".to_owned()], ..Leaf::default() },
            ["is for another name", "`endpoint`"],
        ),
        (of(Validity::Expired), ["its last day is 2021-01-01", "this device's clock shows 20"]),
        (of(Validity::NotYet), ["its first day is 2090-01-01", "the clock is probably slow: check NTP"]),
        (
            Leaf { issuer: Issuer::Foreign, ..Leaf::default() },
            ["comes from an authority that is not trusted", "`ca_file`"],
        ),
    ];
    for_each(cases, |(certificate, parts)| {
        let house = House::new("leaf", Manners { certificate, ..Manners::default() });
        let (code, line) = complaint(&house, &[]);
        assert_has(&line, &parts);
        assert_has(&line, &[&format!("TLS: the certificate of localhost:{}", house.broker.port())]);
        assert_eq!(code, 69, "{line}");
    });
}

#[test]
fn a_device_certificate_that_is_refused_is_named_with_its_path_its_dates_and_the_clock() {
    let cases = [
        (Validity::Expired, Issuer::Ours, "2020-01-01", "2021-01-01", "it has expired"),
        (Validity::NotYet, Issuer::Ours, "2090-01-01", "2100-01-01", "it is not valid yet: check the clock"),
        (Validity::Current, Issuer::Foreign, "2020-01-01", "2100-01-01", "it must be registered and ACTIVE"),
    ];
    let cases = cases.into_iter().flat_map(|case| [(case, false), (case, true)]);
    for_each(cases, |((validity, issuer, from, until, remedy), tls12_only)| {
        let house = House::new("device", Manners { tls12_only, ..Manners::default() });
        let DeviceFiles { dir, certificate, .. } = house.pki.device_with("faulty", validity, issuer);
        let (code, line) = complaint(&house, &[&format!("certs={}", dir.display())]);
        let path = format!("localhost refuses this device's certificate {} (", certificate.display());
        assert_has(&line, &[&path, &format!("valid from {from}"), &format!(" to {until}"), remedy]);
        assert_has(&line, &["this device's clock shows 20"]);
        assert_eq!(code, 77, "{line}");
    });
}

#[test]
fn a_name_without_an_address_is_named_with_those_who_were_asked() {
    let house = House::new("dns", Manners::default());
    let (code, line) = complaint(&house, &["endpoint=no-such-host.invalid"]);
    // What is true depends on this machine: a resolver that says no, one that is silent, or none.
    let causes = [
        "DNS: there is no host no-such-host.invalid (asked: ",
        "DNS: no resolver answers for no-such-host.invalid (asked: ",
        "DNS: nobody can be asked for no-such-host.invalid: /etc/resolv.conf has no nameserver line",
    ];
    assert!(causes.iter().any(|cause| line.contains(cause)), "{line}");
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    for resolver in text.lines().filter_map(|line| line.strip_prefix("nameserver")) {
        assert_has(&line, &[resolver.trim()]);
    }
    assert_eq!(code, 69, "{line}");
}

#[test]
fn a_port_on_which_nobody_listens_is_named_with_the_address() {
    let mut house = House::new("tcp", Manners::default());
    house.broker.stop();
    let port = house.broker.port();
    let (code, line) = complaint(&house, &[]);
    assert_has(&line, &["TCP: ", &format!(":{port} (localhost): connection refused"), "check `port`"]);
    assert_eq!(code, 69, "{line}");
}
