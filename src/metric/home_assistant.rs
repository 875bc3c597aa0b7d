//! How Home Assistant presents a metric.
//!
//! Source: Home Assistant's documentation of sensors and binary sensors, and of their device classes, each
//! of which allows certain units only.

use super::unit::Unit;

/// What a metric is in Home Assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presentation {
    /// A sensor, with the device class and the unit that follow from the metric's [`Unit`].
    Sensor,
    /// The same for a number that only grows, until a boot or a start of the agent sets it back.
    Counter,
    /// A sensor whose device class and unit CloudWatch's unit does not tell. Either may be empty.
    Of {
        /// The device class.
        device: &'static str,
        /// The unit of measurement.
        unit: &'static str,
    },
    /// A binary sensor of the device class `problem`: 1 is a problem, 0 is none.
    Problem,
}

/// The three properties by which Home Assistant sorts a metric. Each may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// The device class.
    pub device: &'static str,
    /// The unit of measurement.
    pub unit: &'static str,
    /// The state class; empty for a binary sensor.
    pub state: &'static str,
}

impl Class {
    /// The class of a metric with this presentation and this unit.
    #[must_use]
    pub const fn new(presentation: Presentation, unit: Unit) -> Self {
        let (device, unit) = match (presentation, unit) {
            (Presentation::Problem, _) => return Self { device: "problem", unit: "", state: "" },
            (Presentation::Of { device, unit }, _) => (device, unit),
            (_, Unit::Percent) => ("", "%"),
            (_, Unit::Megabytes) => ("data_size", "MB"),
            (_, Unit::BytesPerSecond) => ("data_rate", "B/s"),
            (_, Unit::Seconds) => ("duration", "s"),
            (_, Unit::Milliseconds) => ("duration", "ms"),
            (_, Unit::Count | Unit::None) => ("", ""),
        };
        let is_counter = matches!(presentation, Presentation::Counter);
        Self { device, unit, state: if is_counter { "total_increasing" } else { "measurement" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_follows_from_unit_unless_the_presentation_names_it() {
        let class = |presentation, unit| {
            let Class { device, unit, state } = Class::new(presentation, unit);
            [device, unit, state]
        };
        let megahertz = Presentation::Of { device: "frequency", unit: "MHz" };
        assert_eq!(class(Presentation::Sensor, Unit::Megabytes), ["data_size", "MB", "measurement"]);
        assert_eq!(class(Presentation::Counter, Unit::Seconds), ["duration", "s", "total_increasing"]);
        assert_eq!(class(Presentation::Counter, Unit::Count), ["", "", "total_increasing"]);
        assert_eq!(class(megahertz, Unit::None), ["frequency", "MHz", "measurement"]);
        assert_eq!(class(Presentation::Problem, Unit::Count), ["problem", "", ""]);
    }
}
