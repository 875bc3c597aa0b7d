//! What went wrong, in which phase: the cause and the remedy in words, and the exit code.
//!
//! The parts below say precisely what happened; here, once, it is put so that somebody who sees
//! nothing but this line knows what to do.

use std::fmt::{self, Display};
use std::io;

use crate::link::LinkError;
use crate::session::{Answer, Refusal, SessionError};
use crate::sys::resolve::ResolveError;
use crate::tls::TlsError;

mod certificates;

#[cfg(test)]
mod tests;

pub use certificates::file_error;

/// Exit codes, as sysexits.h has them.
pub mod exit {
    /// All was done.
    pub const OK: u8 = 0;
    /// The command line is wrong.
    pub const USAGE: u8 = 64;
    /// The broker cannot be reached, or does not answer.
    pub const UNAVAILABLE: u8 = 69;
    /// Our own fault.
    pub const SOFTWARE: u8 = 70;
    /// The broker says no: to the certificate, by its policy, to the client id.
    pub const NOPERM: u8 = 77;
    /// The configuration is wrong, or the certificate files are.
    pub const CONFIG: u8 = 78;
}

/// What keeps samples from being delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The system clock is older than the program: nothing can be dated, no certificate checked.
    ClockNotSet,
    /// None of the metrics can be read, so that there is nothing to send.
    NothingMeasured,
    /// There is no way to the broker.
    Link(LinkError),
    /// The broker closed the connection, or it broke, while an answer was owed or none.
    Closed(Option<Answer>, LinkError),
    /// The broker closed the connection at the same message again and again.
    ProbablyDenied,
    /// The session came to an end.
    Session(SessionError),
}

/// The values that a failure is about.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The broker's host name.
    pub endpoint: &'a str,
    /// Its port.
    pub port: u16,
    /// The device's client id.
    pub client_id: &'a str,
    /// Where it publishes.
    pub topic: &'a str,
    /// The file of its certificate.
    pub certificate: &'a str,
}

impl Failure {
    /// What an error of a link means on which the broker owed an answer, or none.
    #[must_use]
    pub const fn of_open_link(error: LinkError, owed: Option<Answer>) -> Self {
        match error {
            LinkError::Closed | LinkError::Broken(_) => Self::Closed(owed, error),
            error => Self::Link(error),
        }
    }

    /// Whether the broker said no, so that asking again soon is of no use.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        use SessionError as Session;
        matches!(
            self,
            Self::Session(
                Session::Refused(Refusal::NotAuthorized | Refusal::ClientId | Refusal::Credentials)
                    | Session::PublishRefused(_)
                    | Session::Disconnected(NOT_AUTHORIZED | SESSION_TAKEN_OVER)
                    | Session::QosUnsupported
            ) | Self::Link(LinkError::Tls(TlsError::ClientRefused(_)))
                | Self::ProbablyDenied
        )
    }

    /// The exit code of a command that ends with this.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NothingMeasured => exit::CONFIG,
            refused if refused.is_refusal() => exit::NOPERM,
            _ => exit::UNAVAILABLE,
        }
    }

    /// Whether this is what the other one was, but for an address out of several.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link(LinkError::Tcp(_, kind)), Self::Link(LinkError::Tcp(_, other))) => kind == other,
            (Self::Link(LinkError::TcpTimeout(_)), Self::Link(LinkError::TcpTimeout(_))) => true,
            (Self::Link(LinkError::Tls(error)), Self::Link(LinkError::Tls(other))) => error.is_like(other),
            _ => self == other,
        }
    }

    /// What happened, and what to do about it, in one line.
    #[must_use]
    pub fn explain<'a>(&'a self, context: Context<'a>) -> impl Display + 'a {
        Explanation { failure: self, context }
    }
}

struct Explanation<'a> {
    failure: &'a Failure,
    context: Context<'a>,
}

impl Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure {
            Failure::ClockNotSet => f.write_str(
                "the system clock is not set (it shows a time before this program was built), so samples cannot \
                 be dated and certificates not be checked; start an NTP client, or fit a real-time clock",
            ),
            Failure::NothingMeasured => {
                f.write_str("none of the metrics can be read on this board, so nothing was published; change `metrics`")
            }
            Failure::Link(error) => self.link(f, error),
            Failure::Closed(owed, error) => self.closed(f, *owed, error),
            Failure::ProbablyDenied => {
                let Context { endpoint, client_id, topic, .. } = self.context;
                write!(
                    f,
                    "MQTT: {endpoint} closes the connection each time client id {client_id} publishes on {topic}, \
                     which is how AWS IoT Core denies it in MQTT 3.1.1; the policy probably lacks iot:Publish on \
                     topic/{topic}"
                )
            }
            Failure::Session(error) => self.session(f, *error),
        }
    }
}

// MQTT 5, sections 3.4.2.1 and 3.14.2.1.
const NOT_AUTHORIZED: u8 = 0x87;
const SERVER_SHUTTING_DOWN: u8 = 0x8b;
const KEEP_ALIVE_TIMEOUT: u8 = 0x8d;
const SESSION_TAKEN_OVER: u8 = 0x8e;
const TOPIC_NAME_INVALID: u8 = 0x90;
const PACKET_TOO_LARGE: u8 = 0x95;
const QUOTA_EXCEEDED: u8 = 0x97;
const ADMINISTRATIVE_ACTION: u8 = 0x98;

impl Explanation<'_> {
    fn link(&self, f: &mut fmt::Formatter<'_>, error: &LinkError) -> fmt::Result {
        let Context { endpoint, port, .. } = self.context;
        match error {
            LinkError::Dns(ResolveError::NoSuchName) => write!(
                f,
                "DNS: there is no host {endpoint}; compare `endpoint` with what `aws iot describe-endpoint \
                 --endpoint-type iot:Data-ATS` prints"
            ),
            LinkError::Dns(ResolveError::TryAgain) | LinkError::DnsTimeout => write!(
                f,
                "DNS: no resolver answers for {endpoint}; check the network and the nameserver lines of \
                 /etc/resolv.conf"
            ),
            LinkError::Dns(ResolveError::Failed(code)) => write!(
                f,
                "DNS: looking up {endpoint} failed with getaddrinfo's code {code}; check /etc/resolv.conf"
            ),
            LinkError::Tcp(address, kind) => {
                write!(f, "TCP: {address} ({endpoint}): {kind}; ")?;
                match kind {
                    io::ErrorKind::ConnectionRefused => write!(
                        f,
                        "check `port`, and that the broker runs and no firewall rejects port {port}"
                    ),
                    _ => write!(f, "check the device's address, its route and the firewall for port {port}"),
                }?;
                self.other_port(f)
            }
            LinkError::TcpTimeout(address) => {
                write!(
                    f,
                    "TCP: {address} ({endpoint}) does not answer; a firewall on the way probably drops port {port}"
                )?;
                self.other_port(f)
            }
            LinkError::Tls(error) => self.tls(f, error),
            LinkError::TlsTimeout | LinkError::ClosedInHandshake => write!(
                f,
                "TLS: {endpoint}:{port} {}; check that `port` is the broker's port for TLS with client certificates",
                if *error == LinkError::TlsTimeout {
                    "accepts connections and then says nothing"
                } else {
                    "closed the connection during the handshake"
                }
            ),
            LinkError::Closed => write!(f, "{endpoint}:{port} closed the connection"),
            LinkError::Broken(kind) => {
                write!(f, "the connection to {endpoint}:{port} broke: {kind}")
            }
            LinkError::System(kind) => write!(
                f,
                "this system could not give a process or a descriptor: {kind}; look for what uses them up"
            ),
        }
    }

    fn other_port(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.context.port == 8883 {
            f.write_str("; AWS IoT Core can also be reached with `port = 443`")
        } else {
            Ok(())
        }
    }

    fn tls(&self, f: &mut fmt::Formatter<'_>, error: &TlsError) -> fmt::Result {
        let Context { endpoint, port, certificate, .. } = self.context;
        match error {
            TlsError::WrongName => write!(
                f,
                "TLS: the certificate of {endpoint}:{port} is for another name; write `endpoint` as the certificate \
                 has it"
            ),
            TlsError::UnknownIssuer => write!(
                f,
                "TLS: the certificate of {endpoint}:{port} comes from an authority that is not trusted; give its CA \
                 with `ca_file` (AWS: AmazonRootCA1.pem), and an endpoint with -ats in its name"
            ),
            TlsError::NotYetValid(_) => write!(
                f,
                "TLS: the certificate of {endpoint}:{port} is not valid yet by this device's clock; the clock is \
                 probably slow: check NTP"
            ),
            TlsError::Expired(_) => write!(
                f,
                "TLS: the certificate of {endpoint}:{port} has expired by this device's clock; check the clock, then \
                 the broker's certificate"
            ),
            TlsError::BadCertificate(why) => {
                write!(f, "TLS: the certificate of {endpoint}:{port} cannot be used: {why}")
            }
            TlsError::ClientRefused(alert) => write!(
                f,
                "TLS: {endpoint} refuses this device's certificate {certificate} ({alert}); in AWS IoT Core it must \
                 be registered and ACTIVE, in this account and region"
            ),
            TlsError::NoCommonProtocol => write!(
                f,
                "TLS: {endpoint}:{port} does not offer MQTT; for AWS IoT Core use port 8883, or 443 with an -ats \
                 endpoint"
            ),
            TlsError::NotTls => {
                write!(f, "TLS: {endpoint}:{port} does not speak TLS; check `port`")
            }
            TlsError::Other(why) => write!(f, "TLS: the connection to {endpoint}:{port} failed: {why}"),
        }
    }

    fn closed(&self, f: &mut fmt::Formatter<'_>, owed: Option<Answer>, error: &LinkError) -> fmt::Result {
        let Context { endpoint, client_id, topic, .. } = self.context;
        let how = match error {
            LinkError::Broken(kind) => format!("broke off ({kind})"),
            _ => "closed the connection".to_owned(),
        };
        match owed {
            Some(Answer::ConnAck) => write!(
                f,
                "MQTT: {endpoint} {how} instead of accepting client id {client_id}; the policy probably lacks \
                 iot:Connect on client/{client_id}, or the certificate has no policy"
            ),
            Some(Answer::PubAck) => write!(
                f,
                "MQTT: {endpoint} {how} before it acknowledged a message; if this repeats, the policy probably lacks \
                 iot:Publish on topic/{topic}"
            ),
            Some(Answer::PingResp) | None => write!(
                f,
                "MQTT: {endpoint} {how}; connecting again (if this repeats, another device may use client id \
                 {client_id})"
            ),
        }
    }

    fn session(&self, f: &mut fmt::Formatter<'_>, error: SessionError) -> fmt::Result {
        let Context { endpoint, client_id, topic, .. } = self.context;
        match error {
            SessionError::Refused(refusal) => {
                write!(f, "MQTT: {endpoint} refuses client id {client_id}: ")?;
                match refusal {
                    Refusal::Version => {
                        f.write_str("it does not speak this version; with `mqtt = auto` both are tried")
                    }
                    Refusal::ClientId => f.write_str("it does not like the id; change `client_id`"),
                    Refusal::Credentials => f.write_str(
                        "it wants a user name and a password; it must accept the certificate instead",
                    ),
                    Refusal::NotAuthorized => write!(
                        f,
                        "not authorized; the policy needs iot:Connect on client/{client_id}, and the certificate that \
                         policy"
                    ),
                    Refusal::Unavailable => f.write_str("it cannot serve now; it is tried again"),
                    Refusal::Other(code) => write!(f, "reason code {code:#04x} (MQTT 5, section 3.2.2.2)"),
                }
            }
            SessionError::PublishRefused(NOT_AUTHORIZED) => write!(
                f,
                "MQTT: {endpoint} does not let client id {client_id} publish on {topic}; the policy needs iot:Publish \
                 on topic/{topic}"
            ),
            SessionError::PublishRefused(reason) => {
                write!(f, "MQTT: {endpoint} refuses a message on {topic}: {}", Reason(reason))
            }
            SessionError::Disconnected(NOT_AUTHORIZED) => write!(
                f,
                "MQTT: {endpoint} disconnected client id {client_id}: not authorized; the policy needs iot:Publish on \
                 topic/{topic}"
            ),
            SessionError::Disconnected(SESSION_TAKEN_OVER) => write!(
                f,
                "MQTT: another device uses client id {client_id} (a cloned image?), and {endpoint} serves the one that \
                 came last; give each device its own `client_id`, for example {{serial}}"
            ),
            SessionError::Disconnected(reason) => {
                write!(f, "MQTT: {endpoint} disconnected: {}", Reason(reason))
            }
            SessionError::Unanswered(Answer::ConnAck) => {
                write!(
                    f,
                    "MQTT: {endpoint} does not answer CONNECT; check that `port` is that of MQTT over TLS"
                )
            }
            SessionError::Unanswered(Answer::PubAck) => write!(
                f,
                "MQTT: {endpoint} does not acknowledge a message on {topic}; the line is down, or the broker drops it"
            ),
            SessionError::Unanswered(Answer::PingResp) => {
                write!(f, "MQTT: {endpoint} does not answer any more; the line is probably down")
            }
            SessionError::QosUnsupported => write!(
                f,
                "MQTT: {endpoint} does not take quality of service 1, so nothing could be known to have arrived; use \
                 another broker"
            ),
            SessionError::PacketTooLong(length) => write!(
                f,
                "MQTT: {endpoint} does not take a message of {length} bytes; use format rule, or shorten `label` and \
                 `topic`"
            ),
            SessionError::InboundTooLong(length) => write!(
                f,
                "MQTT: {endpoint} sent a packet of {length} bytes to a client that subscribes to nothing; check that \
                 `port` is that of MQTT"
            ),
            SessionError::Unexpected(kind) => write!(
                f,
                "MQTT: {endpoint} sent a packet of kind {kind}, which a publisher does not get; check that `port` is \
                 that of MQTT"
            ),
            SessionError::Malformed => write!(
                f,
                "MQTT: {endpoint} sent something that is not MQTT; check that `port` is that of MQTT over TLS"
            ),
        }
    }
}

/// A reason code with its name and what to do, where there is something.
struct Reason(u8);

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "normally",
            SERVER_SHUTTING_DOWN => "it is shutting down; it is tried again",
            KEEP_ALIVE_TIMEOUT => "it heard nothing within the keep-alive; the line is probably bad",
            TOPIC_NAME_INVALID => "the topic is not allowed; check `topic` and `rule`",
            PACKET_TOO_LARGE => "the message is too large",
            QUOTA_EXCEEDED => "a quota is exceeded; look at the account's limits",
            ADMINISTRATIVE_ACTION => "by an administrator",
            code => return write!(f, "reason code {code:#04x} (MQTT 5, section 2.4)"),
        })
    }
}
