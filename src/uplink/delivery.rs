//! The samples that wait for their PUBACK, and what is sent next: the outbox, the encoder and the denied
//! topics. Pure: no socket, no clock.
//!
//! A sample leaves only by its own PUBACK, or as the oldest of a full queue, which is counted. So whatever
//! happens to a connection, [`lost`](Delivery::lost) puts everything back that was in flight on it.

use super::denials::{Closure, Denials};
use super::end::End;
use super::sent::Sent;
use crate::config::Config;
use crate::message::payload::{Encoder, Format};
use crate::message::topics::Topics;
use crate::metric::sample::Sample;
use crate::mqtt::reason;
use crate::mqtt::{Session, SessionError};
use crate::platform::clock::{BootTime, WallClock};
use crate::queue::outbox::{Outbox, Ticket};

/// The samples and their way into a session.
#[derive(Debug)]
pub struct Delivery {
    outbox: Outbox,
    encoder: Encoder,
    topics: Topics,
    denials: Denials,
}

/// How far [`fill`](Delivery::fill) got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// Nothing more can be sent now.
    Done,
    /// The session's buffer is full: flush it, and fill again.
    Full,
    /// The broker does not take a message of this length. Its topic is held.
    TooLong {
        /// [`SessionError::PacketTooLong`].
        error: SessionError,
        /// The topic was free before.
        is_news: bool,
    },
}

/// What a refused message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The broker is sent too many messages: this one is sent again, more slowly.
    TooFast,
    /// The topic, by number, is held.
    Held {
        /// The topic's number.
        topic: usize,
        /// It was free before.
        is_news: bool,
    },
}

impl Delivery {
    /// Delivers samples as `config` says. Nothing waits yet.
    #[must_use]
    pub fn new(config: &Config, now: BootTime) -> Self {
        Self {
            outbox: Outbox::new(config.queue),
            encoder: encoder(config),
            topics: config.topics.clone(),
            denials: Denials::new(config.topics.clone(), &config.client_id, now),
        }
    }

    /// Queues a sample. If the queue is full, the oldest sample is dropped and counted.
    pub fn push(&mut self, sample: &Sample) {
        let parts = self.encoder.parts(sample);
        self.outbox.push(sample, parts);
    }

    /// Samples that wait for a PUBACK.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outbox.len()
    }

    /// Whether no sample waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Samples that a full queue has dropped since the start.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.outbox.dropped()
    }

    /// Queues messages in the session until nothing is left or it has no room. Nothing is sent while `wall` is
    /// not set.
    pub fn fill(&mut self, session: &mut Session<Sent>, wall: &WallClock, now: BootTime) -> Filled {
        while session.room_at() <= now
            && let Some(ticket) = self.denials.next_ticket(&self.outbox, session.in_flight(), now)
        {
            let waiting = self.outbox.waiting(ticket);
            let dated = waiting.map_while(|sample| Some((sample, wall.utc_of(sample.taken_at)?)));
            let len_max = session.payload_len_max();
            let Some(message) = self.encoder.encode(ticket.part(), len_max, dated) else { break };
            if !session.has_room(message.payload.len(), now) {
                return Filled::Full;
            }
            let ticket = self.outbox.sent(ticket, message.samples);
            self.denials.sent(ticket);
            let topic = self.topics.of(ticket.part());
            let sent = Sent::Sample { ticket, at: now };
            if let Err(error) = session.publish(topic, message.payload, sent, now) {
                self.outbox.refused(ticket);
                return Filled::TooLong { error, is_news: self.denials.hold(topic, true, now) };
            }
        }
        Filled::Done
    }

    /// Notes the PUBACK for a message. Returns its topic's number if that was held.
    pub fn acknowledged(&mut self, ticket: Ticket) -> Option<usize> {
        self.outbox.acknowledge(ticket);
        self.denials.acknowledged(ticket)
    }

    /// Notes that the broker refused a message, with a reason code of MQTT 5. It is sent again: more slowly if
    /// a quota is exceeded, and `is_slowest` does not say that the pace is as low as it gets.
    pub fn refused(&mut self, ticket: Ticket, reason: u8, is_slowest: bool, now: BootTime) -> Refused {
        self.outbox.refused(ticket);
        if reason::is_quota(reason) && !is_slowest {
            return Refused::TooFast;
        }
        let topic = self.topics.of(ticket.part());
        Refused::Held { topic, is_news: self.denials.hold(topic, true, now) }
    }

    /// Decides whether the end of a connection speaks against a topic. [`lost`](Self::lost) comes after.
    pub fn closed(&mut self, end: &End, now: BootTime) -> Option<Closure> {
        let Some(Sent::Sample { ticket, .. }) = end.oldest else { return None };
        let is_said = end.is_disconnect_not_authorized();
        let is_about_topic = is_said && !end.is_denial_told || end.is_close_instead_of_puback();
        is_about_topic.then(|| self.denials.closed(ticket, end.in_flight, is_said, now))
    }

    /// Notes that another device with the same client id explains the closes of the past.
    pub fn free_suspects(&mut self) {
        self.denials.free_unnamed();
    }

    /// Notes that the connection is gone: everything in flight is sent again.
    pub fn lost(&mut self, now: BootTime) {
        self.denials.ended(now);
        self.outbox.rewind();
    }

    /// Whether a topic is neither held nor suspect, so that its samples should not wait for another's trial.
    #[must_use]
    pub fn has_other_topics(&self) -> bool {
        self.denials.has_others()
    }

    /// Whether there is nothing to send now, while `in_flight` messages are unacknowledged.
    #[must_use]
    pub fn is_done(&self, in_flight: usize, now: BootTime) -> bool {
        self.denials.next_ticket(&self.outbox, in_flight, now).is_none()
    }

    /// When a held topic is tried next.
    #[must_use]
    pub fn next_at(&self, now: BootTime) -> BootTime {
        self.denials.next_trial(now)
    }

    /// Goes on with another configuration. Waiting samples are kept, and rearranged for the new metrics.
    /// Denied topics are tried again. Nothing may be in flight.
    pub fn change(&mut self, old: &Config, new: &Config, now: BootTime) {
        self.encoder = encoder(new);
        self.topics = new.topics.clone();
        if new.series != old.series || new.format != old.format {
            self.outbox.convert(|sample, unacknowledged| {
                if old.format == Format::Rule {
                    sample.forget_delivered(|part| unacknowledged.contains(part));
                }
                sample.rearrange(&old.series, &new.series);
                self.encoder.parts(sample)
            });
        }
        self.outbox.resize(new.queue);
        self.denials = Denials::new(new.topics.clone(), &new.client_id, now);
    }
}

fn encoder(config: &Config) -> Encoder {
    Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace)
}
