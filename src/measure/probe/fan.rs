//! Speed of the fan: `fan1_input` of the hwmon device whose `name` is `pwmfan`.
//!
//! `/sys/class/hwmon/hwmon2/name`: `pwmfan`; `/sys/class/hwmon/hwmon2/fan1_input`: `2987`, in revolutions per
//! minute, 0 while the fan stands still.
//!
//! The driver `pwm-fan` names its device so, on a Pi 5 and wherever the device tree has a `pwm-fan`; a kernel
//! may also use the device tree's name, which is `cooling_fan` on a Pi 5. It counts its fans from 1, and has
//! no `fan1_input` for a fan without a tachometer. Source: Documentation/hwmon/sysfs-interface.rst,
//! Documentation/hwmon/pwm-fan.rst.

use std::path::Path;

use super::kernel_file::{KernelFile, number, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

/// Devices that are searched, `hwmon0` and on. A Pi 5 has four. A number may be missing in between.
const DEVICES_MAX: usize = 10;

const NAMES: [&[u8]; 2] = [b"pwmfan", b"cooling_fan"];

/// No fan is faster: the sensor is broken.
const RPM_MAX: u64 = 30_000;

const TEXT_LEN_MAX: usize = 32;

/// The fan's speed in revolutions per minute.
#[derive(Debug)]
pub struct Fan {
    devices: [Device; DEVICES_MAX],
    /// Which device is the fan, once found.
    found: Option<usize>,
}

/// Two files of a hwmon device.
#[derive(Debug)]
struct Device {
    name: KernelFile,
    input: KernelFile,
}

impl Fan {
    /// The probe of `sys/class/hwmon` under `root`, which is searched at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let devices = std::array::from_fn(|index| {
            let folder = root.join(format!("sys/class/hwmon/hwmon{index}"));
            Device {
                name: KernelFile::new(folder.join("name")),
                input: KernelFile::new(folder.join("fan1_input")),
            }
        });
        Self { devices, found: None }
    }

    /// Revolutions per minute now.
    ///
    /// # Errors
    /// `NotPresent` without a fan, or for a fan without a tachometer; else why the file cannot be read, or
    /// what [`parse_rpm`] says of it.
    pub fn read(&mut self) -> Reading {
        if self.found.is_none() {
            self.found = self.devices.iter_mut().position(Device::is_fan);
        }
        let device = self.found.and_then(|index| self.devices.get_mut(index)).ok_or(NoData::NotPresent)?;
        let mut buffer = [0; TEXT_LEN_MAX];
        let reading = device.input.read_into(&mut buffer).and_then(parse_rpm);
        if reading == Err(NoData::NotPresent) {
            self.found = None; // the driver is unloaded; loaded again, it may have another number
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 30,000")]
        reading.map(|rpm| rpm as f64)
    }
}

impl Device {
    fn is_fan(&mut self) -> bool {
        let mut buffer = [0; TEXT_LEN_MAX];
        let is_fan = self.name.read_into(&mut buffer).is_ok_and(is_fan);
        self.name.close();
        is_fan
    }
}

/// Whether a device's `name` is that of a fan.
fn is_fan(text: &[u8]) -> bool {
    whole_lines(text).next().is_some_and(|name| NAMES.contains(&name))
}

/// Revolutions per minute, 0 to 30,000.
///
/// # Errors
/// `Malformed`, if the text is not such a number.
pub fn parse_rpm(text: &[u8]) -> Result<u64, NoData> {
    let line = whole_lines(text).next().ok_or(NoData::Malformed)?;
    let rpm = words(line).next().and_then(number).filter(|rpm| *rpm <= RPM_MAX);
    rpm.ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pivitals_broker::TestDir;

    use super::*;

    #[test]
    fn rpm_is_a_whole_number_and_zero_is_a_value() {
        assert_eq!(parse_rpm(b"2987\n"), Ok(2987));
        assert_eq!(parse_rpm(b"0\n"), Ok(0));
        for text in [&b""[..], b"\n", b"2987", b"-1\n", b"fast\n", b"30001\n", b"99999999999999999999\n"] {
            assert_eq!(parse_rpm(text), Err(NoData::Malformed), "{text:?}");
        }
    }

    #[test]
    fn fan_is_found_by_its_name_and_again_under_another_number() {
        let dir = TestDir::new("fan");
        let device = |index: usize, name: &str, rpm: Option<&str>| {
            let folder = dir.path().join(format!("sys/class/hwmon/hwmon{index}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("name"), name).unwrap();
            if let Some(rpm) = rpm {
                fs::write(folder.join("fan1_input"), rpm).unwrap();
            }
            folder
        };
        let mut fan = Fan::new(dir.path());
        assert_eq!(fan.read(), Err(NoData::NotPresent), "no hwmon at all");
        device(0, "cpu_thermal\n", None);
        device(2, "nct6775\n", Some("700\n"));
        assert_eq!(fan.read(), Err(NoData::NotPresent), "the fan of another driver");
        let folder = device(3, "pwmfan\n", None);
        assert_eq!(fan.read(), Err(NoData::NotPresent), "no tachometer");
        fs::write(folder.join("fan1_input"), "0\n").unwrap();
        assert_eq!(fan.read(), Ok(0.0));
        fs::rename(&folder, folder.with_file_name("hwmon5")).unwrap();
        fan.devices[3].input.close();
        assert_eq!(fan.read(), Err(NoData::NotPresent));
        assert_eq!(fan.read(), Ok(0.0));
    }

    #[test]
    fn name_of_the_device_tree_is_accepted() {
        assert!(is_fan(b"cooling_fan\n") && is_fan(b"pwmfan\n"));
        assert!(!is_fan(b"pwmfan2\n") && !is_fan(b"pwmfan") && !is_fan(b""));
    }
}
