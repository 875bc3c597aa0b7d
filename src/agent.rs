//! The loop: the one place where probes, outbox, payload, session and link meet.
//!
//! It waits in one place only, for the first of: a sample that is due, bytes from the broker, a
//! deadline, a signal.

use std::hash::{BuildHasher as _, RandomState};
use std::os::fd::{AsRawFd as _, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{debug, info, warn};

use crate::backoff::{self, Backoff};
use crate::clock::{self, BootTime, WallClock};
use crate::config::Config;
use crate::failure::Failure;
use crate::link::{Link, LinkError};
use crate::outbox::{Outbox, Ticket};
use crate::payload::Encoder;
use crate::probe::Probes;
use crate::schedule::Schedule;
use crate::session::{Answer, Event, INBOUND_LEN_MAX, Session, Settings};
use crate::setup::Setup;
use crate::sys::event::{Readiness, Signals, wait};

mod aim;
mod notices;
mod print;
mod suspicion;
mod version;

use aim::{Aim, Mode};
use notices::Notices;
pub use print::print;
use suspicion::Suspicion;
use version::VersionChoice;

/// How long a sample's worth of time lies between the two readings of a counter in `once` and `print`.
const RATE_TIME: Duration = Duration::from_secs(1);
/// Between two looks at a wall clock that is not set.
const CLOCK_WAIT: Duration = Duration::from_secs(1);
/// A broker sends its acknowledgements one by one: after the first, the others are given this long to
/// come, so that they are read together.
const SETTLE_TIME: Duration = Duration::from_millis(20);

/// A connection on which nothing was acknowledged for two intervals and this is not in order, though
/// every deadline was kept: the longest of them one after the other are less.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// Between two signs of life that are withheld.
const LIFE_WAIT: Duration = Duration::from_millis(500);

const NO_SIGNALS: RawFd = -1;

/// The agent.
#[derive(Debug)]
pub struct Agent {
    setup: Setup,
    root: PathBuf,
    probes: Probes,
    encoder: Encoder,
    outbox: Outbox,
    schedule: Schedule,
    wall: WallClock,
    backoff: Backoff,
    version: VersionChoice,
    connection: Connection,
    suspicion: Suspicion,
    notices: Notices,
}

#[derive(Debug)]
enum Connection {
    Down { retry_at: BootTime },
    Up(Box<Online>),
}

#[derive(Debug)]
struct Online {
    link: Link,
    /// Once the link is open.
    session: Option<Session<Ticket>>,
    connected_at: BootTime,
    /// Anything at all; or when the connection was begun.
    acknowledged_at: BootTime,
    /// Not to be read from before.
    settled_at: BootTime,
    is_stray_told: bool,
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
            wall: WallClock::default(),
            backoff: Backoff::default(),
            version: VersionChoice::new(config.mqtt),
            connection: Connection::Down { retry_at: now },
            suspicion: Suspicion::default(),
            notices: Notices::default(),
            setup,
        }
    }

    /// Samples and publishes until SIGTERM or SIGINT. `reload` is asked for another setup on SIGHUP;
    /// if it has errors, the old one stays.
    pub fn run(mut self, signals: &mut Signals, reload: impl Fn() -> Result<Setup, Vec<String>>) {
        self.notices = Notices::of_a_service();
        info!(
            "version {}: {} samples every {} s for {}",
            env!("CARGO_PKG_VERSION"),
            self.setup.config.label,
            self.setup.config.interval.as_secs(),
            self.setup.context().endpoint
        );
        self.probes.prime();
        self.notices.ready();
        let mut aim = Aim::Publish;
        let mut ready = Readiness::default();
        loop {
            let now = clock::boot_time();
            if !matches!(aim, Aim::End { .. })
                && let Some(due) = self.schedule.due(now)
            {
                self.sample(due);
            }
            if let Err(failure) = self.serve(ready, now, aim.mode()) {
                self.fail(&failure, now);
            }
            self.notices.clock(self.wall.is_set());
            aim = match aim {
                Aim::End { until } if self.is_done(Mode::Publish) || until <= now => return self.end(),
                Aim::Reload { setup, until } if self.is_done(Mode::Settle) || until <= now => {
                    self.change(*setup, now);
                    Aim::Publish
                }
                aim => aim,
            };
            if self.is_serving(now) {
                self.notices.alive(now);
            }
            let deadline = self.deadline(now, aim.mode()).min(aim.until(self.schedule.next()));
            let deadline = deadline.min(self.notices.alive_at().max(now + LIFE_WAIT));
            let signalled;
            (signalled, ready) = self.wait(signals.as_raw_fd(), now, deadline);
            if signalled {
                aim = aim.after(signals.next_signal(), &reload, clock::boot_time());
            }
        }
    }

    /// Publishes one sample and waits until it is acknowledged.
    ///
    /// # Errors
    /// The first failure, unless another version of the protocol may help.
    pub fn once(&mut self) -> Result<(), Failure> {
        self.notices = Notices::of_one_sample();
        self.probes.prime();
        std::thread::sleep(RATE_TIME);
        self.sample(clock::boot_time());
        if self.outbox.is_empty() {
            return Err(Failure::NothingMeasured);
        }
        let mut ready = Readiness::default();
        loop {
            let now = clock::boot_time();
            let served = self.serve(ready, now, Mode::Publish);
            if !self.wall.is_set() {
                return Err(Failure::ClockNotSet);
            }
            if self.outbox.is_empty() {
                self.disconnect(now); // whatever came after the last acknowledgement
                return Ok(());
            }
            if let Err(failure) = served {
                if !self.version.choose_after(&failure) {
                    return Err(failure);
                }
                self.disconnected(now + backoff::FLOOR);
            }
            let deadline = self.deadline(now, Mode::Publish);
            (_, ready) = self.wait(NO_SIGNALS, now, deadline);
        }
    }

    /// A failure in words, with the values in question.
    #[must_use]
    pub fn explain(&self, failure: &Failure) -> String {
        failure.explain(self.setup.context()).to_string()
    }

    fn sample(&mut self, taken_at: BootTime) {
        let sample = self.probes.sample(taken_at);
        self.notices.sample(&self.setup.config.series, &sample);
        let parts = self.encoder.parts(&sample);
        self.outbox.push(sample, parts);
        self.notices.dropped(self.outbox.dropped(), self.setup.config.queue);
    }

    /// Both are read here, together: what passes between two readings would be taken for a step.
    fn look_at_the_clocks(&mut self) {
        self.wall.update(clock::boot_time(), clock::utc());
    }

    /// Does all that can be done for the connection without waiting.
    fn serve(&mut self, ready: Readiness, now: BootTime, mode: Mode) -> Result<(), Failure> {
        self.look_at_the_clocks();
        match &mut self.connection {
            Connection::Down { retry_at } if *retry_at <= now && self.wall.is_set() => {
                let link = Link::open(&self.setup.target, now).map_err(Failure::Link)?;
                let online = Online {
                    link,
                    session: None,
                    connected_at: now,
                    acknowledged_at: now,
                    settled_at: now,
                    is_stray_told: false,
                };
                self.connection = Connection::Up(Box::new(online));
                Ok(())
            }
            Connection::Down { .. } => Ok(()),
            Connection::Up(online) => {
                online.link.advance(ready, now).map_err(|error| online.failure(error))?;
                if !online.link.is_open() {
                    return Ok(());
                }
                online.session.get_or_insert_with(|| {
                    let config = &self.setup.config;
                    let settings = Settings {
                        version: self.version.current(),
                        client_id: &config.client_id,
                        topic: &config.topic,
                        keep_alive_secs: config.keep_alive_secs,
                    };
                    Session::new(&settings, now)
                });
                self.receive(now)?;
                self.send(now, mode)
            }
        }
    }

    /// Takes what the broker has sent.
    fn receive(&mut self, now: BootTime) -> Result<(), Failure> {
        let Connection::Up(online) = &mut self.connection else { return Ok(()) };
        let mut buffer = [0; INBOUND_LEN_MAX];
        loop {
            let length = online.link.read(&mut buffer).map_err(|error| online.failure(error))?;
            let (Some(session), Some(bytes)) = (&mut online.session, buffer.get(..length)) else {
                return Ok(());
            };
            if length == 0 {
                return session.tick(now).map_err(Failure::Session);
            }
            session.receive(bytes);
            while let Some(event) = session.next_event().map_err(Failure::Session)? {
                match event {
                    Event::Connected => {
                        debug!("connected, MQTT {}", self.version.current());
                        online.connected_at = now;
                        self.version.accepted();
                    }
                    Event::Acknowledged(ticket) => {
                        self.outbox.acknowledge(ticket);
                        online.acknowledged_at = now;
                        let is_proof = self.backoff.acknowledged(online.connected_at, now);
                        let (waiting, dropped) = (self.outbox.len(), self.outbox.dropped());
                        self.notices.acknowledged(self.setup.context(), is_proof, waiting, dropped);
                    }
                    Event::Stray(_) if online.is_stray_told => {}
                    Event::Stray(id) => {
                        online.is_stray_told = true;
                        warn!("the broker acknowledged message {id}, which was not waiting for it");
                    }
                }
            }
            if session.in_flight() > 0 {
                online.settled_at = now + SETTLE_TIME;
            }
        }
    }

    /// Sends what waits, and what of the outbox there is room for.
    fn send(&mut self, now: BootTime, mode: Mode) -> Result<(), Failure> {
        let Connection::Up(online) = &mut self.connection else { return Ok(()) };
        let Online { link, session: Some(session), .. } = &mut **online else { return Ok(()) };
        loop {
            let mut is_full = false;
            while mode == Mode::Publish
                && session.room_at() <= now
                && let Some(ticket) = self.outbox.next_ticket()
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
                session.publish(message.payload, ticket, now).map_err(Failure::Session)?;
            }
            let owed = session.owed();
            session
                .flush(now, |bytes| link.write(bytes))
                .map_err(|error| Failure::of_open_link(error, owed))?;
            if !is_full {
                return Ok(());
            }
        }
    }

    /// When the connection needs attention at the latest.
    fn deadline(&self, now: BootTime, mode: Mode) -> BootTime {
        match &self.connection {
            Connection::Down { retry_at } => {
                (*retry_at).max(if self.wall.is_set() { now } else { now + CLOCK_WAIT })
            }
            Connection::Up(online) => {
                let mut deadline = online.link.deadline();
                if let Some(session) = &online.session {
                    deadline = deadline.min(session.deadline());
                    if mode == Mode::Publish && self.wall.is_set() && self.outbox.next_ticket().is_some() {
                        deadline = deadline.min(session.room_at());
                    }
                }
                if online.settled_at > now { deadline.min(online.settled_at) } else { deadline }
            }
        }
    }

    /// Waits until `deadline`, or for a signal or the link; tells which has come.
    fn wait(&self, signals: RawFd, now: BootTime, deadline: BootTime) -> (bool, Readiness) {
        let (link, mut interest) = match &self.connection {
            Connection::Down { .. } => (-1, Readiness::default()),
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

    /// Notes a failure, and waits for longer than the last time.
    fn fail(&mut self, failure: &Failure, now: BootTime) {
        let failure = if self.is_suspect(failure) { &Failure::ProbablyDenied } else { failure };
        if self.version.choose_after(failure) {
            debug!("{}; trying MQTT {}", failure.explain(self.setup.context()), self.version.current());
            return self.disconnected(now + backoff::FLOOR);
        }
        let floor = if failure.is_refusal() { backoff::REFUSED_FLOOR } else { backoff::FLOOR };
        // std seeds each of these with fresh random keys: a source of random words, and no more.
        let random = RandomState::new().hash_one(now.as_millis());
        let wait = self.backoff.next(floor, random);
        self.notices.failed(failure, self.setup.context(), wait.as_secs());
        self.disconnected(now + wait);
    }

    /// Whether the connection was closed at the same message several times in a row.
    fn is_suspect(&mut self, failure: &Failure) -> bool {
        let Connection::Up(online) = &self.connection else { return false };
        let session = online.session.as_ref();
        match (failure, session.and_then(Session::first_in_flight)) {
            (Failure::Closed(Some(Answer::PubAck), _), Some(message)) => self.suspicion.closed_at(message),
            _ => false,
        }
    }

    /// Drops the connection; what was in flight will be sent again.
    fn disconnected(&mut self, retry_at: BootTime) {
        self.outbox.rewind();
        self.connection = Connection::Down { retry_at };
    }

    /// Whether nothing is left that this mode does, or nothing can be done.
    fn is_done(&self, mode: Mode) -> bool {
        match (&self.connection, mode) {
            (Connection::Down { .. }, _) => true,
            (Connection::Up(_), Mode::Publish) => self.outbox.is_empty(),
            (Connection::Up(online), Mode::Settle) => {
                online.session.as_ref().is_none_or(|session| session.in_flight() == 0)
            }
        }
    }

    /// Says goodbye to the broker, if it is there. A wait for the next attempt goes on.
    fn disconnect(&mut self, now: BootTime) {
        let Connection::Up(online) = &mut self.connection else { return };
        if let Some(session) = &mut online.session {
            session.disconnect();
            // Whether it arrives or not, the connection is closed.
            let _ = session.flush(now, |bytes| online.link.write(bytes));
        }
        online.link.close();
        self.disconnected(now + backoff::FLOOR);
    }

    /// Whether this agent does its work: one that is connected, could send something, and has had
    /// nothing acknowledged for long, does not, and a service manager's watchdog may start it anew. A
    /// broker that is away is no reason for that.
    fn is_serving(&self, now: BootTime) -> bool {
        match &self.connection {
            Connection::Up(online) if self.wall.is_set() && !self.outbox.is_empty() => {
                now.since(online.acknowledged_at) < 2 * self.setup.config.interval + SILENCE_MAX
            }
            Connection::Up(_) | Connection::Down { .. } => true,
        }
    }

    fn end(mut self) {
        self.notices.stopping();
        self.disconnect(clock::boot_time());
        match self.outbox.len() {
            0 => info!("ended"),
            left => warn!("ended; {left} samples were not delivered"),
        }
    }

    /// Goes on with another setup, and with the samples that wait.
    fn change(&mut self, setup: Setup, now: BootTime) {
        self.disconnect(now);
        let old = std::mem::replace(&mut self.setup, setup);
        let config = &self.setup.config;
        log::set_max_level(config.log_level);
        if config.log != old.config.log {
            warn!("log: the change takes effect when pivitals is started again");
        }
        self.encoder = encoder(config);
        if config.series != old.config.series {
            let (from, to) = (&old.config.series, &config.series);
            self.outbox.convert(|sample| {
                sample.rearrange(from, to);
                self.encoder.parts(sample)
            });
            self.probes = Probes::new(&self.root, &config.series);
            self.probes.prime();
        } else if config.format != old.config.format {
            self.outbox.convert(|sample| self.encoder.parts(sample));
        }
        self.outbox.resize(config.queue);
        let grid = |config: &Config| (config.interval, config.client_id.clone(), config.series.clone());
        if grid(config) != grid(&old.config) {
            // With other series too: a rate needs a second since its first reading.
            self.schedule = Schedule::new(config.interval, &config.client_id, now);
        }
        self.notices.reloaded(config.series != old.config.series);
        self.version = VersionChoice::new(config.mqtt);
        if let Connection::Down { retry_at } = &mut self.connection {
            // What was wrong may be right now, so a long wait is cut short; but the one after it is as
            // long as it would have been.
            *retry_at = (*retry_at).min(now + backoff::FLOOR);
        }
        info!("the configuration was read again");
    }
}

impl Online {
    fn failure(&self, error: LinkError) -> Failure {
        match &self.session {
            Some(session) => Failure::of_open_link(error, session.owed()),
            None => Failure::Link(error),
        }
    }
}

fn encoder(config: &Config) -> Encoder {
    Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace)
}
