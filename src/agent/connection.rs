//! The connection to the broker, from the first attempt to the last acknowledgement on it.

use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use log::{debug, warn};

use super::presence::Presence;
use super::{Agent, Mode, notices, random};
use crate::mqtt::session::{Event, INBOUND_LEN_MAX, Session, Settings};
use crate::net::credentials::Refresh;
use crate::net::link::{Link, LinkError};
use crate::platform::adjtimex::kernel_clock;
use crate::platform::clock::{self, BootTime};
use crate::platform::event::{Readiness, Signals, wait};
use crate::queue::outbox::Ticket;
use crate::report::failure::{Failure, reason};
use crate::uplink::backoff;

/// Between two looks at a wall clock that is not set.
const CLOCK_WAIT: Duration = Duration::from_secs(1);
/// A broker sends its acknowledgements one by one: after the first, the others are given this long to
/// come, so that they are read together.
const SETTLE_TIME: Duration = Duration::from_millis(20);

const NOTHING: RawFd = -1;

#[derive(Debug)]
pub enum Connection {
    Down { retry_at: BootTime },
    Up(Box<Online>),
}

#[derive(Debug)]
pub struct Online {
    pub link: Link,
    /// Once the link is open.
    pub session: Option<Session<Sent>>,
    /// The broker has accepted the session.
    pub is_accepted: bool,
    connected_at: BootTime,
    /// Anything at all; or when the connection was begun.
    pub answered_at: BootTime,
    /// Not to be read from before.
    settled_at: BootTime,
    is_stray_told: bool,
    /// The broker has said of a message that the device may not publish it; and whether of none but
    /// those that were only tried again.
    pub denial_told: Option<bool>,
    /// What the broker's subscribers are told of the device itself.
    pub presence: Presence,
}

/// A message under way.
#[derive(Debug, Clone, Copy)]
pub enum Sent {
    /// Of the outbox.
    Sample { ticket: Ticket, at: BootTime },
    /// Of the device itself, on the topic with this number.
    Notice { topic: usize },
}

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Those that the broker accepted.
    pub connections: u64,
    /// Anything, on any connection.
    pub acknowledged_at: Option<BootTime>,
    /// The shortest since it was asked for last.
    pub puback_latency: Option<Duration>,
    /// Each way in which a topic was denied.
    pub denied: Vec<Failure>,
    /// Connections in a row that were closed without a word, soon after the broker had accepted them.
    pub short_lived: u32,
}

impl Online {
    fn new(link: Link, now: BootTime) -> Self {
        Self {
            link,
            session: None,
            is_accepted: false,
            connected_at: now,
            answered_at: now,
            settled_at: now,
            is_stray_told: false,
            denial_told: None,
            presence: Presence::Silent,
        }
    }

    /// Whether the broker has accepted it, and it has not proved itself yet.
    pub fn is_young(&self, now: BootTime) -> bool {
        self.is_accepted && now.since(self.connected_at) < backoff::PROOF
    }

    /// Messages that were sent and not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.session.as_ref().map_or(0, Session::in_flight)
    }

    fn notice_answered(&mut self, now: BootTime) {
        self.answered_at = now;
        if self.in_flight() == 0 {
            self.presence = self.presence.answered();
        }
    }

    fn failure(&self, error: LinkError) -> Failure {
        match &self.session {
            Some(session) => Failure::of_open_link(error, session.owed()),
            None => Failure::Link(error),
        }
    }
}

impl Agent {
    /// Does all that can be done for the connection without waiting.
    pub(super) fn serve(&mut self, ready: Readiness, now: BootTime, mode: Mode) -> Result<(), Failure> {
        self.look_at_the_clocks();
        match &mut self.connection {
            Connection::Down { retry_at } if *retry_at <= now && self.wall.is_set() => self.open(now),
            Connection::Down { .. } => Ok(()),
            Connection::Up(online) => {
                online.link.advance(ready, now).map_err(|error| online.failure(error))?;
                if !online.link.is_open() {
                    return Ok(());
                }
                online.session.get_or_insert_with(|| {
                    let config = &self.setup.config;
                    online.presence = self.announcer.presence();
                    let settings = Settings {
                        version: self.version.current(),
                        client_id: &config.client_id,
                        topics: config.topics.all(),
                        keep_alive_secs: config.keep_alive_secs,
                        will: self.announcer.will(&self.setup),
                    };
                    Session::new(&settings, now)
                });
                self.receive(now)?;
                self.send(now, mode)
            }
        }
    }

    /// Both are read here, together: what passes between two readings would be taken for a step.
    pub(super) fn look_at_the_clocks(&mut self) {
        self.wall.update(clock::boot_time(), clock::utc(), kernel_clock);
    }

    /// Begins to connect, with the certificates that are there now.
    fn open(&mut self, now: BootTime) -> Result<(), Failure> {
        match self.setup.credentials.refresh() {
            Refresh::Unchanged => {}
            Refresh::Changed => self.notices.certificates_changed(self.setup.credentials.current()),
            Refresh::Retried => debug!("the new certificates are tried once more"),
            Refresh::Unusable(problems) => notices::certificates_unusable(&problems),
        }
        let tls = self.setup.credentials.current().tls.clone();
        let link = Link::open(&self.setup.target, tls, now).map_err(Failure::Link)?;
        self.connection = Connection::Up(Box::new(Online::new(link, now)));
        Ok(())
    }

    /// Takes what the broker has sent.
    fn receive(&mut self, now: BootTime) -> Result<(), Failure> {
        let mut buffer = [0; INBOUND_LEN_MAX];
        loop {
            let Connection::Up(online) = &mut self.connection else { return Ok(()) };
            let length = online.link.read(&mut buffer).map_err(|error| online.failure(error))?;
            let (Some(session), Some(bytes)) = (&mut online.session, buffer.get(..length)) else {
                return Ok(());
            };
            if length == 0 {
                return session.tick(now).map_err(Failure::Session);
            }
            session.receive(bytes);
            while let Some(event) = self.next_event()? {
                self.take(event, now);
            }
            if let Connection::Up(online) = &mut self.connection
                && online.in_flight() > 0
            {
                online.settled_at = now + SETTLE_TIME;
            }
        }
    }

    fn next_event(&mut self) -> Result<Option<Event<Sent>>, Failure> {
        let Connection::Up(online) = &mut self.connection else { return Ok(None) };
        let Some(session) = &mut online.session else { return Ok(None) };
        session.next_event().map_err(Failure::Session)
    }

    fn take(&mut self, event: Event<Sent>, now: BootTime) {
        let Connection::Up(online) = &mut self.connection else { return };
        match event {
            Event::Connected => {
                debug!("connected, MQTT {}", self.version.current());
                (online.is_accepted, online.connected_at) = (true, now);
                self.tally.connections += 1;
                self.version.accepted();
                self.setup.credentials.accepted();
                let retains = online.session.as_ref().is_some_and(Session::retains);
                if !retains {
                    online.presence = Presence::Silent;
                }
                if self.is_will_missed(retains) {
                    self.disconnect(false, now);
                }
            }
            Event::Acknowledged(Sent::Notice { .. }) => {
                online.notice_answered(now);
                if online.presence == Presence::Told {
                    self.announcer.taken();
                }
            }
            Event::Acknowledged(Sent::Sample { ticket, at }) => {
                online.answered_at = now;
                let is_proof = self.backoff.acknowledged(online.connected_at, now);
                self.acknowledged(ticket, now.since(at), is_proof, now);
                self.sample_has_arrived();
            }
            Event::Refused(Sent::Notice { topic }, reason) => {
                online.notice_answered(now);
                // Should the broker close the connection, too, no sample is to blame, and the next connection
                // does without.
                online.denial_told = online.denial_told.or(Some(true));
                self.announce_no_more(&Failure::PublishRefused(topic, reason));
            }
            Event::Refused(Sent::Sample { ticket, .. }, reason) => {
                online.answered_at = now;
                if reason == reason::NOT_AUTHORIZED {
                    let topic = self.setup.config.topics.of(ticket.part());
                    let was_trial = self.denials.is_denied(topic);
                    online.denial_told = Some(online.denial_told.unwrap_or(true) && was_trial);
                }
                let topic = self.setup.config.topics.of(ticket.part());
                self.refused(ticket, Failure::PublishRefused(topic, reason), now);
            }
            Event::Stray(_) if online.is_stray_told => {}
            Event::Stray(id) => {
                online.is_stray_told = true;
                warn!("the broker acknowledged message {id}, which was not waiting for it");
            }
        }
    }

    fn acknowledged(&mut self, ticket: Ticket, latency: Duration, is_proof: bool, now: BootTime) {
        self.outbox.acknowledge(ticket);
        self.tally.acknowledged_at = Some(now);
        let shortest = self.tally.puback_latency.map_or(latency, |known| known.min(latency));
        self.tally.puback_latency = Some(shortest);
        if let Some(topic) = self.denials.acknowledged(ticket) {
            notices::allowed(self.setup.config.topics.name(topic));
        }
        let (waiting, dropped) = (self.outbox.len(), self.outbox.dropped());
        self.notices.acknowledged(&self.setup, is_proof, waiting, dropped);
    }

    /// The broker does not take a message: its topic is held, and the connection goes on.
    fn refused(&mut self, ticket: Ticket, denial: Failure, now: BootTime) {
        self.outbox.refused(ticket);
        let topic = self.setup.config.topics.of(ticket.part());
        let words = self.explain(&denial);
        if self.deny(topic, denial, now) {
            self.notices.denied(&words);
        }
    }

    /// Sends what waits, and what of the outbox there is room for.
    fn send(&mut self, now: BootTime, mode: Mode) -> Result<(), Failure> {
        self.tell_presence(now);
        let Connection::Up(online) = &mut self.connection else { return Ok(()) };
        let Online { link, session: Some(session), presence, .. } = &mut **online else { return Ok(()) };
        let is_free = mode == Mode::Publish && presence.admits_samples();
        let mut too_long = None;
        loop {
            let mut is_full = false;
            while is_free
                && session.room_at() <= now
                && let Some(ticket) = self.denials.next_ticket(&self.outbox, session.in_flight(), now)
            {
                let waiting = self.outbox.waiting(ticket);
                let dated = waiting.map_while(|sample| Some((sample, self.wall.utc_of(sample.taken_at)?)));
                let Some(message) = self.encoder.encode(ticket.part(), session.payload_len_max(), dated)
                else {
                    break;
                };
                if !session.has_room(message.payload.len(), now) {
                    is_full = true;
                    break;
                }
                let ticket = self.outbox.sent(ticket, message.samples);
                self.denials.sent(ticket);
                let topic = self.setup.config.topics.of(ticket.part());
                if let Err(error) =
                    session.publish(topic, message.payload, Sent::Sample { ticket, at: now }, now)
                {
                    too_long = Some((ticket, Failure::Session(error)));
                    break;
                }
            }
            let owed = session.owed();
            session
                .flush(now, |bytes| link.write(bytes))
                .map_err(|error| Failure::of_open_link(error, owed))?;
            if !is_full {
                break;
            }
        }
        if let Some((ticket, failure)) = too_long {
            self.refused(ticket, failure, now);
        }
        Ok(())
    }

    /// When the connection needs attention at the latest.
    pub(super) fn deadline(&self, now: BootTime, mode: Mode) -> BootTime {
        match &self.connection {
            Connection::Down { retry_at } => {
                (*retry_at).max(if self.wall.is_set() { now } else { now + CLOCK_WAIT })
            }
            Connection::Up(online) => {
                let mut deadline = online.link.deadline();
                if let Some(session) = &online.session {
                    deadline = deadline.min(session.deadline()).min(self.denials.next_trial(now));
                    if online.presence.is_due() {
                        deadline = deadline.min(session.room_at());
                    }
                    if mode == Mode::Publish
                        && online.presence.admits_samples()
                        && self.wall.is_set()
                        && self.denials.next_ticket(&self.outbox, session.in_flight(), now).is_some()
                    {
                        deadline = deadline.min(session.room_at());
                    }
                }
                if !self.wall.is_set() {
                    deadline = deadline.min(now + CLOCK_WAIT);
                }
                if online.settled_at > now { deadline.min(online.settled_at) } else { deadline }
            }
        }
    }

    /// Waits until `deadline`, or for a signal or the link; tells which has come.
    pub(super) fn wait(
        &self,
        signals: Option<&Signals>,
        now: BootTime,
        deadline: BootTime,
    ) -> (bool, Readiness) {
        let signals = signals.map_or(NOTHING, AsRawFd::as_raw_fd);
        let (link, mut interest) = match &self.connection {
            Connection::Down { .. } => (NOTHING, Readiness::default()),
            Connection::Up(online) => online.link.interest(),
        };
        let settling = matches!(&self.connection, Connection::Up(online) if online.settled_at > now);
        interest.readable &= !settling;
        let mut descriptors = [(signals, Readiness { readable: true, writable: false }), (link, interest)];
        // From now, not from when this turn began: a handshake takes a slow Pi a good part of a second.
        wait(&mut descriptors, deadline.since(clock::boot_time()));
        let [(_, signal), (_, mut link)] = descriptors;
        // What settled is read without asking first.
        link.readable |= settling;
        (signal.readable, link)
    }

    /// Drops the connection; what was in flight will be sent again.
    pub(super) fn disconnected(&mut self, retry_at: BootTime, now: BootTime) {
        if let Connection::Up(online) = &mut self.connection {
            if !online.is_young(now) {
                self.tally.short_lived = 0;
            }
            if online.in_flight() > 0 {
                online.link.abandon();
            }
        }
        self.denials.ended(random(), now);
        self.outbox.rewind();
        self.connection = Connection::Down { retry_at };
    }

    /// Says goodbye to the broker, if it is there. A wait for the next attempt goes on. An agent that
    /// `leaves`, but could not say so, leaves it to its will.
    pub(super) fn disconnect(&mut self, leaves: bool, now: BootTime) {
        let Connection::Up(online) = &mut self.connection else { return };
        if let Some(session) = &mut online.session {
            if !(leaves && online.presence.is_public()) {
                session.disconnect();
            }
            // Whether it arrives or not, the connection is closed.
            let _ = session.flush(now, |bytes| online.link.write(bytes));
        }
        online.link.close();
        self.disconnected(now + backoff::FLOOR, now);
    }
}
