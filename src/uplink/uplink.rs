//! The connection to the broker, from the first attempt to the last PUBACK.
//!
//! An uplink waits, opens a link, or talks. [`turn`](Uplink::turn) does everything that can be done without
//! waiting and tells what happened as [`Event`]s; [`deadline`](Uplink::deadline) says when the next turn is due
//! at the latest. What the end of a connection means is decided by [`Retry::after`] alone.

use std::os::fd::RawFd;
use std::time::Duration;

use super::announcement::{Announcement, is_moved};
use super::backoff::FLOOR;
use super::delivery::Delivery;
use super::durable::{Durable, Tally};
use super::end::End;
use super::event::Event;
use super::presence::Presence;
use super::retry::Retry;
use super::talk::{Follow, Talk};
use super::turn::{Mode, Progress, Turn};
use crate::config::Config;
use crate::config::setup::Setup;
use crate::metric::sample::Sample;
use crate::mqtt::{Pace, Settings};
use crate::net::conversation::Conversation;
use crate::net::credentials::Refresh;
use crate::net::link::Link;
use crate::platform::clock::{BootTime, WallClock};
use crate::platform::event::Readiness;
use crate::report::failure::Failure;

/// Between two looks at a wall clock that is not set.
const CLOCK_WAIT: Duration = Duration::from_secs(1);

/// An uplink that could send and had no answer for two intervals and this does not work: it is longer than
/// all deadlines of a connection together.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// No descriptor, for poll(2).
const NOTHING: RawFd = -1;

/// The connection, and everything that outlives it.
#[derive(Debug)]
pub struct Uplink {
    phase: Phase,
    durable: Durable,
    random: fn() -> u64,
}

#[derive(Debug)]
enum Phase {
    /// There is no connection; the next attempt is due then.
    Waiting { until: BootTime },
    /// Name lookup, TCP or TLS.
    Opening(Box<Link>),
    /// MQTT.
    Talking(Box<Talk>),
}

/// Takes the events of a turn, with the setup that they are about.
pub type Tell<'a> = &'a mut dyn FnMut(&Setup, Event);

impl Uplink {
    /// An uplink whose first attempt is due at `begin`. `random` gives random words.
    #[must_use]
    pub fn new(config: &Config, begin: BootTime, random: fn() -> u64, now: BootTime) -> Self {
        let durable = Durable {
            delivery: Delivery::new(config, now),
            presence: Presence::default(),
            retry: Retry::new(config),
            pace: Pace::default(),
            tally: Tally::default(),
        };
        Self { phase: Phase::Waiting { until: begin }, durable, random }
    }

    /// Announces the device to Home Assistant from the next connection on, if `config` says so.
    pub fn announce(&mut self, config: &Config) {
        self.durable.presence = Presence::new(Announcement::of(config));
    }

    /// Queues a sample.
    pub fn push(&mut self, sample: &Sample) {
        self.durable.tally.puback_latency = None;
        self.durable.delivery.push(sample);
    }

    /// Does everything that can be done without waiting.
    pub fn turn(&mut self, turn: Turn<'_>, tell: Tell<'_>) {
        let Turn { setup, wall, ready, now, mode } = turn;
        let advanced = match &mut self.phase {
            Phase::Waiting { until } if *until <= now && wall.is_set() => self.open(setup, now, tell),
            Phase::Waiting { .. } => Ok(()),
            Phase::Opening(link) => {
                let advanced = link.advance(ready, now).map_err(Failure::Link);
                if link.is_open() {
                    self.begin_talk(&setup.config, now);
                }
                advanced
            }
            Phase::Talking(talk) => talk.conversation.advance(ready, now).map_err(Failure::from),
        };
        let talked = advanced.and_then(|()| self.talk(setup, wall, mode, now, tell));
        if let Err(failure) = talked {
            self.fail(failure, setup, now, tell);
        }
    }

    /// Starts an attempt, with what the certificate files hold now.
    fn open(&mut self, setup: &mut Setup, now: BootTime, tell: Tell<'_>) -> Result<(), Failure> {
        match setup.credentials.refresh() {
            Refresh::Unchanged => {}
            Refresh::Changed => {
                self.durable.retry.certificates_changed();
                tell(setup, Event::CertificatesChanged);
            }
            Refresh::Retried => tell(setup, Event::CertificatesRetried),
            Refresh::Unusable(problems) => tell(setup, Event::CertificatesUnusable(problems)),
        }
        let tls = setup.credentials.current().tls.clone();
        let link = Link::open(&setup.target, tls, now).map_err(Failure::Link)?;
        self.phase = Phase::Opening(Box::new(link));
        Ok(())
    }

    /// Starts the session on the link that is open now.
    fn begin_talk(&mut self, config: &Config, now: BootTime) {
        let waiting = Phase::Waiting { until: now };
        let Phase::Opening(link) = std::mem::replace(&mut self.phase, waiting) else { return };
        let settings = Settings {
            version: self.durable.retry.version(),
            client_id: &config.client_id,
            topics: config.topics.all(),
            keep_alive_secs: config.keep_alive_secs,
            will: self.durable.presence.begin(&config.topics),
        };
        let talk = Talk::new(Conversation::new(*link, &settings, self.durable.pace, now));
        self.phase = Phase::Talking(Box::new(talk));
    }

    fn talk(
        &mut self,
        setup: &mut Setup,
        wall: &WallClock,
        mode: Mode,
        now: BootTime,
        tell: Tell<'_>,
    ) -> Result<(), Failure> {
        let Self { phase: Phase::Talking(talk), durable, .. } = self else { return Ok(()) };
        let mut tell = |event| {
            if matches!(event, Event::Connected(_)) {
                setup.credentials.accepted();
            }
            tell(setup, event);
        };
        match talk.receive(durable, now, &mut tell)? {
            Follow::GoOn => talk.send(durable, wall, mode == Mode::Publish, now, &mut tell),
            Follow::Reconnect => {
                self.close(true, now);
                Ok(())
            }
        }
    }

    /// Ends the connection, and waits as long as [`Retry`] says.
    fn fail(&mut self, failure: Failure, setup: &mut Setup, now: BootTime, tell: Tell<'_>) {
        let version = self.durable.retry.version();
        let end = match &self.phase {
            Phase::Talking(talk) => talk.end(failure, version, now),
            Phase::Waiting { .. } | Phase::Opening(_) => End::of_attempt(failure, version),
        };
        let Durable { delivery, presence, retry, .. } = &mut self.durable;
        let next = retry.after(&end, delivery, presence, &mut setup.credentials, (self.random)(), now);
        if let Some(talk) = self.end_talk(now + next.wait, now) {
            talk.conversation.abandon();
        }
        tell(setup, Event::Ended(next));
    }

    /// Waits for the next attempt, and returns the conversation that ends with this, if there was one. What
    /// was in flight on it is sent again, at its pace.
    fn end_talk(&mut self, until: BootTime, now: BootTime) -> Option<Box<Talk>> {
        let phase = std::mem::replace(&mut self.phase, Phase::Waiting { until });
        self.durable.delivery.lost(now);
        let Phase::Talking(talk) = phase else { return None };
        self.durable.pace = talk.conversation.session().pace();
        Some(talk)
    }

    /// Tells the broker that the device goes offline. Returns whether nothing is left to say.
    pub fn leave(&mut self) -> bool {
        !matches!(self.phase, Phase::Talking(_)) || self.durable.presence.leave()
    }

    /// Closes the connection, to make another. With messages in flight it is reset, because they are sent
    /// again and would arrive twice. Without `farewell` DISCONNECT is left out, so that the broker publishes
    /// the will.
    fn close(&mut self, farewell: bool, now: BootTime) {
        let until = if let Phase::Waiting { until } = self.phase { until } else { now + FLOOR };
        match self.end_talk(until, now) {
            Some(talk) if talk.in_flight() > 0 => talk.conversation.abandon(),
            Some(talk) => talk.conversation.close(farewell, now),
            None => {}
        }
    }

    /// Closes the connection for good, in order: nothing is sent again, so messages in flight may still
    /// arrive. A device that could not say that it goes offline leaves that to its will.
    pub fn finish(&mut self, now: BootTime) {
        let farewell = !self.durable.presence.is_public();
        if let Some(talk) = self.end_talk(now, now) {
            talk.conversation.close(farewell, now);
        }
    }

    /// Goes on with another setup, on another connection. Waiting samples are kept. A long wait is cut short,
    /// because what was wrong may be right now; the one after it is as long as it would have been. `setup`
    /// becomes the new one; returns the configuration that it had.
    pub fn change(&mut self, setup: &mut Setup, new: Setup, now: BootTime) -> Config {
        let farewell = !(is_moved(setup, &new) && self.durable.presence.is_public());
        self.close(farewell, now);
        if let Phase::Waiting { until } = &mut self.phase {
            *until = (*until).min(now + FLOOR);
        }
        let old = setup.replace(new);
        self.announce(&setup.config);
        self.durable.delivery.change(&old, &setup.config, now);
        self.durable.retry.change(&setup.config);
        old
    }

    /// Whether this mode has nothing left to do, or nothing can be done.
    #[must_use]
    pub fn is_done(&self, mode: Mode, now: BootTime) -> bool {
        match (&self.phase, mode) {
            (Phase::Waiting { .. }, _) | (Phase::Opening(_), Mode::Settle) => true,
            (Phase::Talking(talk), Mode::Settle) => talk.in_flight() == 0,
            (Phase::Opening(_) | Phase::Talking(_), Mode::Publish) => self.is_delivered(now),
        }
    }

    /// How far the connection is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match &self.phase {
            Phase::Waiting { .. } => Progress::Waiting,
            Phase::Talking(talk) if talk.conversation.accepted_at().is_some() => Progress::Connected,
            Phase::Opening(_) | Phase::Talking(_) => Progress::Connecting,
        }
    }

    /// Whether this uplink works. One that could send and had no answer for long does not, and a service
    /// manager's watchdog may start the program anew. A broker that is away is no reason for that.
    #[must_use]
    pub fn is_working(&self, interval: Duration, now: BootTime) -> bool {
        match &self.phase {
            Phase::Talking(talk) if !self.is_delivered(now) => {
                now.since(talk.conversation.answered_at()) < 2 * interval + SILENCE_MAX
            }
            _ => true,
        }
    }

    /// What outlives the connection, to be looked at.
    #[must_use]
    pub const fn durable(&self) -> &Durable {
        &self.durable
    }

    /// The descriptor to wait for, -1 for none, and what for.
    #[must_use]
    pub fn interest(&self) -> (RawFd, Readiness) {
        match &self.phase {
            Phase::Waiting { .. } => (NOTHING, Readiness::default()),
            Phase::Opening(link) => link.interest(),
            Phase::Talking(talk) => talk.conversation.interest(),
        }
    }

    /// When the next turn is due at the latest. `is_clock_set`: whether the wall clock is.
    #[must_use]
    pub fn deadline(&self, mode: Mode, is_clock_set: bool, now: BootTime) -> BootTime {
        let look = if is_clock_set { BootTime::NEVER } else { now + CLOCK_WAIT };
        match &self.phase {
            Phase::Waiting { until } if is_clock_set => *until,
            Phase::Waiting { until } => look.max(*until),
            Phase::Opening(link) => link.deadline().min(look),
            Phase::Talking(talk) => {
                let is_open = mode == Mode::Publish && is_clock_set;
                let send_at = talk.send_at(&self.durable, is_open, now);
                talk.conversation.deadline().min(send_at).min(look)
            }
        }
    }

    /// Whether everything is acknowledged that the broker lets through now.
    #[must_use]
    pub fn is_delivered(&self, now: BootTime) -> bool {
        let in_flight = if let Phase::Talking(talk) = &self.phase { talk.in_flight() } else { 0 };
        in_flight == 0 && self.durable.delivery.is_done(0, now)
    }
}
