//! `/proc/net/wireless`: how well a connected Wi-Fi interface hears its access point, in dBm.
//!
//! ` wlan0: 0000   58.  -52.  -256        0      0      0     17      0        0`
//!
//! After two lines of titles one line each: name, state, quality, level, noise; a point behind a number says
//! that it is new. An interface that is not connected has no line. Source: proc_pid_net(5), and the
//! kernel's net/wireless/wext-proc.c.

use std::path::Path;

use super::kernel_file::{KernelFile, signed_number, whole_lines, words};
use crate::metric::sample::{NoData, Reading};

/// The titles and four interfaces.
const TEXT_LEN_MAX: usize = 768;

/// A driver that counts in units of its own gives no negative numbers, and −256 is what none gives.
const PLAUSIBLE_DBM: std::ops::RangeInclusive<i64> = -150..=-1;

/// Strength of the signal in dBm.
#[derive(Debug)]
pub struct Wireless {
    file: KernelFile,
    /// Whether the board has Wi-Fi: one that is not connected is not missing.
    has_radio: bool,
}

impl Wireless {
    /// The probe of `proc/net/wireless` under `root`, which is opened at the first reading.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let interfaces = std::fs::read_dir(root.join("sys/class/net")).into_iter().flatten().flatten();
        let has_radio = interfaces.into_iter().any(|entry| entry.path().join("phy80211").exists());
        Self { file: KernelFile::new(root.join("proc/net/wireless")), has_radio }
    }

    /// Of the first interface that is connected.
    ///
    /// # Errors
    /// `NotYet`, if the board has Wi-Fi and none is connected; else as [`parse_dbm`], or why the file cannot
    /// be read.
    pub fn read(&mut self) -> Reading {
        let mut buffer = [0; TEXT_LEN_MAX];
        match parse_dbm(self.file.read_into(&mut buffer)?) {
            Err(NoData::NotPresent) if self.has_radio => Err(NoData::NotYet),
            dbm =>
            {
                #[expect(clippy::cast_precision_loss, reason = "three digits")]
                dbm.map(|dbm| dbm as f64)
            }
        }
    }
}

/// The level of the first interface, in dBm.
///
/// # Errors
/// `NotPresent`, if no interface is connected; `Malformed`, if it has no number, or one that no radio gives.
pub fn parse_dbm(text: &[u8]) -> Result<i64, NoData> {
    let line = whole_lines(text).nth(2).ok_or(NoData::NotPresent)?;
    let level = words(line).nth(3).map(|word| word.strip_suffix(b".").unwrap_or(word));
    level.and_then(signed_number).filter(|dbm| PLAUSIBLE_DBM.contains(dbm)).ok_or(NoData::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dbm(lines: &str) -> Result<i64, NoData> {
        parse_dbm(format!("Inter-| sta-|   Quality\n face | tus | link level noise\n{lines}").as_bytes())
    }

    #[test]
    fn the_level_is_that_of_the_first_interface() {
        assert_eq!(dbm(" wlan0: 0000   58.  -52.  -256  0\n wlan1: 0000   44.  -66.  -256\n"), Ok(-52));
        assert_eq!(dbm(" wlan0: 0000   58   -52   -256\n"), Ok(-52), "not new, but the last there is");
    }

    #[test]
    fn an_interface_that_is_not_connected_has_no_reading() {
        assert_eq!(dbm(""), Err(NoData::NotPresent));
        assert_eq!(dbm(" wlan0: 0000   58.  -5"), Err(NoData::NotPresent), "cut off");
        assert_eq!(parse_dbm(b""), Err(NoData::NotPresent));
    }

    #[test]
    fn anything_else_is_malformed() {
        for line in [
            "\n",
            " wlan0:\n",
            " wlan0: 0000 58.\n",
            " wlan0: 0000 58. 52. -256\n", // in units of the driver's own
            " wlan0: 0000 0. 0. 0.\n",
            " wlan0: 0000 0. -256. -256.\n",
            " wlan0: 0000 58. --52. -256\n",
            " wlan0: 0000 58. . -256\n",
            " wlan0: 0000 58. -99999999999999999999. -256\n",
        ] {
            assert_eq!(dbm(line), Err(NoData::Malformed), "{line}");
        }
    }

    #[test]
    fn a_board_with_a_radio_waits_for_a_connection() {
        let dir = pivitals_broker::TestDir::new("wireless");
        std::fs::create_dir_all(dir.path().join("proc/net")).unwrap();
        std::fs::write(dir.path().join("proc/net/wireless"), "titles\ntitles\n").unwrap();
        assert_eq!(Wireless::new(dir.path()).read(), Err(NoData::NotPresent));
        std::fs::create_dir_all(dir.path().join("sys/class/net/wlan0/phy80211")).unwrap();
        assert_eq!(Wireless::new(dir.path()).read(), Err(NoData::NotYet));
    }
}
