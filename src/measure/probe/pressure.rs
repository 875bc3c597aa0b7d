//! `/proc/pressure/cpu`, `memory`, `io`: time in which tasks waited, in microseconds since boot.
//!
//! `some avg10=0.36 avg60=0.21 avg300=0.14 total=1370284416`
//!
//! `some` is time in which a task waited, `full` time in which all that were not idle did. For cores only
//! `some` says something. The kernel's own averages are over fixed times; the totals give that of the time
//! between two samples. Raspberry Pi's kernels have the files with `psi=1` on their command line only.
//! Source: Documentation/accounting/psi.rst.

use std::path::Path;

use super::kernel_file::{KernelFile, number, whole_lines, words};
use super::rate::Rate;
use crate::metric::Metric;
use crate::metric::sample::{NoData, Reading};
use crate::platform::clock::BootTime;

const TEXT_LEN_MAX: usize = 256;

/// Time in which tasks waited, in percent of what passed between two readings.
#[derive(Debug)]
pub struct Pressure {
    cpu: Resource,
    memory: Resource,
    io: Resource,
}

/// One of the files, and its two lines.
#[derive(Debug)]
struct Resource {
    file: KernelFile,
    some: Rate,
    full: Rate,
}

impl Pressure {
    /// The probe of `proc/pressure` under `root`, whose files are opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let resource = |name| Resource {
            file: KernelFile::new(root.join("proc/pressure").join(name)),
            some: Rate::default(),
            full: Rate::default(),
        };
        Self { cpu: resource("cpu"), memory: resource("memory"), io: resource("io") }
    }

    /// Reads the files.
    pub fn update(&mut self, now: BootTime) {
        for Resource { file, some, full } in [&mut self.cpu, &mut self.memory, &mut self.io] {
            let mut buffer = [0; TEXT_LEN_MAX];
            let text = file.read_into(&mut buffer);
            some.update(text.and_then(|text| parse_total_micros(text, b"some")), now);
            full.update(text.and_then(|text| parse_total_micros(text, b"full")), now);
        }
    }

    /// Percent between the last two readings.
    ///
    /// # Errors
    /// Why the last two readings give no rate.
    pub fn reading(&self, metric: Metric) -> Reading {
        let rate = match metric {
            Metric::CpuPressure => &self.cpu.some,
            Metric::MemoryPressureSome => &self.memory.some,
            Metric::MemoryPressureFull => &self.memory.full,
            Metric::IoPressureSome => &self.io.some,
            Metric::IoPressureFull => &self.io.full,
            _ => return Err(NoData::NotPresent),
        };
        // The kernel's clock and ours are not read in the same instant.
        rate.per_second().map(|micros| (micros / 1e4).min(100.0))
    }
}

/// Microseconds since boot, from the line that begins with `kind`.
///
/// # Errors
/// `Malformed`, if there is no such line, or no number in it.
pub fn parse_total_micros(text: &[u8], kind: &[u8]) -> Result<u64, NoData> {
    let mut totals = whole_lines(text).filter_map(|line| {
        let mut words = words(line);
        (words.next() == Some(kind)).then(|| words.find_map(|word| word.strip_prefix(b"total=")))
    });
    totals.next().flatten().and_then(number).ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"some avg10=0.36 avg60=0.21 avg300=0.14 total=1370284416\n\
        full avg10=0.27 avg60=0.15 avg300=0.09 total=1102749387\n";

    #[test]
    fn each_line_has_its_total() {
        assert_eq!(parse_total_micros(TEXT, b"some"), Ok(1_370_284_416));
        assert_eq!(parse_total_micros(TEXT, b"full"), Ok(1_102_749_387));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            &b""[..],
            b"some avg10=0.36 avg60=0.21 avg300=0.14 total=13702", // cut off
            b"some avg10=0.36\n",
            b"some total=\n",
            b"some subtotal=7\n",
            b"somewhat total=7\n",
            b"some total=-7\n",
            b"some total=99999999999999999999\n",
            b"full avg10=0.27 avg60=0.15 avg300=0.09 total=1102749387\n",
        ] {
            assert_eq!(parse_total_micros(text, b"some"), Err(NoData::Malformed), "{text:?}");
        }
    }

    #[test]
    fn time_waited_is_a_part_of_all_time_and_never_more() {
        let mut pressure = Pressure::new(Path::new("/not/there"));
        assert_eq!(pressure.reading(Metric::IoPressureSome), Err(NoData::NotYet));
        pressure.io.some.update(Ok(1_000_000), BootTime::from_millis(0));
        pressure.io.some.update(Ok(1_500_000), BootTime::from_millis(2000));
        assert_eq!(pressure.reading(Metric::IoPressureSome), Ok(25.0));
        pressure.io.some.update(Ok(3_501_000), BootTime::from_millis(4000));
        assert_eq!(pressure.reading(Metric::IoPressureSome), Ok(100.0));
        pressure.update(BootTime::from_millis(6000));
        assert_eq!(pressure.reading(Metric::IoPressureSome), Err(NoData::NotPresent));
    }
}
