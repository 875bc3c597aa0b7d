//! Temperature of the SoC: from the firmware through `/dev/vcio`, or from the kernel's thermal zone.
//!
//! `/sys/class/thermal/thermal_zone0/temp`: `48312`, in thousandths of a degree Celsius; its `type` is
//! `cpu-thermal` on a Pi. Source: Documentation/driver-api/thermal/sysfs-api.rst; for the mailbox see
//! [`crate::measure::mailbox`].

use std::path::Path;

use super::kernel_file::{KernelFile, signed_number, whole_lines, words};
use crate::measure::mailbox::property;
use crate::measure::mailbox::vcio::Vcio;
use crate::metric::sample::{NoData, Reading};

/// Further zones are not looked at; a Pi has one.
const ZONES_MAX: usize = 8;

/// What the zone of the SoC is called, on kernels for the Pi and on others; the first is preferred.
/// Other zones are of batteries, radios and the like.
const ZONE_TYPES: [&[u8]; 5] =
    [b"cpu-thermal", b"cpu_thermal", b"bcm2835_thermal", b"soc-thermal", b"x86_pkg_temp"];

/// A sensor that says something outside is broken: no SoC runs there.
const PLAUSIBLE_MILLICELSIUS: std::ops::RangeInclusive<i64> = -55_000..=150_000;

/// The temperature in degrees Celsius.
#[derive(Debug)]
pub struct Temperature {
    zones: [Zone; ZONES_MAX],
    /// Which zone is the SoC's, once found.
    zone: Option<usize>,
}

/// The two files of a thermal zone.
#[derive(Debug)]
struct Zone {
    kind: KernelFile,
    temp: KernelFile,
}

impl Temperature {
    /// The probe of `sys/class/thermal` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let zones = std::array::from_fn(|index| {
            let folder = root.join(format!("sys/class/thermal/thermal_zone{index}"));
            Zone { kind: KernelFile::new(folder.join("type")), temp: KernelFile::new(folder.join("temp")) }
        });
        Self { zones, zone: None }
    }

    /// Asks the firmware, and the kernel if it gives no answer. When both have none, the reason is
    /// the more telling one: a mailbox that is there but denied, rather than a zone that is not.
    ///
    /// # Errors
    /// That reason.
    pub fn read(&mut self, vcio: &mut Vcio) -> Reading {
        let of_firmware = vcio.ask(property::TEMPERATURE).and_then(|value| plausible(value.into()));
        let millicelsius = of_firmware.or_else(|of_firmware| {
            self.ask_kernel().map_err(|of_kernel| match of_kernel {
                NoData::NotPresent => of_firmware,
                other => other,
            })
        })?;
        #[expect(clippy::cast_precision_loss, reason = "at most six digits")]
        Ok(millicelsius as f64 / 1000.0)
    }

    fn ask_kernel(&mut self) -> Result<i64, NoData> {
        if self.zone.is_none() {
            self.zone = find_zone(&mut self.zones);
        }
        let zone = self.zone.and_then(|index| self.zones.get_mut(index)).ok_or(NoData::NotPresent)?;
        let mut buffer = [0; 32];
        let reading = zone.temp.read_into(&mut buffer).and_then(parse_millicelsius);
        if reading == Err(NoData::NotPresent) {
            self.zone = None; // the driver went; when it is back, the zone may have another number
        }
        reading
    }
}

/// The zone of the SoC, by its type.
fn find_zone(zones: &mut [Zone]) -> Option<usize> {
    let mut best = None;
    for (index, zone) in zones.iter_mut().enumerate() {
        let mut buffer = [0; 32];
        let Ok(text) = zone.kind.read_into(&mut buffer) else { break };
        let rank = zone_rank(text);
        zone.kind.close();
        let Some(rank) = rank else { continue };
        if best.is_none_or(|(best_rank, _)| rank < best_rank) {
            best = Some((rank, index));
        }
    }
    best.map(|(_, index)| index)
}

/// How well a zone's `type` fits the SoC: 0 is the best; `None` is a zone of something else.
#[must_use]
pub fn zone_rank(text: &[u8]) -> Option<usize> {
    let kind = whole_lines(text).next()?;
    ZONE_TYPES.iter().position(|known| *known == kind)
}

/// Thousandths of a degree Celsius from a zone's `temp`, −55 000 to 150 000.
///
/// # Errors
/// `Malformed`, if it is no number or one outside that range.
pub fn parse_millicelsius(text: &[u8]) -> Result<i64, NoData> {
    let line = whole_lines(text).next().ok_or(NoData::Malformed)?;
    plausible(words(line).next().and_then(signed_number).ok_or(NoData::Malformed)?)
}

fn plausible(millicelsius: i64) -> Result<i64, NoData> {
    PLAUSIBLE_MILLICELSIUS.contains(&millicelsius).then_some(millicelsius).ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    fn read(root: &Path) -> Reading {
        Temperature::new(root).read(&mut Vcio::new(root))
    }

    #[test]
    fn a_zone_says_thousandths_of_a_degree() {
        assert_eq!(parse_millicelsius(b"48312\n"), Ok(48_312));
        assert_eq!(parse_millicelsius(b"-12000\n"), Ok(-12_000));
        assert_eq!(parse_millicelsius(b"0\n"), Ok(0));
    }

    #[test]
    fn anything_else_is_malformed() {
        for text in [
            &b""[..],
            b"\n",
            b"4831",
            b"warm\n",
            b"-\n",
            b"150001\n",
            b"-273150\n",
            b"99999999999999999999\n",
        ] {
            assert_eq!(parse_millicelsius(text), Err(NoData::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_board_without_a_sensor_has_no_reading() {
        assert_eq!(read(Path::new("/not/there")), Err(NoData::NotPresent));
    }

    #[test]
    fn the_zone_is_chosen_by_its_type() {
        let dir = TestDir::new("zones");
        let root = dir.path();
        let zones = root.join("sys/class/thermal");
        for (index, kind, temp) in [(0, "iwlwifi_1", "1000"), (1, "cpu-thermal", "48312")] {
            assert_eq!(read(root), Err(NoData::NotPresent));
            let zone = zones.join(format!("thermal_zone{index}"));
            std::fs::create_dir_all(&zone).unwrap();
            std::fs::write(zone.join("type"), format!("{kind}\n")).unwrap();
            std::fs::write(zone.join("temp"), format!("{temp}\n")).unwrap();
        }
        assert_eq!(read(root), Ok(48.312));
        // Where the mailbox is a file that is no mailbox, the zone answers all the same.
        std::fs::create_dir_all(root.join("dev")).unwrap();
        std::fs::write(root.join("dev/vcio"), "").unwrap();
        assert_eq!(read(root), Ok(48.312));
    }
}
