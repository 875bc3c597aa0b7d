//! MQTT with the broker: CONNECT, one sample on each topic, and whether the client id stays ours.

use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use super::report::{Report, Step, Verdict};
use super::{Patient, WARN, way};
use crate::config::Config;
use crate::message::payload::Encoder;
use crate::metric::sample::Sample;
use crate::mqtt::reason;
use crate::mqtt::{Answer, SessionError, Settings, Version};
use crate::net::link::{Link, LinkError, Target};
use crate::net::tls::Loaded;
use crate::platform::clock::{self, BootTime, Utc};
use crate::queue::outbox::Parts;
use crate::report::failure::{Failure, Words};
use crate::uplink::backoff;
use crate::uplink::version::VersionChoice;

mod online;

use online::Online;

/// So long another device with the same client id gets to come back.
const HOLD_TIME: Duration = Duration::from_secs(3);
/// A status file that is older was left behind.
const STATUS_AGE_MAX: Duration = Duration::from_secs(60);

/// Everything from the name of the broker to the client id.
pub fn check(
    patient: &Patient,
    target: &Target,
    loaded: &Loaded,
    sample: Option<(Sample, Utc)>,
    report: &mut Report<'_>,
) {
    if let Some(words) = running_agent(&patient.config) {
        report.bad(Step::ClientId, WARN, words);
    }
    let version = VersionChoice::new(patient.config.mqtt);
    let mut talk = Talk { patient, target, loaded, version, is_told: false, acknowledged: Vec::new() };
    let Some(online) = talk.connect(report) else { return };
    let Some((sample, time)) = sample else { return };
    let online = talk.publish(online, &sample, time, report);
    if let Some(slowest) = talk.acknowledged.iter().max() {
        let found = format!("the slowest of {}", talk.acknowledged.len());
        report.tell(Step::Puback, Verdict::Ok, Some(*slowest), found, None);
    }
    if let Some(online) = online {
        talk.hold(online, report);
    }
}

/// An agent on this device, as far as its status file tells.
fn running_agent(config: &Config) -> Option<Words> {
    let path = config.status_file.as_deref()?;
    let text = std::fs::read_to_string(path).ok()?;
    let written = std::fs::metadata(path).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let age = Duration::from_millis(clock::utc().as_millis()).saturating_sub(written);
    let is_fresh = age < 2 * config.interval + STATUS_AGE_MAX;
    (is_fresh && !text.contains("\"state\":\"ended\"")).then(|| {
        Words::new(
            format!("{}: an agent runs here, and loses its connection to this examination", path.display()),
            "it connects again by itself; its log will name another device with this client id",
        )
    })
}

struct Talk<'a> {
    patient: &'a Patient,
    target: &'a Target,
    loaded: &'a Loaded,
    version: VersionChoice,
    /// The way to the broker was told once.
    is_told: bool,
    /// How long each PUBACK took.
    acknowledged: Vec<Duration>,
}

impl Talk<'_> {
    /// Connects, in the version of the protocol that the broker takes. `None` if it cannot be. What goes
    /// well is told the first time.
    fn connect(&mut self, report: &mut Report<'_>) -> Option<Online> {
        let mut is_other_version = false;
        loop {
            let (link, tls_took) = self.open(report)?;
            let tls = link.tls_version().unwrap_or_default().to_owned();
            let began = clock::boot_time();
            let mut online = Online::new(link, &self.settings(), began);
            let answer = online.next_event(BootTime::NEVER);
            let took = clock::boot_time().since(began);
            let is_first = !std::mem::replace(&mut self.is_told, true);
            match answer {
                // In TLS 1.3 it is only now that the broker says what it thinks of a certificate.
                Err(failure @ Failure::Link(_)) => {
                    self.fail(Step::Tls, &failure, tls_took + took, report);
                    return None;
                }
                _ if is_first => report.tell(Step::Tls, Verdict::Ok, Some(tls_took), tls, None),
                _ => {}
            }
            match answer {
                Err(failure) if self.version.choose_after(&failure) => {
                    is_other_version = true;
                    sleep(backoff::FLOOR); // AWS takes one CONNECT a second
                }
                Err(failure) => {
                    self.fail(Step::Connect, &failure, took, report);
                    return None;
                }
                Ok(_) => {
                    self.version.accepted();
                    if is_first || is_other_version {
                        let refused = if is_other_version { " (it does not take 5)" } else { "" };
                        let client_id = &self.patient.config.client_id;
                        let found =
                            format!("MQTT {}{refused}, client id {client_id}", self.version.current());
                        report.tell(Step::Connect, Verdict::Ok, Some(took), found, None);
                    }
                    return Some(online);
                }
            }
        }
    }

    /// Name, TCP and TLS. Gives the time that TLS took.
    fn open(&self, report: &mut Report<'_>) -> Option<(Link, Duration)> {
        let (patient, began) = (self.patient, clock::boot_time());
        let mut tls_took = Duration::ZERO;
        let opened =
            Link::open(self.target, self.loaded.tls.clone(), began).map_err(|error| (error, tls_took));
        let opened = opened.and_then(|mut link| {
            way::go(&mut link, began, &mut |phase, link, took| {
                tls_took = took; // that of the last phase
                if !self.is_told {
                    way::tell(patient, phase, link, took, report);
                }
            })?;
            Ok(link)
        });
        match opened {
            Ok(link) => Some((link, tls_took)),
            Err((error, took)) => {
                way::tell_error(patient, error, took, report);
                None
            }
        }
    }

    fn settings(&self) -> Settings<'_> {
        let config = &self.patient.config;
        Settings {
            version: self.version.current(),
            client_id: &config.client_id,
            topics: config.topics.names(),
            keep_alive_secs: config.keep_alive_secs,
            will: None,
        }
    }

    fn fail(&self, step: Step, failure: &Failure, took: Duration, report: &mut Report<'_>) {
        let words = Some(self.patient.explain(failure));
        report.tell(step, Verdict::Fail(failure.exit_code()), Some(took), String::new(), words);
    }

    /// Publishes a sample, topic by topic and one message at a time, so that a connection that is closed
    /// tells which topic is denied. What is denied does not keep the rest from being tried, on another
    /// connection. `None` if something else went wrong.
    fn publish(
        &mut self,
        online: Online,
        sample: &Sample,
        time: Utc,
        report: &mut Report<'_>,
    ) -> Option<Online> {
        let config = &self.patient.config;
        let mut encoder =
            Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace);
        let parts = encoder.parts(sample);
        let mut online = Some(online);
        for (topic, name) in config.topics.names().iter().enumerate() {
            let of_topic = |part: &usize| parts.contains(*part) && config.topics.of(*part) == topic;
            let parts: Vec<_> = (0..Parts::MAX).filter(of_topic).collect();
            if parts.is_empty() {
                continue; // none of its metrics can be read, which was told
            }
            let mut current = match online.take() {
                Some(online) => online,
                None => self.connect_again(report)?,
            };
            let began = clock::boot_time();
            let published = parts.iter().try_for_each(|&part| {
                let took = current.publish(topic, part, &mut encoder, sample, time)?;
                self.acknowledged.push(took);
                Ok(())
            });
            match published {
                Ok(()) => {
                    report.ok(Step::Publish, format!("{name}: {} acknowledged", messages(parts.len())));
                    online = Some(current);
                }
                Err(failure) => {
                    let (step, failure) = self.verdict(topic, failure);
                    self.fail(step, &failure, clock::boot_time().since(began), report);
                    if step != Step::Publish || !failure.is_refusal() {
                        return None;
                    }
                    // A broker may close what it has refused something on, so the next begins anew.
                    current.close();
                }
            }
        }
        match online {
            Some(online) => Some(online),
            None => self.connect_again(report),
        }
    }

    fn connect_again(&mut self, report: &mut Report<'_>) -> Option<Online> {
        sleep(backoff::FLOOR);
        self.connect(report)
    }

    /// What the end of a message on a topic means, and what step it belongs to.
    fn verdict(&self, topic: usize, failure: Failure) -> (Step, Failure) {
        match failure {
            Failure::Session(SessionError::Disconnected(reason::SESSION_TAKEN_OVER)) => {
                (Step::ClientId, failure)
            }
            Failure::Session(SessionError::Unanswered(_)) => (Step::Puback, failure),
            Failure::Session(SessionError::Disconnected(reason::NOT_AUTHORIZED)) => {
                (Step::Publish, Failure::PublishRefused(topic, reason::NOT_AUTHORIZED))
            }
            Failure::Closed(Some(Answer::PubAck), LinkError::Closed)
                if self.version.current() == Version::V3 =>
            {
                (Step::Publish, Failure::ProbablyDenied { topic, is_certain: true })
            }
            failure => (Step::Publish, failure),
        }
    }

    /// Stays connected for a while, in which another device with this client id would come back.
    fn hold(&self, mut online: Online, report: &mut Report<'_>) {
        let began = clock::boot_time();
        loop {
            match online.next_event(began + HOLD_TIME) {
                Ok(Some(_)) => {} // an acknowledgement of nothing
                Ok(None) => break,
                Err(failure) => {
                    let failure = match failure {
                        Failure::Closed(None, _) if self.version.current() == Version::V3 => {
                            Failure::ProbablyTakenOver
                        }
                        failure => failure,
                    };
                    let took = clock::boot_time().since(began);
                    return self.fail(Step::ClientId, &failure, took, report);
                }
            }
        }
        online.close();
        let found = format!("nobody else took {} over", self.patient.config.client_id);
        report.tell(Step::ClientId, Verdict::Ok, Some(HOLD_TIME), found, None);
    }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
