//! What the loop does about alerts: the looks between the samples, and the samples outside the grid.

use log::{Level, log, warn};

use super::Agent;
use crate::measure::alert::{Alert, BURST, WAIT};
use crate::measure::watch::{Look, Watch};
use crate::message::json::Number;
use crate::metric::sample::Sample;
use crate::platform::clock::BootTime;

const _: () = assert!(BURST == 20 && WAIT.as_secs() == 180, "as is told below");

impl Agent {
    /// Begins to watch, after a time in which `before` was watched.
    pub(super) fn start_watch(&mut self, before: &[Alert], now: BootTime) {
        let alerts = &self.setup.config.alerts;
        let mut watch = Watch::new(&self.probes, alerts, &self.schedule, now);
        if let (Some(watch), Some(old)) = (&mut watch, &self.watch) {
            watch.go_on_from(old, alerts, before);
        }
        self.watch = watch;
    }

    /// When a sample or a look is due next.
    pub(super) fn next_due(&self) -> BootTime {
        let look = self.watch.as_ref().map_or(BootTime::NEVER, Watch::next);
        self.schedule.next().min(look)
    }

    /// The moment to date a sample with if one is due, on the grid or because of an alert.
    pub(super) fn due(&mut self, now: BootTime) -> Option<BootTime> {
        let due = self.schedule.due(now);
        let alerted = self.look(now);
        due.or(alerted)
    }

    fn look(&mut self, now: BootTime) -> Option<BootTime> {
        let due = self.watch.as_mut()?.due(now)?;
        let health = self.health();
        match self.watch.as_mut()?.look(&self.setup.config.alerts, now, &health) {
            Look::Calm => None,
            Look::Changed => Some(due),
            Look::TooOften => {
                warn!(
                    "alerts: 20 changes were told, each with a sample: from now on one every 180 s at the most, \
                     until there is calm"
                );
                None
            }
        }
    }

    /// Tells the changes, and publishes the very values that have crossed a threshold: another reading
    /// might be another one.
    pub(super) fn put_alerts_into(&mut self, sample: &mut Sample) {
        let Some(watch) = &mut self.watch else { return };
        let config = &self.setup.config;
        for (alert, news) in config.alerts.iter().zip(watch.news()) {
            let Some((is_crossed, value)) = news else { continue };
            let (level, over) = if is_crossed { (Level::Warn, "") } else { (Level::Info, " is over") };
            log!(level, "alert: {}{over}: it is {}", alert.text, Number(value));
            sample.replace(&config.series, &alert.series, Ok(value));
        }
    }
}
