//! A session on an open link, one wait at a time.

use std::time::Duration;

use crate::message::payload::Encoder;
use crate::metric::sample::Sample;
use crate::mqtt::session::{Event, INBOUND_LEN_MAX, Session, Settings};
use crate::net::link::{Link, LinkError};
use crate::platform::clock::{self, BootTime, Utc};
use crate::platform::event::wait;
use crate::report::failure::Failure;

pub struct Online {
    link: Link,
    session: Session<()>,
}

impl Online {
    /// The link is open, and CONNECT is the first to be sent.
    pub fn new(link: Link, settings: &Settings<'_>, now: BootTime) -> Self {
        Self { link, session: Session::new(settings, now) }
    }

    /// What the broker says next; `None` if it says nothing until then.
    pub fn next_event(&mut self, until: BootTime) -> Result<Option<Event<()>>, Failure> {
        loop {
            if let Some(event) = self.session.next_event().map_err(Failure::Session)? {
                return Ok(Some(event));
            }
            self.flush()?;
            let mut buffer = [0; INBOUND_LEN_MAX];
            let length = self.link.read(&mut buffer).map_err(|error| self.failure(error))?;
            if let Some(bytes @ [_, ..]) = buffer.get(..length) {
                self.session.receive(bytes);
                continue;
            }
            let now = clock::boot_time();
            self.session.tick(now).map_err(Failure::Session)?;
            self.flush()?;
            if until <= now {
                return Ok(None);
            }
            let deadline = self.session.deadline().min(self.link.deadline()).min(until);
            let mut descriptors = [self.link.interest()];
            wait(&mut descriptors, deadline.since(now));
            let [(_, ready)] = descriptors;
            self.link.advance(ready, clock::boot_time()).map_err(|error| self.failure(error))?;
        }
    }

    /// Publishes one part of a sample. Gives the time until it was acknowledged.
    pub fn publish(
        &mut self,
        topic: usize,
        part: usize,
        encoder: &mut Encoder,
        sample: &Sample,
        time: Utc,
    ) -> Result<Duration, Failure> {
        while self.session.room_at() > clock::boot_time() {
            self.next_event(self.session.room_at())?;
        }
        let began = clock::boot_time();
        let len_max = self.session.payload_len_max();
        let Some(message) = encoder.encode(part, len_max, [(sample, time)].into_iter()) else {
            return Ok(Duration::ZERO); // impossible: the encoder has named its parts
        };
        self.session.publish(topic, message.payload, (), began).map_err(Failure::Session)?;
        loop {
            match self.next_event(BootTime::NEVER)? {
                Some(Event::Acknowledged(())) => return Ok(clock::boot_time().since(began)),
                Some(Event::Refused((), reason)) => return Err(Failure::PublishRefused(topic, reason)),
                Some(Event::Stray(_) | Event::Connected) | None => {}
            }
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let owed = self.session.owed();
        let Self { link, session } = self;
        session
            .flush(clock::boot_time(), |bytes| link.write(bytes))
            .map_err(|error| Failure::of_open_link(error, owed))
    }

    fn failure(&self, error: LinkError) -> Failure {
        Failure::of_open_link(error, self.session.owed())
    }

    /// Says goodbye.
    pub fn close(mut self) {
        self.session.disconnect();
        let Self { mut link, mut session } = self;
        // Whether it arrives or not, the connection is closed.
        let _ = session.flush(clock::boot_time(), |bytes| link.queue(bytes));
        link.close();
    }
}
