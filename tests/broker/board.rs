//! A board for the agent to measure: this machine's own `proc`, and a temperature sensor that a test
//! can set, whatever this machine has.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A folder for the agent's `--root`.
#[derive(Debug, Clone)]
pub struct Board {
    root: PathBuf,
}

impl Board {
    /// Makes the folder `root`. Its sensor shows 48.312 °C.
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

    fn zone(&self) -> PathBuf {
        self.root.join("sys/class/thermal/thermal_zone0")
    }
}
