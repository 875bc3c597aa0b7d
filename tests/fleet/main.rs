//! A hundred thousand devices in simulated time, with the agent's own waits and its own schedule: what
//! a broker sees of them when it comes back, and in normal work. `docs/fleet.svg` shows it;
//! `PIVITALS_BLESS=1 cargo test --test fleet` draws it anew, to be looked at before it is kept.

mod minute;
mod outage;
mod plot;
mod rate;

use std::path::Path;
use std::{env, fs};

use pivitals::uplink::backoff::CAP;

use minute::Boot;
use outage::{BACK_AT, Recovery, Silence};

/// The fleet.
const DEVICES: usize = 100_000;
/// The peak of a recovery is at most so many times its mean.
const RECOVERY_PEAK_MAX: f64 = 3.0;
/// The peak of normal work is at most so many times its mean. Were the devices thrown like dice, a
/// second would hold 1,667 with a standard deviation of 2.4 %.
const WORK_PEAK_MAX: f64 = 1.2;

#[test]
fn the_peak_of_the_recovery_is_at_most_three_times_its_mean() {
    let recovery = Recovery::simulate(Silence::Lost);
    let (peak, mean) = (recovery.peak(), recovery.mean());
    assert!(peak <= RECOVERY_PEAK_MAX * mean, "{peak} connects a second, {mean:.0} in the mean");
}

#[test]
fn every_device_is_back_one_timeout_and_the_longest_wait_after_its_broker() {
    for silence in [Silence::Lost, Silence::Repeated] {
        let recovery = Recovery::simulate(silence);
        assert_eq!(recovery.connected.within(BACK_AT, u64::MAX).len(), DEVICES);
        let longest = u64::try_from(CAP.as_millis()).unwrap() + outage::SILENT_AFTER + outage::CONNECT;
        assert!(recovery.ended_at() <= BACK_AT + longest, "{}", recovery.ended_at() - BACK_AT);
    }
}

#[test]
fn publishes_are_spread_over_the_minute() {
    for boot in [Boot::AnyTime, Boot::Together] {
        let published = minute::publishes(boot);
        assert_eq!(published.within(minute::FROM, minute::FROM + minute::MINUTE).len(), DEVICES);
        let (peak, mean) = (minute::peak(&published), minute::mean());
        assert!(peak <= WORK_PEAK_MAX * mean, "{boot:?}: {peak} publishes a second, {mean:.0} in the mean");
    }
}

#[test]
fn the_plot_in_the_documentation_is_this_simulation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet.svg");
    let drawn = plot::draw();
    assert!(drawn.len() < 60_000, "{} bytes", drawn.len());
    if env::var_os("PIVITALS_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "PIVITALS_BLESS=1 cargo test --test fleet draws {} anew", path.display());
}
