//! What the loop does about alerts: the looks between the samples, and the samples outside the grid.

use log::{info, warn};

use super::Agent;
use crate::alert::{BURST, Change, Tenths, WAIT};
use crate::clock::BootTime;
use crate::sample::Sample;
use crate::watch::{Look, Watch};

impl Agent {
    /// Begins to watch; alerts that were watched before go on as they were.
    pub(super) fn start_watch(&mut self, now: BootTime) {
        let watch = Watch::new(&self.root, &self.setup.config.alerts, &self.schedule, now);
        let before = self.watch.take();
        self.watch = watch.map(|watch| match &before {
            Some(before) => watch.after(before),
            None => watch,
        });
    }

    /// When a sample or a look is due next.
    pub(super) fn next_due(&self) -> BootTime {
        let look = self.watch.as_ref().map_or(BootTime::NEVER, Watch::next);
        self.schedule.next().min(look)
    }

    /// The moment to date a sample with if one is due, on the grid or because of an alert.
    pub(super) fn due(&mut self, now: BootTime) -> Option<BootTime> {
        let due = self.schedule.due(now);
        let alerted = self.look(now, due.is_some());
        due.or(alerted)
    }

    fn look(&mut self, now: BootTime, is_sampled: bool) -> Option<BootTime> {
        let due = self.watch.as_mut()?.due(now)?;
        let health = self.health();
        match self.watch.as_mut()?.look(now, &health, is_sampled) {
            Look::Calm => None,
            Look::Changed => Some(due),
            Look::TooOften => {
                let wait_secs = WAIT.as_secs();
                warn!(
                    "alerts: {BURST} samples outside the grid were taken: from now on one every {wait_secs} s \
                     at the most, until there is calm"
                );
                None
            }
        }
    }

    /// Tells the changes, and publishes the very values that have crossed a threshold: another reading
    /// might be another one.
    pub(super) fn put_alerts_into(&mut self, sample: &mut Sample) {
        let Some(watch) = &mut self.watch else { return };
        for change in watch.news() {
            tell(&change);
            sample.replace(&self.setup.config.series, &change.alert.series, Ok(change.value));
        }
    }
}

fn tell(&Change { alert, is_crossed, value }: &Change<'_>) {
    let value = Tenths::of(value);
    if is_crossed {
        warn!("alert: {alert}: it is {value}");
    } else {
        info!("alert: {alert} is over: it is {value}");
    }
}
