//! What is told in the log: changes of state, each once, and no state twice.

use log::{debug, info, warn};

use crate::clock::BootTime;
use crate::failure::{Context, Failure};
use crate::metric::Series;
use crate::sample::{NoData, Sample};
use crate::supervisor::Supervisor;

/// Failures that are remembered as told: a line that comes and goes fails in more ways than one.
const FAILURES_MAX: usize = 8;

/// What was told last.
#[derive(Debug, Default)]
pub struct Notices {
    absent: heapless::Vec<Option<NoData>, { crate::metric::SERIES_MAX }>,
    /// Since a connection has last proved itself; the oldest is forgotten first.
    failures: heapless::Deque<Failure, FAILURES_MAX>,
    publishing: bool,
    clock_unset: bool,
    dropped: u64,
    queue_full: bool,
    supervisor: Supervisor,
}

impl Notices {
    /// For an agent that was perhaps started by a service manager, which is told, too.
    pub fn of_a_service() -> Self {
        Self { supervisor: Supervisor::from_environment(), ..Self::default() }
    }

    /// For a command that has nothing to say when all goes well.
    pub fn of_one_sample() -> Self {
        Self { publishing: true, ..Self::default() }
    }

    /// Tells which readings have gone since the last sample, and which are back.
    pub fn sample(&mut self, series: &[Series], sample: &Sample) {
        for (index, (series, reading)) in series.iter().zip(&sample.readings).enumerate() {
            let now = reading.err();
            let before = self.absent.get(index).copied().flatten();
            if now.is_some() != before.is_some() {
                match now {
                    Some(reason) => warn!("{series}: no reading: {}", reason.as_str()),
                    None => info!("{series}: the reading is back"),
                }
            }
            match self.absent.get_mut(index) {
                Some(slot) => *slot = now,
                // Cannot be full: a sample has no more readings than there is room for.
                None => drop(self.absent.push(now)),
            }
        }
    }

    /// Tells that the work begins.
    pub fn ready(&self) {
        self.supervisor.ready();
    }

    /// Tells that the end begins.
    pub fn stopping(&self) {
        self.supervisor.stopping();
    }

    /// Tells a service manager that all is well, when it is time to.
    pub fn alive(&mut self, now: BootTime) {
        self.supervisor.ping(now);
    }

    /// When [`alive`](Self::alive) has something to tell.
    pub fn alive_at(&self) -> BootTime {
        self.supervisor.ping_at()
    }

    /// Forgets what was told of the old configuration.
    pub fn reloaded(&mut self, are_series_other: bool) {
        self.failures.clear();
        self.publishing = false;
        if are_series_other {
            self.absent.clear();
        }
    }

    /// Tells a failure, unless it was told already.
    pub fn failed(&mut self, failure: &Failure, context: Context<'_>, wait_secs: u64) {
        if self.failures.iter().any(|told| told.is_like(failure)) {
            debug!("still: {}; next attempt in {wait_secs} s", failure.explain(context));
        } else {
            warn!("{}; next attempt in {wait_secs} s", failure.explain(context));
            if self.failures.is_full() {
                self.failures.pop_front();
            }
            // Cannot be full any more.
            let _ = self.failures.push_back(failure.clone());
            self.publishing = false;
            self.supervisor.status(&failure.explain(context));
        }
    }

    /// Tells that messages are acknowledged, if that is not known. With a failure that was told, it is
    /// not told again until the connection has proved itself: a broker that takes a message and then
    /// closes, over and over, is told once.
    pub fn acknowledged(&mut self, context: Context<'_>, is_proof: bool, waiting: usize, dropped: u64) {
        if !self.publishing {
            let status = format!("publishing to {}:{} on {}", context.endpoint, context.port, context.topic);
            info!("{status}");
            self.supervisor.status(&status);
            if waiting > 1 {
                info!("{waiting} samples wait to be sent");
            }
        }
        if dropped > self.dropped {
            warn!("{} samples were dropped, because the queue was full", dropped - self.dropped);
        }
        if is_proof {
            self.failures.clear();
        }
        (self.publishing, self.dropped, self.queue_full) = (true, dropped, false);
    }

    /// Tells that the queue is full, when it becomes so.
    pub fn dropped(&mut self, dropped: u64, capacity: usize) {
        if dropped > self.dropped && !self.queue_full {
            warn!(
                "the queue of {capacity} samples is full: the oldest are dropped until the broker takes them"
            );
            self.queue_full = true;
        }
    }

    /// Tells that the clock is not set, and that it is.
    pub fn clock(&mut self, is_set: bool) {
        if is_set == self.clock_unset {
            if is_set {
                info!("the system clock is set");
            } else {
                let status = "the system clock is not set; samples are kept until it is";
                warn!("{status}");
                self.supervisor.status(&status);
            }
            self.clock_unset = !is_set;
        }
    }
}
