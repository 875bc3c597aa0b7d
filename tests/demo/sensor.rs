//! A temperature for machines that measure none: virtual machines, most of all.
//!
//! The agent gets a root of its own then. Everything in it leads to the real `proc`, `dev`, … except
//! for a thermal zone of plain files. Its temperature follows the processor's load, slowly, as a Pi's
//! does.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use pivitals::measure::probe::{Health, Probes};
use pivitals::metric::sample::NoData;
use pivitals::metric::{Metric, Series};
use pivitals::platform::clock::BootTime;
use pivitals_broker::Board;

const IDLE_MILLICELSIUS: f64 = 42_000.0;
const MILLICELSIUS_PER_PERCENT: f64 = 300.0;
/// How much of the way to the temperature of the present load is gone in a second.
const APPROACH: f64 = 0.05;

/// A simulated sensor.
pub struct Sensor {
    root: PathBuf,
    temp: File,
    millicelsius: f64,
    /// Samples it has followed.
    samples: u64,
    /// Why there is no real one.
    why: NoData,
}

impl Sensor {
    /// A sensor under `folder`, if the agent's own probe finds none on this machine.
    pub fn where_none_is(folder: &Path) -> Result<Option<Self>, String> {
        let now = BootTime::default();
        let series = [Series::new(Metric::Temperature)];
        let sample = Probes::new(Path::new("/"), &series).sample(now, now, &Health::default());
        let Some(Err(why)) = sample.readings.first().copied() else { return Ok(None) };
        let root = folder.join("root");
        let temp = make_root(&root).map_err(|error| format!("{}: {error}", root.display()))?;
        let mut sensor = Self { root, temp, millicelsius: IDLE_MILLICELSIUS, samples: 0, why };
        sensor.write()?;
        Ok(Some(sensor))
    }

    /// The agent's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is simulated, why, and what is not.
    pub fn explain(&self) -> String {
        let device = |path| fs::metadata(path).map(|metadata| metadata.dev()).ok();
        // The mount point / is looked up under the root, too.
        let disk = if device(self.root.as_path()) == device(Path::new("/")) {
            String::new()
        } else {
            format!(" (disk usage is that of the file system of {})", self.root.display())
        };
        let why = self.why.as_str();
        format!("no temperature sensor: {why}. The temperature is simulated, all else is real{disk}")
    }

    /// Goes on by one second when there is another sample, at this processor load.
    pub fn follow(&mut self, samples: u64, cpu_percent: f64) -> Result<(), String> {
        if samples == self.samples {
            return Ok(());
        }
        self.samples = samples;
        let target = IDLE_MILLICELSIUS + MILLICELSIUS_PER_PERCENT * cpu_percent;
        self.millicelsius += APPROACH * (target - self.millicelsius);
        self.write()
    }

    /// The agent keeps the file open and reads it at any time. So it is written in place, in one go and
    /// always as long: five digits, which the constants see to.
    fn write(&mut self) -> Result<(), String> {
        let text = format!("{:05.0}\n", self.millicelsius);
        self.temp.write_all_at(text.as_bytes(), 0).map_err(|error| format!("the simulated sensor: {error}"))
    }
}

/// Makes the root, and gives the file that holds the temperature.
fn make_root(root: &Path) -> io::Result<File> {
    let board = Board::new(root)?;
    for real in ["dev", "etc", "sys/class/net"] {
        symlink(Path::new("/").join(real), root.join(real))?;
    }
    File::create(board.sensor())
}
