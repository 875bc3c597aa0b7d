//! MQTT with the broker: CONNECT, one sample on each topic, and whether the client id stays ours.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use super::report::{Report, Step, Verdict};
use super::{Patient, WARN, way};
use crate::backoff;
use crate::clock::{self, BootTime, Utc};
use crate::config::Config;
use crate::failure::{Failure, Words, reason};
use crate::link::{Link, Phase, Target};
use crate::outbox::Parts;
use crate::payload::Encoder;
use crate::sample::Sample;
use crate::session::{Answer, Event, SessionError, Settings, Version};
use crate::tls::Loaded;
use crate::version::VersionChoice;

mod online;

use online::Online;

/// So long another device with the same client id gets to come back.
const HOLD_TIME: Duration = Duration::from_secs(3);
/// A status file that is older was left behind.
const STATUS_AGE_MAX: Duration = Duration::from_secs(60);

/// Everything from the name of the broker to the client id.
pub fn check<W: Write>(
    patient: &Patient,
    target: &Target,
    loaded: &Loaded,
    sample: Option<(Sample, Utc)>,
    report: &mut Report<W>,
) -> io::Result<()> {
    if let Some(words) = running_agent(&patient.config) {
        report.bad(Step::ClientId, WARN, words)?;
    }
    let version = VersionChoice::new(patient.config.mqtt);
    let mut talk = Talk { patient, target, loaded, version, is_told: false, acknowledged: Vec::new() };
    let Some(online) = talk.connect(report)? else { return Ok(()) };
    let Some((sample, time)) = sample else { return Ok(()) };
    let online = talk.publish(online, &sample, time, report)?;
    if let Some(slowest) = talk.acknowledged.iter().max() {
        let found = format!("the slowest of {}", talk.acknowledged.len());
        report.tell(Step::Puback, Verdict::Ok, Some(*slowest), found, None)?;
    }
    online.map_or(Ok(()), |online| talk.hold(online, report))
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
    /// Connects, in the version of the protocol that the broker takes. `None` if it cannot be.
    fn connect<W: Write>(&mut self, report: &mut Report<W>) -> io::Result<Option<Online>> {
        let patient = self.patient;
        let mut is_other_version = false;
        loop {
            let began = clock::boot_time();
            let mut link = match Link::open(self.target, self.loaded.tls.clone(), began) {
                Ok(link) => link,
                Err(error) => {
                    return way::tell_error(patient, error, Duration::ZERO, report).map(|()| None);
                }
            };
            let (is_told, mut tls_took) = (self.is_told, Duration::ZERO);
            let way = way::go(&mut link, began, |phase, link, took| match phase {
                Phase::Handshaking => {
                    tls_took = took;
                    Ok(())
                }
                _ if is_told => Ok(()),
                phase => way::tell(patient, phase, link, took, report),
            })?;
            if let Err((error, took)) = way {
                return way::tell_error(patient, error, took, report).map(|()| None);
            }
            let tls = link.tls_version().unwrap_or_default().to_owned();
            let began = clock::boot_time();
            let mut online = Online::new(link, &self.settings(), began);
            let answer = online.next_event(BootTime::NEVER);
            let took = clock::boot_time().since(began);
            match answer {
                // In TLS 1.3 it is only now that the broker says what it thinks of a certificate.
                Err(failure @ Failure::Link(_)) => {
                    return self.fail(Step::Tls, &failure, tls_took + took, report);
                }
                _ if self.is_told => {}
                _ => report.tell(Step::Tls, Verdict::Ok, Some(tls_took), tls, None)?,
            }
            self.is_told = true;
            match answer {
                Err(failure) if self.version.choose_after(&failure) => {
                    is_other_version = true;
                    sleep(backoff::FLOOR); // AWS takes one CONNECT a second
                }
                Err(failure) => return self.fail(Step::Connect, &failure, took, report),
                Ok(_) => {
                    self.version.accepted();
                    let refused = if is_other_version { " (it does not take 5)" } else { "" };
                    let found = format!(
                        "MQTT {}{refused}, client id {}",
                        self.version.current(),
                        patient.config.client_id
                    );
                    return report
                        .tell(Step::Connect, Verdict::Ok, Some(took), found, None)
                        .map(|()| Some(online));
                }
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
        }
    }

    fn fail<W: Write, T>(
        &self,
        step: Step,
        failure: &Failure,
        took: Duration,
        report: &mut Report<W>,
    ) -> io::Result<Option<T>> {
        let words = Some(self.patient.explain(failure));
        report.tell(step, Verdict::Fail(failure.exit_code()), Some(took), String::new(), words)?;
        Ok(None)
    }

    /// Publishes a sample, topic by topic and one message at a time, so that a connection that is closed
    /// tells which topic is denied. What is denied does not keep the rest from being tried, on another
    /// connection. `None` if something else went wrong.
    fn publish<W: Write>(
        &mut self,
        online: Online,
        sample: &Sample,
        time: Utc,
        report: &mut Report<W>,
    ) -> io::Result<Option<Online>> {
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
                None => match self.connect_again(report)? {
                    Some(online) => online,
                    None => return Ok(None),
                },
            };
            let began = clock::boot_time();
            let published = parts.iter().try_for_each(|&part| {
                let took = current.publish(topic, part, &mut encoder, sample, time)?;
                self.acknowledged.push(took);
                Ok(())
            });
            match published {
                Ok(()) => {
                    report.ok(Step::Publish, format!("{name}: {} acknowledged", messages(parts.len())))?;
                    online = Some(current);
                }
                Err(failure) => {
                    let (step, failure) = self.verdict(topic, failure);
                    self.fail::<_, ()>(step, &failure, clock::boot_time().since(began), report)?;
                    if step != Step::Publish || !failure.is_refusal() {
                        return Ok(None);
                    }
                    // A broker may close what it has refused something on, so the next begins anew.
                    current.close();
                }
            }
        }
        match online {
            Some(online) => Ok(Some(online)),
            None => self.connect_again(report),
        }
    }

    fn connect_again<W: Write>(&mut self, report: &mut Report<W>) -> io::Result<Option<Online>> {
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
            Failure::Closed(Some(Answer::PubAck), _) if self.version.current() == Version::V3 => {
                (Step::Publish, Failure::ProbablyDenied(topic))
            }
            failure => (Step::Publish, failure),
        }
    }

    /// Stays connected for a while, in which another device with this client id would come back.
    fn hold<W: Write>(&self, mut online: Online, report: &mut Report<W>) -> io::Result<()> {
        let began = clock::boot_time();
        loop {
            match online.next_event(began + HOLD_TIME) {
                Ok(Some(
                    Event::Stray(_) | Event::Connected | Event::Acknowledged(()) | Event::Refused(..),
                )) => {}
                Ok(None) => break,
                Err(failure) => {
                    let failure = match failure {
                        Failure::Closed(None, _) if self.version.current() == Version::V3 => {
                            Failure::ProbablyTakenOver
                        }
                        failure => failure,
                    };
                    let took = clock::boot_time().since(began);
                    return self.fail::<_, ()>(Step::ClientId, &failure, took, report).map(drop);
                }
            }
        }
        online.close();
        let found = format!("nobody else took {} over", self.patient.config.client_id);
        report.tell(Step::ClientId, Verdict::Ok, Some(HOLD_TIME), found, None)
    }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
