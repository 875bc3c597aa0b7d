//! What the broker keeps of the device, beside its samples: what Home Assistant is told of it, and whether
//! it is there.
//!
//! Both go out first on each connection, and samples wait until both are answered: of a broker that closes
//! the connection at one of them, it is known then what it did not like. Samples come first all the same: a
//! broker that does not take this is not asked again until the configuration is read again.

use super::connection::{Connection, Sent};
use super::{Agent, Verdict, notices};
use crate::config::setup::Setup;
use crate::message::payload::homeassistant::{OFFLINE, ONLINE};
use crate::mqtt::{Answer, Refusal, Session, SessionError, Will, reason};
use crate::platform::clock::BootTime;
use crate::report::failure::Failure;

/// A line that is merely bad does not break so often in a row just here.
const TIMES: u32 = 3;

/// What a broker that keeps nothing says of a will to be kept (MQTT 5, section 3.2.2.3.5).
const RETAIN_NOT_SUPPORTED: Failure =
    Failure::Session(SessionError::Refused(Refusal::Other(reason::RETAIN_NOT_SUPPORTED)));

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing is told.
    Silent,
    /// Home Assistant's document is to be sent.
    Document,
    /// After that: that the device is there.
    Greeting,
    /// Both are under way.
    Announcing,
    /// Both are answered.
    Told,
    /// That the device goes is to be sent.
    Farewell,
    /// It is under way.
    Leaving,
    /// It is answered.
    Gone,
}

impl Presence {
    /// Whether something is to be sent.
    pub const fn is_due(self) -> bool {
        matches!(self, Self::Document | Self::Greeting | Self::Farewell)
    }

    /// Whether samples may be sent.
    pub const fn admits_samples(self) -> bool {
        matches!(self, Self::Silent | Self::Told)
    }

    /// Whether the broker may keep, beyond the connection, that the device is there.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Announcing | Self::Told | Self::Farewell | Self::Leaving)
    }

    /// After something was sent.
    const fn sent(self) -> Self {
        match self {
            Self::Document => Self::Greeting,
            Self::Greeting => Self::Announcing,
            Self::Farewell => Self::Leaving,
            other => other,
        }
    }

    /// After everything was answered.
    pub const fn answered(self) -> Self {
        match self {
            Self::Announcing => Self::Told,
            Self::Leaving => Self::Gone,
            other => other,
        }
    }
}

/// Whether the device is announced, and how often in a row that seemed to be what the broker did not like.
#[derive(Debug, Default)]
pub struct Announcer {
    is_on: bool,
    /// The connection ended while it was under way.
    ended: u32,
    /// That was so often at a message on this topic: now it is to be seen whether samples alone arrive.
    suspect: Option<usize>,
    /// A connection with a will was not accepted. After some of them, one is tried without; and if that is
    /// accepted, one more with it.
    refused: u32,
}

impl Announcer {
    /// As the configuration has it.
    pub const fn new(setup: &Setup) -> Self {
        Self { is_on: setup.config.discovery.is_some(), ended: 0, suspect: None, refused: 0 }
    }

    /// What a connection begins with.
    pub const fn presence(&self) -> Presence {
        if self.is_active() { Presence::Document } else { Presence::Silent }
    }

    const fn is_active(&self) -> bool {
        self.is_on && self.refused != TIMES && self.suspect.is_none()
    }

    /// What the broker is to say when the connection breaks.
    pub fn will<'a>(&self, setup: &'a Setup) -> Option<Will<'a>> {
        let topics = &setup.config.topics;
        self.is_active().then(|| Will { topic: topics.name(topics.availability()), payload: OFFLINE })
    }

    /// Notes that the broker took all of it: of one that takes the document alone, the availability is what it
    /// does not like.
    pub const fn taken(&mut self) {
        self.ended = 0;
    }
}

impl Agent {
    /// Takes what is due into the session, as far as there is room.
    pub(super) fn tell_presence(&mut self, now: BootTime) {
        let mut too_long = None;
        let Connection::Up(online) = &mut self.connection else { return };
        let Some(session) = &mut online.session else { return };
        while online.presence.is_due() && session.room_at() <= now {
            let (config, topics) = (&self.setup.config, &self.setup.config.topics);
            let document;
            let (topic, payload) = match (online.presence, &config.discovery) {
                (Presence::Document, Some(device)) => {
                    let availability = topics.name(topics.availability());
                    document = device.document(
                        &config.label,
                        &config.series,
                        topics.name(0),
                        availability,
                        config.interval,
                    );
                    (topics.discovery(), document.as_str())
                }
                (Presence::Farewell, _) => (topics.availability(), OFFLINE),
                _ => (topics.availability(), ONLINE),
            };
            let sent = session.publish_retained(topic, payload.as_bytes(), Sent::Notice { topic }, now);
            too_long = too_long.or(sent.err());
            online.presence = online.presence.sent();
        }
        // What was too long is answered by that.
        if session.in_flight() == 0 {
            online.presence = online.presence.answered();
        }
        if let Some(error) = too_long {
            self.announce_no_more(&Failure::Session(error));
        }
    }

    /// Says goodbye to those who watch the device; tells whether nothing is left to be said.
    pub(super) fn has_left(&mut self) -> bool {
        let Connection::Up(online) = &mut self.connection else { return true };
        if online.presence == Presence::Told {
            online.presence = Presence::Farewell;
        }
        !online.presence.is_public()
    }

    /// Whether those who watch the device have to be told that it goes when another setup takes over.
    pub(super) fn leaves_for(&self, new: &Setup) -> bool {
        let Setup { config, endpoint, .. } = &self.setup;
        *endpoint != new.endpoint
            || config.port != new.config.port
            || config.topics.all() != new.config.topics.all()
    }

    /// Whether a failure is none without the will, because the broker keeps nothing; it is told then. What
    /// else a broker refuses a connection for may be the will, too: after a few, one is tried without.
    pub(super) fn is_cured_without_will(&mut self, failure: &Failure) -> bool {
        let told = match failure {
            failure if *failure == RETAIN_NOT_SUPPORTED => failure,
            Failure::Session(SessionError::Refused(_)) | Failure::Closed(Some(Answer::ConnAck), _) => {
                let refused = self.announcer.refused;
                self.announcer.refused = if refused < TIMES { refused + 1 } else { 0 };
                if refused <= TIMES {
                    return false;
                }
                // Without the will it was accepted; mosquitto says nothing in 3.1.1.
                if matches!(failure, Failure::Closed(..)) { &RETAIN_NOT_SUPPORTED } else { failure }
            }
            _ => return false,
        };
        let is_cured = self.announcer.is_active();
        if is_cured {
            self.announce_no_more(told);
        }
        is_cured
    }

    /// Notes that a connection has ended: if no sample has arrived without the announcement either, that was not
    /// what the broker did not like.
    pub(super) fn announcement_is_cleared(&mut self) {
        if self.announcer.suspect.take().is_some() {
            self.announcer.ended = 0;
        }
    }

    /// Notes that a sample has arrived.
    pub(super) fn sample_has_arrived(&mut self) {
        if let Some(topic) = self.announcer.suspect.take() {
            self.announce_no_more(&Failure::ProbablyDenied(topic));
        }
    }

    /// Notes that the broker has accepted a connection, and whether it keeps messages. Tells whether one with
    /// a will is to be tried at once: that this one is accepted may be because of the will that it has not, or
    /// because the broker was away before.
    pub(super) fn is_will_missed(&mut self, retains: bool) -> bool {
        let is_missed = self.announcer.is_on && self.announcer.refused == TIMES && retains;
        self.announcer.refused = if is_missed { TIMES + 1 } else { 0 };
        if !retains {
            self.announce_no_more(&RETAIN_NOT_SUPPORTED);
        }
        is_missed
    }

    /// What the end of a connection means on which the announcement was under way, if it was.
    pub(super) fn verdict_on_announcement(&mut self, failure: &Failure) -> Option<Verdict> {
        let Connection::Up(online) = &self.connection else { return None };
        let Some(Sent::Notice { topic }) = online.session.as_ref().and_then(Session::first_in_flight) else {
            return None;
        };
        if *failure == Failure::Session(SessionError::Disconnected(reason::NOT_AUTHORIZED)) {
            self.announce_no_more(&Failure::PublishRefused(topic, reason::NOT_AUTHORIZED));
        } else {
            self.announcer.ended += 1;
            if self.announcer.is_on && self.announcer.ended < TIMES {
                return Some(Verdict::NoDenial(failure.clone()));
            }
            self.announcer.suspect = Some(topic);
        }
        // The next connection does without, and need not wait for long.
        Some(Verdict::Told { was_trial: true })
    }

    /// Goes on without, and tells why, unless that is told.
    pub(super) fn announce_no_more(&mut self, failure: &Failure) {
        if std::mem::take(&mut self.announcer.is_on) {
            notices::unannounced(&self.explain(failure));
        }
    }
}
