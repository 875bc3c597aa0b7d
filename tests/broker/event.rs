//! What the broker saw of its clients, in order.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::packet::Version;

/// Something a client did. `conn` counts connections from 1; `at` is when the broker saw it.
///
/// Within a connection events come in order; between two connections the order is that of the
/// broker's threads.
#[derive(Clone, Debug)]
pub enum Event {
    /// The handshake did not come to its end. The connection's last event.
    TlsFailed {
        /// The connection.
        conn: u64,
        /// When.
        at: Instant,
        /// In the words of rustls, or of the broker.
        why: String,
    },
    /// A well-formed CONNECT, accepted or not.
    Connected(Connected),
    /// A well-formed PUBLISH.
    Published(Published),
    /// A will that is published, because the connection ended otherwise than by DISCONNECT. It comes
    /// before [`Event::Disconnected`].
    Will {
        /// The connection.
        conn: u64,
        /// When.
        at: Instant,
        /// As CONNECT had it.
        will: Will,
    },
    /// The policy denied something. It follows the CONNECT or PUBLISH.
    Denied {
        /// The connection.
        conn: u64,
        /// When.
        at: Instant,
        /// `iot:Connect`, `iot:Publish` or `iot:RetainPublish`.
        action: &'static str,
        /// What the ARN in the policy would have to end with: `client/pi-7`, `topic/a/b`.
        resource: String,
    },
    /// A rate was exceeded. It follows the CONNECT or PUBLISH.
    Throttled {
        /// The connection.
        conn: u64,
        /// When.
        at: Instant,
        /// `iot:Connect` or `iot:Publish`.
        action: &'static str,
    },
    /// A PINGREQ.
    Ping {
        /// The connection.
        conn: u64,
        /// When.
        at: Instant,
    },
    /// A breach of MQTT or TLS by the client. The connection is closed after it.
    Violation {
        /// The connection.
        conn: u64,
        /// When.
        at: Instant,
        /// What was wrong.
        what: String,
    },
    /// The connection is over, whoever ended it. Its last event, unless [`Event::TlsFailed`] was.
    Disconnected {
        /// The connection.
        conn: u64,
        /// When.
        at: Instant,
        /// The client sent DISCONNECT.
        cleanly: bool,
        /// The reason in it; `None` without DISCONNECT, and in 3.1.1, which has none.
        reason: Option<u8>,
        /// The client ended TLS properly. Known only where the client is the one to close.
        close_notify: bool,
    },
}

/// A client's CONNECT and what TLS told about it.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The connection.
    pub conn: u64,
    /// When.
    pub at: Instant,
    /// The broker answered with success.
    pub accepted: bool,
    /// As the client wrote it.
    pub client_id: String,
    /// The version asked for.
    pub version: Version,
    /// Seconds; 0 is none.
    pub keep_alive_secs: u16,
    /// Clean session in 3.1.1.
    pub clean_start: bool,
    /// The largest packet the client takes, bytes. Version 5.
    pub maximum_packet_size: Option<u32>,
    /// What is to be published when the connection breaks.
    pub will: Option<Will>,
    /// The protocols offered by ALPN, in order; empty without ALPN.
    pub alpn: Vec<String>,
    /// The server name in the ClientHello.
    pub sni: Option<String>,
    /// The common name of the client's certificate.
    pub certificate_cn: String,
}

/// The will in a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// 0, 1 or 2.
    pub qos: u8,
    /// It is to be retained.
    pub retain: bool,
}

/// A client's PUBLISH.
#[derive(Clone, Debug)]
pub struct Published {
    /// The connection.
    pub conn: u64,
    /// When.
    pub at: Instant,
    /// Its place among all publishes this broker has seen, from 1.
    pub ordinal: u64,
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// 0 or 1.
    pub qos: u8,
    /// The client marks it as sent before.
    pub dup: bool,
    /// The client asks to retain it.
    pub retain: bool,
    /// Neither the policy nor the rate was against it. What is not allowed goes nowhere.
    pub allowed: bool,
    /// `None` with QoS 0.
    pub packet_id: Option<u16>,
    /// The TLS record its last byte came in, counted from 1 over those of the connection that
    /// carry data. What came in one record was sent in one write.
    pub record: u64,
    /// The record its first byte came in: the same, unless it was split.
    pub first_record: u64,
}

impl Published {
    /// The payload as text; panics where it is not UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.payload).unwrap_or_else(|_| panic!("expected UTF-8 in the payload of {self}"))
    }
}

impl Event {
    /// The connection it belongs to.
    pub fn conn(&self) -> u64 {
        match self {
            Self::Connected(Connected { conn, .. })
            | Self::Published(Published { conn, .. })
            | Self::TlsFailed { conn, .. }
            | Self::Will { conn, .. }
            | Self::Denied { conn, .. }
            | Self::Throttled { conn, .. }
            | Self::Ping { conn, .. }
            | Self::Violation { conn, .. }
            | Self::Disconnected { conn, .. } => *conn,
        }
    }

    /// When the broker saw it.
    pub fn at(&self) -> Instant {
        match self {
            Self::Connected(Connected { at, .. })
            | Self::Published(Published { at, .. })
            | Self::TlsFailed { at, .. }
            | Self::Will { at, .. }
            | Self::Denied { at, .. }
            | Self::Throttled { at, .. }
            | Self::Ping { at, .. }
            | Self::Violation { at, .. }
            | Self::Disconnected { at, .. } => *at,
        }
    }

    /// The CONNECT, if it is one: for [`Broker::wait_for`](crate::Broker::wait_for).
    pub fn connected(self) -> Option<Connected> {
        match self {
            Self::Connected(connected) => Some(connected),
            _ => None,
        }
    }

    /// The PUBLISH, if it is one: for [`Broker::wait_for`](crate::Broker::wait_for).
    pub fn published(self) -> Option<Published> {
        match self {
            Self::Published(published) => Some(published),
            _ => None,
        }
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { conn, qos, topic, .. } = self;
        write!(f, "{conn}: PUBLISH QoS {qos}")?;
        if let Some(id) = self.packet_id {
            write!(f, " id {id}")?;
        }
        let dup = if self.dup { " DUP" } else { "" };
        let payload = String::from_utf8_lossy(&self.payload);
        write!(f, "{dup} record {} {topic} {payload}", self.record)
    }
}

/// One line, as the lists in panics show it.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TlsFailed { conn, why, .. } => write!(f, "{conn}: TLS failed: {why}"),
            Self::Connected(connected) => {
                let Connected { conn, client_id, version, .. } = connected;
                let answer = if connected.accepted { "accepted" } else { "not accepted" };
                write!(f, "{conn}: CONNECT {version:?} {client_id}, {answer}")
            }
            Self::Published(published) => published.fmt(f),
            Self::Will { conn, will, .. } => {
                let payload = String::from_utf8_lossy(&will.payload);
                write!(f, "{conn}: will on {} {payload}", will.topic)
            }
            Self::Denied { conn, action, resource, .. } => {
                write!(f, "{conn}: denied: {action} on {resource}")
            }
            Self::Throttled { conn, action, .. } => write!(f, "{conn}: throttled: {action}"),
            Self::Ping { conn, .. } => write!(f, "{conn}: PINGREQ"),
            Self::Violation { conn, what, .. } => write!(f, "{conn}: VIOLATION: {what}"),
            Self::Disconnected { conn, cleanly, .. } => {
                let how = if *cleanly { "with" } else { "without" };
                write!(f, "{conn}: over, {how} DISCONNECT")
            }
        }
    }
}

/// All events, and how far the test has read them.
#[derive(Default)]
pub(crate) struct Log {
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    read: usize,
}

impl Log {
    pub(crate) fn push(&self, event: Event) {
        self.lock().events.push(event);
        self.grown.notify_all();
    }

    pub(crate) fn all(&self) -> Vec<Event> {
        self.lock().events.clone()
    }

    /// The next unread event; `None` when the deadline passes without one.
    pub(crate) fn next(&self, deadline: Instant) -> Option<Event> {
        let patience = deadline.saturating_duration_since(Instant::now());
        let (mut state, _) = self
            .grown
            .wait_timeout_while(self.lock(), patience, |state| state.read == state.events.len())
            .unwrap_or_else(PoisonError::into_inner);
        let event = state.events.get(state.read).cloned()?;
        state.read += 1;
        Some(event)
    }

    /// What a panic tells when an event did not come.
    pub(crate) fn complaint(&self, limit: Duration) -> String {
        let events: Vec<_> = self.all().iter().map(|event| format!("\n  {event}")).collect();
        match events.len() {
            0 => format!("expected an event within {limit:?}; the broker has seen nothing at all"),
            _ => format!("expected another event within {limit:?}; the broker has seen:{}", events.concat()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
