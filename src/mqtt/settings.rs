//! The settings of a session.

use std::fmt;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 3.1.1, protocol level 4.
    V3,
    /// 5.0, protocol level 5.
    V5,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3 => "3.1.1",
            Self::V5 => "5",
        })
    }
}

/// What CONNECT says, and the topics of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings<'a> {
    /// The protocol to speak.
    pub version: Version,
    /// At most 128 bytes for AWS IoT Core.
    pub client_id: &'a str,
    /// The topics to publish on; a message names its topic by the index in this list.
    pub topics: &'a [String],
    /// Keep-alive in seconds; 0 turns it off.
    pub keep_alive_secs: u16,
    /// The message that the broker publishes if the connection breaks.
    pub will: Option<Will<'a>>,
}

/// A message that the broker publishes if the connection ends without DISCONNECT: retained, with quality of
/// service 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a str,
}
