//! An open link with the MQTT session on it: what the agent and the doctor talk to a broker through.
//!
//! Nothing here blocks, and nothing asks for the time. The first error ends the conversation; unacknowledged
//! messages are the caller's to send again.

use std::os::fd::RawFd;

use super::link::{Link, LinkError};
use crate::mqtt::{Answer, Event, INBOUND_LEN_MAX, Pace, Session, SessionError, Settings};
use crate::platform::clock::BootTime;
use crate::platform::event::Readiness;

/// Why a conversation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationError {
    /// TLS failed.
    Link(LinkError),
    /// The broker closed the connection, or it broke, while the broker owed this answer.
    Closed(Option<Answer>, LinkError),
    /// The broker ended or broke the MQTT session.
    Session(SessionError),
}

/// An open link with its session. `T` is what the caller knows a message by.
#[derive(Debug)]
pub struct Conversation<T> {
    link: Link,
    session: Session<T>,
    accepted_at: Option<BootTime>,
    answered_at: BootTime,
}

impl<T: Copy> Conversation<T> {
    /// Starts a session on an open link, at the `pace` that the last one ended with. CONNECT leaves with the next [`flush`](Self::flush).
    #[must_use]
    pub fn new(link: Link, settings: &Settings<'_>, pace: Pace, now: BootTime) -> Self {
        Self { link, session: Session::new(settings, pace, now), accepted_at: None, answered_at: now }
    }

    /// The session, to publish on.
    pub const fn session_mut(&mut self) -> &mut Session<T> {
        &mut self.session
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &Session<T> {
        &self.session
    }

    /// When the broker accepted the session; `None` before.
    #[must_use]
    pub const fn accepted_at(&self) -> Option<BootTime> {
        self.accepted_at
    }

    /// When the broker last answered CONNECT or PUBLISH; the start of the conversation before that.
    #[must_use]
    pub const fn answered_at(&self) -> BootTime {
        self.answered_at
    }

    /// Exchanges bytes with the socket, as far as `ready` says that it is possible without waiting.
    ///
    /// # Errors
    /// Why the conversation ended.
    pub fn advance(&mut self, ready: Readiness, now: BootTime) -> Result<(), ConversationError> {
        self.link.advance(ready, now).map_err(|error| closed(error, self.session.owed()))
    }

    /// What the broker said next; `None` if it has said nothing more. Then late answers are noticed, and a
    /// PINGREQ is queued when one is due.
    ///
    /// # Errors
    /// Why the conversation ended.
    pub fn next_event(&mut self, now: BootTime) -> Result<Option<Event<T>>, ConversationError> {
        let mut buffer = [0; INBOUND_LEN_MAX];
        loop {
            if let Some(event) = self.session.next_event().map_err(ConversationError::Session)? {
                match event {
                    Event::Connected => (self.accepted_at, self.answered_at) = (Some(now), now),
                    Event::Acknowledged(_) | Event::Refused(..) => self.answered_at = now,
                    Event::Stray(_) => {}
                }
                return Ok(Some(event));
            }
            let read = self.link.read(&mut buffer);
            let length = read.map_err(|error| closed(error, self.session.owed()))?;
            match buffer.get(..length) {
                Some(bytes @ [_, ..]) => self.session.receive(bytes),
                _ => break,
            }
        }
        self.session.tick(now).map_err(ConversationError::Session)?;
        Ok(None)
    }

    /// Writes everything that the session has queued, in one piece.
    ///
    /// # Errors
    /// Why the conversation ended.
    pub fn flush(&mut self, now: BootTime) -> Result<(), ConversationError> {
        let Self { link, session, .. } = self;
        let owed = session.owed();
        session.flush(now, |bytes| link.write(bytes)).map_err(|error| closed(error, owed))
    }

    /// The descriptor to wait for before [`advance`](Self::advance), and what for.
    #[must_use]
    pub fn interest(&self) -> (RawFd, Readiness) {
        self.link.interest()
    }

    /// When [`advance`](Self::advance) and [`next_event`](Self::next_event) are to be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> BootTime {
        self.link.deadline().min(self.session.deadline())
    }

    /// Closes the connection in order: DISCONNECT, then close_notify. Without `farewell` DISCONNECT is left
    /// out, so that the broker publishes the will.
    pub fn close(mut self, farewell: bool, now: BootTime) {
        if farewell {
            self.session.disconnect();
        }
        // The connection ends whether or not this arrives.
        let _ = self.flush(now);
        self.link.close();
    }

    /// Gives the connection up. If messages are unacknowledged, it is reset: what still waits in the socket
    /// would otherwise arrive beside the copy that is sent on the next connection.
    pub fn abandon(mut self) {
        if self.session.in_flight() > 0 {
            self.link.abandon();
        }
    }
}

const fn closed(error: LinkError, owed: Option<Answer>) -> ConversationError {
    match error {
        LinkError::Closed | LinkError::Broken(_) => ConversationError::Closed(owed, error),
        error => ConversationError::Link(error),
    }
}
