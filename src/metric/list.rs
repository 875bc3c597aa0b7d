//! The list of metrics, in the order of the documentation. It is long because it is one list.
//!
//! A new metric is a variant and its row here, a probe in `src/measure/probe/`, and an arm in
//! `src/measure/probe.rs`. What else names the metrics follows from the list, or a test says which line is
//! missing.

use super::home_assistant::Presentation;
use super::scope::Scope;
use super::unit::Unit;

/// Something that is measured.
#[expect(missing_docs, reason = "the row in LIST says what each one means")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Cpu,
    Memory,
    Disk,
    Temperature,
    UnderVoltageNow,
    FrequencyCappedNow,
    ThrottledNow,
    SoftLimitNow,
    UnderVoltageSinceBoot,
    FrequencyCappedSinceBoot,
    ThrottledSinceBoot,
    SoftLimitSinceBoot,
    Clock,
    CoreVoltage,
    FanRpm,
    Load1,
    Load5,
    Load15,
    Uptime,
    Swap,
    NetworkReceived,
    NetworkSent,
    DiskRead,
    DiskWritten,
    CpuPressure,
    MemoryPressureSome,
    MemoryPressureFull,
    IoPressureSome,
    IoPressureFull,
    WifiSignal,
    SdLifeTimeA,
    SdLifeTimeB,
    SdPreEol,
    SdWrittenPerDay,
    ReadonlyRoot,
    OomKills,
    Processes,
    AgentDropped,
    AgentReconnects,
    AgentQueue,
    AgentPuback,
    CertificateDays,
}

/// A row of the list: a metric's names, its unit and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The metric.
    pub metric: Metric,
    /// The word in the configuration's `metrics`. One word may stand for several metrics, which then
    /// follow each other in the list.
    pub key: &'static str,
    /// The name in the `rule` format, before the label.
    pub rule_name: &'static str,
    /// The key in the `flat` format. It names the unit.
    pub flat_key: &'static str,
    /// The name in the `emf` format.
    pub emf_name: &'static str,
    /// The unit that CloudWatch is told.
    pub unit: Unit,
    /// What the metric is measured of.
    pub scope: Scope,
    /// Whether the value is of the time since the last reading, and not of the moment of the reading.
    pub is_rate: bool,
    /// Whether the agent measures itself, so that the metric exists on every board.
    pub is_of_agent: bool,
    /// What the metric is in Home Assistant.
    pub presentation: Presentation,
    /// What the number means, for the documentation.
    pub meaning: &'static str,
}

impl Description {
    /// What a row says where it says nothing else: a number without a unit, of the whole board, read at
    /// one moment. A row has to give the metric, the names and the meaning.
    const DEFAULT: Self = Self {
        metric: Metric::Cpu,
        key: "",
        rule_name: "",
        flat_key: "",
        emf_name: "",
        unit: Unit::None,
        scope: Scope::Board,
        is_rate: false,
        is_of_agent: false,
        presentation: Presentation::Sensor,
        meaning: "",
    };
}

// What the rows of one key have in common.
const THROTTLED: Description = Description {
    key: "throttled",
    unit: Unit::Count,
    presentation: Presentation::Problem,
    ..Description::DEFAULT
};
const LOAD: Description = Description { key: "load", ..Description::DEFAULT };
const NETWORK: Description = Description {
    key: "network",
    unit: Unit::BytesPerSecond,
    scope: Scope::Interface,
    is_rate: true,
    ..Description::DEFAULT
};
const DISK_IO: Description = Description {
    key: "disk_io",
    unit: Unit::BytesPerSecond,
    scope: Scope::Disk,
    is_rate: true,
    ..Description::DEFAULT
};
const PRESSURE: Description =
    Description { key: "pressure", unit: Unit::Percent, is_rate: true, ..Description::DEFAULT };
const SD_WEAR: Description = Description { key: "sd_wear", ..Description::DEFAULT };
const AGENT: Description =
    Description { key: "agent", unit: Unit::Count, is_of_agent: true, ..Description::DEFAULT };

/// A row for each metric, in the order of [`Metric`].
pub const LIST: &[Description] = &[
    Description {
        metric: Metric::Cpu,
        key: "cpu",
        rule_name: "cpu usage",
        flat_key: "cpu_percent",
        emf_name: "cpu_usage",
        unit: Unit::Percent,
        is_rate: true,
        meaning: "busy time of all cores since the last sample; idle and iowait are not busy",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::Memory,
        key: "memory",
        rule_name: "memory usage",
        flat_key: "memory_used_megabytes",
        emf_name: "memory_used",
        unit: Unit::Megabytes,
        meaning: "MemTotal − MemAvailable, in 10⁶ bytes, as `free --mega` counts",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::Disk,
        key: "disk",
        rule_name: "disk usage",
        flat_key: "disk_percent",
        emf_name: "disk_usage",
        unit: Unit::Percent,
        scope: Scope::Mount,
        meaning: "used part of what unprivileged users can use, as `df` counts; one a mount point",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::Temperature,
        key: "temperature",
        rule_name: "cpu temperature",
        flat_key: "temperature_celsius",
        emf_name: "cpu_temperature",
        presentation: Presentation::Of { device: "temperature", unit: "°C" },
        meaning: "the SoC's temperature in °C (CloudWatch has no unit for it)",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::UnderVoltageNow,
        rule_name: "under-voltage now",
        flat_key: "under_voltage_now",
        emf_name: "under_voltage_now",
        meaning: "1 while the supply's voltage is too low, else 0",
        ..THROTTLED
    },
    Description {
        metric: Metric::FrequencyCappedNow,
        rule_name: "frequency capped now",
        flat_key: "frequency_capped_now",
        emf_name: "frequency_capped_now",
        meaning: "1 while the firmware limits the ARM cores' clock, else 0",
        ..THROTTLED
    },
    Description {
        metric: Metric::ThrottledNow,
        rule_name: "throttled now",
        flat_key: "throttled_now",
        emf_name: "throttled_now",
        meaning: "1 while the firmware slows the board down, else 0",
        ..THROTTLED
    },
    Description {
        metric: Metric::SoftLimitNow,
        rule_name: "soft temperature limit now",
        flat_key: "soft_temperature_limit_now",
        emf_name: "soft_temperature_limit_now",
        meaning: "1 while the soft temperature limit is reached, else 0",
        ..THROTTLED
    },
    Description {
        metric: Metric::UnderVoltageSinceBoot,
        rule_name: "under-voltage since boot",
        flat_key: "under_voltage_since_boot",
        emf_name: "under_voltage_since_boot",
        meaning: "1 once the supply's voltage was too low, until the next boot",
        ..THROTTLED
    },
    Description {
        metric: Metric::FrequencyCappedSinceBoot,
        rule_name: "frequency capped since boot",
        flat_key: "frequency_capped_since_boot",
        emf_name: "frequency_capped_since_boot",
        meaning: "1 once the ARM cores' clock was limited, until the next boot",
        ..THROTTLED
    },
    Description {
        metric: Metric::ThrottledSinceBoot,
        rule_name: "throttled since boot",
        flat_key: "throttled_since_boot",
        emf_name: "throttled_since_boot",
        meaning: "1 once the board was slowed down, until the next boot",
        ..THROTTLED
    },
    Description {
        metric: Metric::SoftLimitSinceBoot,
        rule_name: "soft temperature limit since boot",
        flat_key: "soft_temperature_limit_since_boot",
        emf_name: "soft_temperature_limit_since_boot",
        meaning: "1 once the soft temperature limit was reached, until the next boot",
        ..THROTTLED
    },
    Description {
        metric: Metric::Clock,
        key: "clock",
        rule_name: "cpu clock",
        flat_key: "cpu_clock_megahertz",
        emf_name: "cpu_clock",
        presentation: Presentation::Of { device: "frequency", unit: "MHz" },
        meaning: "the ARM cores' clock in MHz, as the firmware measures it",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::CoreVoltage,
        key: "core_voltage",
        rule_name: "core voltage",
        flat_key: "core_millivolts",
        emf_name: "core_voltage",
        presentation: Presentation::Of { device: "voltage", unit: "mV" },
        meaning: "the SoC's core voltage in mV",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::FanRpm,
        key: "fan_rpm",
        rule_name: "fan speed",
        flat_key: "fan_rpm",
        emf_name: "fan_rpm",
        presentation: Presentation::Of { device: "", unit: "rpm" },
        meaning: "revolutions of the fan per minute; 0 while it stands still",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::Load1,
        rule_name: "load average 1 min",
        flat_key: "load_average_1_minute",
        emf_name: "load_average_1",
        meaning: "tasks that run, or wait for a core or for storage, averaged over a minute",
        ..LOAD
    },
    Description {
        metric: Metric::Load5,
        rule_name: "load average 5 min",
        flat_key: "load_average_5_minutes",
        emf_name: "load_average_5",
        meaning: "the same over five minutes",
        ..LOAD
    },
    Description {
        metric: Metric::Load15,
        rule_name: "load average 15 min",
        flat_key: "load_average_15_minutes",
        emf_name: "load_average_15",
        meaning: "the same over fifteen minutes",
        ..LOAD
    },
    Description {
        metric: Metric::Uptime,
        key: "uptime",
        rule_name: "uptime",
        flat_key: "uptime_seconds",
        emf_name: "uptime",
        unit: Unit::Seconds,
        presentation: Presentation::Counter,
        meaning: "time since boot",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::Swap,
        key: "swap",
        rule_name: "swap usage",
        flat_key: "swap_used_megabytes",
        emf_name: "swap_used",
        unit: Unit::Megabytes,
        meaning: "swap space in use, zram included, in 10⁶ bytes",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::NetworkReceived,
        rule_name: "network received",
        flat_key: "network_received_bytes_per_second",
        emf_name: "network_received",
        meaning: "bytes received since the last sample; one an interface",
        ..NETWORK
    },
    Description {
        metric: Metric::NetworkSent,
        rule_name: "network sent",
        flat_key: "network_sent_bytes_per_second",
        emf_name: "network_sent",
        meaning: "bytes sent since the last sample; one an interface",
        ..NETWORK
    },
    Description {
        metric: Metric::DiskRead,
        rule_name: "disk read",
        flat_key: "disk_read_bytes_per_second",
        emf_name: "disk_read",
        meaning: "bytes read since the last sample; one a disk",
        ..DISK_IO
    },
    Description {
        metric: Metric::DiskWritten,
        rule_name: "disk written",
        flat_key: "disk_written_bytes_per_second",
        emf_name: "disk_written",
        meaning: "bytes written since the last sample; one a disk",
        ..DISK_IO
    },
    Description {
        metric: Metric::CpuPressure,
        rule_name: "cpu pressure some",
        flat_key: "cpu_pressure_some_percent",
        emf_name: "cpu_pressure_some",
        meaning: "time since the last sample in which some task waited for a core",
        ..PRESSURE
    },
    Description {
        metric: Metric::MemoryPressureSome,
        rule_name: "memory pressure some",
        flat_key: "memory_pressure_some_percent",
        emf_name: "memory_pressure_some",
        meaning: "time since the last sample in which some task waited for memory",
        ..PRESSURE
    },
    Description {
        metric: Metric::MemoryPressureFull,
        rule_name: "memory pressure full",
        flat_key: "memory_pressure_full_percent",
        emf_name: "memory_pressure_full",
        meaning: "the same for all tasks that were not idle",
        ..PRESSURE
    },
    Description {
        metric: Metric::IoPressureSome,
        rule_name: "io pressure some",
        flat_key: "io_pressure_some_percent",
        emf_name: "io_pressure_some",
        meaning: "time since the last sample in which some task waited for storage",
        ..PRESSURE
    },
    Description {
        metric: Metric::IoPressureFull,
        rule_name: "io pressure full",
        flat_key: "io_pressure_full_percent",
        emf_name: "io_pressure_full",
        meaning: "the same for all tasks that were not idle",
        ..PRESSURE
    },
    Description {
        metric: Metric::WifiSignal,
        key: "wifi_signal",
        rule_name: "wifi signal",
        flat_key: "wifi_signal_dbm",
        emf_name: "wifi_signal",
        presentation: Presentation::Of { device: "signal_strength", unit: "dBm" },
        meaning: "strength of the access point's signal in dBm; none while not connected",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::SdLifeTimeA,
        rule_name: "sd life time a",
        flat_key: "sd_life_time_a_percent",
        emf_name: "sd_life_time_a",
        unit: Unit::Percent,
        meaning: "used life time of the root's eMMC, type A cells: the upper end of a range of 10; 110 is beyond it",
        ..SD_WEAR
    },
    Description {
        metric: Metric::SdLifeTimeB,
        rule_name: "sd life time b",
        flat_key: "sd_life_time_b_percent",
        emf_name: "sd_life_time_b",
        unit: Unit::Percent,
        meaning: "the same of type B cells",
        ..SD_WEAR
    },
    Description {
        metric: Metric::SdPreEol,
        rule_name: "sd pre-eol",
        flat_key: "sd_pre_eol",
        emf_name: "sd_pre_eol",
        meaning: "reserved blocks of the root's eMMC: 1 enough, 2 fewer than a fifth left, 3 urgent",
        ..SD_WEAR
    },
    Description {
        metric: Metric::SdWrittenPerDay,
        rule_name: "sd written per day",
        flat_key: "sd_written_megabytes_per_day",
        emf_name: "sd_written_per_day",
        unit: Unit::Megabytes,
        is_rate: true,
        presentation: Presentation::Of { device: "", unit: "MB/d" },
        meaning: "what a day would write to the root's disk if it went on as since the last sample, in 10⁶ bytes",
        ..SD_WEAR
    },
    Description {
        metric: Metric::ReadonlyRoot,
        key: "readonly_root",
        rule_name: "root read-only",
        flat_key: "root_readonly",
        emf_name: "root_readonly",
        unit: Unit::Count,
        presentation: Presentation::Problem,
        meaning: "1 while the root file system is read-only, as after an error, else 0",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::OomKills,
        key: "oom_kills",
        rule_name: "oom kills",
        flat_key: "oom_kills",
        emf_name: "oom_kills",
        unit: Unit::Count,
        presentation: Presentation::Counter,
        meaning: "processes that the kernel has killed for want of memory since boot",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::Processes,
        key: "processes",
        rule_name: "processes",
        flat_key: "processes",
        emf_name: "processes",
        unit: Unit::Count,
        meaning: "tasks that there are: threads of programs, and the kernel's own",
        ..Description::DEFAULT
    },
    Description {
        metric: Metric::AgentDropped,
        rule_name: "agent samples dropped",
        flat_key: "agent_samples_dropped",
        emf_name: "agent_samples_dropped",
        presentation: Presentation::Counter,
        meaning: "samples that the full queue has dropped since the agent's start",
        ..AGENT
    },
    Description {
        metric: Metric::AgentReconnects,
        rule_name: "agent reconnects",
        flat_key: "agent_reconnects",
        emf_name: "agent_reconnects",
        presentation: Presentation::Counter,
        meaning: "connections since the agent's start, without the first",
        ..AGENT
    },
    Description {
        metric: Metric::AgentQueue,
        rule_name: "agent queue",
        flat_key: "agent_queue_samples",
        emf_name: "agent_queue",
        meaning: "earlier samples that are not acknowledged yet",
        ..AGENT
    },
    Description {
        metric: Metric::AgentPuback,
        rule_name: "agent puback latency",
        flat_key: "agent_puback_milliseconds",
        emf_name: "agent_puback_latency",
        unit: Unit::Milliseconds,
        meaning: "from a publish to its PUBACK, the shortest since the last sample",
        ..AGENT
    },
    Description {
        metric: Metric::CertificateDays,
        key: "certificate_days",
        rule_name: "certificate days left",
        flat_key: "certificate_days",
        emf_name: "certificate_days",
        is_of_agent: true,
        presentation: Presentation::Of { device: "duration", unit: "d" },
        meaning: "whole days until the device's certificate expires; negative after that",
        ..Description::DEFAULT
    },
];
