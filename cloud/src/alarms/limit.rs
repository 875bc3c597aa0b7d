//! Values that are an alarm: of which metric, from where on, and what to do then.

use pivitals::metric::{Metric, Series};

use super::Beat;
use crate::fleet::Fleet;
use crate::model::{Alarm, Part, Value, Watch};

/// What the user may set.
pub const TEMPERATURE_LIMIT: &str = "TemperatureLimit";
/// What the user may set.
pub const DISK_LIMIT: &str = "DiskLimit";

/// Samples in a row that have to be beyond a limit.
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

    /// The alarm on what is watched.
    pub fn alarm(&self, name: String, watch: Watch, beat: Beat) -> Alarm {
        Alarm {
            name,
            description: self.advice.to_owned(),
            watch,
            comparison: if self.is_low { "LessThanThreshold" } else { "GreaterThanOrEqualToThreshold" },
            threshold: (self.threshold)(),
            period: beat.period,
            periods: SAMPLES_BEYOND,
            missing: "missing",
        }
    }
}

/// The limits of what a fleet measures.
pub fn limits(fleet: &Fleet) -> impl Iterator<Item = (&'static Limit, &Series)> {
    LIMITS.iter().flat_map(|limit| {
        let series = fleet.series.iter().filter(|series| series.metric == limit.metric);
        series.map(move |series| (limit, series))
    })
}
