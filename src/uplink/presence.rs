//! What the broker retains about the device: Home Assistant's discovery document, and whether the device is
//! online.
//!
//! Both go out first on each connection, and samples wait until both are acknowledged: if the broker closes
//! the connection at one of them, it is known which. Samples matter more, so a broker that refuses the
//! announcement gets the samples alone until the configuration is read again.
//!
//! Some brokers refuse without a word. The modes find out whether the announcement is the cause by leaving it
//! out once. Nothing is logged here; the methods return what happened.

use super::announcement::Announcement;
use super::end::End;
use super::sent::Sent;
use crate::message::payload::homeassistant::{OFFLINE, ONLINE};
use crate::message::topics::Topics;
use crate::mqtt::reason;
use crate::mqtt::{Refusal, Session, SessionError, Will};
use crate::platform::clock::BootTime;
use crate::report::failure::Failure;

/// Failures in a row at the same point before the announcement is left out once.
const ATTEMPTS: u8 = 3;

/// What a broker that retains nothing says of a will to be retained (MQTT 5, section 3.2.2.3.5).
const RETAIN_NOT_SUPPORTED: Failure =
    Failure::Session(SessionError::Refused(Refusal::Other(reason::RETAIN_NOT_SUPPORTED)));

/// Whether the device is announced, and how far the current connection is.
#[derive(Debug, Default)]
pub struct Presence {
    announcement: Option<Announcement>,
    mode: Mode,
    step: Step,
}

/// Whether connections announce the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    /// No: not configured, or the broker refuses it.
    #[default]
    Off,
    /// Yes. `refused` times in a row CONNECT was refused, `interrupted` times in a row the connection ended
    /// at the announcement; both fewer than [`ATTEMPTS`].
    On { refused: u8, interrupted: u8 },
    /// CONNECT was refused [`ATTEMPTS`] times with the will: one without it.
    WithoutWill,
    /// CONNECT was accepted without the will: one more with it tells whether the will is the cause.
    WillAgain,
    /// The connection ended [`ATTEMPTS`] times at the message on this topic: samples alone.
    SamplesAlone { topic: usize },
}

/// How far the current connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Step {
    /// Nothing is announced on it.
    #[default]
    Silent,
    /// The document is to be sent.
    Document,
    /// "online" is to be sent.
    Online,
    /// Both are in flight.
    Announcing,
    /// Both are answered.
    Announced,
    /// "offline" is to be sent.
    Offline,
    /// It is in flight.
    Leaving,
    /// It is answered.
    Left,
}

/// What the end of a connection means for the announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing; the failure is reported as it is.
    Unrelated,
    /// The next connection goes without the announcement and need not wait. The failure, if any, is why the
    /// device is not announced any more.
    GoWithout(Option<Failure>),
}

/// What an accepted CONNECT means for the announcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Go on.
    Continue,
    /// Go on; the device is not announced any more, for this reason.
    Unannounced(Failure),
    /// Close and connect once more, with the will.
    Reconnect,
}

impl Presence {
    /// Announces the device on each connection, if there is something to announce.
    #[must_use]
    pub fn new(announcement: Option<Announcement>) -> Self {
        let mode = if announcement.is_some() { Mode::On { refused: 0, interrupted: 0 } } else { Mode::Off };
        Self { announcement, mode, step: Step::Silent }
    }

    const fn is_active(&self) -> bool {
        matches!(self.mode, Mode::On { .. } | Mode::WillAgain)
    }

    /// Begins a connection. Returns its will: what the broker publishes when the connection breaks.
    pub fn begin<'a>(&mut self, topics: &'a Topics) -> Option<Will<'a>> {
        let announcement = self.announcement.as_ref().filter(|_| self.is_active());
        self.step = if announcement.is_some() { Step::Document } else { Step::Silent };
        announcement.map(|it| Will { topic: topics.name(it.availability_topic), payload: OFFLINE })
    }

    /// Whether something is to be sent.
    #[must_use]
    pub const fn is_due(&self) -> bool {
        matches!(self.step, Step::Document | Step::Online | Step::Offline)
    }

    /// Whether samples may be sent.
    #[must_use]
    pub const fn admits_samples(&self) -> bool {
        matches!(self.step, Step::Silent | Step::Announced)
    }

    /// Whether the broker may retain "online".
    #[must_use]
    pub const fn is_public(&self) -> bool {
        matches!(self.step, Step::Announcing | Step::Announced | Step::Offline | Step::Leaving)
    }

    /// Queues what is due, as far as the session has room. Returns why the device is not announced any more,
    /// if the broker does not take a message of that length.
    pub fn fill(&mut self, session: &mut Session<Sent>, now: BootTime) -> Option<Failure> {
        let mut too_long = None;
        while self.is_due()
            && session.room_at() <= now
            && let Some(announcement) = &self.announcement
        {
            let Announcement { document, document_topic, availability_topic } = announcement;
            let (topic, payload, next) = match self.step {
                Step::Document => (*document_topic, document.as_str(), Step::Online),
                Step::Offline => (*availability_topic, OFFLINE, Step::Leaving),
                _ => (*availability_topic, ONLINE, Step::Announcing),
            };
            let sent = session.publish_retained(topic, payload.as_bytes(), Sent::Notice { topic }, now);
            too_long = too_long.or(sent.err());
            self.step = next;
        }
        if session.in_flight() == 0 {
            self.answered_all(); // a message that was too long is not in flight
        }
        too_long.and_then(|error| self.give_up(Failure::Session(error)))
    }

    /// Notes that nothing is in flight any more.
    pub const fn answered_all(&mut self) {
        match self.step {
            Step::Announcing => {
                self.step = Step::Announced;
                if let Mode::On { interrupted, .. } = &mut self.mode {
                    *interrupted = 0;
                }
            }
            Step::Leaving => self.step = Step::Left,
            _ => {}
        }
    }

    /// Has "offline" sent. Returns whether nothing is left to say.
    pub fn leave(&mut self) -> bool {
        if self.step == Step::Announced {
            self.step = Step::Offline;
        }
        !self.is_public()
    }

    /// Notes that the broker accepted CONNECT, and whether it retains messages as far as it says.
    pub fn accepted(&mut self, retains: bool) -> Accepted {
        if !retains {
            self.step = Step::Silent;
            return self.give_up(RETAIN_NOT_SUPPORTED).map_or(Accepted::Continue, Accepted::Unannounced);
        }
        match &mut self.mode {
            Mode::On { refused, .. } => *refused = 0,
            Mode::WithoutWill => {
                self.mode = Mode::WillAgain;
                return Accepted::Reconnect;
            }
            Mode::WillAgain => self.mode = Mode::On { refused: 0, interrupted: 0 },
            Mode::Off | Mode::SamplesAlone { .. } => {}
        }
        Accepted::Continue
    }

    /// Notes a PUBACK for a sample. Returns why the device is not announced any more, if samples arrive only
    /// without it.
    pub fn sample_acknowledged(&mut self) -> Option<Failure> {
        let Mode::SamplesAlone { topic } = self.mode else { return None };
        self.give_up(Failure::ProbablyDenied { topic, is_certain: true })
    }

    /// Notes that the broker refused a message about the device. Returns why the device is not announced any
    /// more, unless that was returned before.
    pub fn refused(&mut self, topic: usize, reason: u8) -> Option<Failure> {
        self.give_up(Failure::PublishRefused(topic, reason))
    }

    /// Decides what the end of a connection means for the announcement.
    pub fn after(&mut self, end: &End) -> Verdict {
        self.step = Step::Silent;
        if matches!(self.mode, Mode::SamplesAlone { .. }) {
            // Samples alone did not arrive either.
            self.mode = Mode::On { refused: 0, interrupted: 0 };
        }
        match end.oldest {
            _ if end.failure == RETAIN_NOT_SUPPORTED && self.is_active() => {
                Verdict::GoWithout(self.give_up(RETAIN_NOT_SUPPORTED))
            }
            _ if end.is_refused_connect() => self.connect_refused(end),
            Some(Sent::Notice { topic }) if end.is_disconnect_not_authorized() => {
                Verdict::GoWithout(self.give_up(Failure::PublishRefused(topic, reason::NOT_AUTHORIZED)))
            }
            Some(Sent::Notice { topic }) => self.interrupted(topic),
            Some(Sent::Sample { .. }) | None => Verdict::Unrelated,
        }
    }

    fn connect_refused(&mut self, end: &End) -> Verdict {
        match &mut self.mode {
            Mode::On { refused, .. } if *refused + 1 < ATTEMPTS => *refused += 1,
            Mode::On { .. } => self.mode = Mode::WithoutWill,
            Mode::WithoutWill => self.mode = Mode::On { refused: 0, interrupted: 0 },
            Mode::WillAgain => {
                // mosquitto closes a 3.1.1 CONNECT with a retained will without a word.
                let is_word = matches!(end.failure, Failure::Session(_));
                let why = if is_word { end.failure.clone() } else { RETAIN_NOT_SUPPORTED };
                return Verdict::GoWithout(self.give_up(why));
            }
            Mode::Off | Mode::SamplesAlone { .. } => {}
        }
        Verdict::Unrelated
    }

    fn interrupted(&mut self, topic: usize) -> Verdict {
        match &mut self.mode {
            Mode::On { interrupted, .. } if *interrupted + 1 < ATTEMPTS => {
                *interrupted += 1;
                Verdict::Unrelated
            }
            Mode::On { .. } => {
                self.mode = Mode::SamplesAlone { topic };
                Verdict::GoWithout(None)
            }
            _ => Verdict::GoWithout(None),
        }
    }

    /// Announces the device no more. Returns `why` unless it was off already.
    fn give_up(&mut self, why: Failure) -> Option<Failure> {
        let was_off = std::mem::replace(&mut self.mode, Mode::Off) == Mode::Off;
        (!was_off).then_some(why)
    }
}
