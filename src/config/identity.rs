//! Who this device is: what the placeholders in the configuration stand for, and what it is made of.

use std::fs;
use std::path::Path;

use crate::measure::probe::Inventory;

/// The placeholders, without their braces. `{client_id}` is the configuration's own.
pub const PLACEHOLDERS: [&str; 4] = ["hostname", "serial", "machine-id", "mac"];

/// The placeholders with a stand-in for each, used where the device is not known. A stand-in is as long as the
/// real name, and in capitals, which no device's name has.
pub const STAND_INS: [(&str, &str); 4] = [
    ("hostname", "HOSTNAME"),
    ("serial", "SERIAL-NUMBER-00"),
    ("machine-id", "MACHINE-ID-000000000000000000000"),
    ("mac", "MAC-ADDRESS-"),
];

/// Interfaces whose address is preferred, in this order: the built-in ones of a Pi, whose names do
/// not depend on what else is plugged in.
const INTERFACES: [&str; 3] = ["eth0", "end0", "wlan0"];

/// What is known of the device; where something is not, where it was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    hostname: Result<String, &'static str>,
    serial: Result<String, &'static str>,
    machine_id: Result<String, &'static str>,
    mac: Result<String, &'static str>,
    model: Option<String>,
    inventory: Inventory,
}

impl Identity {
    /// Looks under `root`.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let first_of = |paths: &[&'static str], parse: fn(&str) -> Option<&str>| {
            let found = paths.iter().find_map(|path| {
                let text = fs::read_to_string(root.join(path)).ok()?;
                parse(&text).map(str::to_owned)
            });
            found.ok_or(*paths.first().unwrap_or(&""))
        };
        Self {
            hostname: first_of(&["proc/sys/kernel/hostname"], parse_hostname),
            serial: first_of(
                &["proc/device-tree/serial-number", "sys/firmware/devicetree/base/serial-number"],
                parse_serial,
            ),
            machine_id: first_of(&["etc/machine-id"], parse_machine_id),
            model: first_of(&["proc/device-tree/model", "sys/firmware/devicetree/base/model"], |text| {
                first_line(text).filter(|model| !model.is_empty())
            })
            .ok(),
            mac: mac(&root.join("sys/class/net")).ok_or("sys/class/net/*/address"),
            inventory: Inventory::Board(root.to_owned()),
        }
    }

    /// The same for an image that is yet to be booted: the name in `etc/hostname` is taken, and what
    /// only a running device can know has a stand-in, to check the rest with. Tells which have.
    #[must_use]
    pub fn of_image(mut self, root: &Path) -> (Self, Vec<(&'static str, &'static str)>) {
        if self.hostname.is_err()
            && let Ok(text) = fs::read_to_string(root.join("etc/hostname"))
            && let Some(name) = text.lines().map(str::trim).find(|line| !line.is_empty())
        {
            self.hostname = Ok(name.to_owned());
        }
        self.inventory = Inventory::Image;
        let mut stand_ins = Vec::new();
        let names = [&mut self.hostname, &mut self.serial, &mut self.machine_id, &mut self.mac];
        for (name, known) in STAND_INS.into_iter().zip(names) {
            if known.is_err() {
                *known = Ok(name.1.to_owned());
                stand_ins.push(name);
            }
        }
        (self, stand_ins)
    }

    /// A device that nobody has seen, and that may have anything: what stands for each of the
    /// [`PLACEHOLDERS`] is given, in their order.
    #[must_use]
    pub fn given(names: [&str; PLACEHOLDERS.len()]) -> Self {
        let [hostname, serial, machine_id, mac] = names.map(|name| Ok(name.to_owned()));
        Self { hostname, serial, machine_id, mac, model: None, inventory: Inventory::Image }
    }

    /// The board's model, from the device tree.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// What there is to be measured on it.
    #[must_use]
    pub const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What a placeholder stands for; `None` if there is no such placeholder.
    ///
    /// # Errors
    /// The file that should have told.
    #[must_use]
    pub fn resolve(&self, placeholder: &str) -> Option<Result<&str, &'static str>> {
        let value = match placeholder {
            "hostname" => &self.hostname,
            "serial" => &self.serial,
            "machine-id" => &self.machine_id,
            "mac" => &self.mac,
            _ => return None,
        };
        Some(value.as_deref().map_err(|path| *path))
    }
}

/// The host's name, from `/proc/sys/kernel/hostname`; the kernel's `(none)` is none.
#[must_use]
pub fn parse_hostname(text: &str) -> Option<&str> {
    first_line(text).filter(|name| !name.is_empty() && *name != "(none)")
}

/// The board's serial number, from the device tree, where a NUL ends it; nothing but zeros is none.
#[must_use]
pub fn parse_serial(text: &str) -> Option<&str> {
    first_line(text).filter(|serial| serial.contains(|digit| digit != '0'))
}

/// The 32 hexadecimal digits of `/etc/machine-id`. systemd writes "uninitialized" into images that are
/// yet to be booted for the first time.
#[must_use]
pub fn parse_machine_id(text: &str) -> Option<&str> {
    first_line(text).filter(|id| id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The first line, without the NUL that ends a text of the device tree.
fn first_line(text: &str) -> Option<&str> {
    text.lines().next().map(|line| line.trim_matches(['\0', ' ', '\t']))
}

/// The hardware address as twelve digits, which may stand in a topic and in a thing's name, from an
/// interface's `address` and `type`. Only Ethernet has one that says who it is; nothing but zeros is none.
#[must_use]
pub fn parse_mac(address: &str, kind: &str) -> Option<String> {
    const ETHERNET: &str = "1"; // ARPHRD_ETHER, Wi-Fi included; 772 is loopback
    let address: String = address.trim().split(':').collect();
    let is_address = address.len() == 12
        && address.bytes().all(|digit| digit.is_ascii_hexdigit())
        && address.bytes().any(|digit| digit != b'0');
    (is_address && kind.trim() == ETHERNET).then(|| address.to_ascii_lowercase())
}

/// The first interface that has a hardware address, the built-in ones before others.
fn mac(interfaces: &Path) -> Option<String> {
    let mut others: Vec<_> = fs::read_dir(interfaces)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !INTERFACES.contains(&name.as_str()))
        .collect();
    others.sort();
    let preferred = INTERFACES.map(str::to_owned);
    preferred.into_iter().chain(others).find_map(|name| {
        let read = |file| fs::read_to_string(interfaces.join(&name).join(file)).ok();
        parse_mac(&read("address")?, &read("type")?)
    })
}

#[cfg(test)]
mod tests {
    use pivitals_broker::TestDir;

    use super::*;

    fn board(name: &str) -> Identity {
        Identity::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots").join(name))
    }

    #[test]
    fn a_pi_knows_all_of_its_names() {
        let pi = board("pi-4");
        assert_eq!(pi.resolve("hostname"), Some(Ok("pi-4")));
        assert_eq!(pi.resolve("serial").unwrap().unwrap().len(), 16);
        assert_eq!(pi.resolve("machine-id").unwrap().unwrap().len(), 32);
        assert_eq!(pi.resolve("mac").unwrap().unwrap().len(), 12);
    }

    #[test]
    fn names_that_are_given_stand_for_their_placeholders() {
        let names = ["h", "s", "i", "m"];
        let given = Identity::given(names);
        assert_eq!(PLACEHOLDERS.map(|placeholder| given.resolve(placeholder).unwrap().unwrap()), names);
        assert_eq!(given.inventory(), &Inventory::Image);
    }

    #[test]
    fn a_name_that_is_empty_or_not_there_is_told_with_its_file() {
        let broken = board("broken");
        assert_eq!(broken.resolve("hostname"), Some(Err("proc/sys/kernel/hostname")));
        assert_eq!(broken.resolve("machine-id"), Some(Err("etc/machine-id")));
        assert_eq!(broken.resolve("mac"), Some(Err("sys/class/net/*/address")));
        assert_eq!(board("vm").resolve("serial"), Some(Err("proc/device-tree/serial-number")));
    }

    #[test]
    fn a_name_that_many_devices_would_share_is_none() {
        let dir = TestDir::new("identity");
        let root = dir.path();
        for (file, content) in [
            ("etc/machine-id", "uninitialized\n"),
            ("proc/device-tree/serial-number", "0000000000000000\0"),
            ("proc/sys/kernel/hostname", "(none)\n"),
        ] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), content).unwrap();
        }
        let identity = Identity::read(root);
        for placeholder in PLACEHOLDERS {
            assert!(identity.resolve(placeholder).unwrap().is_err(), "{placeholder}");
        }
    }

    #[test]
    fn an_image_knows_its_host_name_and_has_stand_ins_for_the_rest() {
        let dir = TestDir::new("image");
        let (unnamed, stand_ins) = Identity::read(dir.path()).of_image(dir.path());
        assert_eq!(stand_ins.iter().map(|(name, _)| *name).collect::<Vec<_>>(), PLACEHOLDERS);
        assert_eq!(unnamed.resolve("hostname"), Some(Ok("HOSTNAME")));
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(dir.path().join("etc/hostname"), "\npi-image\n").unwrap();
        let (named, stand_ins) = Identity::read(dir.path()).of_image(dir.path());
        assert_eq!((named.resolve("hostname"), stand_ins.len()), (Some(Ok("pi-image")), 3));
        // They are as long as the real ones, so that the limits are checked with them.
        let pi = board("pi-4");
        for (name, stand_in) in stand_ins {
            assert_eq!(pi.resolve(name).unwrap().unwrap().len(), stand_in.len(), "{name}");
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots/pi-4");
        let (known, stand_ins) = board("pi-4").of_image(&root);
        assert_eq!(stand_ins, []);
        assert!(PLACEHOLDERS.iter().all(|name| known.resolve(name) == pi.resolve(name)));
    }

    #[test]
    fn a_placeholder_that_is_none_is_told_apart() {
        assert_eq!(board("pi-4").resolve("hostnam"), None);
        for placeholder in PLACEHOLDERS {
            assert!(board("pi-4").resolve(placeholder).is_some());
        }
    }
}
