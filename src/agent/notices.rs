//! What is told in the log: changes of state, each once, and no state twice.

use log::{Level, debug, info, log, warn};

use std::path::Path;

use crate::config::setup::Setup;
use crate::metric::Series;
use crate::metric::sample::{NoData, Sample};
use crate::net::tls::{CertificateProblem, DAYS_LEFT_MIN, Loaded};
use crate::platform::clock::BootTime;
use crate::platform::wall_clock::{ClockState, SYNC_WAIT, Trust};
use crate::report::failure::{Failure, Words};
use crate::report::service_manager::Supervisor;
use crate::report::status::{Status, StatusFile};

/// Failures that are remembered as told: a line that comes and goes fails in more ways than one.
const FAILURES_MAX: usize = 8;

/// What was told last.
#[expect(clippy::struct_excessive_bools, reason = "each is of a subject of its own")]
#[derive(Debug, Default)]
pub struct Notices {
    absent: heapless::Vec<Option<NoData>, { crate::metric::SERIES_MAX }>,
    /// Since a connection has last proved itself; the oldest is forgotten first.
    failures: heapless::Deque<Failure, FAILURES_MAX>,
    publishing: bool,
    /// Whoever started this is told by its end, not by the log.
    is_command: bool,
    /// The state of the system clock at the last turn.
    clock: Option<ClockState>,
    dropped: u64,
    queue_full: bool,
    certificate_days: Option<i64>,
    /// A service manager was told that messages are acknowledged, and nothing else since.
    is_well: bool,
    is_back: bool,
    /// What was told of the connection last, for the status file.
    last_failure: Option<String>,
    is_failure_news: bool,
    status_file: StatusFile,
    supervisor: Supervisor,
}

impl Notices {
    /// For an agent that was perhaps started by a service manager, which is told, too.
    pub fn of_a_service() -> Self {
        Self { supervisor: Supervisor::from_environment(), ..Self::default() }
    }

    /// For a command that has nothing to say when all goes well.
    pub fn of_one_sample() -> Self {
        Self { publishing: true, is_command: true, ..Self::default() }
    }

    /// Tells which readings have gone since the last sample, and which are back.
    pub fn sample(&mut self, series: &[Series], sample: &Sample) {
        for (index, (series, reading)) in series.iter().zip(&sample.readings).enumerate() {
            let before = self.absent.get(index).copied().flatten();
            // That there is none yet is so at every start, and nothing is to be done about it.
            let now = reading.err().and_then(|reason| match reason {
                NoData::NotYet => before,
                reason => Some(reason),
            });
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
        self.certificate_days = None;
        self.is_back = false;
        if are_series_other {
            self.absent.clear();
        }
    }

    /// Tells a failure, unless it was told already.
    pub fn failed(&mut self, failure: &Failure, words: &Words, wait_secs: u64) {
        if self.failures.iter().any(|told| told.is_like(failure)) {
            debug!("still: {words}; next attempt in {wait_secs} s");
        } else {
            warn!("{words}; next attempt in {wait_secs} s");
            if self.failures.is_full() {
                self.failures.pop_front();
            }
            // Cannot be full any more.
            let _ = self.failures.push_back(failure.clone());
            self.publishing = false;
        }
        self.ill(words);
    }

    fn ill(&mut self, words: &Words) {
        self.supervisor.status(words);
        self.is_well = false;
        self.is_failure_news = true;
        self.last_failure = Some(words.to_string());
    }

    /// Tells that messages of a topic are not taken, on a connection that goes on.
    pub fn denied(&mut self, words: &Words) {
        if !self.is_command {
            warn!("{words}; its messages are kept, and tried again from time to time");
        }
        self.ill(words);
    }

    /// Whether it is news that former certificates are used again.
    pub const fn is_back_news(&self) -> bool {
        !self.is_back
    }

    /// Tells that the broker did not take new certificates, so that the former ones are used again.
    pub fn went_back(&mut self, former: &Path) {
        self.is_back = true;
        let former = former.display();
        warn!("the new certificate files were refused; {former} as it was before goes on serving");
    }

    /// Tells that other certificates are used from now on.
    pub fn certificates_changed(&mut self, loaded: &Loaded) {
        self.is_back = false;
        info!(
            "the certificate files have changed: {} is valid from {} to {}",
            loaded.files.certificate.display(),
            loaded.validity.from,
            loaded.validity.until
        );
    }

    /// Tells that a certificate will expire soon, once a day. A command would tell it each time.
    pub fn certificate(&mut self, days: i64, path: &Path) {
        if !self.is_command && days < DAYS_LEFT_MIN && self.certificate_days != Some(days) {
            let path = path.display();
            if days < 0 {
                warn!("the certificate {path} has expired; put a new one and its key in its place");
            } else {
                warn!(
                    "the certificate {path} expires in {days} days; put a new one and its key in its place"
                );
            }
        }
        self.certificate_days = Some(days);
    }

    /// Writes the status file, when a sample is due or the state is another one. A file that cannot be
    /// written is told once.
    pub fn status(&mut self, status: &Status, is_due: bool, path: &Path) {
        let is_due = is_due || std::mem::take(&mut self.is_failure_news);
        let failure = self.last_failure.as_deref();
        if let Some(error) = self.status_file.update(path, status, failure, is_due) {
            warn!("status_file = {}: it cannot be written: {error}", path.display());
        }
    }

    /// Tells that messages are acknowledged, if that is not known. With a failure that was told, it is
    /// not told again until the connection has proved itself: a broker that takes a message and then
    /// closes, over and over, is told once.
    pub fn acknowledged(&mut self, setup: &Setup, is_proof: bool, waiting: usize, dropped: u64) {
        let Setup { config, endpoint, .. } = setup;
        if !self.publishing || !self.is_well {
            let status = format!("publishing to {endpoint}:{} on {}", config.port, config.topics.pattern());
            self.supervisor.status(&status);
            if !self.publishing {
                info!("{status}");
                if waiting > 1 {
                    info!("{waiting} samples wait to be sent");
                }
            }
        }
        // While it stays full, of a topic that is held, nothing more is told.
        if waiting < config.queue {
            if dropped > self.dropped {
                warn!("{} samples were dropped, because the queue was full", dropped - self.dropped);
            }
            (self.dropped, self.queue_full) = (dropped, false);
        }
        if is_proof {
            self.failures.clear();
        }
        (self.publishing, self.is_well) = (true, true);
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

    /// Logs that the system clock is not set, that it is, or that it is used though nothing vouches for it.
    pub fn clock(&mut self, state: ClockState) {
        let before = self.clock.replace(state);
        let was_good =
            before.is_none_or(|before| before.is_set() && before != ClockState::Set(Trust::Assumed));
        let (level, words) = match state {
            state if before == Some(state) => return,
            ClockState::BeforeRelease => (
                Level::Warn,
                "the system clock is not set: it is older than this program; samples are kept until it is set"
                    .to_owned(),
            ),
            ClockState::NotSynchronised => (
                Level::Warn,
                format!(
                    "the system clock is not set: it is not synchronised yet; samples are kept until it is, or until \
                     {} minutes after boot",
                    SYNC_WAIT.as_secs() / 60
                ),
            ),
            ClockState::Set(Trust::Assumed) => (
                Level::Warn,
                "the system clock is not synchronised; samples are dated by it as it is; start an NTP client"
                    .to_owned(),
            ),
            ClockState::Set(_) if was_good => return,
            ClockState::Set(_) => (Level::Info, "the system clock is set".to_owned()),
        };
        log!(level, "{words}");
        self.supervisor.status(&words);
        self.is_well &= state.is_set();
    }
}

/// Tells that messages of a topic are taken again.
pub fn allowed(topic: &str) {
    info!("messages on {topic} are taken again");
}

/// Tells that Home Assistant does not learn of the device.
pub fn unannounced(words: &Words) {
    warn!("{words}; Home Assistant is not told of this device until the configuration is read again");
}

/// Tells why certificates that have changed are not used.
pub fn certificates_unusable(problems: &[CertificateProblem]) {
    for problem in problems {
        warn!("{problem}");
    }
    warn!("the certificate files have changed, but are of no use; the former ones go on serving");
}
