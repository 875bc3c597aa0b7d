//! What went wrong, in which phase: the cause and the remedy in words, and the exit code.
//!
//! The parts below say precisely what happened; here, once, it is put so that somebody who sees
//! nothing but this line knows what to do.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::config::setup::Setup;
use crate::message::topics::Topics;
use crate::mqtt::session::{Answer, Refusal, SessionError};
use crate::net::link::LinkError;
use crate::net::tls::{TlsError, Validity};
use crate::platform::clock::Utc;
use crate::platform::wall_clock::{ClockState, SYNC_WAIT};

mod certificates;
mod link;
mod session;
mod setup;

#[cfg(test)]
mod tests;

pub use certificates::{file_error, out_of_date};
pub use session::lacks;

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

/// Reason codes that say more than "no" (MQTT 5, section 2.4).
pub(crate) mod reason {
    pub const NOT_AUTHORIZED: u8 = 0x87;
    pub const SERVER_SHUTTING_DOWN: u8 = 0x8b;
    pub const KEEP_ALIVE_TIMEOUT: u8 = 0x8d;
    pub const SESSION_TAKEN_OVER: u8 = 0x8e;
    pub const TOPIC_NAME_INVALID: u8 = 0x90;
    pub const PACKET_TOO_LARGE: u8 = 0x95;
    pub const QUOTA_EXCEEDED: u8 = 0x97;
    pub const ADMINISTRATIVE_ACTION: u8 = 0x98;
    pub const RETAIN_NOT_SUPPORTED: u8 = 0x9a;
}

/// What keeps samples from being delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The system clock is older than this version: nothing can be dated, and no certificate checked.
    ClockNotSet,
    /// The system clock may show a time that was saved before the last shutdown: nothing has set it since boot.
    ClockNotSynchronised,
    /// None of the metrics can be read, so that there is nothing to send.
    NothingMeasured,
    /// There is no way to the broker.
    Link(LinkError),
    /// The broker closed the connection, or it broke, while an answer was owed or none.
    Closed(Option<Answer>, LinkError),
    /// The broker refuses messages on the topic with this number, with a reason code.
    PublishRefused(usize, u8),
    /// The broker closed the connection at the same message again and again, on this topic.
    ProbablyDenied(usize),
    /// The broker closed a connection without a word on which it owed nothing, soon after it accepted it.
    ProbablyTakenOver,
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
    pub topics: &'a Topics,
    /// The file of its certificate.
    pub certificate: &'a Path,
    /// From when to when that is valid.
    pub validity: Validity,
    /// What the system clock shows.
    pub now: Utc,
    /// Who is asked for addresses, as /etc/resolv.conf has it; empty if it names nobody.
    pub resolvers: &'a str,
}

impl<'a> Context<'a> {
    /// The values of an agent's setup; `now` is what the system clock shows.
    #[must_use]
    pub fn of(setup: &'a Setup, now: Utc, resolvers: &'a str) -> Self {
        let loaded = setup.credentials.current();
        Self {
            endpoint: &setup.endpoint,
            port: setup.config.port,
            client_id: &setup.config.client_id,
            topics: &setup.config.topics,
            certificate: &loaded.files.certificate,
            validity: loaded.validity,
            now,
            resolvers,
        }
    }
}

/// The addresses in the nameserver lines of /etc/resolv.conf (resolv.conf(5)), which the system's resolver
/// reads whatever `--root` says.
#[must_use]
pub fn resolvers() -> String {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let addresses = text.lines().filter_map(|line| line.strip_prefix("nameserver")).map(str::trim);
    addresses.collect::<Vec<_>>().join(", ")
}

/// What happened, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// What happened, with the values in question; one line.
    pub cause: String,
    /// What to do; one line.
    pub remedy: String,
}

impl Words {
    /// A cause and its remedy.
    pub fn new(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause: cause.into(), remedy: remedy.into() }
    }
}

/// Both in one line, as the log has them.
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.cause, self.remedy)
    }
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

    /// What keeps samples from being dated with a clock in this state, if anything does.
    #[must_use]
    pub const fn of_clock(state: ClockState) -> Option<Self> {
        match state {
            ClockState::BeforeRelease => Some(Self::ClockNotSet),
            ClockState::NotSynchronised => Some(Self::ClockNotSynchronised),
            ClockState::Set(_) => None,
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
                    | Session::Disconnected(reason::NOT_AUTHORIZED | reason::SESSION_TAKEN_OVER)
                    | Session::QosUnsupported
            ) | Self::PublishRefused(..)
                | Self::ProbablyDenied(_)
                | Self::ProbablyTakenOver
                | Self::Link(LinkError::Tls(TlsError::ClientRefused(_)))
        )
    }

    /// Whether other certificate files may help: the device's certificate is refused, or has no policy,
    /// or the broker's comes from another authority than those that are trusted.
    #[must_use]
    pub const fn is_of_certificates(&self) -> bool {
        matches!(
            self,
            Self::Link(LinkError::Tls(TlsError::ClientRefused(_) | TlsError::UnknownIssuer))
                | Self::Session(SessionError::Refused(Refusal::NotAuthorized))
                | Self::Closed(Some(Answer::ConnAck), _)
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

    /// Whether this is what the other one was, but for an address out of several and for the time.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        use LinkError::{Tcp, TcpTimeout, Tls};
        match (self, other) {
            (Self::Link(Tcp(_, kind)), Self::Link(Tcp(_, other))) => kind == other,
            (Self::Link(TcpTimeout(_)), Self::Link(TcpTimeout(_))) => true,
            (Self::Link(Tls(error)), Self::Link(Tls(other))) => error.is_like(other),
            _ => self == other,
        }
    }

    /// What happened, and what to do about it.
    #[must_use]
    pub fn explain(&self, context: Context<'_>) -> Words {
        match self {
            Self::ClockNotSet => Words::new(
                format!(
                    "clock: it shows {}, before this program was built, so samples cannot be dated and certificates \
                     not be checked",
                    context.now
                ),
                "start an NTP client, or fit a real-time clock",
            ),
            Self::ClockNotSynchronised => Words::new(
                format!(
                    "clock: it shows {}, which may be a time saved before the last shutdown: no NTP client has synchronised \
                     it since boot, and it did not come from a hardware clock",
                    context.now
                ),
                format!(
                    "start an NTP client, or fit a real-time clock; {} minutes after boot the clock is used as it is",
                    SYNC_WAIT.as_secs() / 60
                ),
            ),
            Self::NothingMeasured => Words::new(
                "none of the metrics can be read on this board, so nothing was published",
                "change `metrics`",
            ),
            Self::Link(error) => link::words(error, context),
            Self::Closed(owed, error) => session::closed(*owed, error, context),
            Self::PublishRefused(topic, reason) => session::publish_refused(*topic, *reason, context),
            Self::ProbablyDenied(topic) => session::probably_denied(*topic, context),
            Self::ProbablyTakenOver => session::probably_taken_over(context),
            Self::Session(error) => session::words(*error, context),
        }
    }
}
