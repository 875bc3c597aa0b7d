//! What there is to be measured: decided when the configuration is read, and again on SIGHUP.
//!
//! A driver that comes later than that is missing from `all`, and its interface or disk from `network` and
//! `disk_io`, until then. A source that was there and goes stays in the list: its reading is missed, and
//! comes back with it.

use std::path::PathBuf;

use super::probe::{Health, Probes, diskstats, net_dev, root_disk};
use crate::metric::sample::NoData;
use crate::metric::{Metric, Scope, Series};
use crate::platform::clock::BootTime;

/// What takes the place of things that are not known yet.
const STAND_IN_INTERFACES: [&str; 2] = ["eth0", "wlan0"];
const STAND_IN_DISKS: [&str; 1] = ["mmcblk0"];

/// Where to look for what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inventory {
    /// On a board with `proc`, `sys` and `dev` under this path.
    Board(PathBuf),
    /// Nowhere: an image is yet to be booted, and may have anything.
    Image,
}

impl Inventory {
    /// The series of these metrics, in their order, with the mount points that the configuration names. A
    /// metric of things that there are none of has one series all the same, so that it is missed.
    #[must_use]
    pub fn series(&self, metrics: &[Metric], mounts: &[String]) -> Vec<Series> {
        let has = |scope| metrics.iter().any(|metric| metric.description().scope == scope);
        let interfaces = if has(Scope::Interface) { self.interfaces() } else { Vec::new() };
        let disks = if has(Scope::Disk) { self.disks() } else { Vec::new() };
        let mut series = Vec::new();
        for &metric in metrics {
            let things = match metric.description().scope {
                Scope::Board => &[],
                Scope::Mount => mounts,
                Scope::Interface => interfaces.as_slice(),
                Scope::Disk => &disks,
            };
            series.extend(things.iter().map(|name| Series::of(metric, name)));
            if things.is_empty() {
                series.push(Series::new(metric));
            }
        }
        series
    }

    /// The series of all metrics that the board has a source for.
    #[must_use]
    pub fn all(&self, mounts: &[String]) -> Vec<Series> {
        let mut series = self.series(&Metric::ALL, mounts);
        if let Self::Board(root) = self {
            // A mount point was named, and the agent is always there.
            let is_given = |series: &Series| series.metric == Metric::Disk || series.metric.is_of_agent();
            let asked: Vec<_> = series.iter().filter(|series| !is_given(series)).cloned().collect();
            let now = BootTime::default();
            let sample = Probes::new(root, &asked).sample(now, now, &Health::default());
            let absent: Vec<_> = asked
                .iter()
                .zip(&sample.readings)
                .filter(|(_, reading)| **reading == Err(NoData::NotPresent))
                .map(|(series, _)| series)
                .collect();
            series.retain(|series| !absent.contains(&series));
        }
        series
    }

    fn interfaces(&self) -> Vec<String> {
        match self {
            Self::Board(root) => net_dev::interfaces(root),
            Self::Image => STAND_IN_INTERFACES.map(str::to_owned).into(),
        }
    }

    fn disks(&self) -> Vec<String> {
        match self {
            Self::Board(root) => diskstats::disks(root, root_disk(root).as_deref()),
            Self::Image => STAND_IN_DISKS.map(str::to_owned).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn board(name: &str) -> Inventory {
        Inventory::Board(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots").join(name))
    }

    fn names(series: &[Series], key: &str) -> Vec<String> {
        let of_key = series.iter().filter(|series| series.metric.description().key == key);
        of_key.map(ToString::to_string).collect()
    }

    #[test]
    fn a_metric_of_things_has_a_series_each() {
        let metrics = [Metric::NetworkReceived, Metric::DiskWritten, Metric::Disk, Metric::Cpu];
        let series = board("pi-4").series(&metrics, &["/".to_owned(), "/data".to_owned()]);
        let names: Vec<_> = series.iter().map(ToString::to_string).collect();
        let expected = [
            "network received eth0",
            "network received wlan0",
            "disk written mmcblk0",
            "disk written sda",
            "disk usage /",
            "disk usage /data",
            "cpu usage",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_was_asked_for_and_is_not_there_is_missed_and_not_forgotten() {
        let nowhere = Inventory::Board("/not/there".into());
        assert_eq!(nowhere.series(&[Metric::DiskRead], &[]), [Series::new(Metric::DiskRead)]);
    }

    #[test]
    fn all_is_what_the_board_has() {
        let all = board("vm").all(&["/".to_owned()]);
        for absent in ["temperature", "throttled", "clock", "core_voltage", "wifi_signal"] {
            assert_eq!(names(&all, absent), Vec::<String>::new());
        }
        assert_eq!(names(&all, "sd_wear"), ["sd written per day"], "a disk that says nothing of its wear");
        assert_eq!(names(&all, "pressure").len(), 5);
        assert_eq!((names(&all, "disk").len(), names(&all, "agent").len()), (1, 4));
        assert_eq!(names(&all, "certificate_days").len(), 1);
        assert_eq!(names(&board("pi-5").all(&[]), "pressure"), Vec::<String>::new());
    }

    #[test]
    fn an_image_may_have_everything() {
        let all = Inventory::Image.all(&["/".to_owned()]);
        assert!(Metric::ALL.iter().all(|&metric| all.iter().any(|series| series.metric == metric)));
        assert_eq!(names(&all, "disk_io"), ["disk read mmcblk0", "disk written mmcblk0"]);
    }
}
