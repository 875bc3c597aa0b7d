//! One sample to look at, without a network.

use std::io::{self, Write};
use std::path::Path;

use log::warn;

use super::notices::Notices;
use super::{RATE_TIME, encoder};
use crate::clock;
use crate::config::Config;
use crate::outbox::Outbox;
use crate::payload::LEN_MAX;
use crate::probe::Probes;

/// Prints one sample as it would be published, a payload a line.
///
/// # Errors
/// What `out` says.
pub fn print(config: &Config, root: &Path, out: &mut impl Write) -> io::Result<()> {
    let mut probes = Probes::new(root, &config.series);
    probes.prime();
    std::thread::sleep(RATE_TIME);
    let taken_at = clock::boot_time();
    let sample = probes.sample(taken_at);
    let mut encoder = encoder(config);
    Notices::default().sample(&config.series, &sample);
    let now = clock::utc();
    if !clock::is_believable(now) {
        warn!("the system clock is not set: the timestamps below are wrong, and nothing would be published");
    }
    let mut outbox = Outbox::new(1);
    let parts = encoder.parts(&sample);
    outbox.push(sample, parts);
    while let Some(ticket) = outbox.next_ticket() {
        let dated = outbox.waiting(ticket).map(|sample| (sample, now));
        let Some(message) = encoder.encode(ticket.part(), LEN_MAX, dated) else { break };
        out.write_all(message.payload)?;
        out.write_all(b"\n")?;
        outbox.sent(ticket, message.samples);
    }
    out.flush()
}
