//! Series: what becomes a line in a chart.

use std::fmt;

use super::list::Metric;

/// Series in one sample, at most: every metric as often as its scope allows.
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

/// A metric of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What is measured.
    pub metric: Metric,
    /// The name of the thing that it is measured of, of the kind that the metric's
    /// [`Scope`](super::Scope) says: a mount point, an interface, a disk. `None` for the whole board.
    pub of: Option<Box<str>>,
}

impl Series {
    /// The series of a metric of the whole board.
    #[must_use]
    pub const fn new(metric: Metric) -> Self {
        Self { metric, of: None }
    }

    /// The series of a metric of the thing with this name.
    #[must_use]
    pub fn of(metric: Metric, name: &str) -> Self {
        Self { metric, of: Some(name.into()) }
    }

    /// What follows the metric's key or name to tell its things apart: for a mount point its path with `_`
    /// for each `/`, which is nothing for the root; for other things `_` and their name.
    #[must_use]
    pub fn suffix(&self) -> Suffix<'_> {
        let name = self.of.as_deref().unwrap_or_default();
        Suffix(name.strip_prefix('/').unwrap_or(name))
    }
}

/// The name in log lines and in the format `rule`: `disk usage /data`, `network sent eth0`.
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

/// The name of a thing as the end of a key: `/var/log` is `_var_log`, `eth0` is `_eth0`, `/` is nothing.
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
mod tests {
    use super::*;

    #[test]
    fn suffix_of_a_mount_point_is_its_path_with_underscores() {
        for (mount, suffix) in [("/", ""), ("/data", "_data"), ("/var/log", "_var_log")] {
            assert_eq!(Series::of(Metric::Disk, mount).suffix().to_string(), suffix);
        }
    }

    #[test]
    fn suffix_of_an_interface_or_a_disk_is_its_name_and_of_the_board_nothing() {
        assert_eq!(Series::of(Metric::NetworkSent, "eth0.7").suffix().to_string(), "_eth0.7");
        assert_eq!(Series::of(Metric::DiskRead, "sda").suffix().to_string(), "_sda");
        assert_eq!(Series::new(Metric::Cpu).suffix().to_string(), "");
        assert_eq!(Series::of(Metric::DiskRead, "sda").to_string(), "disk read sda");
    }
}
