//! What follows the end of a connection: how long to wait, what to report, and what to do differently.
//!
//! This is the one place where the end of a connection gets its meaning. `run` and `once` ask the same
//! function, [`Retry::after`]. In its order:
//!
//! 1. Home Assistant's announcement may be the cause: reconnect without it.
//! 2. The broker may not speak MQTT 5: reconnect with 3.1.1.
//! 3. The broker may deny a topic: suspect it, or hold it. The other topics reconnect after a second.
//! 4. Another device may use the client id: the closes are named after it.
//! 5. New certificates may be refused: reconnect with those that served before.
//! 6. Everything else is a failure that waits for longer each time.

use std::time::Duration;

use super::backoff::{Backoff, FLOOR, REFUSED_FLOOR};
use super::delivery::Delivery;
use super::denials::Closure;
use super::end::End;
use super::presence::{Presence, Verdict};
use super::version::VersionChoice;
use crate::config::Config;
use crate::mqtt::Version;
use crate::mqtt::reason;
use crate::net::credentials::Credentials;
use crate::net::link::LinkError;
use crate::platform::clock::BootTime;
use crate::report::failure::Failure;

/// Closes in a row, soon after CONNACK and with nothing in flight, before another device is suspected.
const TAKEOVERS: u8 = 2;

/// What is remembered from one connection to the next.
#[derive(Debug)]
pub struct Retry {
    backoff: Backoff,
    version: VersionChoice,
    /// Connections in a row that were closed soon after CONNACK with nothing in flight.
    early_closes: u8,
    /// The certificates that served before are in use again, and that was reported.
    is_back: bool,
}

/// What follows the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Until the next attempt.
    pub wait: Duration,
    /// What to report: the failure, or what it is known or suspected to mean.
    pub failure: Failure,
    /// What is done differently.
    pub action: Action,
    /// The certificates that served before are in use again, which is news.
    pub went_back: bool,
}

/// What is done differently after the end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Retry,
    /// Another version of MQTT is tried, before the failure counts.
    OtherVersion,
    /// Home Assistant's announcement is left out; if this says why, for good.
    WithoutAnnouncement(Option<Failure>),
    /// A topic may be denied: its messages go alone from here.
    Suspect,
    /// A topic is held.
    Hold {
        /// It was free before.
        is_news: bool,
    },
    /// Nothing; the broker had refused the message before, which was reported.
    AlreadyReported,
}

impl Retry {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            backoff: Backoff::default(),
            version: VersionChoice::new(config.mqtt),
            early_closes: 0,
            is_back: false,
        }
    }

    /// The version of MQTT for the next session.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version.current()
    }

    /// Notes that the broker accepted CONNECT.
    pub fn accepted(&mut self) {
        self.version.accepted();
    }

    /// Notes a PUBACK on a connection that was accepted at `accepted_at`. Returns whether the connection has
    /// proved itself, so that the next waits are short again.
    pub fn acknowledged(&mut self, accepted_at: BootTime, now: BootTime) -> bool {
        self.backoff.acknowledged(accepted_at, now)
    }

    /// Notes that the certificate files changed.
    pub const fn certificates_changed(&mut self) {
        self.is_back = false;
    }

    /// Goes on with another configuration. The waits stay as long as they have become.
    pub fn change(&mut self, config: &Config) {
        self.version = VersionChoice::new(config.mqtt);
        self.is_back = false;
    }

    /// Decides what follows the end of a connection. `random` is a random word.
    pub fn after(
        &mut self,
        end: &End,
        delivery: &mut Delivery,
        presence: &mut Presence,
        credentials: &mut Credentials,
        random: u64,
        now: BootTime,
    ) -> Next {
        let failure = end.failure.clone();
        let quick = |action| Next { wait: FLOOR, failure: failure.clone(), action, went_back: false };
        if let Verdict::GoWithout(why) = presence.after(end) {
            return quick(Action::WithoutAnnouncement(why));
        }
        if self.version.choose_after(&failure) {
            return quick(Action::OtherVersion);
        }
        let (failure, action) = self.meaning(end, delivery, now);
        let went_back = failure.is_of_certificates() && credentials.refused() && !self.is_back;
        self.is_back |= went_back;
        let is_about_topic = !matches!(action, Action::Retry);
        let wait = if is_about_topic && delivery.has_other_topics() {
            FLOOR
        } else if failure.is_refusal() && !went_back {
            self.backoff.next(REFUSED_FLOOR, random)
        } else {
            self.backoff.next(FLOOR, random)
        };
        Next { wait, failure, action, went_back }
    }

    /// What the end of a connection says about a topic or the client id.
    fn meaning(&mut self, end: &End, delivery: &mut Delivery, now: BootTime) -> (Failure, Action) {
        let failure = end.failure.clone();
        if end.is_denial_told && end.is_disconnect_not_authorized() {
            return (failure, Action::AlreadyReported);
        }
        match delivery.closed(end, now) {
            Some(Closure::Suspect) => return (failure, Action::Suspect),
            Some(Closure::Denied { topic, is_news, is_certain }) => {
                let denied = if end.is_disconnect_not_authorized() {
                    Failure::PublishRefused(topic, reason::NOT_AUTHORIZED)
                } else {
                    Failure::ProbablyDenied { topic, is_certain }
                };
                return (denied, Action::Hold { is_news });
            }
            None => {}
        }
        let is_early_close = end.is_young && matches!(failure, Failure::Closed(_, LinkError::Closed));
        if is_early_close && end.in_flight == 0 {
            self.early_closes = self.early_closes.saturating_add(1);
        } else if !end.is_young {
            self.early_closes = 0;
        }
        if self.early_closes >= TAKEOVERS && is_early_close && end.version == Version::V3 {
            delivery.free_suspects();
            return (Failure::ProbablyTakenOver, Action::Retry);
        }
        (failure, Action::Retry)
    }
}
