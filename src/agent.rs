//! The loop: samples go from [`Sampling`] to [`Uplink`], and what happened goes to [`Notices`].
//!
//! It waits in one place, for the first of: a sample that is due, bytes from the broker, a deadline, a signal.
//! What the end of a connection means is decided in [`uplink::retry`](crate::uplink::retry).

use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::config::setup::{Setup, SetupError};
use crate::measure::sampling::{Plan, Sampling};
use crate::platform::clock::{self, BootTime, WallClock};
use crate::platform::event::{Readiness, Signals, wait};
use crate::report::notices::{self, Notices};
use crate::report::status::{State, Status};
use crate::uplink::announcement::is_moved;
use crate::uplink::turn::{Mode, Progress, Turn};
use crate::uplink::uplink::Uplink;

mod goal;
mod once;
mod print;
mod random;
mod tell;

use goal::Goal;
pub use once::once;
pub use print::print;
use random::random;
use tell::tell;

/// Between two signs of life that are withheld.
const LIFE_WAIT: Duration = Duration::from_millis(500);

/// The agent.
#[derive(Debug)]
pub struct Agent {
    setup: Setup,
    sampling: Sampling,
    uplink: Uplink,
    notices: Notices,
    wall: WallClock,
}

impl Agent {
    /// An agent that has done nothing yet. `root` is where `proc`, `sys` and `dev` are.
    #[must_use]
    pub fn new(setup: Setup, root: &Path) -> Self {
        let now = clock::boot_time();
        let mut uplink = Uplink::new(&setup.config, now, random, now);
        uplink.announce(&setup.config);
        Self {
            sampling: Sampling::new(root, plan(&setup.config), now),
            uplink,
            notices: Notices::of_a_service(),
            wall: WallClock::default(),
            setup,
        }
    }

    /// Samples and publishes until SIGTERM or SIGINT. `reload` is asked for another setup on SIGHUP;
    /// if it has errors, the old one stays.
    pub fn run(mut self, signals: &mut Signals, reload: impl Fn() -> Result<Setup, Vec<SetupError>>) {
        notices::started(&self.setup);
        self.notices.ready();
        let mut goal = Goal::Publish;
        let mut ready = Readiness::default();
        let mut is_status_due = false;
        loop {
            let now = clock::boot_time();
            // Both clocks are read together: what passes between two readings would look like a step.
            self.wall.update(now, clock::utc());
            if !matches!(goal, Goal::Stop { .. }) {
                is_status_due |= self.sample(now);
            }
            self.turn(ready, goal.mode(), now);
            self.notices.clock(self.wall.is_set());
            goal = match goal {
                Goal::Stop { until } if self.is_stopped(now) || until <= now => return self.stop(),
                Goal::Reload { setup, until } if self.is_settled(&setup, now) || until <= now => {
                    self.change(*setup, now);
                    Goal::Publish
                }
                goal => goal,
            };
            if self.uplink.is_working(self.setup.config.interval, now) {
                self.notices.alive(now);
            }
            // Not the moment between a publish and its PUBACK, which is over at once.
            let is_calm = self.uplink.is_done(Mode::Publish, now);
            self.tell_status(self.state(), is_status_due && is_calm, now);
            is_status_due &= !is_calm;
            let signalled;
            (signalled, ready) = self.wait(signals, &goal, now);
            if signalled {
                goal = goal.after(signals.next_signal(), &reload, clock::boot_time());
            }
        }
    }

    /// Takes a sample if one is due. Returns whether one was.
    fn sample(&mut self, now: BootTime) -> bool {
        if self.sampling.next_at() > now {
            return false;
        }
        let Setup { config, credentials, .. } = &self.setup;
        let loaded = credentials.current();
        let health = self.uplink.durable().health(loaded.validity, &self.wall, now);
        let due = self.sampling.due(plan(config), &health, now);
        if due.too_many_alerts {
            notices::too_many_alerts();
        }
        let Some(at) = due.sample_at else { return false };
        let (sample, changes) = self.sampling.sample(plan(config), at, &health, now);
        for change in changes {
            if let Some(alert) = config.alerts.get(change.index) {
                notices::alert(alert, change.is_crossed, change.value);
            }
        }
        self.notices.sample(&config.series, &sample);
        self.uplink.push(&sample);
        self.notices.dropped(self.uplink.durable().delivery.dropped(), config.queue);
        if let Ok(days) = health.certificate_days {
            self.notices.certificate(days, &loaded.files.certificate);
        }
        true
    }

    fn turn(&mut self, ready: Readiness, mode: Mode, now: BootTime) {
        let Self { setup, uplink, notices, wall, .. } = self;
        uplink.turn(Turn { setup, wall, ready, now, mode }, &mut |setup, event| tell(notices, setup, event));
    }

    fn is_stopped(&mut self, now: BootTime) -> bool {
        self.uplink.is_done(Mode::Publish, now) && self.uplink.leave()
    }

    fn is_settled(&mut self, new: &Setup, now: BootTime) -> bool {
        self.uplink.is_done(Mode::Settle, now) && (!is_moved(&self.setup, new) || self.uplink.leave())
    }

    /// Waits for a signal, the uplink's descriptor or the next deadline. Returns whether a signal came, and
    /// what the descriptor is ready for.
    fn wait(&self, signals: &Signals, goal: &Goal, now: BootTime) -> (bool, Readiness) {
        let deadline = self.uplink.deadline(goal.mode(), self.wall.is_set(), now);
        let deadline = deadline.min(goal.until(self.sampling.next_at()));
        let deadline = deadline.min(self.notices.alive_at().max(now + LIFE_WAIT));
        let readable = Readiness { readable: true, writable: false };
        let mut descriptors = [(signals.as_raw_fd(), readable), self.uplink.interest()];
        // From now, not from when this turn began: a handshake takes a slow Pi a good part of a second.
        wait(&mut descriptors, deadline.since(clock::boot_time()));
        let [(_, signal), (_, ready)] = descriptors;
        (signal.readable, ready)
    }

    fn state(&self) -> State {
        match self.uplink.progress() {
            _ if !self.wall.is_set() => State::ClockNotSet,
            Progress::Waiting => State::Waiting,
            Progress::Connecting => State::Connecting,
            Progress::Connected => State::Publishing,
        }
    }

    fn tell_status(&mut self, state: State, is_due: bool, now: BootTime) {
        let Some(path) = &self.setup.config.status_file else { return };
        let durable = self.uplink.durable();
        let status = Status {
            state,
            puback_age: durable.tally.acknowledged_at.map(|at| now.since(at)),
            queue: durable.delivery.len(),
            dropped: durable.delivery.dropped(),
            reconnects: durable.tally.reconnects(),
        };
        self.notices.status(&status, is_due, path);
    }

    fn stop(mut self) {
        self.notices.stopping();
        let now = clock::boot_time();
        self.uplink.finish(now);
        self.tell_status(State::Ended, true, now);
        notices::stopped(self.uplink.durable().delivery.len());
    }

    /// Goes on with another setup, and with the samples that wait.
    fn change(&mut self, setup: Setup, now: BootTime) {
        let old = self.uplink.change(&mut self.setup, setup, now);
        let config = &self.setup.config;
        log::set_max_level(config.log_level);
        self.sampling.change(plan(&old), plan(config), now);
        self.notices.forget(config.series != old.series);
        notices::reloaded(config.log != old.log);
    }
}

/// What is measured, and when.
fn plan(config: &Config) -> Plan<'_> {
    Plan {
        series: &config.series,
        alerts: &config.alerts,
        interval: config.interval,
        client_id: &config.client_id,
    }
}
