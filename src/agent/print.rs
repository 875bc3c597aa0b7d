//! One sample to look at, without a network.

use std::io::{self, Write};
use std::path::Path;

use log::warn;

use super::once::RATE_TIME;
use crate::config::Config;
use crate::measure::probe::{Health, Probes};
use crate::message::payload::{Encoder, LEN_MAX};
use crate::metric::Metric;
use crate::metric::sample::NoData;
use crate::net::credentials::Credentials;
use crate::platform::clock;
use crate::queue::outbox::{Outbox, Parts};
use crate::report::notices::Notices;

/// Prints one sample as it would be published, a payload a line.
///
/// # Errors
/// What `out` says.
pub fn print(config: &Config, root: &Path, out: &mut impl Write) -> io::Result<()> {
    let mut probes = Probes::new(root, &config.series);
    probes.prime(clock::boot_time());
    std::thread::sleep(RATE_TIME);
    let taken_at = clock::boot_time();
    let sample = probes.sample(taken_at, taken_at, &health(config));
    let mut encoder = Encoder::new(config.format, config.series.clone(), &config.label, &config.namespace);
    Notices::default().sample(&config.series, &sample);
    let now = clock::utc();
    if !clock::is_believable(now) {
        warn!("the system clock is not set: the timestamps below are wrong, and nothing would be published");
    }
    let mut outbox = Outbox::new(1);
    let parts = encoder.parts(&sample);
    outbox.push(&sample, parts);
    while let Some(ticket) = outbox.next_ticket(Parts::default()) {
        let dated = outbox.waiting(ticket).map(|sample| (sample, now));
        let Some(message) = encoder.encode(ticket.part(), LEN_MAX, dated) else { break };
        out.write_all(message.payload)?;
        out.write_all(b"\n")?;
        outbox.sent(ticket, message.samples);
    }
    out.flush()
}

/// An agent that has done nothing yet; of its certificate it knows what there is.
fn health(config: &Config) -> Health {
    let now = clock::utc();
    let certificate_days = if !config.series.iter().any(|series| series.metric == Metric::CertificateDays) {
        Err(NoData::NotPresent)
    } else if clock::is_believable(now) {
        let credentials = Credentials::load(config.certificates.clone(), config.needs_alpn());
        let days = |credentials: Credentials| credentials.current().validity.days_left(now);
        credentials.map(days).map_err(|_| NoData::NotPresent)
    } else {
        Err(NoData::NoClock)
    };
    Health { certificate_days, ..Health::default() }
}
