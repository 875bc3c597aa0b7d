//! What the uplink tells, into the log.

use log::debug;

use crate::config::setup::Setup;
use crate::platform::clock;
use crate::report::failure::{Context, Failure, Words, resolvers};
use crate::report::notices::{self, Notices};
use crate::uplink::event::Event;
use crate::uplink::retry::{Action, Next};

/// Logs an event of the uplink.
pub fn tell(notices: &mut Notices, setup: &Setup, event: Event) {
    match event {
        Event::CertificatesChanged => notices::certificates_changed(setup.credentials.current()),
        Event::CertificatesRetried => debug!("the new certificates are tried once more"),
        Event::CertificatesUnusable(problems) => notices::certificates_unusable(&problems),
        Event::Connected(version) => debug!("connected, MQTT {version}"),
        Event::Acknowledged { is_proof, waiting, dropped } => {
            notices.acknowledged(setup, is_proof, waiting, dropped);
        }
        Event::Allowed { topic } => notices::allowed(setup.config.topics.name(topic)),
        Event::Held { why, is_news } => {
            if is_news {
                notices.denied(&explain(setup, &why));
            }
        }
        Event::TooFast => debug!("the broker gets too many messages; sending more slowly"),
        Event::Unannounced(why) => notices::unannounced(&explain(setup, &why)),
        Event::Stray(id) => notices::stray(id),
        Event::Ended(next) => ended(notices, setup, &next),
    }
}

fn ended(notices: &mut Notices, setup: &Setup, next: &Next) {
    let words = explain(setup, &next.failure);
    let wait_secs = next.wait.as_secs();
    match &next.action {
        Action::OtherVersion => debug!("{words}; trying the other version of MQTT"),
        Action::WithoutAnnouncement(why) => {
            if let Some(why) = why {
                notices::unannounced(&explain(setup, why));
            }
            debug!("{words}; next attempt in {wait_secs} s");
        }
        Action::AlreadyReported => debug!("{words}; next attempt in {wait_secs} s"),
        Action::Retry | Action::Suspect | Action::Hold { .. } => {
            notices.failed(&next.failure, &words, wait_secs);
        }
    }
    if next.went_back {
        notices::went_back(&setup.credentials.current().files.certificate);
    }
}

/// A failure in words, with the values in question.
#[must_use]
pub fn explain(setup: &Setup, failure: &Failure) -> Words {
    failure.explain(Context::of(setup, clock::utc(), &resolvers()))
}
