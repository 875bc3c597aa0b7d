//! The list of metrics: every metric's key, names and unit. Adding one begins here.

use std::fmt;

/// Mount points whose usage can be watched at once.
pub const MOUNTS_MAX: usize = 4;

/// Series that one sample can hold: every metric once, [`Metric::Disk`] once a mount point.
pub const SERIES_MAX: usize = Metric::ALL.len() - 1 + MOUNTS_MAX;

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Busy time of all cores.
    Cpu,
    /// Memory that is not available to programs.
    Memory,
    /// Used part of a file system; one series a mount point.
    Disk,
    /// Temperature of the SoC.
    Temperature,
    /// Samples that a full queue has dropped.
    AgentDropped,
    /// Connections after the first.
    AgentReconnects,
    /// Samples that wait for their acknowledgement.
    AgentQueue,
    /// How long the broker takes to acknowledge.
    AgentPuback,
    /// What is left of the device's certificate.
    CertificateDays,
}

/// How a metric is called and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// In the configuration's `metrics`. Metrics that one key stands for follow each other in
    /// [`Metric::ALL`].
    pub key: &'static str,
    /// In the `rule` format, before the label.
    pub rule_name: &'static str,
    /// In the `flat` format; the unit stands in it.
    pub flat_key: &'static str,
    /// In the `emf` format.
    pub emf_name: &'static str,
    /// What CloudWatch is told.
    pub unit: Unit,
    /// What the number means, for the documentation.
    pub meaning: &'static str,
}

impl Metric {
    /// All metrics, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Cpu,
        Self::Memory,
        Self::Disk,
        Self::Temperature,
        Self::AgentDropped,
        Self::AgentReconnects,
        Self::AgentQueue,
        Self::AgentPuback,
        Self::CertificateDays,
    ];

    /// Those that the configuration names where it is silent.
    pub const DEFAULT: [Self; 4] = [Self::Cpu, Self::Memory, Self::Disk, Self::Temperature];

    /// The metric's row in the list.
    #[must_use]
    pub const fn description(self) -> &'static Description {
        match self {
            Self::Cpu => &Description {
                key: "cpu",
                rule_name: "cpu usage",
                flat_key: "cpu_percent",
                emf_name: "cpu_usage",
                unit: Unit::Percent,
                meaning: "busy time of all cores since the last sample; idle and iowait are not busy",
            },
            Self::Memory => &Description {
                key: "memory",
                rule_name: "memory usage",
                flat_key: "memory_used_megabytes",
                emf_name: "memory_used",
                unit: Unit::Megabytes,
                meaning: "MemTotal − MemAvailable, in 10⁶ bytes, as `free --mega` counts",
            },
            Self::Disk => &Description {
                key: "disk",
                rule_name: "disk usage",
                flat_key: "disk_percent",
                emf_name: "disk_usage",
                unit: Unit::Percent,
                meaning: "used part of what unprivileged users can use, as `df` counts; one a mount point",
            },
            Self::Temperature => &Description {
                key: "temperature",
                rule_name: "cpu temperature",
                flat_key: "temperature_celsius",
                emf_name: "cpu_temperature",
                unit: Unit::None,
                meaning: "the SoC's temperature in °C (CloudWatch has no unit for it)",
            },
            Self::AgentDropped => &Description {
                key: "agent",
                rule_name: "agent samples dropped",
                flat_key: "agent_samples_dropped",
                emf_name: "agent_samples_dropped",
                unit: Unit::Count,
                meaning: "samples that the full queue has dropped since the agent's start",
            },
            Self::AgentReconnects => &Description {
                key: "agent",
                rule_name: "agent reconnects",
                flat_key: "agent_reconnects",
                emf_name: "agent_reconnects",
                unit: Unit::Count,
                meaning: "connections since the agent's start, without the first",
            },
            Self::AgentQueue => &Description {
                key: "agent",
                rule_name: "agent queue",
                flat_key: "agent_queue_samples",
                emf_name: "agent_queue",
                unit: Unit::Count,
                meaning: "earlier samples that are not acknowledged yet",
            },
            Self::AgentPuback => &Description {
                key: "agent",
                rule_name: "agent puback latency",
                flat_key: "agent_puback_milliseconds",
                emf_name: "agent_puback_latency",
                unit: Unit::Milliseconds,
                meaning: "from a publish to its PUBACK, the shortest since the last sample",
            },
            Self::CertificateDays => &Description {
                key: "certificate_days",
                rule_name: "certificate days left",
                flat_key: "certificate_days",
                emf_name: "certificate_days",
                unit: Unit::None,
                meaning: "whole days until the device's certificate expires; negative after that",
            },
        }
    }

    /// The metrics that the configuration calls `key`; none if there is no such key.
    pub fn of_key(key: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |metric| metric.description().key == key)
    }
}

/// A unit of CloudWatch's list (API reference, `MetricDatum`); any other is refused there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 0–100.
    Percent,
    /// 10⁶ bytes.
    Megabytes,
    /// Thousandths of a second.
    Milliseconds,
    /// A number of things.
    Count,
    /// A number without a unit of the list.
    None,
}

impl Unit {
    /// The unit's name, as CloudWatch spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "Percent",
            Self::Megabytes => "Megabytes",
            Self::Milliseconds => "Milliseconds",
            Self::Count => "Count",
            Self::None => "None",
        }
    }
}

/// A metric of one thing: what becomes a line in a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What is measured.
    pub metric: Metric,
    /// Of which mount point, for [`Metric::Disk`].
    pub mount: Option<Box<str>>,
}

impl Series {
    /// What follows the metric's key or name for a mount point other than `/`: its path, with `_`
    /// for each `/`.
    #[must_use]
    pub fn suffix(&self) -> Suffix<'_> {
        Suffix(self.mount.as_deref().filter(|mount| *mount != "/").unwrap_or_default())
    }
}

/// As a log line names it: `disk usage /data`.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric.description().rule_name)?;
        self.mount.as_ref().map_or(Ok(()), |mount| write!(f, " {mount}"))
    }
}

/// A mount point in the form it has in a key: `/var/log` is `_var_log`, `/` is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suffix<'a>(&'a str);

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.split('/').enumerate() {
            if index > 0 {
                f.write_str("_")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_metrics_share_a_name() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            for other in Metric::ALL.into_iter().skip(index + 1) {
                let (a, b) = (metric.description(), other.description());
                assert_ne!(a.rule_name, b.rule_name);
                assert_ne!(a.flat_key, b.flat_key);
                assert_ne!(a.emf_name, b.emf_name);
            }
        }
    }

    #[test]
    fn a_metric_is_found_by_its_key_and_by_no_part_of_it() {
        for metric in Metric::ALL {
            assert!(Metric::of_key(metric.description().key).any(|found| found == metric));
        }
        assert_eq!(Metric::of_key("agent").count(), 4);
        assert_eq!(Metric::of_key("cp").count() + Metric::of_key("cpu ").count(), 0);
    }

    #[test]
    fn the_metrics_of_a_key_follow_each_other() {
        let keys = Metric::ALL.map(|metric| metric.description().key);
        let mut groups: Vec<_> = keys.chunk_by(|a, b| a == b).map(|group| group[0]).collect();
        let number = groups.len();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), number);
    }

    #[test]
    fn a_mount_point_becomes_a_suffix() {
        for (mount, suffix) in [("/", ""), ("/data", "_data"), ("/var/log", "_var_log")] {
            let series = Series { metric: Metric::Disk, mount: Some(mount.into()) };
            assert_eq!(series.suffix().to_string(), suffix);
        }
    }
}
