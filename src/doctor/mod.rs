//! `pivitals doctor`: the configuration and the whole way to the broker, step by step, each with what
//! was found, or with its cause and remedy.
//!
//! The steps come in the order in which one needs the other. Where one fails, the next are taken as far
//! as they may still tell something; the words are those of the log.

use std::io;
use std::path::Path;

use crate::config::Config;
use crate::config::setup::Options;
use crate::net::link::Target;
use crate::net::tls::{Loaded, Validity};
use crate::platform::clock::{self, Utc};
use crate::report::failure::{Context, Failure, Words, exit, resolvers};

mod files;
mod image;
mod report;
mod settings;
mod talk;
mod vitals;
mod way;

pub use report::Say;
use report::{Report, Step, Verdict};

/// How the doctor goes about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checks {
    /// Only what needs no network, with configuration and certificates under the root.
    pub offline: bool,
    /// Print JSON.
    pub json: bool,
}

impl Checks {
    /// The first option that is set, if any is.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let all = [(self.offline, "--offline"), (self.json, "--json")];
        all.into_iter().find_map(|(is_given, option)| is_given.then_some(option))
    }
}

/// Examines everything, says each finding as it comes, and gives the exit code: that of the worst
/// finding.
///
/// # Errors
/// What `say` says.
pub fn examine(options: &Options, checks: &Checks, say: Say<'_>) -> io::Result<u8> {
    let mut report = Report::new(say, checks.json);
    steps(options, checks, &mut report);
    report.end()
}

fn steps(options: &Options, checks: &Checks, report: &mut Report<'_>) {
    let place = image::Place::new(&options.root, checks.offline);
    let Some(config) = settings::check(options, &place, report) else { return };
    let loaded = files::check(&config, &place, report);
    let now = clock::utc();
    let is_clock_set = clock::is_believable(now);
    let patient = Patient::new(config, loaded);
    if is_clock_set {
        report.ok(Step::Clock, format!("{now}"));
    } else {
        patient.fail(Step::Clock, &Failure::ClockNotSet, report);
    }
    let sample = vitals::check(&patient, &place, report);
    let Some(target) = patient.target().filter(|_| !checks.offline) else { return };
    match &patient.loaded {
        Some(loaded) if is_clock_set => talk::check(&patient, &target, loaded, sample, report),
        // There is no TLS without both, but what is below it can be looked at.
        _ => way::check_tcp(&patient, &target, report),
    }
}

/// What is examined, as far as it could be read.
struct Patient {
    config: Config,
    endpoint: String,
    loaded: Option<Loaded>,
}

impl Patient {
    fn new(config: Config, loaded: Option<Loaded>) -> Self {
        Self { endpoint: config.endpoint.clone().unwrap_or_default(), config, loaded }
    }

    /// Where to connect, if the configuration says it.
    fn target(&self) -> Option<Target> {
        Target::new(&self.endpoint, self.config.port)
    }

    fn explain(&self, failure: &Failure) -> Words {
        let now = clock::utc();
        let never = Utc::from_millis(0);
        let loaded = self.loaded.as_ref();
        failure.explain(Context {
            endpoint: &self.endpoint,
            port: self.config.port,
            client_id: &self.config.client_id,
            topics: &self.config.topics,
            // These two are told of TLS only, which there is not without them.
            certificate: loaded.map_or(Path::new(""), |loaded| &loaded.files.certificate),
            validity: loaded.map_or(Validity { from: never, until: never }, |loaded| loaded.validity),
            now,
            resolvers: &resolvers(),
        })
    }

    fn fail(&self, step: Step, failure: &Failure, report: &mut Report<'_>) {
        report.tell(
            step,
            Verdict::Fail(failure.exit_code()),
            None,
            String::new(),
            Some(self.explain(failure)),
        );
    }
}

/// It works, and should be looked at.
const WARN: Verdict = Verdict::Warn;
/// The configuration, or a file that it names, is wrong.
const CONFIG: Verdict = Verdict::Fail(exit::CONFIG);
