//! `/proc/net/dev`: what each network interface has received and sent since it is there, in bytes.
//!
//! `  eth0: 1873305118 2964417    0    0    0     0          0     20716 412907733 1733092    0 …`
//!
//! After two lines of titles one line each: name, eight numbers of what was received and eight of what was
//! sent, bytes first. Source: proc_pid_net(5).
//!
//! Watched are the interfaces that lead away from the board: those with hardware behind them, and tunnels
//! and modems that carry traffic. Bridges, bonds, VLANs and the ends of containers count a second time
//! what those count, and the loopback leads nowhere. Source: Documentation/ABI/testing/sysfs-class-net.

use std::path::Path;

use super::kernel_file::{KernelFile, TEXT_LEN_MAX, is_device_name, number, whole_lines, words};
use super::named::Named;
use super::rate::Rate;
use crate::metric::sample::{NoData, Reading};
use crate::metric::{INTERFACES_MAX, Metric};
use crate::platform::clock::BootTime;

/// Bytes a second of each interface that is asked for.
#[derive(Debug)]
pub struct NetDev {
    file: KernelFile,
    interfaces: Vec<Named<Interface>>,
}

#[derive(Debug, Default)]
struct Interface {
    received: Rate,
    sent: Rate,
}

/// What an interface has counted, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

impl NetDev {
    /// The probe of `proc/net/dev` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { file: KernelFile::new(root.join("proc/net/dev")), interfaces: Vec::new() }
    }

    /// The number of the interface with this name, which is watched from now on.
    pub fn watch(&mut self, name: &str) -> usize {
        Named::index(&mut self.interfaces, name)
    }

    /// Reads the file.
    pub fn update(&mut self, now: BootTime) {
        let mut buffer = [0; TEXT_LEN_MAX];
        let text = self.file.read_all_into(&mut buffer);
        for Named { name, thing } in &mut self.interfaces {
            let traffic = text.and_then(|text| parse(text, name.as_bytes()));
            thing.received.update(traffic.map(|traffic| traffic.received), now);
            thing.sent.update(traffic.map(|traffic| traffic.sent), now);
        }
    }

    /// Bytes a second of an interface between the last two readings.
    ///
    /// # Errors
    /// `NotPresent` for a number that is none; else why the last two readings give no rate.
    pub fn reading(&self, metric: Metric, index: usize) -> Reading {
        let Named { thing, .. } = self.interfaces.get(index).ok_or(NoData::NotPresent)?;
        match metric {
            Metric::NetworkReceived => thing.received.per_second(),
            Metric::NetworkSent => thing.sent.per_second(),
            _ => Err(NoData::NotPresent),
        }
    }
}

/// What the interface with this name has received and sent.
///
/// # Errors
/// `NotPresent`, if there is no such line; `Malformed`, if it has no such numbers.
pub fn parse(text: &[u8], name: &[u8]) -> Result<Traffic, NoData> {
    let mut lines = lines(text).filter(|(known, _)| *known == name);
    lines.next().ok_or(NoData::NotPresent)?.1.ok_or(NoData::Malformed)
}

/// Each interface's name, and its traffic if it can be read.
fn lines(text: &[u8]) -> impl Iterator<Item = (&[u8], Option<Traffic>)> {
    whole_lines(text).filter_map(|line| {
        let mut halves = line.splitn(2, |&byte| byte == b':');
        let (name, numbers) = (halves.next()?.trim_ascii(), halves.next()?);
        let mut numbers = words(numbers).map(number);
        let traffic = || Some(Traffic { received: numbers.next()??, sent: numbers.nth(7)?? });
        Some((name, { traffic }()))
    })
}

/// The interfaces that are worth watching, those with hardware first, at most [`INTERFACES_MAX`].
#[must_use]
pub fn interfaces(root: &Path) -> Vec<String> {
    let mut buffer = [0; TEXT_LEN_MAX];
    let mut file = KernelFile::new(root.join("proc/net/dev"));
    let Ok(text) = file.read_all_into(&mut buffer) else { return Vec::new() };
    let (mut hardware, mut others) = (Vec::new(), Vec::new());
    for (name, traffic) in lines(text) {
        let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_device_name(name)) else { continue };
        let folder = root.join("sys/class/net").join(name);
        if folder.join("device").exists() {
            hardware.push(name.to_owned());
        } else if traffic.is_some_and(|Traffic { received, sent }| received > 0 || sent > 0)
            && is_tunnel(&std::fs::read(folder.join("type")).unwrap_or_default())
        {
            others.push(name.to_owned());
        }
    }
    hardware.append(&mut others);
    hardware.truncate(INTERFACES_MAX);
    hardware
}

/// Whether an interface's `type` is neither Ethernet, as of bridges and containers, nor the loopback.
fn is_tunnel(text: &[u8]) -> bool {
    const ETHERNET: u64 = 1;
    const LOOPBACK: u64 = 772;
    !matches!(number(text.trim_ascii()), None | Some(ETHERNET | LOOPBACK))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const TEXT: &[u8] = b"Inter-|   Receive                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n    \
        lo: 504 6 0 0 0 0 0 0 504 6 0 0 0 0 0 0\n  \
        eth0.7: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n  \
        eth0:99 2 3 4 5 6 7 8 77 10 11 12 13 14 15 16\n\
        wlan0: 18446744073709551615 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn an_interface_is_found_by_its_whole_name() {
        assert_eq!(parse(TEXT, b"eth0"), Ok(Traffic { received: 99, sent: 77 }));
        assert_eq!(parse(TEXT, b"eth0.7"), Ok(Traffic { received: 1, sent: 9 }));
        assert_eq!(parse(TEXT, b"wlan0"), Ok(Traffic { received: u64::MAX, sent: 0 }));
        for name in [&b"eth"[..], b"eth1", b"th0", b"face |bytes", b""] {
            assert_eq!(parse(TEXT, name), Err(NoData::NotPresent), "{name:?}");
        }
    }

    #[test]
    fn anything_else_is_malformed_or_not_there() {
        assert_eq!(parse(b"", b"eth0"), Err(NoData::NotPresent));
        assert_eq!(parse(b"eth0: 1 2 3 4 5 6 7 8 9 10", b"eth0"), Err(NoData::NotPresent), "cut off");
        for text in [
            &b"eth0:\n"[..],
            b"eth0: 1 2 3 4 5 6 7 8\n",
            b"eth0: -1 2 3 4 5 6 7 8 9\n",
            b"eth0: 1 2 3 4 5 6 7 8 x\n",
            b"eth0: 99999999999999999999 2 3 4 5 6 7 8 9\n",
            b"eth0:1: 1 2 3 4 5 6 7 8 9\n",
        ] {
            assert_eq!(parse(text, b"eth0"), Err(NoData::Malformed), "{text:?}");
        }
    }

    #[test]
    fn hardware_comes_first_then_tunnels_with_traffic_and_nothing_that_counts_twice() {
        let dir = pivitals_broker::TestDir::new("interfaces");
        let net = dir.path().join("sys/class/net");
        let mut text = String::from("Inter-|\n face |\n");
        for (name, kind, traffic, has_device) in [
            ("lo", "772", 9, false),
            ("wg0", "65534", 9, false),
            ("docker0", "1", 9, false),
            ("sit0", "776", 0, false),
            ("eth0", "1", 0, true),
            ("we\\ird", "65534", 9, true),
            ("wlan0", "1", 9, true),
            ("ppp0", "512", 9, false),
            ("tun0", "65534", 9, false),
        ] {
            writeln!(text, "{name}: {traffic} 0 0 0 0 0 0 0 0 0").unwrap();
            std::fs::create_dir_all(net.join(name)).unwrap();
            std::fs::write(net.join(name).join("type"), format!("{kind}\n")).unwrap();
            if has_device {
                std::fs::create_dir(net.join(name).join("device")).unwrap();
            }
        }
        assert_eq!(interfaces(dir.path()), Vec::<String>::new());
        std::fs::create_dir_all(dir.path().join("proc/net")).unwrap();
        std::fs::write(dir.path().join("proc/net/dev"), text).unwrap();
        assert_eq!(interfaces(dir.path()), ["eth0", "wlan0", "wg0", "ppp0"]);
    }
}
