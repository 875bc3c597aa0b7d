//! The doctor's conversation with the broker, one wait at a time.

use std::time::Duration;

use crate::message::payload::Encoder;
use crate::metric::sample::Sample;
use crate::mqtt::{Event, Pace, Settings};
use crate::net::conversation::Conversation;
use crate::net::link::Link;
use crate::platform::clock::{self, BootTime, Utc};
use crate::platform::event::wait;
use crate::report::failure::Failure;

/// A conversation that waits for its answers.
pub struct Online(Conversation<()>);

impl Online {
    /// Starts a session on an open link.
    pub fn new(link: Link, settings: &Settings<'_>, now: BootTime) -> Self {
        Self(Conversation::new(link, settings, Pace::default(), now))
    }

    /// What the broker says next; `None` if it says nothing until then.
    ///
    /// # Errors
    /// Why the conversation ended.
    pub fn next_event(&mut self, until: BootTime) -> Result<Option<Event<()>>, Failure> {
        loop {
            self.0.flush(clock::boot_time())?;
            let now = clock::boot_time();
            if let Some(event) = self.0.next_event(now)? {
                return Ok(Some(event));
            }
            self.0.flush(now)?;
            if until <= now {
                return Ok(None);
            }
            let mut descriptors = [self.0.interest()];
            wait(&mut descriptors, self.0.deadline().min(until).since(now));
            let [(_, ready)] = descriptors;
            self.0.advance(ready, clock::boot_time())?;
        }
    }

    /// Publishes one part of a sample. Returns the time until it was acknowledged.
    ///
    /// # Errors
    /// Why it was not.
    pub fn publish(
        &mut self,
        topic: usize,
        part: usize,
        encoder: &mut Encoder,
        sample: &Sample,
        time: Utc,
    ) -> Result<Duration, Failure> {
        while self.0.session().room_at() > clock::boot_time() {
            self.next_event(self.0.session().room_at())?;
        }
        let began = clock::boot_time();
        let len_max = self.0.session().payload_len_max();
        let Some(message) = encoder.encode(part, len_max, [(sample, time)].into_iter()) else {
            return Ok(Duration::ZERO); // impossible: the encoder has named its parts
        };
        let published = self.0.session_mut().publish(topic, message.payload, (), began);
        published.map_err(Failure::Session)?;
        loop {
            match self.next_event(BootTime::NEVER)? {
                Some(Event::Acknowledged(())) => return Ok(clock::boot_time().since(began)),
                Some(Event::Refused((), reason)) => return Err(Failure::PublishRefused(topic, reason)),
                Some(Event::Stray(_) | Event::Connected) | None => {}
            }
        }
    }

    /// Closes the connection in order.
    pub fn close(self) {
        self.0.close(true, clock::boot_time());
    }
}
