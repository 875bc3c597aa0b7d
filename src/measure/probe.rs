//! The probes: they read the kernel and the firmware, and know nothing of formats and networks.
//!
//! Every file is opened once, at its first reading, and read again in place. A source that is not
//! there is asked for again at the next sample: drivers come late and sensors come back.
//!
//! Reading is not parsing: what makes values of bytes is pure and public, for `tests/fuzz` to feed it.

use std::path::Path;

use crate::measure::mailbox::vcio::Vcio;
use crate::metric::sample::{NoData, Reading, Readings, Sample};
use crate::metric::{Metric, Series};
use crate::platform::clock::BootTime;

mod agent;
pub mod cpu;
mod disk;
pub mod diskstats;
mod firmware;
mod kernel_file;
pub mod loadavg;
pub mod memory;
pub mod mmc;
pub mod mountinfo;
mod named;
pub mod net_dev;
pub mod pressure;
pub mod rate;
mod root_disk;
pub mod swaps;
pub mod temperature;
pub mod uptime;
pub mod vmstat;
pub mod wireless;

pub use agent::Health;
pub use kernel_file::is_device_name;
pub use root_disk::root_disk;

/// The probes that the series need, each once, and the order in which they are asked.
#[derive(Debug)]
pub struct Probes {
    /// A metric, and the number of its thing in the probe where that has several.
    series: Vec<(Metric, usize)>,
    vcio: Vcio,
    cpu: Option<cpu::Cpu>,
    memory: Option<memory::Memory>,
    disks: Vec<disk::Disk>,
    temperature: Option<temperature::Temperature>,
    throttled: Option<firmware::Throttled>,
    loadavg: Option<loadavg::Loadavg>,
    uptime: Option<uptime::Uptime>,
    swaps: Option<swaps::Swaps>,
    net_dev: Option<net_dev::NetDev>,
    diskstats: Option<diskstats::Diskstats>,
    pressure: Option<pressure::Pressure>,
    wireless: Option<wireless::Wireless>,
    mmc: Option<mmc::Mmc>,
    mountinfo: Option<mountinfo::Mountinfo>,
    vmstat: Option<vmstat::Vmstat>,
}

impl Probes {
    /// Probes for `series`, in that order, with `proc`, `sys`, `dev` and the mount points under `root`.
    #[must_use]
    pub fn new(root: &Path, series: &[Series]) -> Self {
        let has = |metrics: &[Metric]| series.iter().any(|series| metrics.contains(&series.metric));
        let has_key = |key| series.iter().any(|series| series.metric.description().key == key);
        let root_disk = if has_key("sd_wear") { root_disk(root) } else { None };
        let mut probes = Self {
            series: Vec::with_capacity(series.len()),
            vcio: Vcio::new(root),
            cpu: has_key("cpu").then(|| cpu::Cpu::new(root)),
            memory: has_key("memory").then(|| memory::Memory::new(root)),
            disks: Vec::new(),
            temperature: has_key("temperature").then(|| temperature::Temperature::new(root)),
            throttled: has_key("throttled").then(firmware::Throttled::new),
            loadavg: (has_key("load") || has_key("processes")).then(|| loadavg::Loadavg::new(root)),
            uptime: has_key("uptime").then(|| uptime::Uptime::new(root)),
            swaps: has_key("swap").then(|| swaps::Swaps::new(root)),
            net_dev: has_key("network").then(|| net_dev::NetDev::new(root)),
            diskstats: has(&[Metric::DiskRead, Metric::DiskWritten, Metric::SdWrittenPerDay])
                .then(|| diskstats::Diskstats::new(root)),
            pressure: has_key("pressure").then(|| pressure::Pressure::new(root)),
            wireless: has_key("wifi_signal").then(|| wireless::Wireless::new(root)),
            mmc: root_disk.as_deref().map(|disk| mmc::Mmc::new(root, disk)),
            mountinfo: has_key("readonly_root").then(|| mountinfo::Mountinfo::new(root)),
            vmstat: has_key("oom_kills").then(|| vmstat::Vmstat::new(root)),
        };
        for Series { metric, of } in series {
            let of = if *metric == Metric::SdWrittenPerDay { root_disk.as_deref() } else { of.as_deref() };
            let index = probes.watch(root, *metric, of);
            probes.series.push((*metric, index));
        }
        probes
    }

    /// The number of a metric's thing in its probe; one that no probe has for a thing that is not there.
    fn watch(&mut self, root: &Path, metric: Metric, of: Option<&str>) -> usize {
        const NOTHING: usize = usize::MAX;
        match (metric, of) {
            (Metric::Disk, mount) => {
                self.disks.push(disk::Disk::new(root, mount.unwrap_or("/")));
                self.disks.len() - 1
            }
            (Metric::NetworkReceived | Metric::NetworkSent, Some(name)) => {
                self.net_dev.as_mut().map_or(NOTHING, |probe| probe.watch(name))
            }
            (Metric::DiskRead | Metric::DiskWritten | Metric::SdWrittenPerDay, Some(name)) => {
                self.diskstats.as_mut().map_or(NOTHING, |probe| probe.watch(name))
            }
            _ => NOTHING,
        }
    }

    /// Takes the first of the two readings that a rate needs, at the moment `now`.
    pub fn prime(&mut self, now: BootTime) {
        // The first reading of a counter has no value; what is wrong with it, the second says.
        let _ = read(&mut self.cpu, cpu::Cpu::read);
        self.count(now);
    }

    /// Reads the counters whose values are rates, but for those of the cores.
    pub fn count(&mut self, now: BootTime) {
        if let Some(probe) = &mut self.net_dev {
            probe.update(now);
        }
        if let Some(probe) = &mut self.diskstats {
            probe.update(now);
        }
        if let Some(probe) = &mut self.pressure {
            probe.update(now);
        }
    }

    /// Asks every probe. `taken_at` is the moment to date the sample with, `now` the one at which it is
    /// really taken, for the rates; `health` is what the agent says of itself.
    pub fn sample(&mut self, taken_at: BootTime, now: BootTime, health: &Health) -> Sample {
        self.count(now);
        self.refresh();
        // Filled in place: a sample has room for all that there can be, and is not to be copied.
        let mut sample = Sample { taken_at, readings: Readings::new() };
        for index in 0..self.series.len() {
            if sample.readings.push(self.read(index, health)).is_err() {
                break; // impossible: SERIES_MAX is all that a configuration can name
            }
        }
        sample
    }

    /// Reads what several series share, and is no rate.
    pub fn refresh(&mut self) {
        if let Some(probe) = &mut self.throttled {
            probe.update(&mut self.vcio);
        }
        if let Some(probe) = &mut self.loadavg {
            probe.update();
        }
    }

    /// One reading, of the series with this number, after [`count`](Self::count) if it is a rate, and
    /// [`refresh`](Self::refresh).
    ///
    /// # Errors
    /// Why it is not to be had.
    pub fn read(&mut self, index: usize, health: &Health) -> Reading {
        let &(metric, thing) = self.series.get(index).ok_or(NoData::NotPresent)?;
        match metric {
            Metric::Cpu => read(&mut self.cpu, cpu::Cpu::read),
            Metric::Memory => read(&mut self.memory, memory::Memory::read),
            Metric::Disk => self.disks.get(thing).ok_or(NoData::NotPresent).and_then(disk::Disk::read),
            Metric::Temperature => read(&mut self.temperature, |probe| probe.read(&mut self.vcio)),
            Metric::UnderVoltageNow
            | Metric::FrequencyCappedNow
            | Metric::ThrottledNow
            | Metric::SoftLimitNow
            | Metric::UnderVoltageSinceBoot
            | Metric::FrequencyCappedSinceBoot
            | Metric::ThrottledSinceBoot
            | Metric::SoftLimitSinceBoot => read(&mut self.throttled, |probe| probe.reading(metric)),
            Metric::Clock => firmware::clock(&mut self.vcio),
            Metric::CoreVoltage => firmware::core_voltage(&mut self.vcio),
            Metric::Load1 | Metric::Load5 | Metric::Load15 | Metric::Processes => {
                read(&mut self.loadavg, |probe| probe.reading(metric))
            }
            Metric::Uptime => read(&mut self.uptime, uptime::Uptime::read),
            Metric::Swap => read(&mut self.swaps, swaps::Swaps::read),
            Metric::NetworkReceived | Metric::NetworkSent => {
                read(&mut self.net_dev, |probe| probe.reading(metric, thing))
            }
            Metric::DiskRead | Metric::DiskWritten | Metric::SdWrittenPerDay => {
                read(&mut self.diskstats, |probe| probe.reading(metric, thing))
            }
            Metric::CpuPressure
            | Metric::MemoryPressureSome
            | Metric::MemoryPressureFull
            | Metric::IoPressureSome
            | Metric::IoPressureFull => read(&mut self.pressure, |probe| probe.reading(metric)),
            Metric::WifiSignal => read(&mut self.wireless, wireless::Wireless::read),
            Metric::SdLifeTimeA | Metric::SdLifeTimeB | Metric::SdPreEol => {
                read(&mut self.mmc, |probe| probe.read(metric))
            }
            Metric::ReadonlyRoot => read(&mut self.mountinfo, mountinfo::Mountinfo::read),
            Metric::OomKills => read(&mut self.vmstat, vmstat::Vmstat::read),
            Metric::AgentDropped
            | Metric::AgentReconnects
            | Metric::AgentQueue
            | Metric::AgentPuback
            | Metric::CertificateDays => health.read(metric),
        }
    }
}

fn read<P>(probe: &mut Option<P>, read: impl FnOnce(&mut P) -> Reading) -> Reading {
    probe.as_mut().map_or(Err(NoData::NotPresent), read)
}
