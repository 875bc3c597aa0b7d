//! The probes: each reads one source of the kernel or of the firmware. They know no format and no network.
//!
//! A file is opened once, at its first reading, and then read again in place. A source that is absent is
//! tried again at the next sample, because drivers are loaded late and sensors come back.
//!
//! Reading is separate from parsing: each parser is pure and public, so that `tests/fuzz` can feed it.

use std::path::{Path, PathBuf};

use crate::measure::mailbox::vcio::Vcio;
use crate::metric::sample::{NoData, Reading, Readings, Sample};
use crate::metric::{Metric, Series};
use crate::platform::clock::BootTime;

mod agent;
pub mod cpu;
mod disk;
pub mod diskstats;
pub mod fan;
mod firmware;
mod kernel_file;
pub mod loadavg;
pub mod memory;
pub mod mmc;
pub mod mount_table;
pub mod mountinfo;
mod mounts;
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

/// The probes of a list of series, each once however many series it serves.
#[derive(Debug, Default)]
pub struct Probes {
    root: PathBuf,
    /// Each metric, with the index of its thing in the probe where that has several.
    series: Vec<(Metric, usize)>,
    vcio: Vcio,
    disks: disk::Disks,
    // Made in `prepare`: they are read before the series that they serve, or need to know the root's disk.
    cpu: Option<cpu::Cpu>,
    throttled: Option<firmware::Throttled>,
    loadavg: Option<loadavg::Loadavg>,
    net_dev: Option<net_dev::NetDev>,
    diskstats: Option<diskstats::Diskstats>,
    pressure: Option<pressure::Pressure>,
    mmc: Option<mmc::Mmc>,
    // Made at their first reading.
    memory: Option<memory::Memory>,
    temperature: Option<temperature::Temperature>,
    fan: Option<fan::Fan>,
    uptime: Option<uptime::Uptime>,
    swaps: Option<swaps::Swaps>,
    wireless: Option<wireless::Wireless>,
    mountinfo: Option<mountinfo::Mountinfo>,
    vmstat: Option<vmstat::Vmstat>,
}

impl Probes {
    /// Probes for `series`, in that order, with `proc`, `sys`, `dev` and the mount points under `root`.
    #[must_use]
    pub fn new(root: &Path, series: &[Series]) -> Self {
        let mut probes = Self { root: root.to_owned(), vcio: Vcio::new(root), ..Self::default() };
        probes.add(series);
        probes
    }

    /// Probes for other series of the same board. Both share the child processes that read mounts: there is
    /// one at most for a mount that does not answer.
    #[must_use]
    pub fn beside(&self, series: &[Series]) -> Self {
        let mut probes = Self { disks: self.disks.clone(), ..Self::new(&self.root, &[]) };
        probes.add(series);
        probes
    }

    fn add(&mut self, series: &[Series]) {
        for Series { metric, of } in series {
            let index = self.prepare(*metric, of.as_deref());
            self.series.push((*metric, index));
        }
    }

    /// Makes the probe that is read before the series of this metric. Gives the index of the metric's thing
    /// in it; one that no probe has where there is no such thing.
    fn prepare(&mut self, metric: Metric, of: Option<&str>) -> usize {
        const NOTHING: usize = usize::MAX;
        let root = &self.root;
        match metric {
            Metric::Cpu => drop(self.cpu.get_or_insert_with(|| cpu::Cpu::new(root))),
            Metric::Disk => return self.disks.watch(root, of.unwrap_or("/")),
            Metric::UnderVoltageNow
            | Metric::FrequencyCappedNow
            | Metric::ThrottledNow
            | Metric::SoftLimitNow
            | Metric::UnderVoltageSinceBoot
            | Metric::FrequencyCappedSinceBoot
            | Metric::ThrottledSinceBoot
            | Metric::SoftLimitSinceBoot => {
                self.throttled.get_or_insert_with(firmware::Throttled::new);
            }
            Metric::Load1 | Metric::Load5 | Metric::Load15 | Metric::Processes => {
                self.loadavg.get_or_insert_with(|| loadavg::Loadavg::new(root));
            }
            Metric::NetworkReceived | Metric::NetworkSent => {
                let probe = self.net_dev.get_or_insert_with(|| net_dev::NetDev::new(root));
                return of.map_or(NOTHING, |name| probe.watch(name));
            }
            Metric::DiskRead | Metric::DiskWritten => {
                let probe = self.diskstats.get_or_insert_with(|| diskstats::Diskstats::new(root));
                return of.map_or(NOTHING, |name| probe.watch(name));
            }
            Metric::SdWrittenPerDay => {
                let probe = self.diskstats.get_or_insert_with(|| diskstats::Diskstats::new(root));
                return root_disk(root).map_or(NOTHING, |name| probe.watch(&name));
            }
            Metric::CpuPressure
            | Metric::MemoryPressureSome
            | Metric::MemoryPressureFull
            | Metric::IoPressureSome
            | Metric::IoPressureFull => {
                self.pressure.get_or_insert_with(|| pressure::Pressure::new(root));
            }
            Metric::SdLifeTimeA | Metric::SdLifeTimeB | Metric::SdPreEol if self.mmc.is_none() => {
                self.mmc = root_disk(root).map(|disk| mmc::Mmc::new(root, &disk));
            }
            _ => {}
        }
        NOTHING
    }

    /// Takes the first of the two readings that a rate needs, at the time `now`.
    pub fn prime(&mut self, now: BootTime) {
        if let Some(probe) = &mut self.cpu {
            // A first reading of a counter has no value, and any error comes again with the second.
            let _ = probe.read();
        }
        self.count(now);
    }

    /// Reads the counters whose values are rates, except those of the cores.
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

    /// Reads every series. The sample is dated `taken_at`; `now` is the time of the reading, for the rates.
    /// `health` is the agent's own state.
    pub fn sample(&mut self, taken_at: BootTime, now: BootTime, health: &Health) -> Sample {
        self.count(now);
        self.refresh();
        // Filled in place: a sample has room for every series that there can be, and is costly to copy.
        let mut sample = Sample { taken_at, readings: Readings::new() };
        for index in 0..self.series.len() {
            if sample.readings.push(self.read(index, health)).is_err() {
                break; // impossible: a configuration names at most SERIES_MAX series
            }
        }
        sample
    }

    /// Reads the sources that serve several series and are no rates.
    pub fn refresh(&mut self) {
        if let Some(probe) = &mut self.throttled {
            probe.update(&mut self.vcio);
        }
        if let Some(probe) = &mut self.loadavg {
            probe.update();
        }
    }

    /// Whether a reading of the series with this index takes a child process, and may ask a server.
    #[must_use]
    pub fn needs_child(&self, index: usize) -> bool {
        let is_remote =
            |&(metric, thing): &(Metric, usize)| metric == Metric::Disk && self.disks.needs_child(thing);
        self.series.get(index).is_some_and(is_remote)
    }

    /// Reads the series with this index. Call [`count`](Self::count) before if it is a rate, and
    /// [`refresh`](Self::refresh) in any case.
    ///
    /// # Errors
    /// Why there is no value.
    pub fn read(&mut self, index: usize, health: &Health) -> Reading {
        let &(metric, thing) = self.series.get(index).ok_or(NoData::NotPresent)?;
        let root = &self.root;
        match metric {
            Metric::Cpu => self.cpu.as_mut().ok_or(NoData::NotPresent)?.read(),
            Metric::Memory => self.memory.get_or_insert_with(|| memory::Memory::new(root)).read(),
            Metric::Disk => self.disks.read(thing),
            Metric::Temperature => {
                let probe = self.temperature.get_or_insert_with(|| temperature::Temperature::new(root));
                probe.read(&mut self.vcio)
            }
            Metric::UnderVoltageNow
            | Metric::FrequencyCappedNow
            | Metric::ThrottledNow
            | Metric::SoftLimitNow
            | Metric::UnderVoltageSinceBoot
            | Metric::FrequencyCappedSinceBoot
            | Metric::ThrottledSinceBoot
            | Metric::SoftLimitSinceBoot => {
                self.throttled.as_ref().ok_or(NoData::NotPresent)?.reading(metric)
            }
            Metric::Clock => firmware::clock(&mut self.vcio),
            Metric::CoreVoltage => firmware::core_voltage(&mut self.vcio),
            Metric::FanRpm => self.fan.get_or_insert_with(|| fan::Fan::new(root)).read(),
            Metric::Load1 | Metric::Load5 | Metric::Load15 | Metric::Processes => {
                self.loadavg.as_ref().ok_or(NoData::NotPresent)?.reading(metric)
            }
            Metric::Uptime => self.uptime.get_or_insert_with(|| uptime::Uptime::new(root)).read(),
            Metric::Swap => self.swaps.get_or_insert_with(|| swaps::Swaps::new(root)).read(),
            Metric::NetworkReceived | Metric::NetworkSent => {
                self.net_dev.as_ref().ok_or(NoData::NotPresent)?.reading(metric, thing)
            }
            Metric::DiskRead | Metric::DiskWritten | Metric::SdWrittenPerDay => {
                self.diskstats.as_ref().ok_or(NoData::NotPresent)?.reading(metric, thing)
            }
            Metric::CpuPressure
            | Metric::MemoryPressureSome
            | Metric::MemoryPressureFull
            | Metric::IoPressureSome
            | Metric::IoPressureFull => self.pressure.as_ref().ok_or(NoData::NotPresent)?.reading(metric),
            Metric::WifiSignal => self.wireless.get_or_insert_with(|| wireless::Wireless::new(root)).read(),
            Metric::SdLifeTimeA | Metric::SdLifeTimeB | Metric::SdPreEol => {
                self.mmc.as_mut().ok_or(NoData::NotPresent)?.read(metric)
            }
            Metric::ReadonlyRoot => {
                self.mountinfo.get_or_insert_with(|| mountinfo::Mountinfo::new(root)).read()
            }
            Metric::OomKills => self.vmstat.get_or_insert_with(|| vmstat::Vmstat::new(root)).read(),
            Metric::AgentDropped
            | Metric::AgentReconnects
            | Metric::AgentQueue
            | Metric::AgentPuback
            | Metric::CertificateDays => health.read(metric),
        }
    }
}
