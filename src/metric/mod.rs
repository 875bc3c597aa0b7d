//! The list of metrics: every metric's key, names and unit. Adding one begins here.

use std::fmt;

mod list;
pub mod sample;

/// Mount points whose usage can be watched at once.
pub const MOUNTS_MAX: usize = 4;
/// Network interfaces that can be watched at once.
pub const INTERFACES_MAX: usize = 4;
/// Disks that can be watched at once.
pub const DISKS_MAX: usize = 4;

/// Longest mount point, in bytes.
pub const MOUNT_LEN_MAX: usize = 64;
/// Longest name of an interface (the kernel's limit) or a disk, in bytes. Nothing that has to be escaped
/// is allowed in it.
pub const DEVICE_LEN_MAX: usize = 15;

/// Series that one sample can hold: every metric as often as its scope allows.
pub const SERIES_MAX: usize = series_max();

const fn series_max() -> usize {
    let mut metrics: &[Metric] = &Metric::ALL;
    let mut series = 0;
    while let [metric, rest @ ..] = metrics {
        series += metric.description().scope.things_max();
        metrics = rest;
    }
    series
}

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Busy time of all cores.
    Cpu,
    /// Memory that is not available to programs.
    Memory,
    /// Used part of a file system.
    Disk,
    /// Temperature of the SoC.
    Temperature,
    /// Whether the supply's voltage is too low.
    UnderVoltageNow,
    /// Whether the ARM cores' clock is limited.
    FrequencyCappedNow,
    /// Whether the firmware slows the board down.
    ThrottledNow,
    /// Whether the soft temperature limit is reached.
    SoftLimitNow,
    /// Whether the voltage has been too low.
    UnderVoltageSinceBoot,
    /// Whether the ARM cores' clock has been limited.
    FrequencyCappedSinceBoot,
    /// Whether the board has been slowed down.
    ThrottledSinceBoot,
    /// Whether the soft temperature limit has been reached.
    SoftLimitSinceBoot,
    /// What the ARM cores' clock runs at.
    Clock,
    /// What the SoC's core is supplied with.
    CoreVoltage,
    /// Load average of one minute.
    Load1,
    /// Load average of five minutes.
    Load5,
    /// Load average of fifteen minutes.
    Load15,
    /// Time since boot.
    Uptime,
    /// Swap space in use.
    Swap,
    /// What an interface receives.
    NetworkReceived,
    /// What an interface sends.
    NetworkSent,
    /// What is read from a disk.
    DiskRead,
    /// What is written to a disk.
    DiskWritten,
    /// Time in which some task waited for a core.
    CpuPressure,
    /// Time in which some task waited for memory.
    MemoryPressureSome,
    /// Time in which all tasks waited for memory.
    MemoryPressureFull,
    /// Time in which some task waited for storage.
    IoPressureSome,
    /// Time in which all tasks waited for storage.
    IoPressureFull,
    /// Strength of the Wi-Fi's signal.
    WifiSignal,
    /// Used life time of the root's eMMC, type A cells.
    SdLifeTimeA,
    /// Used life time of the root's eMMC, type B cells.
    SdLifeTimeB,
    /// Reserved blocks of the root's eMMC.
    SdPreEol,
    /// What is written to the root's disk.
    SdWrittenPerDay,
    /// Whether the root file system is read-only.
    ReadonlyRoot,
    /// Processes killed for want of memory.
    OomKills,
    /// Tasks that there are.
    Processes,
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
    /// What it is measured of.
    pub scope: Scope,
    /// What the number means, for the documentation.
    pub meaning: &'static str,
}

impl Metric {
    /// All metrics, in the order of the documentation.
    pub const ALL: [Self; 41] = [
        Self::Cpu,
        Self::Memory,
        Self::Disk,
        Self::Temperature,
        Self::UnderVoltageNow,
        Self::FrequencyCappedNow,
        Self::ThrottledNow,
        Self::SoftLimitNow,
        Self::UnderVoltageSinceBoot,
        Self::FrequencyCappedSinceBoot,
        Self::ThrottledSinceBoot,
        Self::SoftLimitSinceBoot,
        Self::Clock,
        Self::CoreVoltage,
        Self::Load1,
        Self::Load5,
        Self::Load15,
        Self::Uptime,
        Self::Swap,
        Self::NetworkReceived,
        Self::NetworkSent,
        Self::DiskRead,
        Self::DiskWritten,
        Self::CpuPressure,
        Self::MemoryPressureSome,
        Self::MemoryPressureFull,
        Self::IoPressureSome,
        Self::IoPressureFull,
        Self::WifiSignal,
        Self::SdLifeTimeA,
        Self::SdLifeTimeB,
        Self::SdPreEol,
        Self::SdWrittenPerDay,
        Self::ReadonlyRoot,
        Self::OomKills,
        Self::Processes,
        Self::AgentDropped,
        Self::AgentReconnects,
        Self::AgentQueue,
        Self::AgentPuback,
        Self::CertificateDays,
    ];

    /// What stands in the configuration for all that the board has.
    pub const ALL_KEY: &str = "all";

    /// Those that the configuration names where it is silent.
    pub const DEFAULT: [Self; 4] = [Self::Cpu, Self::Memory, Self::Disk, Self::Temperature];

    /// Whether it is of the agent itself, and not of the board.
    #[must_use]
    pub const fn is_of_agent(self) -> bool {
        matches!(
            self,
            Self::AgentDropped
                | Self::AgentReconnects
                | Self::AgentQueue
                | Self::AgentPuback
                | Self::CertificateDays
        )
    }

    /// Whether its value is that of a time, since the last reading, and not that of a moment.
    #[must_use]
    pub const fn is_rate(self) -> bool {
        matches!(
            self,
            Self::Cpu
                | Self::NetworkReceived
                | Self::NetworkSent
                | Self::DiskRead
                | Self::DiskWritten
                | Self::CpuPressure
                | Self::MemoryPressureSome
                | Self::MemoryPressureFull
                | Self::IoPressureSome
                | Self::IoPressureFull
                | Self::SdWrittenPerDay
        )
    }

    /// The metrics that the configuration calls `key`; none if there is no such key.
    pub fn of_key(key: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |metric| metric.description().key == key)
    }
}

/// What a metric is measured of: each such thing has a series of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole device, so one series.
    Board,
    /// A mount point.
    Mount,
    /// A network interface.
    Interface,
    /// A disk: a card, a stick, a drive; no partition.
    Disk,
}

impl Scope {
    /// How many of its things can be watched at once.
    #[must_use]
    pub const fn things_max(self) -> usize {
        match self {
            Self::Board => 1,
            Self::Mount => MOUNTS_MAX,
            Self::Interface => INTERFACES_MAX,
            Self::Disk => DISKS_MAX,
        }
    }

    /// The longest name of one of its things, in bytes.
    #[must_use]
    pub const fn name_len_max(self) -> usize {
        match self {
            Self::Board => 0,
            Self::Mount => MOUNT_LEN_MAX,
            Self::Interface | Self::Disk => DEVICE_LEN_MAX,
        }
    }
}

/// A unit of CloudWatch's list (API reference, `MetricDatum`); any other is refused there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 0–100.
    Percent,
    /// 10⁶ bytes.
    Megabytes,
    /// Bytes in a second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
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
            Self::BytesPerSecond => "Bytes/Second",
            Self::Seconds => "Seconds",
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
    /// The name of what it is measured of, which the metric's [`Scope`] says: a mount point, an
    /// interface, a disk. None for the whole board.
    pub of: Option<Box<str>>,
}

impl Series {
    /// The series of a metric that the board has one of.
    #[must_use]
    pub const fn new(metric: Metric) -> Self {
        Self { metric, of: None }
    }

    /// The series of a metric of the thing with this name.
    #[must_use]
    pub fn of(metric: Metric, name: &str) -> Self {
        Self { metric, of: Some(name.into()) }
    }

    /// What follows the metric's key or name to tell its things apart. A mount point is its path with `_`
    /// for each `/`, and the root nothing; other things are their name after a `_`.
    #[must_use]
    pub fn suffix(&self) -> Suffix<'_> {
        let name = self.of.as_deref().unwrap_or_default();
        Suffix(name.strip_prefix('/').unwrap_or(name))
    }
}

/// As a log line names it: `disk usage /data`, `network sent eth0`.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric.description().rule_name)?;
        if let Some(name) = &self.of {
            f.write_str(" ")?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// A thing in the form it has in a key: `/var/log` is `_var_log`, `eth0` is `_eth0`, `/` is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suffix<'a>(&'a str);

impl fmt::Display for Suffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split('/').filter(|_| !self.0.is_empty()) {
            f.write_str("_")?;
            f.write_str(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
