//! `/proc/loadavg`: how many tasks want to run, on average, and how many there are.
//!
//! `1.38 1.12 0.97 3/248 412751`
//!
//! The averages over one, five and fifteen minutes of tasks that run, or wait for a core or for storage;
//! tasks that run and tasks that there are; the last process id. Source: proc_loadavg(5).

use std::path::Path;

use super::kernel_file::{KernelFile, hundredths, number, whole_lines, words};
use crate::metric::Metric;
use crate::metric::sample::{NoData, Reading};

const LINE_LEN_MAX: usize = 128;

/// Load and tasks.
#[derive(Debug)]
pub struct Loadavg {
    file: KernelFile,
    now: Result<Load, NoData>,
}

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Hundredths of a task, averaged over one, five and fifteen minutes.
    pub hundredths: [u64; 3],
    /// Tasks that there are: threads, the kernel's included.
    pub tasks: u64,
}

impl Loadavg {
    /// The probe of `proc/loadavg` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { file: KernelFile::new(root.join("proc/loadavg")), now: Err(NoData::NotYet) }
    }

    /// Reads the file.
    pub fn update(&mut self) {
        let mut buffer = [0; LINE_LEN_MAX];
        self.now = self.file.read_into(&mut buffer).and_then(parse);
    }

    /// One of its numbers, as last read.
    ///
    /// # Errors
    /// Why the file could not be read, or what [`parse`] said of it.
    pub fn reading(&self, metric: Metric) -> Reading {
        let Load { hundredths: [one, five, fifteen], tasks } = self.now?;
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
        match metric {
            Metric::Load1 => Ok(one as f64 / 100.0),
            Metric::Load5 => Ok(five as f64 / 100.0),
            Metric::Load15 => Ok(fifteen as f64 / 100.0),
            Metric::Processes => Ok(tasks as f64),
            _ => Err(NoData::NotPresent),
        }
    }
}

/// Reads the first line.
///
/// # Errors
/// `Malformed`, if it is not three averages and two numbers of tasks.
pub fn parse(text: &[u8]) -> Result<Load, NoData> {
    let line = whole_lines(text).next().ok_or(NoData::Malformed)?;
    let mut words = words(line);
    let mut average = || words.next().and_then(hundredths).ok_or(NoData::Malformed);
    let hundredths = [average()?, average()?, average()?];
    let mut tasks = words.next().ok_or(NoData::Malformed)?.splitn(2, |&byte| byte == b'/').map(number);
    match (tasks.next(), tasks.next()) {
        (Some(Some(_)), Some(Some(tasks))) => Ok(Load { hundredths, tasks }),
        _ => Err(NoData::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_in_hundredths_and_all_tasks_are_counted() {
        let load = parse(b"1.38 1.12 0.97 3/248 412751\n");
        assert_eq!(load, Ok(Load { hundredths: [138, 112, 97], tasks: 248 }));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            &b""[..],
            b"\n",
            b"0.42 0.",
            b"0.42 0.40 0.30 3/248 41", // cut off
            b"0.42 0.40 3/248 412751\n",
            b"0.42 0.40 0.30 3 412751\n",
            b"0.42 0.40 0.30 /248 412751\n",
            b"0.42 0.40 0.30 3/ 412751\n",
            b"0.42 0.40 0.30 3/2/48 412751\n",
            b"-0.42 0.40 0.30 3/248 412751\n",
            b"0.4 0.40 0.30 3/248 412751\n",
            b"0.42 0.40 99999999999999999999.30 3/248 412751\n",
            b"0.42 0.40 0.30 3/99999999999999999999 412751\n",
        ] {
            assert_eq!(parse(text), Err(NoData::Malformed), "{text:?}");
        }
    }
}
