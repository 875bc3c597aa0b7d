//! Values that are an alarm: of which metric, from where on, and what to do then.

use pivitals::measure::alert::{Alert, Side};
use pivitals::metric::{Metric, Series};

use super::beat::Beat;
use crate::fleet::Fleet;
use crate::model::{Alarm, Part, Value, Watch};

/// What the user may set.
pub const TEMPERATURE_LIMIT: &str = "TemperatureLimit";
/// What the user may set.
pub const DISK_LIMIT: &str = "DiskLimit";

/// Samples in a row that have to be beyond a limit, where the device has no alert of its own on it.
const SAMPLES_BEYOND: i64 = 3;

/// When a metric's value is an alarm.
pub struct Limit {
    metric: Metric,
    /// What the alarm is called.
    pub id: &'static str,
    is_low: bool,
    threshold: fn() -> Value,
    advice: &'static str,
}

const LIMITS: [Limit; 5] = [
    Limit {
        metric: Metric::Temperature,
        id: "Temperature",
        is_low: false,
        threshold: || Part::Parameter(TEMPERATURE_LIMIT).into(),
        advice: "The SoC is hot, and slows down soon: look at its ventilation and its load.",
    },
    Limit {
        metric: Metric::Disk,
        id: "Disk",
        is_low: false,
        threshold: || Part::Parameter(DISK_LIMIT).into(),
        advice: "The file system is nearly full: look for logs that grow.",
    },
    Limit {
        metric: Metric::UnderVoltageNow,
        id: "UnderVoltage",
        is_low: false,
        threshold: || 1.into(),
        advice: "The supply's voltage is too low: look at the power supply and its cable.",
    },
    Limit {
        metric: Metric::ReadonlyRoot,
        id: "ReadOnly",
        is_low: false,
        threshold: || 1.into(),
        advice: "The root file system is read-only, as after an error: look at the SD card.",
    },
    Limit {
        metric: Metric::CertificateDays,
        id: "Certificate",
        is_low: true,
        threshold: || 14.into(),
        advice: "The device's certificate expires soon: give it a new one.",
    },
];

impl Limit {
    /// CloudWatch's word for what is taken of a period.
    pub const fn statistic(&self) -> &'static str {
        if self.is_low { "Minimum" } else { "Maximum" }
    }

    /// Periods in a row that have to be beyond it. What a device has an alert on may be over with the next
    /// sample, which it takes at once; then the first one is enough.
    pub fn periods(&self, fleet: &Fleet, series: &Series) -> i64 {
        let is_alert = |alert: &Alert| alert.series == *series && (alert.side == Side::Below) == self.is_low;
        if fleet.config.alerts.iter().any(is_alert) { 1 } else { SAMPLES_BEYOND }
    }

    /// The alarm on what is watched, after so many periods.
    pub fn alarm(&self, name: String, watch: Watch, beat: Beat, periods: i64) -> Alarm {
        Alarm {
            name,
            description: self.advice.to_owned(),
            watch,
            comparison: if self.is_low { "LessThanThreshold" } else { "GreaterThanOrEqualToThreshold" },
            threshold: (self.threshold)(),
            period: beat.period,
            periods,
            missing: "missing",
        }
    }
}

/// From where on the devices themselves alert: the lowest threshold, without its decimal, so that the alarm is
/// not later than the alert.
pub fn alert_threshold(fleet: &Fleet, metric: Metric) -> Option<i64> {
    let is_above = |alert: &&Alert| alert.series.metric == metric && alert.side == Side::Above;
    fleet.config.alerts.iter().filter(is_above).map(|alert| alert.threshold.0.div_euclid(10)).min()
}

/// The limits of what a fleet measures.
pub fn limits(fleet: &Fleet) -> impl Iterator<Item = (&'static Limit, &Series)> {
    LIMITS.iter().flat_map(|limit| {
        let series = fleet.series.iter().filter(|series| series.metric == limit.metric);
        series.map(move |series| (limit, series))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarms::alarms;
    use crate::fleet::Known;
    use crate::model::Kind;

    fn fleet(set: &[&str]) -> Fleet {
        let set: Vec<_> = set.iter().map(|&set| set.to_owned()).collect();
        let known = Known { devices: vec!["pi-7".to_owned()], ..Known::default() };
        Fleet::load(Some("/dev/null".as_ref()), &set, &known).unwrap()
    }

    /// Of the alarm whose name begins so.
    fn periods(fleet: &Fleet, begin: &str) -> i64 {
        let found = alarms(fleet).into_iter().find_map(|resource| match resource.kind {
            Kind::Alarm(alarm) if alarm.name.starts_with(begin) => Some(alarm.periods),
            _ => None,
        });
        found.unwrap()
    }

    #[test]
    fn an_alert_is_where_the_limit_begins_and_its_first_sample_is_enough() {
        let alerts = ["alert=temperature > 72.5", "alert=disk_data > 95", "alert=under_voltage_now > 0"];
        for format in ["format=emf", "format=rule"] {
            let fleet = fleet(&[&alerts[..], &["disk=/ /data", "metrics=disk", format]].concat());
            let begins = [Metric::Temperature, Metric::Disk, Metric::CertificateDays];
            assert_eq!(begins.map(|metric| alert_threshold(&fleet, metric)), [Some(72), Some(95), None]);
            for (name, expected) in [
                ("cpu temperature", 1),
                ("disk usage /data", 1),
                ("under-voltage now", 1),
                ("disk usage /", 3),
            ] {
                assert_eq!(periods(&fleet, &format!("PiVitals: {name} of ")), expected, "{format}: {name}");
            }
        }
    }

    #[test]
    fn the_lowest_of_the_alerts_counts_and_none_that_is_for_low_values() {
        let several = fleet(&["disk=/ /data", "alert=disk > 92", "alert=disk_data > 85", "alert=disk > 99"]);
        assert_eq!(alert_threshold(&several, Metric::Disk), Some(85));
        let below = fleet(&["alert=temperature < 5", "metrics=temperature"]);
        assert_eq!(alert_threshold(&below, Metric::Temperature), None);
        assert_eq!(periods(&below, "PiVitals: cpu temperature of "), SAMPLES_BEYOND);
    }
}
