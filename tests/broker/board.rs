//! A board for the agent to measure: this machine's own `proc`, a temperature sensor that a test can set, and
//! a hardware clock.
//!
//! The hardware clock is there because the agent waits up to ten minutes after boot for a clock that nothing
//! vouches for, and the machine of the tests may be one without NTP that has just been started.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A folder for the agent's `--root`.
#[derive(Debug, Clone)]
pub struct Board {
    root: PathBuf,
}

impl Board {
    /// Makes the folder `root`. Its sensor shows 48.312 °C, and its hardware clock has set the system clock.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(root: &Path) -> io::Result<Self> {
        let board = Self { root: root.to_owned() };
        let zone = board.zone();
        std::fs::create_dir_all(&zone)?;
        symlink("/proc", root.join("proc"))?;
        std::fs::write(zone.join("type"), "cpu-thermal\n")?;
        std::fs::write(board.sensor(), "48312\n")?;
        std::fs::create_dir_all(board.hardware_clock())?;
        std::fs::write(board.hardware_clock().join("hctosys"), "1\n")?;
        Ok(board)
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that holds the temperature, in thousandths of a degree Celsius.
    pub fn sensor(&self) -> PathBuf {
        self.zone().join("temp")
    }

    /// The folder of the hardware clock; a board without it has none.
    pub fn hardware_clock(&self) -> PathBuf {
        self.root.join("sys/class/rtc/rtc0")
    }

    fn zone(&self) -> PathBuf {
        self.root.join("sys/class/thermal/thermal_zone0")
    }
}
