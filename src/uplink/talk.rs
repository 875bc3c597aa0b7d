//! A connection that speaks MQTT, and what dies with it.

use super::backoff::PROOF;
use super::delivery::{Filled, Refused};
use super::durable::Durable;
use super::end::End;
use super::event::Event;
use super::presence::Accepted;
use super::sent::Sent;
use crate::mqtt::reason;
use crate::mqtt::{Event as SessionEvent, Version};
use crate::net::conversation::Conversation;
use crate::platform::clock::{BootTime, WallClock};
use crate::report::failure::Failure;

/// A conversation with the broker.
#[derive(Debug)]
pub struct Talk {
    /// The link and its session.
    pub conversation: Conversation<Sent>,
    /// The broker refused a message on it with "not authorized".
    is_denial_told: bool,
    is_stray_told: bool,
}

/// What follows an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Nothing.
    GoOn,
    /// Close the connection and make another.
    Reconnect,
}

impl Talk {
    /// A conversation that has just begun.
    #[must_use]
    pub const fn new(conversation: Conversation<Sent>) -> Self {
        Self { conversation, is_denial_told: false, is_stray_told: false }
    }

    /// Messages that are unacknowledged.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.conversation.session().in_flight()
    }

    /// Takes everything that the broker has sent.
    ///
    /// # Errors
    /// Why the connection ended.
    pub fn receive(
        &mut self,
        durable: &mut Durable,
        now: BootTime,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Follow, Failure> {
        while let Some(event) = self.conversation.next_event(now)? {
            if self.take(event, durable, now, tell) == Follow::Reconnect {
                return Ok(Follow::Reconnect);
            }
        }
        Ok(Follow::GoOn)
    }

    fn take(
        &mut self,
        event: SessionEvent<Sent>,
        durable: &mut Durable,
        now: BootTime,
        tell: &mut dyn FnMut(Event),
    ) -> Follow {
        match event {
            SessionEvent::Connected => return self.connected(durable, tell),
            SessionEvent::Acknowledged(Sent::Sample { ticket, at }) => {
                let accepted_at = self.conversation.accepted_at().unwrap_or(now);
                let is_proof = durable.retry.acknowledged(accepted_at, now);
                durable.tally.acknowledged(now.since(at), now);
                if let Some(topic) = durable.delivery.acknowledged(ticket) {
                    tell(Event::Allowed { topic });
                }
                let (waiting, dropped) = (durable.delivery.len(), durable.delivery.dropped());
                tell(Event::Acknowledged { is_proof, waiting, dropped });
                if let Some(why) = durable.presence.sample_acknowledged() {
                    tell(Event::Unannounced(why));
                }
            }
            SessionEvent::Refused(Sent::Sample { ticket, .. }, code) => {
                self.is_denial_told |= code == reason::NOT_AUTHORIZED;
                let is_slowest = self.conversation.session().pace().is_slowest();
                match durable.delivery.refused(ticket, code, is_slowest, now) {
                    Refused::Held { topic, is_news } => {
                        tell(Event::Held { why: Failure::PublishRefused(topic, code), is_news });
                    }
                    Refused::TooFast => tell(Event::TooFast),
                }
            }
            SessionEvent::Acknowledged(Sent::Notice { .. }) => self.notice_answered(durable),
            SessionEvent::Refused(Sent::Notice { topic }, code) => {
                self.notice_answered(durable);
                // If the broker closes the connection, too, no sample is to blame.
                self.is_denial_told = true;
                if let Some(why) = durable.presence.refused(topic, code) {
                    tell(Event::Unannounced(why));
                }
            }
            SessionEvent::Stray(id) => {
                if !std::mem::replace(&mut self.is_stray_told, true) {
                    tell(Event::Stray(id));
                }
            }
        }
        Follow::GoOn
    }

    fn connected(&self, durable: &mut Durable, tell: &mut dyn FnMut(Event)) -> Follow {
        durable.tally.connections += 1;
        durable.retry.accepted();
        tell(Event::Connected(durable.retry.version()));
        match durable.presence.accepted(self.conversation.session().retains()) {
            Accepted::Continue => Follow::GoOn,
            Accepted::Unannounced(why) => {
                tell(Event::Unannounced(why));
                Follow::GoOn
            }
            Accepted::Reconnect => Follow::Reconnect,
        }
    }

    fn notice_answered(&self, durable: &mut Durable) {
        if self.in_flight() == 0 {
            durable.presence.answered_all();
        }
    }

    /// Sends what waits, as far as the session has room. `is_open`: new samples may be sent.
    ///
    /// # Errors
    /// Why the connection ended.
    pub fn send(
        &mut self,
        durable: &mut Durable,
        wall: &WallClock,
        is_open: bool,
        now: BootTime,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), Failure> {
        let Durable { delivery, presence, .. } = durable;
        loop {
            let session = self.conversation.session_mut();
            if let Some(why) = presence.fill(session, now) {
                tell(Event::Unannounced(why));
            }
            let is_open = is_open && presence.admits_samples();
            let filled = if is_open { delivery.fill(session, wall, now) } else { Filled::Done };
            self.conversation.flush(now)?;
            match filled {
                Filled::Done => return Ok(()),
                Filled::Full => {}
                Filled::TooLong { error, is_news } => {
                    tell(Event::Held { why: Failure::Session(error), is_news });
                }
            }
        }
    }

    /// When something can be sent or tried; [`BootTime::NEVER`] if an answer has to come first.
    #[must_use]
    pub fn send_at(&self, durable: &Durable, is_open: bool, now: BootTime) -> BootTime {
        let Durable { delivery, presence, .. } = durable;
        let has_samples = is_open && presence.admits_samples() && !delivery.is_done(self.in_flight(), now);
        let has_more = presence.is_due() || has_samples;
        let room_at = if has_more { self.conversation.session().room_at() } else { BootTime::NEVER };
        room_at.min(delivery.next_at(now))
    }

    /// How this conversation ended with `failure`.
    #[must_use]
    pub fn end(&self, failure: Failure, version: Version, now: BootTime) -> End {
        let session = self.conversation.session();
        End {
            failure,
            version,
            is_young: self.conversation.accepted_at().is_some_and(|at| now.since(at) < PROOF),
            oldest: session.first_in_flight(),
            in_flight: session.in_flight(),
            is_denial_told: self.is_denial_told,
        }
    }
}
