//! `/proc/diskstats`: what each block device has read and written since it is there, in sectors of 512
//! bytes, whatever the device's own are.
//!
//! ` 179       0 mmcblk0 98411 41206 7802318 1190642 741320 1462108 26087364 20446113 0 …`
//!
//! Major and minor number, name, reads, merged reads, sectors read, time, writes, merged writes, sectors
//! written, … Source: Documentation/admin-guide/iostats.rst.
//!
//! Watched are disks as a whole. Their names tell them from partitions and from what lies on a disk (loop,
//! ram, zram, dm, the boot partitions of an eMMC): Documentation/admin-guide/devices.txt.

use std::path::Path;

use super::kernel_file::{KernelFile, TEXT_LEN_MAX, is_device_name, number, whole_lines, words};
use super::named::Named;
use super::rate::Rate;
use crate::metric::sample::{NoData, Reading};
use crate::metric::{DISKS_MAX, Metric};
use crate::platform::clock::BootTime;

const SECTOR_BYTES: f64 = 512.0;
const DAY_SECS: f64 = 86_400.0;

/// Bytes a second of each disk that is asked for.
#[derive(Debug)]
pub struct Diskstats {
    file: KernelFile,
    disks: Vec<Named<Disk>>,
}

#[derive(Debug, Default)]
struct Disk {
    read: Rate,
    written: Rate,
}

/// What a block device has counted, in sectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sectors {
    /// Read.
    pub read: u64,
    /// Written.
    pub written: u64,
}

impl Diskstats {
    /// The probe of `proc/diskstats` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { file: KernelFile::new(root.join("proc/diskstats")), disks: Vec::new() }
    }

    /// The number of the disk with this name, which is watched from now on.
    pub fn watch(&mut self, name: &str) -> usize {
        Named::index(&mut self.disks, name)
    }

    /// Reads the file.
    pub fn update(&mut self, now: BootTime) {
        let mut buffer = [0; TEXT_LEN_MAX];
        let text = self.file.read_all_into(&mut buffer);
        for Named { name, thing } in &mut self.disks {
            let sectors = text.and_then(|text| parse(text, name.as_bytes()));
            thing.read.update(sectors.map(|sectors| sectors.read), now);
            thing.written.update(sectors.map(|sectors| sectors.written), now);
        }
    }

    /// Bytes a second of a disk between the last two readings, or megabytes a day.
    ///
    /// # Errors
    /// `NotPresent` for a number that is none; else why the last two readings give no rate.
    pub fn reading(&self, metric: Metric, index: usize) -> Reading {
        let Named { thing, .. } = self.disks.get(index).ok_or(NoData::NotPresent)?;
        match metric {
            Metric::DiskRead => Ok(thing.read.per_second()? * SECTOR_BYTES),
            Metric::DiskWritten => Ok(thing.written.per_second()? * SECTOR_BYTES),
            Metric::SdWrittenPerDay => Ok(thing.written.per_second()? * SECTOR_BYTES * DAY_SECS / 1e6),
            _ => Err(NoData::NotPresent),
        }
    }
}

/// What the device with this name has read and written.
///
/// # Errors
/// `NotPresent`, if there is no such line; `Malformed`, if it has no such numbers.
pub fn parse(text: &[u8], name: &[u8]) -> Result<Sectors, NoData> {
    let mut lines = whole_lines(text).map(words).filter_map(|mut words| {
        (words.nth(2)? == name).then(|| {
            let mut numbers = words.map(number);
            Some(Sectors { read: numbers.nth(2)??, written: numbers.nth(3)?? })
        })
    });
    lines.next().ok_or(NoData::NotPresent)?.ok_or(NoData::Malformed)
}

/// The names of the devices that may stand in a payload.
fn names(text: &[u8]) -> impl Iterator<Item = &str> {
    let names = whole_lines(text).filter_map(|line| str::from_utf8(words(line).nth(2)?).ok());
    names.filter(|name| is_device_name(name))
}

/// Whether a block device is a disk as a whole: `mmcblk0`, `sda`, `nvme0n1`, `vda`.
#[must_use]
pub fn is_disk(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_letters = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    if let Some(drive) = name.strip_prefix("nvme") {
        drive.split_once('n').is_some_and(|(drive, space)| is_number(drive) && is_number(space))
    } else if let Some(card) = name.strip_prefix("mmcblk") {
        is_number(card)
    } else {
        name.strip_prefix("sd").or_else(|| name.strip_prefix("vd")).is_some_and(is_letters)
    }
}

/// The disk that a partition is on; the device itself where it is none.
#[must_use]
pub fn disk_of(device: &str) -> &str {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let rest = device.trim_end_matches(is_digit);
    // Where the disk's own name ends with a digit, a `p` stands between.
    let disk = rest.strip_suffix('p').filter(|disk| disk.ends_with(is_digit)).unwrap_or(rest);
    if !is_disk(device) && is_disk(disk) { disk } else { device }
}

/// The disk with the block device of this major and minor number on it.
#[must_use]
pub fn disk_with(root: &Path, device: (u64, u64)) -> Option<String> {
    let mut buffer = [0; TEXT_LEN_MAX];
    let mut file = KernelFile::new(root.join("proc/diskstats"));
    let text = file.read_all_into(&mut buffer).ok()?;
    let mut names = whole_lines(text).filter_map(|line| {
        let mut words = words(line);
        let number = (words.next().and_then(number)?, words.next().and_then(number)?);
        (number == device).then(|| str::from_utf8(words.next()?).ok())?
    });
    names.next().map(disk_of).filter(|disk| is_device_name(disk)).map(str::to_owned)
}

/// The disks, at most [`DISKS_MAX`]; `first` is the first of them, if it is there.
#[must_use]
pub fn disks(root: &Path, first: Option<&str>) -> Vec<String> {
    let mut buffer = [0; TEXT_LEN_MAX];
    let mut file = KernelFile::new(root.join("proc/diskstats"));
    let text = file.read_all_into(&mut buffer).unwrap_or_default();
    let mut disks: Vec<_> = names(text).filter(|name| is_disk(name)).map(str::to_owned).collect();
    disks.sort_by_key(|disk| Some(disk.as_str()) != first);
    disks.truncate(DISKS_MAX);
    disks
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n \
        179       1 mmcblk0p1 1 2 30 4 5 6 70 8 0 0 0\n \
        179       0 mmcblk0 11 12 130 14 15 16 170 18 0 0 0\n";

    #[test]
    fn a_disk_is_found_by_its_whole_name() {
        assert_eq!(parse(TEXT, b"mmcblk0"), Ok(Sectors { read: 130, written: 170 }));
        assert_eq!(parse(TEXT, b"mmcblk0p1"), Ok(Sectors { read: 30, written: 70 }));
        for name in [&b"mmcblk"[..], b"mmcblk01", b"179", b""] {
            assert_eq!(parse(TEXT, name), Err(NoData::NotPresent), "{name:?}");
        }
    }

    #[test]
    fn anything_else_is_malformed_or_not_there() {
        assert_eq!(parse(b"", b"sda"), Err(NoData::NotPresent));
        assert_eq!(parse(b"8 0 sda 1 2 3 4 5 6 7 8", b"sda"), Err(NoData::NotPresent), "cut off");
        for text in [
            &b"8 0 sda\n"[..],
            b"8 0 sda 1 2 3 4 5 6\n",
            b"8 0 sda 1 2 -3 4 5 6 7 8\n",
            b"8 0 sda 1 2 3 4 5 6 x 8\n",
            b"8 0 sda 1 2 99999999999999999999 4 5 6 7 8\n",
        ] {
            assert_eq!(parse(text, b"sda"), Err(NoData::Malformed), "{text:?}");
        }
    }

    #[test]
    fn disks_are_told_from_partitions_by_their_names() {
        for disk in ["mmcblk0", "mmcblk12", "sda", "sdab", "sdp", "sdap", "vda", "nvme0n1", "nvme10n2"] {
            assert!(is_disk(disk), "{disk}");
            assert_eq!(disk_of(disk), disk);
            let between = if disk.ends_with(|letter: char| letter.is_ascii_digit()) { "p" } else { "" };
            assert_eq!(disk_of(&format!("{disk}{between}12")), disk);
        }
        for other in [
            "mmcblk0p1",
            "mmcblk0boot0",
            "mmcblk",
            "sda1",
            "sd",
            "nvme0",
            "nvme0n",
            "nvme0n1p1",
            "nvmen1",
            "loop0",
            "ram0",
            "zram0",
            "dm-0",
            "md0",
            "sr0",
            "",
        ] {
            assert!(!is_disk(other), "{other}");
        }
        for itself in ["dm-0", "md0", "mmcblk0boot0", "ubiblock0_0", "p1", "1", ""] {
            assert_eq!(disk_of(itself), itself);
        }
    }

    #[test]
    fn the_disk_of_the_root_comes_first() {
        let dir = pivitals_broker::TestDir::new("disks");
        assert_eq!(disks(dir.path(), None), Vec::<String>::new());
        std::fs::create_dir(dir.path().join("proc")).unwrap();
        let line = |(major, minor, name)| format!("{major} {minor} {name} 0 0 0 0 0 0 0 0\n");
        let names = [(8, 0, "sda"), (8, 1, "sda1"), (8, 16, "sdb"), (8, 32, "sdc"), (8, 48, "sdd")];
        let card = [(179, 0, "mmcblk0"), (179, 8, "mmcblk0boot0"), (179, 2, "mmcblk0p2"), (253, 0, "dm-0")];
        let text: String = names.into_iter().chain(card).map(line).collect();
        std::fs::write(dir.path().join("proc/diskstats"), text).unwrap();
        let root = disk_with(dir.path(), (179, 2));
        assert_eq!(root.as_deref(), Some("mmcblk0"));
        assert_eq!(disks(dir.path(), root.as_deref()), ["mmcblk0", "sda", "sdb", "sdc"]);
        assert_eq!(disk_with(dir.path(), (253, 0)).as_deref(), Some("dm-0"));
        assert_eq!(disk_with(dir.path(), (0, 25)), None, "not on a block device");
    }

    #[test]
    fn a_day_writes_as_much_as_the_last_seconds_times_their_part_of_it() {
        let mut stats = Diskstats::new(Path::new("/not/there"));
        let index = stats.watch("mmcblk0");
        assert_eq!(stats.watch("mmcblk0"), index, "a disk is watched once");
        stats.disks[0].thing.written.update(Ok(0), BootTime::from_millis(0));
        stats.disks[0].thing.written.update(Ok(2000), BootTime::from_millis(10_000));
        assert_eq!(stats.reading(Metric::DiskWritten, index), Ok(102_400.0));
        assert_eq!(stats.reading(Metric::SdWrittenPerDay, index), Ok(8847.36));
    }
}
