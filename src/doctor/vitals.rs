//! One sample, as `once` would take it: what is published, and which metrics there are none of.

use std::time::Duration;

use super::image::Place;
use super::report::{Report, Step};
use super::{Patient, WARN};
use crate::measure::probe::{Health, Probes};
use crate::metric::sample::{NoData, Sample};
use crate::platform::clock::{self, Utc};
use crate::report::failure::{Failure, Words};

/// Between the two readings of a counter.
const RATE_TIME: Duration = Duration::from_secs(1);

/// The sample and when it was taken; `None` where there is nothing to be measured.
pub fn check(
    patient: &Patient,
    place: &Place,
    is_clock_set: bool,
    report: &mut Report<'_>,
) -> Option<(Sample, Utc)> {
    if place.is_image {
        return None; // it measures nothing
    }
    let series = &patient.config.series;
    let mut probes = Probes::new(&place.root, series);
    probes.prime(clock::boot_time());
    std::thread::sleep(RATE_TIME);
    let now = clock::utc();
    let taken_at = clock::boot_time();
    let sample = probes.sample(taken_at, taken_at, &health(patient, is_clock_set.then_some(now)));
    let known = sample.readings.iter().filter(|reading| reading.is_ok()).count();
    if known == 0 {
        patient.fail(Step::Metrics, &Failure::NothingMeasured, report);
    } else {
        report.ok(Step::Metrics, format!("{known} of {} can be read", series.len()));
    }
    for (series, reading) in series.iter().zip(&sample.readings) {
        match reading {
            // What an agent that has just begun cannot know is no fault.
            Ok(_) | Err(NoData::NotYet | NoData::NoClock) => {}
            Err(why) => {
                let words = Words::new(
                    format!("{series}: no reading: {}", why.as_str()),
                    "look after its source, or leave it out of `metrics` and `alert`",
                );
                report.bad(Step::Metrics, WARN, words);
            }
        }
    }
    Some((sample, now))
}

/// The health of an agent that has done nothing yet. `now` is `None` if the clock is not set.
fn health(patient: &Patient, now: Option<Utc>) -> Health {
    let certificate_days = match (&patient.loaded, now) {
        (Some(loaded), Some(now)) => Ok(loaded.validity.days_left(now)),
        _ => Err(NoData::NoClock),
    };
    Health { certificate_days, ..Health::default() }
}
