//! Samples when they are due: on the grid, and when a value crosses an alert's threshold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::alert::{ALERTS_MAX, Alert};
use super::probe::{Health, Probes};
use super::schedule::Schedule;
use super::watch::{Look, Watch};
use crate::metric::Series;
use crate::metric::sample::Sample;
use crate::platform::clock::BootTime;

/// What is measured, and when.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// What is in a sample, in this order.
    pub series: &'a [Series],
    /// What is watched between the samples; its series are among those above.
    pub alerts: &'a [Alert],
    /// Between two samples; a second to a day.
    pub interval: Duration,
    /// Gives the phase of the grid.
    pub client_id: &'a str,
}

/// The probes, and when they are asked.
#[derive(Debug)]
pub struct Sampling {
    root: PathBuf,
    probes: Probes,
    schedule: Schedule,
    watch: Option<Watch>,
}

/// What is to be done at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// A sample is due, dated so.
    pub sample_at: Option<BootTime>,
    /// A value crossed a threshold, or came back; the sample may be outside the grid.
    pub is_alert: bool,
    /// The alerts have changed too often; told once.
    pub too_many_alerts: bool,
}

/// An alert that changed: its place among the plan's, whether it is crossed now, and the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The alert's place in the plan.
    pub index: usize,
    /// The threshold is crossed; otherwise the value is back.
    pub is_crossed: bool,
    /// In the series' unit.
    pub value: f64,
}

/// The alerts that changed with a sample.
pub type Changes = heapless::Vec<Change, ALERTS_MAX>;

impl Sampling {
    /// Measures what is under `root` as `plan` says. The first sample is due a second after `now`.
    #[must_use]
    pub fn new(root: &Path, plan: Plan<'_>, now: BootTime) -> Self {
        let mut probes = Probes::new(root, plan.series);
        probes.prime(now);
        let schedule = Schedule::new(plan.interval, plan.client_id, now);
        let watch = Watch::new(root, plan.alerts, &schedule, now);
        Self { root: root.to_owned(), probes, schedule, watch }
    }

    /// When [`due`](Self::due) has something to say.
    #[must_use]
    pub fn next_at(&self) -> BootTime {
        let look = self.watch.as_ref().map_or(BootTime::NEVER, Watch::next);
        self.schedule.next().min(look)
    }

    /// Reads what the alerts watch, if that is due, and says what is to be done. `health` is what the agent
    /// knows of itself.
    pub fn due(&mut self, plan: Plan<'_>, health: &Health, now: BootTime) -> Due {
        let on_grid = self.schedule.due(now);
        let watched = self.watch.as_mut().and_then(|watch| {
            let at = watch.due(now)?;
            Some((at, watch.look(plan.alerts, now, health)))
        });
        let alert_at = watched.and_then(|(at, look)| (look == Look::Changed).then_some(at));
        Due {
            sample_at: on_grid.or(alert_at),
            is_alert: alert_at.is_some(),
            too_many_alerts: matches!(watched, Some((_, Look::TooOften))),
        }
    }

    /// Takes a sample, dated `at`. Series whose alert changed get the very value that crossed the threshold:
    /// another reading might be on the other side.
    pub fn sample(
        &mut self,
        plan: Plan<'_>,
        at: BootTime,
        health: &Health,
        now: BootTime,
    ) -> (Sample, Changes) {
        let mut sample = self.probes.sample(at, now, health);
        let mut changes = Changes::new();
        let Some(watch) = &mut self.watch else { return (sample, changes) };
        for (index, (alert, news)) in plan.alerts.iter().zip(watch.news()).enumerate() {
            if let Some((is_crossed, value)) = news {
                sample.replace(plan.series, &alert.series, Ok(value));
                // Has room for all alerts that there can be.
                let _ = changes.push(Change { index, is_crossed, value });
            }
        }
        (sample, changes)
    }

    /// Goes on with another plan. Alerts that are the same stay as they are.
    pub fn change(&mut self, old: Plan<'_>, new: Plan<'_>, now: BootTime) {
        let are_series_other = new.series != old.series;
        if are_series_other {
            self.probes = Probes::new(&self.root, new.series);
            self.probes.prime(now);
        }
        let is_grid_other = new.interval != old.interval || new.client_id != old.client_id;
        // With other series too: a rate needs a second since its first reading.
        if is_grid_other || are_series_other || new.alerts != old.alerts {
            self.schedule = Schedule::new(new.interval, new.client_id, now);
            let mut watch = Watch::new(&self.root, new.alerts, &self.schedule, now);
            if let (Some(watch), Some(before)) = (&mut watch, &self.watch) {
                watch.go_on_from(before, new.alerts, old.alerts);
            }
            self.watch = watch;
        }
    }
}
