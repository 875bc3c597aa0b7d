//! One sample to look at, without a network.

use std::io::{self, Write};
use std::path::Path;

use log::warn;

use super::notices::Notices;
use super::{RATE_TIME, encoder};
use crate::config::Config;
use crate::measure::probe::{Health, Probes};
use crate::message::payload::LEN_MAX;
use crate::metric::Metric;
use crate::metric::sample::NoData;
use crate::net::credentials::Credentials;
use crate::platform::adjtimex::kernel_clock;
use crate::platform::clock::{self, Utc};
use crate::platform::hardware_clock;
use crate::platform::wall_clock::WallClock;
use crate::queue::outbox::{Outbox, Parts};

/// Prints one sample as it would be published, a payload a line.
///
/// # Errors
/// What `out` says.
pub fn print(config: &Config, root: &Path, out: &mut impl Write) -> io::Result<()> {
    let mut probes = Probes::new(root, &config.series);
    probes.prime(clock::boot_time());
    std::thread::sleep(RATE_TIME);
    let taken_at = clock::boot_time();
    let now = clock::utc();
    let mut wall = WallClock::new(hardware_clock::has_set_the_clock(root, now));
    let is_clock_set = wall.update(taken_at, now, kernel_clock).is_set();
    let sample = probes.sample(taken_at, taken_at, &health(config, is_clock_set.then_some(now)));
    let mut encoder = encoder(config);
    Notices::default().sample(&config.series, &sample);
    if !is_clock_set {
        warn!(
            "the system clock is not set: the timestamps below may be wrong, and nothing would be published"
        );
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

/// The health of an agent that has done nothing yet. `now` is `None` if the system clock is not set.
fn health(config: &Config, now: Option<Utc>) -> Health {
    let certificate_days = if !config.series.iter().any(|series| series.metric == Metric::CertificateDays) {
        Err(NoData::NotPresent)
    } else if let Some(now) = now {
        let credentials = Credentials::load(config.certificates.clone(), config.needs_alpn());
        let days = |credentials: Credentials| credentials.current().validity.days_left(now);
        credentials.map(days).map_err(|_| NoData::NotPresent)
    } else {
        Err(NoData::NoClock)
    };
    Health { certificate_days, ..Health::default() }
}
