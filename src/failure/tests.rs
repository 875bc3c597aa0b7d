use super::*;

const CONTEXT: Context<'_> = Context {
    endpoint: "broker.example",
    port: 8883,
    client_id: "pi-7",
    topic: "pivitals/pi-7/metrics",
    certificate: "/certs/x-certificate.pem.crt",
};

fn words(failure: &Failure) -> String {
    failure.explain(CONTEXT).to_string()
}

fn address() -> std::net::SocketAddr {
    "192.0.2.1:8883".parse().unwrap()
}

fn links() -> Vec<LinkError> {
    let tls = [
        TlsError::WrongName,
        TlsError::UnknownIssuer,
        TlsError::NotYetValid(None),
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
        SessionError::PublishRefused(0x87),
        SessionError::PublishRefused(0x97),
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
    links.chain(sessions).chain(closed).chain([Failure::ProbablyDenied]).collect()
}

#[test]
fn every_failure_is_one_line_that_says_where_and_in_which_phase() {
    for failure in all() {
        let words = words(&failure);
        assert!(!words.contains('\n') && words.contains("broker.example"), "{failure:?}: {words}");
        let is_phase = ["DNS: ", "TCP: ", "TLS: ", "MQTT: ", "broker.example:", "the connection to "];
        assert!(is_phase.iter().any(|phase| words.starts_with(phase)), "{failure:?}: {words}");
    }
}

#[test]
fn a_denial_names_the_statement_that_the_policy_lacks() {
    let publish = "iot:Publish on topic/pivitals/pi-7/metrics";
    for (failure, statement) in [
        (Failure::Session(SessionError::PublishRefused(0x87)), publish),
        (Failure::Session(SessionError::Disconnected(0x87)), publish),
        (Failure::ProbablyDenied, publish),
        (Failure::Closed(Some(Answer::PubAck), LinkError::Closed), publish),
        (Failure::Session(SessionError::Refused(Refusal::NotAuthorized)), "iot:Connect on client/pi-7"),
        (Failure::Closed(Some(Answer::ConnAck), LinkError::Closed), "iot:Connect on client/pi-7"),
    ] {
        assert!(words(&failure).contains(statement), "{}", words(&failure));
    }
}

#[test]
fn a_refused_certificate_is_named_by_its_file() {
    let refused = Failure::Link(LinkError::Tls(TlsError::ClientRefused("UnknownCA".into())));
    assert!(words(&refused).contains("/certs/x-certificate.pem.crt"));
}

#[test]
fn exit_codes_tell_who_has_to_act() {
    assert_eq!(Failure::NothingMeasured.exit_code(), exit::CONFIG);
    assert_eq!(Failure::ClockNotSet.exit_code(), exit::UNAVAILABLE);
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
