use std::io;

use super::*;
use crate::net::tls::OutOfDate;
use crate::platform::resolve::ResolveError;
use reason::{SERVER_SHUTTING_DOWN, SESSION_TAKEN_OVER};

const JANUARY: Utc = Utc::from_millis(1_767_225_600_000);
const FEBRUARY: Utc = Utc::from_millis(1_769_904_000_000);
const MARCH: Utc = Utc::from_millis(1_772_323_200_000);

fn told(failure: &Failure, now: Utc, resolvers: &str) -> Words {
    let topics = Topics::new("pivitals/pi-7/metrics", &[]);
    failure.explain(Context {
        endpoint: "broker.example",
        port: 8883,
        client_id: "pi-7",
        topics: &topics,
        certificate: Path::new("/certs/x-certificate.pem.crt"),
        validity: Validity { from: JANUARY, until: MARCH },
        now,
        resolvers,
    })
}

fn words(failure: &Failure) -> String {
    told(failure, FEBRUARY, "192.0.2.53").to_string()
}

fn address() -> std::net::SocketAddr {
    "192.0.2.1:8883".parse().unwrap()
}

fn links() -> Vec<LinkError> {
    let tls = [
        TlsError::WrongName,
        TlsError::UnknownIssuer,
        TlsError::NotYetValid(Some(OutOfDate { certificate: MARCH, clock: FEBRUARY })),
        TlsError::NotYetValid(None),
        TlsError::Expired(Some(OutOfDate { certificate: JANUARY, clock: FEBRUARY })),
        TlsError::Expired(None),
        TlsError::BadCertificate("why".into()),
        TlsError::ClientRefused("why".into()),
        TlsError::NoCommonProtocol,
        TlsError::NotTls,
        TlsError::Other("why".into()),
    ];
    let others = [
        LinkError::Dns(ResolveError::NoSuchName),
        LinkError::Dns(ResolveError::TryAgain),
        LinkError::Dns(ResolveError::Failed(-4)),
        LinkError::DnsTimeout,
        LinkError::Tcp(address(), io::ErrorKind::ConnectionRefused),
        LinkError::Tcp(address(), io::ErrorKind::NetworkUnreachable),
        LinkError::TcpTimeout(address()),
        LinkError::TlsTimeout,
        LinkError::ClosedInHandshake,
        LinkError::Closed,
        LinkError::Broken(io::ErrorKind::ConnectionReset),
    ];
    tls.map(LinkError::Tls).into_iter().chain(others).collect()
}

fn sessions() -> Vec<SessionError> {
    let refusals = [
        Refusal::Version,
        Refusal::ClientId,
        Refusal::Credentials,
        Refusal::NotAuthorized,
        Refusal::Unavailable,
        Refusal::Other(0x9f),
    ];
    let others = [
        SessionError::Unanswered(Answer::ConnAck),
        SessionError::Unanswered(Answer::PubAck),
        SessionError::Unanswered(Answer::PingResp),
        SessionError::QosUnsupported,
        SessionError::PacketTooLong(6000),
        SessionError::InboundTooLong(6000),
        SessionError::Unexpected(3),
        SessionError::Malformed,
    ];
    let disconnects = (0..=0xff).map(SessionError::Disconnected);
    refusals.map(SessionError::Refused).into_iter().chain(others).chain(disconnects).collect()
}

fn all() -> Vec<Failure> {
    let closed = [None, Some(Answer::ConnAck), Some(Answer::PubAck), Some(Answer::PingResp)];
    let closed = closed.map(|owed| Failure::Closed(owed, LinkError::Closed));
    let links = links().into_iter().map(Failure::Link);
    let sessions = sessions().into_iter().map(Failure::Session);
    let denials = (0x80..=0xff).map(|reason| Failure::PublishRefused(0, reason));
    links
        .chain(sessions)
        .chain(closed)
        .chain(denials)
        .chain([Failure::ProbablyDenied(0), Failure::ProbablyTakenOver])
        .collect()
}

#[test]
fn every_failure_is_one_line_that_says_where_and_in_which_phase() {
    for failure in all() {
        let Words { cause, remedy } = told(&failure, FEBRUARY, "");
        let words = words(&failure);
        assert!(!words.contains('\n') && words.contains("broker.example"), "{failure:?}: {words}");
        assert!(!cause.is_empty() && !remedy.is_empty() && !remedy.ends_with('.'), "{failure:?}: {words}");
        let is_phase = ["DNS: ", "TCP: ", "TLS: ", "MQTT: ", "broker.example:", "the connection to "];
        assert!(is_phase.iter().any(|phase| words.starts_with(phase)), "{failure:?}: {words}");
    }
}

#[test]
fn a_denial_names_the_statement_that_the_policy_lacks() {
    let publish = "iot:Publish on topic/pivitals/pi-7/metrics";
    for (failure, statement) in [
        (Failure::PublishRefused(0, 0x87), publish),
        (Failure::Session(SessionError::Disconnected(0x87)), publish),
        (Failure::ProbablyDenied(0), publish),
        (Failure::Closed(Some(Answer::PubAck), LinkError::Closed), publish),
        (Failure::Session(SessionError::Refused(Refusal::NotAuthorized)), "iot:Connect on client/pi-7"),
        (Failure::Closed(Some(Answer::ConnAck), LinkError::Closed), "iot:Connect on client/pi-7"),
    ] {
        assert!(words(&failure).contains(statement), "{}", words(&failure));
        let (action, resource) = statement.split_once(" on ").unwrap();
        let to_add = format!(
            "{{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"arn:aws:iot:REGION:ACCOUNT:{resource}\"}}"
        );
        assert!(words(&failure).contains(&to_add), "{}", words(&failure));
    }
}

#[test]
fn a_refused_certificate_is_named_by_its_file_its_dates_and_the_clock() {
    let refused = Failure::Link(LinkError::Tls(TlsError::ClientRefused("UnknownCA".into())));
    for (now, remedy) in [
        (Utc::from_millis(0), "it is not valid yet: check the clock"),
        (FEBRUARY, "registered and ACTIVE"),
        (Utc::from_millis(MARCH.as_millis() + 1000), "it has expired"),
    ] {
        let words = told(&refused, now, "").to_string();
        let parts = ["/certs/x-certificate.pem.crt", "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", remedy];
        assert!(parts.iter().all(|part| words.contains(part)), "{words}");
        assert!(words.contains(&now.to_string()), "{words}");
    }
}

#[test]
fn a_certificate_of_the_brokers_out_of_its_time_is_told_with_its_date_and_the_clock() {
    let of = |error| Failure::Link(LinkError::Tls(error));
    let out = |certificate| Some(OutOfDate { certificate, clock: FEBRUARY });
    for (error, date) in
        [(TlsError::NotYetValid(out(MARCH)), MARCH), (TlsError::Expired(out(JANUARY)), JANUARY)]
    {
        let words = words(&of(error));
        assert!(words.contains(&date.to_string()) && words.contains(&FEBRUARY.to_string()), "{words}");
    }
}

#[test]
fn a_name_that_is_not_resolved_is_told_with_those_who_were_asked() {
    for error in [ResolveError::NoSuchName, ResolveError::TryAgain, ResolveError::Failed(-4)] {
        let failure = Failure::Link(LinkError::Dns(error));
        assert!(told(&failure, FEBRUARY, "192.0.2.53, 192.0.2.54").cause.contains("192.0.2.53, 192.0.2.54"));
    }
    let nobody = told(&Failure::Link(LinkError::DnsTimeout), FEBRUARY, "").to_string();
    assert!(nobody.contains("/etc/resolv.conf has no nameserver line"), "{nobody}");
}

#[test]
fn a_port_that_is_blocked_is_told_with_the_other_one() {
    for error in [
        LinkError::TcpTimeout(address()),
        LinkError::Tcp(address(), io::ErrorKind::ConnectionRefused),
        LinkError::Tcp(address(), io::ErrorKind::HostUnreachable),
    ] {
        let words = words(&Failure::Link(error));
        assert!(words.contains("192.0.2.1:8883") && words.contains("`port = 443`"), "{words}");
    }
}

#[test]
fn exit_codes_tell_who_has_to_act() {
    assert_eq!(Failure::NothingMeasured.exit_code(), exit::CONFIG);
    assert_eq!(Failure::ClockNotSet.exit_code(), exit::UNAVAILABLE);
    assert_eq!(Failure::ClockNotSynchronised.exit_code(), exit::UNAVAILABLE);
    for failure in all() {
        let expected = if failure.is_refusal() { exit::NOPERM } else { exit::UNAVAILABLE };
        assert_eq!(failure.exit_code(), expected, "{failure:?}");
    }
    assert!(Failure::Session(SessionError::Disconnected(SESSION_TAKEN_OVER)).is_refusal());
    assert!(!Failure::Session(SessionError::Disconnected(SERVER_SHUTTING_DOWN)).is_refusal());
}

#[test]
fn another_address_of_the_same_name_is_no_other_failure() {
    let refused = |address: &str, kind| Failure::Link(LinkError::Tcp(address.parse().unwrap(), kind));
    let first = refused("192.0.2.1:8883", io::ErrorKind::ConnectionRefused);
    assert!(first.is_like(&refused("192.0.2.2:8883", io::ErrorKind::ConnectionRefused)));
    assert!(!first.is_like(&refused("192.0.2.1:8883", io::ErrorKind::NetworkUnreachable)));
}
