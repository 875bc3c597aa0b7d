//! The second hand of the alerts: reads what they watch, with probes of its own, so that the rates of the
//! samples are not disturbed.
//!
//! What has a value at each moment is read every second. What is a rate is read every ten, because one
//! second of a CPU is noise.

use crate::measure::alert::{ALERTS_MAX, Alert, Limit, Watched};
use crate::measure::probe::{Health, Probes};
use crate::measure::schedule::Schedule;
use crate::platform::clock::BootTime;

/// Seconds over which a rate is taken.
const RATE_TICKS: u8 = 10;

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing that is to be told now.
    Calm,
    /// A sample is to be taken, with [`Watch::news`].
    Changed,
    /// It would be, but there were too many changes; this is said once.
    TooOften,
}

/// How far the alerts have come.
#[derive(Debug)]
pub struct Watch {
    /// One an alert.
    watched: [Watched; ALERTS_MAX],
    /// Of the series of the alerts, in their order.
    probes: Probes,
    schedule: Schedule,
    /// Since the rates were read last.
    ticks: u8,
    limit: Limit,
    /// For what the last look has found.
    has_room: bool,
}

impl Watch {
    /// Watches the board that `samples` measures. `None` without alerts. The first look is due with the next
    /// sample of `schedule`, and looks fall on the same fraction of a second as samples: they wake the
    /// processor once, and a rate is never taken over less than a second.
    #[must_use]
    pub fn new(samples: &Probes, alerts: &[Alert], schedule: &Schedule, now: BootTime) -> Option<Self> {
        if alerts.is_empty() {
            return None;
        }
        let series: Vec<_> = alerts.iter().map(|alert| alert.series.clone()).collect();
        let mut probes = samples.beside(&series);
        probes.prime(now);
        Some(Self {
            watched: [Watched::default(); ALERTS_MAX],
            probes,
            schedule: schedule.of_seconds(),
            ticks: 0,
            limit: Limit::default(),
            has_room: false,
        })
    }

    /// Goes on where another watch ends: with the alerts that are the same, and with its limit.
    pub fn go_on_from(&mut self, other: &Self, alerts: &[Alert], others: &[Alert]) {
        self.limit = other.limit;
        for (watched, alert) in self.watched.iter_mut().zip(alerts) {
            for (before, other) in other.watched.iter().zip(others) {
                if other.is_like(alert) {
                    *watched = *before;
                }
            }
        }
    }

    /// When the next look is due.
    #[must_use]
    pub const fn next(&self) -> BootTime {
        self.schedule.next()
    }

    /// The moment to date a sample with if a look is due, as [`Schedule::due`] gives it.
    pub fn due(&mut self, now: BootTime) -> Option<BootTime> {
        self.schedule.due(now)
    }

    /// Reads what the alerts watch. `health` is what the agent says of itself. A change needs room also when a
    /// sample is taken in any case: it makes a line in the log.
    pub fn look(&mut self, alerts: &[Alert], now: BootTime, health: &Health) -> Look {
        self.ticks = (self.ticks + 1) % RATE_TICKS;
        let are_rates_due = self.ticks == 0;
        if are_rates_due {
            self.probes.count(now);
        }
        self.probes.refresh();
        for (index, Alert { series, .. }) in alerts.iter().enumerate() {
            let is_read = alerts.iter().take(index).any(|earlier| earlier.series == *series);
            let is_seldom_read = series.metric.is_rate() || self.probes.needs_child(index);
            if is_read || is_seldom_read && !are_rates_due {
                continue;
            }
            // Once for all of its alerts: no time lies between this reading of a counter and another.
            let reading = self.probes.read(index, health);
            for (alert, watched) in alerts.iter().zip(&mut self.watched) {
                if alert.series == *series {
                    watched.take(alert, reading);
                }
            }
        }
        let is_news = self.watched.iter().any(Watched::is_news);
        self.has_room = is_news && self.limit.take(now);
        if self.has_room {
            Look::Changed
        } else if is_news && self.limit.is_news() {
            Look::TooOften
        } else {
            Look::Calm
        }
    }

    /// What there is to tell of each alert with a sample that is taken now, as [`Watched::tell`] gives it;
    /// nothing without room.
    pub fn news(&mut self) -> impl Iterator<Item = Option<(bool, f64)>> {
        let has_room = self.has_room;
        self.watched.iter_mut().map(move |watched| if has_room { watched.tell() } else { None })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use pivitals_broker::{Board, TestDir};

    use super::*;
    use crate::measure::alert::{Side, Tenths};
    use crate::metric::{Metric, Series};

    const START: BootTime = BootTime::from_millis(100_250);
    const SECOND: Duration = Duration::from_secs(1);

    fn hourly() -> Schedule {
        Schedule::new(Duration::from_secs(3600), "pi-7", START)
    }

    fn above(metric: Metric, threshold: i64) -> Alert {
        let (text, series) = (String::new(), Series::new(metric));
        Alert { text, series, side: Side::Above, threshold: Tenths(10 * threshold) }
    }

    /// A board with a sensor, and a watch on it that has looked never yet.
    fn watch(dir: &TestDir, alerts: &[Alert]) -> (Board, Watch) {
        let board = Board::new(&dir.path().join("root")).unwrap();
        let watch = Watch::new(&Probes::new(board.root(), &[]), alerts, &hourly(), START).unwrap();
        (board, watch)
    }

    fn look(watch: &mut Watch, alerts: &[Alert]) -> Look {
        let now = watch.next();
        assert_eq!(watch.due(now), Some(now));
        watch.look(alerts, now, &Health::default())
    }

    fn told(watch: &mut Watch) -> Vec<(bool, f64)> {
        watch.news().flatten().collect()
    }

    #[test]
    fn without_alerts_there_is_nothing_to_wake_for() {
        assert!(Watch::new(&Probes::default(), &[], &hourly(), START).is_none());
    }

    #[test]
    fn a_look_every_second_neither_drifts_nor_makes_up_for_a_suspend() {
        let dir = TestDir::new("watch-suspend");
        let (_board, mut watch) = watch(&dir, &[above(Metric::Temperature, 80)]);
        watch.due(watch.next());
        let second = watch.next();
        assert_eq!(
            watch.due(second + Duration::from_millis(300)),
            Some(second),
            "late, and dated as it was due"
        );
        assert_eq!(watch.next(), second + SECOND);
        let awake = second + Duration::from_millis(3_600_500);
        assert_eq!(watch.due(awake), Some(awake));
        assert_eq!(watch.due(awake), None);
        assert!(
            watch.next().since(awake) >= SECOND && watch.next().since(awake) < 2 * SECOND,
            "back on its grid"
        );
        assert_eq!(watch.next().since(second).subsec_millis(), 0);
    }

    #[test]
    fn a_value_that_crosses_and_is_back_is_seen_at_the_next_look() {
        let dir = TestDir::new("watch-value");
        let alerts = [above(Metric::Temperature, 80)];
        let (board, mut watch) = watch(&dir, &alerts);
        for (sensor, seen) in [
            ("79000", Look::Calm),
            ("81200", Look::Changed),
            ("no number", Look::Calm),
            ("79000", Look::Calm),
            ("75900", Look::Changed),
        ] {
            fs::write(board.sensor(), format!("{sensor}\n")).unwrap();
            assert_eq!(look(&mut watch, &alerts), seen, "{sensor}");
            assert_eq!(told(&mut watch).len(), usize::from(seen == Look::Changed));
        }
    }

    #[test]
    fn a_rate_is_taken_over_ten_seconds_and_the_others_every_second() {
        let dir = TestDir::new("watch-rate");
        let root = dir.path();
        fs::create_dir(root.join("proc")).unwrap();
        let stat =
            |busy: u64, idle: u64| fs::write(root.join("proc/stat"), format!("cpu {busy} 0 0 {idle}\n"));
        stat(0, 0).unwrap();
        let alerts = [above(Metric::Cpu, 50), above(Metric::Uptime, 0)];
        let mut watch = Watch::new(&Probes::new(root, &[]), &alerts, &hourly(), START).unwrap();
        // Busy for a second, which is no reason to be alarmed; and then for seven of ten.
        for (busy, rate) in [(1, vec![]), (7, vec![(true, 70.0)]), (4, vec![(false, 40.0)])] {
            for tick in 1..=10_u64 {
                fs::write(root.join("proc/uptime"), format!("{}.00 1.00\n", tick % 2)).unwrap();
                let seconds = watch.ticks;
                assert_eq!(u64::from(seconds), tick - 1);
                if tick == 10 {
                    let sum = fs::read_to_string(root.join("proc/stat")).unwrap();
                    let sums: Vec<u64> = sum.split(' ').filter_map(|word| word.trim().parse().ok()).collect();
                    stat(sums[0] + 100 * busy, sums[3] + 100 * (10 - busy)).unwrap();
                }
                assert_eq!(look(&mut watch, &alerts), Look::Changed, "of the uptime");
                let mut told = told(&mut watch);
                told.retain(|(_, value)| *value > 1.0);
                assert_eq!(told, if tick == 10 { rate.clone() } else { vec![] });
            }
            watch.limit = Limit::default();
        }
    }

    #[test]
    fn two_alerts_on_a_counter_see_the_same_rate() {
        let dir = TestDir::new("watch-two");
        let stat = |text| fs::write(dir.path().join("proc/stat"), text).unwrap();
        fs::create_dir(dir.path().join("proc")).unwrap();
        stat("cpu 0 0 0 0\n");
        let alerts = [above(Metric::Cpu, 50), above(Metric::Cpu, 60), above(Metric::Cpu, 80)];
        let mut watch = Watch::new(&Probes::new(dir.path(), &[]), &alerts, &hourly(), START).unwrap();
        stat("cpu 700 0 0 300\n");
        let looks: Vec<_> = (0..10).map(|_| look(&mut watch, &alerts)).collect();
        assert_eq!((looks[8], looks[9]), (Look::Calm, Look::Changed));
        assert_eq!(watch.news().collect::<Vec<_>>()[..3], [Some((true, 70.0)), Some((true, 70.0)), None]);
    }

    #[test]
    fn a_source_that_flaps_is_told_of_once_and_its_newest_state_as_soon_as_there_is_room() {
        let dir = TestDir::new("watch-flaps");
        let alerts = [above(Metric::Temperature, 80)];
        let (board, mut watch) = watch(&dir, &alerts);
        let set = |hot: bool| fs::write(board.sensor(), if hot { "90000\n" } else { "20000\n" }).unwrap();
        let mut looks = Vec::new();
        for second in 0..180 {
            set(second % 2 == 0);
            looks.push(look(&mut watch, &alerts));
            told_if_changed(&mut watch, looks[second]);
        }
        let count = |kind| looks.iter().filter(|look| **look == kind).count();
        assert_eq!((count(Look::Changed), count(Look::TooOften)), (20, 1));
        // The last that was told is that it is over; now it is not.
        set(true);
        assert_eq!(look(&mut watch, &alerts), Look::Changed);
        assert_eq!(told(&mut watch), [(true, 90.0)]);
        // A sample that is taken in any case tells nothing more.
        set(false);
        assert_eq!(look(&mut watch, &alerts), Look::Calm);
        assert_eq!(told(&mut watch), []);
    }

    fn told_if_changed(watch: &mut Watch, look: Look) {
        assert!(look != Look::Changed || told(watch).len() == 1);
    }

    #[test]
    fn an_alert_that_stays_goes_on_as_it_was_and_another_begins() {
        let dir = TestDir::new("watch-reload");
        let alerts = [above(Metric::Temperature, 40), above(Metric::Temperature, 90)];
        let (board, mut watch) = watch(&dir, &alerts);
        assert_eq!(look(&mut watch, &alerts), Look::Changed);
        assert_eq!(told(&mut watch), [(true, 48.312)]);
        let mut others = [above(Metric::Temperature, 45), above(Metric::Temperature, 40)];
        others[1].text = "the same in other words".to_owned();
        let mut next = Watch::new(&Probes::new(board.root(), &[]), &others, &hourly(), START).unwrap();
        next.go_on_from(&watch, &others, &alerts);
        assert_eq!(look(&mut next, &others), Look::Changed);
        let told: Vec<_> = next.news().take(2).collect();
        assert_eq!(told, [Some((true, 48.312)), None]);
    }
}
