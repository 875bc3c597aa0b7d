//! The loop: the one place where probes, outbox, payload, session and link meet.
//!
//! It waits in one place only, for the first of: a sample that is due, bytes from the broker, a
//! deadline, a signal.

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{debug, info, warn};

use crate::config::Config;
use crate::config::setup::{Setup, SetupError};
use crate::measure::probe::{Health, Probes};
use crate::measure::schedule::Schedule;
use crate::measure::watch::Watch;
use crate::message::payload::{Encoder, Format};
use crate::metric::sample::NoData;
use crate::mqtt::session::{Answer, Session, SessionError, Version};
use crate::net::link::LinkError;
use crate::platform::clock::{self, BootTime, WallClock};
use crate::platform::event::{Readiness, Signals};
use crate::queue::outbox::Outbox;
use crate::report::failure::{Context, Failure, Words, reason, resolvers};
use crate::report::status::{State, Status};
use crate::uplink::backoff::{self, Backoff};
use crate::uplink::denials::Denials;
use crate::uplink::version::VersionChoice;

mod aim;
mod alerts;
mod connection;
mod notices;
mod presence;
mod print;

use aim::{Aim, Mode};
use connection::{Connection, Sent, Tally};
use notices::Notices;
use presence::Announcer;
pub use print::print;

/// How long a sample's worth of time lies between the two readings of a counter in `once` and `print`.
const RATE_TIME: Duration = Duration::from_secs(1);
/// A connection on which nothing was answered for two intervals and this is not in order, though
/// every deadline was kept: the longest of them one after the other are less.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// So many connections in a row that the broker closes soon and without a word are no accident.
const TAKEOVERS: u32 = 2;
/// Between two signs of life that are withheld.
const LIFE_WAIT: Duration = Duration::from_millis(500);

/// The agent.
#[derive(Debug)]
pub struct Agent {
    setup: Setup,
    root: PathBuf,
    probes: Probes,
    encoder: Encoder,
    outbox: Outbox,
    schedule: Schedule,
    watch: Option<Watch>,
    wall: WallClock,
    backoff: Backoff,
    version: VersionChoice,
    connection: Connection,
    denials: Denials,
    tally: Tally,
    announcer: Announcer,
    notices: Notices,
}

impl Agent {
    /// An agent that has done nothing yet. `root` is where `proc`, `sys` and `dev` are.
    #[must_use]
    pub fn new(setup: Setup, root: &Path) -> Self {
        let now = clock::boot_time();
        let config = &setup.config;
        Self {
            root: root.to_owned(),
            probes: Probes::new(root, &config.series),
            encoder: encoder(config),
            outbox: Outbox::new(config.queue),
            schedule: Schedule::new(config.interval, &config.client_id, now),
            watch: None,
            wall: WallClock::default(),
            backoff: Backoff::new(config.interval),
            version: VersionChoice::new(config.mqtt),
            connection: Connection::Down { retry_at: now },
            denials: Denials::new(config.topics.clone()),
            tally: Tally::default(),
            announcer: Announcer::default(),
            notices: Notices::default(),
            setup,
        }
    }

    /// Samples and publishes until SIGTERM or SIGINT. `reload` is asked for another setup on SIGHUP;
    /// if it has errors, the old one stays.
    pub fn run(mut self, signals: &mut Signals, reload: impl Fn() -> Result<Setup, Vec<SetupError>>) {
        self.notices = Notices::of_a_service();
        self.announcer = Announcer::new(&self.setup);
        info!(
            "version {}: {} samples every {} s for {}",
            env!("CARGO_PKG_VERSION"),
            self.setup.config.label,
            self.setup.config.interval.as_secs(),
            self.setup.endpoint
        );
        let now = clock::boot_time();
        let uptime = now.since(BootTime::default());
        self.connection = Connection::Down { retry_at: now + backoff::first_attempt(uptime, random()) };
        self.probes.prime(now);
        self.start_watch(&[], now);
        self.notices.ready();
        let mut aim = Aim::Publish;
        let mut ready = Readiness::default();
        let mut is_status_due = false;
        loop {
            let now = clock::boot_time();
            let due = if matches!(aim, Aim::End { .. }) { None } else { self.due(now) };
            if let Some(due) = due {
                self.sample(due, now);
            }
            if let Err(failure) = self.serve(ready, now, aim.mode()) {
                self.fail(&failure, now);
            }
            self.notices.clock(self.wall.is_set());
            aim = match aim {
                Aim::End { until } if self.is_done(Mode::Publish, now) && self.has_left() || until <= now => {
                    return self.end();
                }
                Aim::Reload { setup, until }
                    if self.is_done(Mode::Settle, now) && (!self.leaves_for(&setup) || self.has_left())
                        || until <= now =>
                {
                    self.change(*setup, now);
                    Aim::Publish
                }
                aim => aim,
            };
            if self.is_serving(now) {
                self.notices.alive(now);
            }
            is_status_due |= due.is_some();
            // Not the moment between a publish and its PUBACK, which is over at once.
            let is_calm = self.is_done(Mode::Publish, now);
            self.tell_status(self.state(), is_status_due && is_calm, now);
            is_status_due &= !is_calm;
            let deadline = self.deadline(now, aim.mode()).min(aim.until(self.next_due()));
            let deadline = deadline.min(self.notices.alive_at().max(now + LIFE_WAIT));
            let signalled;
            (signalled, ready) = self.wait(Some(signals), now, deadline);
            if signalled {
                aim = aim.after(signals.next_signal(), &reload, clock::boot_time());
            }
        }
    }

    /// Publishes one sample and waits until it is acknowledged.
    ///
    /// # Errors
    /// The first failure, unless another attempt may tell more: with the other version of the protocol,
    /// or, where the broker closes the connection without a word, with one message at a time. Of a
    /// sample that the broker takes in part, each topic that it does not take.
    pub fn once(&mut self) -> Result<(), Vec<Failure>> {
        self.notices = Notices::of_one_sample();
        self.probes.prime(clock::boot_time());
        std::thread::sleep(RATE_TIME);
        let now = clock::boot_time();
        self.sample(now, now);
        if self.outbox.is_empty() {
            return Err(vec![Failure::NothingMeasured]);
        }
        let mut ready = Readiness::default();
        loop {
            let now = clock::boot_time();
            let served = self.serve(ready, now, Mode::Publish);
            if !self.wall.is_set() {
                return Err(vec![Failure::ClockNotSet]);
            }
            if let Err(failure) = served {
                match self.verdict(&failure, now) {
                    Verdict::Denied(topic, denial) => drop(self.deny(topic, denial, now)),
                    Verdict::Suspicious | Verdict::Told { .. } => {}
                    Verdict::NoDenial(_) if self.version.choose_after(&failure) => {}
                    Verdict::NoDenial(failure) => {
                        self.tally.denied.push(failure);
                        return Err(std::mem::take(&mut self.tally.denied));
                    }
                }
                self.disconnected(now + backoff::FLOOR, now);
            }
            if self.is_delivered(now) {
                self.disconnect(false, now); // whatever came after the last acknowledgement
                let denied = std::mem::take(&mut self.tally.denied);
                return if denied.is_empty() { Ok(()) } else { Err(denied) };
            }
            let deadline = self.deadline(now, Mode::Publish);
            (_, ready) = self.wait(None, now, deadline);
        }
    }

    /// A failure in words, with the values in question.
    #[must_use]
    pub fn explain(&self, failure: &Failure) -> Words {
        failure.explain(Context::of(&self.setup, clock::utc(), &resolvers()))
    }

    fn sample(&mut self, taken_at: BootTime, now: BootTime) {
        // The first sample may be due before the connection has asked for the time.
        self.look_at_the_clocks();
        let health = self.health();
        self.tally.puback_latency = None;
        let mut sample = self.probes.sample(taken_at, now, &health);
        self.put_alerts_into(&mut sample);
        self.notices.sample(&self.setup.config.series, &sample);
        let parts = self.encoder.parts(&sample);
        self.outbox.push(&sample, parts);
        self.notices.dropped(self.outbox.dropped(), self.setup.config.queue);
        if let Ok(days) = health.certificate_days {
            self.notices.certificate(days, &self.setup.credentials.current().files.certificate);
        }
    }

    fn health(&self) -> Health {
        let validity = self.setup.credentials.current().validity;
        Health {
            dropped: self.outbox.dropped(),
            reconnects: self.tally.connections.saturating_sub(1),
            queue: self.outbox.len(),
            puback_latency: self.tally.puback_latency,
            certificate_days: self
                .wall
                .utc_of(clock::boot_time())
                .map(|now| validity.days_left(now))
                .ok_or(NoData::NoClock),
        }
    }

    fn tell_status(&mut self, state: State, is_due: bool, now: BootTime) {
        let Some(path) = &self.setup.config.status_file else { return };
        let status = Status {
            state,
            puback_age: self.tally.acknowledged_at.map(|at| now.since(at)),
            queue: self.outbox.len(),
            dropped: self.outbox.dropped(),
            reconnects: self.tally.connections.saturating_sub(1),
        };
        self.notices.status(&status, is_due, path);
    }

    fn state(&self) -> State {
        match &self.connection {
            _ if !self.wall.is_set() => State::ClockNotSet,
            Connection::Down { .. } => State::Waiting,
            Connection::Up(online) if online.is_accepted => State::Publishing,
            Connection::Up(_) => State::Connecting,
        }
    }

    /// Notes a failure, and waits for longer than the last time.
    fn fail(&mut self, failure: &Failure, now: BootTime) {
        self.announcement_is_cleared();
        if self.is_cured_without_will(failure) || self.version.choose_after(failure) {
            debug!("{}; trying MQTT {}", self.explain(failure), self.version.current());
            return self.disconnected(now + backoff::FLOOR, now);
        }
        let verdict = self.verdict(failure, now);
        let failure = match &verdict {
            Verdict::Denied(_, failure) | Verdict::NoDenial(failure) => failure,
            Verdict::Suspicious | Verdict::Told { .. } => failure,
        };
        let words = self.explain(failure);
        let is_back = failure.is_of_certificates() && self.setup.credentials.refused();
        let is_back = is_back && self.notices.is_back_news();
        // A trial of a topic that stays denied costs the others no more than a reconnect, and the former
        // certificates need not wait for what the new ones were refused for.
        let was_trial = match &verdict {
            Verdict::Denied(topic, _) => self.denials.is_denied(*topic),
            Verdict::Told { was_trial } => *was_trial,
            Verdict::NoDenial(_) | Verdict::Suspicious => false,
        };
        let is_long = failure.is_refusal() && !is_back && !was_trial;
        let floor = if is_long { backoff::REFUSED_FLOOR } else { backoff::FLOOR };
        let wait = self.backoff.next(floor, random());
        if matches!(verdict, Verdict::Told { .. }) {
            debug!("{words}; next attempt in {} s", wait.as_secs());
        } else {
            self.notices.failed(failure, &words, wait.as_secs());
        }
        if is_back {
            self.notices.went_back(&self.setup.credentials.current().files.certificate);
        }
        if let Verdict::Denied(topic, denial) = verdict {
            self.deny(topic, denial, now);
        }
        self.disconnected(now + wait, now);
    }

    /// What a failure tells of the topics on which messages were under way; or more of itself than it
    /// says.
    fn verdict(&mut self, failure: &Failure, now: BootTime) -> Verdict {
        if let Some(verdict) = self.verdict_on_announcement(failure) {
            return verdict;
        }
        let no_denial = || Verdict::NoDenial(failure.clone());
        let Connection::Up(online) = &self.connection else { return no_denial() };
        let says_so = match failure {
            Failure::Closed(Some(Answer::PubAck), _) => false,
            Failure::Session(SessionError::Disconnected(reason::NOT_AUTHORIZED)) => true,
            // In 3.1.1 a broker closes without a word when another device takes the client id over.
            Failure::Closed(_, LinkError::Closed) if online.is_young(now) => {
                self.tally.short_lived += 1;
                let is_known = self.tally.short_lived >= TAKEOVERS && self.version.current() == Version::V3;
                return if is_known { Verdict::NoDenial(Failure::ProbablyTakenOver) } else { no_denial() };
            }
            _ => return no_denial(),
        };
        if let Some(was_trial) = online.denial_told
            && says_so
        {
            return Verdict::Told { was_trial };
        }
        let first = online.session.as_ref().and_then(Session::first_in_flight);
        let Some(Sent::Sample { ticket, .. }) = first else { return no_denial() };
        match self.denials.closed_at(ticket, online.in_flight(), says_so) {
            Some(topic) if says_so => {
                Verdict::Denied(topic, Failure::PublishRefused(topic, reason::NOT_AUTHORIZED))
            }
            Some(topic) => Verdict::Denied(topic, Failure::ProbablyDenied(topic)),
            None => Verdict::Suspicious,
        }
    }

    /// Keeps a topic's messages back. Tells whether that is news.
    fn deny(&mut self, topic: usize, denial: Failure, now: BootTime) -> bool {
        if !self.tally.denied.contains(&denial) {
            self.tally.denied.push(denial);
        }
        self.denials.deny(topic, random(), now)
    }

    /// Whether all is acknowledged that the broker lets through.
    fn is_delivered(&self, now: BootTime) -> bool {
        let in_flight = match &self.connection {
            Connection::Up(online) => online.in_flight(),
            Connection::Down { .. } => 0,
        };
        in_flight == 0 && self.denials.next_ticket(&self.outbox, 0, now).is_none()
    }

    /// Whether nothing is left that this mode does, or nothing can be done.
    fn is_done(&self, mode: Mode, now: BootTime) -> bool {
        match (&self.connection, mode) {
            (Connection::Down { .. }, _) => true,
            (Connection::Up(_), Mode::Publish) => self.is_delivered(now),
            (Connection::Up(online), Mode::Settle) => online.in_flight() == 0,
        }
    }

    /// Whether this agent does its work: one that is connected, could send something, and has had
    /// nothing answered for long, does not, and a service manager's watchdog may start it anew. A
    /// broker that is away, or says no, is no reason for that.
    fn is_serving(&self, now: BootTime) -> bool {
        match &self.connection {
            Connection::Up(online) if self.wall.is_set() && !self.is_delivered(now) => {
                now.since(online.answered_at) < 2 * self.setup.config.interval + SILENCE_MAX
            }
            Connection::Up(_) | Connection::Down { .. } => true,
        }
    }

    fn end(mut self) {
        self.notices.stopping();
        let now = clock::boot_time();
        self.disconnect(true, now);
        self.tell_status(State::Ended, true, now);
        match self.outbox.len() {
            0 => info!("ended"),
            left => warn!("ended; {left} samples were not delivered"),
        }
    }

    /// Goes on with another setup, and with the samples that wait.
    fn change(&mut self, setup: Setup, now: BootTime) {
        let leaves = self.leaves_for(&setup);
        self.disconnect(leaves, now);
        let old = self.setup.replace(setup);
        self.announcer = Announcer::new(&self.setup);
        let config = &self.setup.config;
        log::set_max_level(config.log_level);
        if config.log != old.log {
            warn!("log: the change takes effect when pivitals is started again");
        }
        self.encoder = encoder(config);
        if config.series != old.series || config.format != old.format {
            self.outbox.convert(|sample, unacknowledged| {
                if old.format == Format::Rule {
                    sample.forget_delivered(|part| unacknowledged.contains(part));
                }
                sample.rearrange(&old.series, &config.series);
                self.encoder.parts(sample)
            });
        }
        if config.series != old.series {
            self.probes = Probes::new(&self.root, &config.series);
            self.probes.prime(now);
        }
        self.outbox.resize(config.queue);
        let grid = |config: &Config| (config.interval, config.client_id.clone(), config.series.clone());
        if grid(config) != grid(&old) || config.alerts != old.alerts {
            // With other series too: a rate needs a second since its first reading.
            self.schedule = Schedule::new(config.interval, &config.client_id, now);
            self.start_watch(&old.alerts, now);
        }
        let config = &self.setup.config;
        self.denials = Denials::new(config.topics.clone());
        self.notices.reloaded(config.series != old.series);
        self.version = VersionChoice::new(config.mqtt);
        self.backoff.set_interval(config.interval);
        if let Connection::Down { retry_at } = &mut self.connection {
            // What was wrong may be right now, so a long wait is cut short; but the one after it is as
            // long as it would have been.
            *retry_at = (*retry_at).min(now + backoff::FLOOR);
        }
        info!("the configuration was read again");
    }
}

/// What the end of a connection tells of a topic.
enum Verdict {
    /// Nothing; this is what it was.
    NoDenial(Failure),
    /// It may be denied.
    Suspicious,
    /// Which one is denied the broker has said of a message, before it closed.
    Told {
        /// It was known before, and only tried again.
        was_trial: bool,
    },
    /// It is denied.
    Denied(usize, Failure),
}

fn encoder(config: &Config) -> Encoder {
    Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace)
}

/// A random word. std seeds each of these with fresh random keys: it is a source of them, and no more.
fn random() -> u64 {
    RandomState::new().hash_one(())
}
