//! The probes: they read the kernel and the firmware, and know nothing of formats and networks.
//!
//! Every file is opened once, at its first reading, and read again in place. A source that is not
//! there is asked for again at the next sample: drivers come late and sensors come back.
//!
//! Reading is not parsing: what makes values of bytes is pure and public, for `tests/fuzz` to feed it.

use std::path::Path;

use crate::clock::BootTime;
use crate::metric::{Metric, Series};
use crate::sample::{NoData, Reading, Readings, Sample};

mod agent;
pub mod cpu;
mod disk;
mod kernel_file;
pub mod memory;
pub mod temperature;

pub use agent::Health;

/// One probe a source, and the order in which they are asked.
#[derive(Debug)]
pub struct Probes {
    series: Vec<Source>,
    cpu: cpu::Cpu,
    memory: memory::Memory,
    disks: Vec<disk::Disk>,
    temperature: temperature::Temperature,
}

/// Which probe gives a series.
#[derive(Debug, Clone, Copy)]
enum Source {
    Cpu,
    Memory,
    Disk(usize),
    Temperature,
    Agent(Metric),
}

impl Probes {
    /// Probes for `series`, in that order, with `proc`, `sys`, `dev` and the mount points under `root`.
    #[must_use]
    pub fn new(root: &Path, series: &[Series]) -> Self {
        let mut disks = Vec::new();
        let series = series.iter().map(|series| match series.metric {
            Metric::Cpu => Source::Cpu,
            Metric::Memory => Source::Memory,
            Metric::Disk => {
                disks.push(disk::Disk::new(root, series.mount.as_deref().unwrap_or("/")));
                Source::Disk(disks.len() - 1)
            }
            Metric::Temperature => Source::Temperature,
            Metric::AgentDropped
            | Metric::AgentReconnects
            | Metric::AgentQueue
            | Metric::AgentPuback
            | Metric::CertificateDays => Source::Agent(series.metric),
        });
        Self {
            series: series.collect(),
            disks,
            cpu: cpu::Cpu::new(root),
            memory: memory::Memory::new(root),
            temperature: temperature::Temperature::new(root),
        }
    }

    /// Takes the first of the two readings that a rate needs.
    pub fn prime(&mut self) {
        if self.series.iter().any(|source| matches!(source, Source::Cpu)) {
            // The first reading of a counter has no value; what is wrong with it, the second says.
            let _ = self.cpu.read();
        }
    }

    /// Asks every probe. `taken_at` is the moment to date the sample with; `health` is what the agent
    /// says of itself.
    pub fn sample(&mut self, taken_at: BootTime, health: &Health) -> Sample {
        let mut readings = Readings::new();
        for source in &self.series {
            let reading: Reading = match *source {
                Source::Cpu => self.cpu.read(),
                Source::Memory => self.memory.read(),
                Source::Disk(index) => {
                    self.disks.get(index).ok_or(NoData::NotPresent).and_then(disk::Disk::read)
                }
                Source::Temperature => self.temperature.read(),
                Source::Agent(metric) => health.read(metric),
            };
            if readings.push(reading).is_err() {
                break; // impossible: SERIES_MAX is all that a configuration can name
            }
        }
        Sample { taken_at, readings }
    }
}
