//! How a connection ended.

use super::sent::Sent;
use crate::mqtt::{Answer, SessionError, Version};

use crate::mqtt::reason;
use crate::net::link::LinkError;
use crate::report::failure::Failure;

/// How a connection, or the attempt to make one, ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// What happened.
    pub failure: Failure,
    /// The version of MQTT that was spoken, or would have been.
    pub version: Version,
    /// The broker accepted the session, less than a minute before.
    pub is_young: bool,
    /// The oldest unacknowledged message.
    pub oldest: Option<Sent>,
    /// Unacknowledged messages.
    pub in_flight: usize,
    /// The broker had refused a message with "not authorized" on this connection.
    pub is_denial_told: bool,
}

impl End {
    /// An attempt that failed before the session began.
    #[must_use]
    pub const fn of_attempt(failure: Failure, version: Version) -> Self {
        Self { failure, version, is_young: false, oldest: None, in_flight: 0, is_denial_told: false }
    }

    /// Whether the broker said with DISCONNECT that something is not authorized.
    #[must_use]
    pub const fn is_disconnect_not_authorized(&self) -> bool {
        matches!(self.failure, Failure::Session(SessionError::Disconnected(reason::NOT_AUTHORIZED)))
    }

    /// Whether the broker closed the connection in order and without a word, in place of a PUBACK, in MQTT
    /// 3.1.1. In version 5 a broker names what it denies, and a connection that broke says nothing about a
    /// topic.
    #[must_use]
    pub const fn is_close_instead_of_puback(&self) -> bool {
        matches!(self.version, Version::V3)
            && matches!(self.failure, Failure::Closed(Some(Answer::PubAck), LinkError::Closed))
    }

    /// Whether the broker refused CONNECT, or closed the connection in its place.
    #[must_use]
    pub const fn is_refused_connect(&self) -> bool {
        matches!(
            self.failure,
            Failure::Session(SessionError::Refused(_)) | Failure::Closed(Some(Answer::ConnAck), _)
        )
    }
}
