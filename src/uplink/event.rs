//! What happened during a turn of the uplink.

use super::retry::Next;
use crate::mqtt::Version;
use crate::net::tls::CertificateProblem;
use crate::report::failure::Failure;

/// What happened during a turn of the uplink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The certificate files have changed, and the new ones are used.
    CertificatesChanged,
    /// Certificates that were refused before are tried once more.
    CertificatesRetried,
    /// The certificate files have changed and cannot be used; the former ones still are.
    CertificatesUnusable(Vec<CertificateProblem>),
    /// The broker accepted CONNECT in this version.
    Connected(Version),
    /// The broker acknowledged a sample's message.
    Acknowledged {
        /// The connection is a minute old, so that the next waits are short again.
        is_proof: bool,
        /// Samples that still wait.
        waiting: usize,
        /// Samples that a full queue has dropped since the start.
        dropped: u64,
    },
    /// The broker takes messages again on this topic, by number, which was held.
    Allowed {
        /// The topic's number.
        topic: usize,
    },
    /// The broker does not take the messages of a topic, which is held. The connection goes on.
    Held {
        /// What the broker said.
        why: Failure,
        /// The topic was free before.
        is_news: bool,
    },
    /// The broker said that it gets too many messages.
    TooFast,
    /// The device is not announced to Home Assistant any more.
    Unannounced(Failure),
    /// The broker acknowledged a message with this packet identifier, which is not in flight.
    Stray(u16),
    /// The connection, or the attempt to make one, ended.
    Ended(Next),
}
