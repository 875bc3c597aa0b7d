//! Texts of gauges: `/proc/loadavg`, `/proc/uptime`, `/proc/swaps`, `/proc/net/wireless`, a fan's
//! `fan1_input`, and an eMMC's `life_time` and `pre_eol_info`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::measure::probe::{fan, loadavg, mmc, swaps, uptime, wireless};

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    // No line but the whole ones.
    let lines: Vec<_> = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
    let word = |line: usize, word: usize| {
        lines.get(line).and_then(|line| line.split_ascii_whitespace().nth(word)).unwrap_or_default()
    };
    let bytes = text.as_bytes();

    if let Ok(load) = loadavg::parse(bytes) {
        for (index, hundredths) in load.hundredths.into_iter().enumerate() {
            assert_eq!(word(0, index).replace('.', "").parse(), Ok(hundredths));
        }
        assert_eq!(word(0, 3).split('/').nth(1).map(str::parse), Some(Ok(load.tasks)));
    }
    if let Ok(hundredths) = uptime::parse_hundredths(bytes) {
        assert_eq!(word(0, 0).replace('.', "").parse(), Ok(hundredths));
    }
    if let Ok(used) = swaps::parse_used_kib(bytes) {
        let sum: u128 = (1..lines.len()).map(|line| word(line, 3).parse::<u128>().expect("a number")).sum();
        assert_eq!(u128::from(used), sum);
    }
    if let Ok(dbm) = wireless::parse_dbm(bytes) {
        assert!((-150..=-1).contains(&dbm), "{dbm}");
        assert_eq!(word(2, 3).trim_end_matches('.').parse(), Ok(dbm));
    }
    if let Ok(rpm) = fan::parse_rpm(bytes) {
        assert!((0..=30_000).contains(&rpm), "{rpm}");
        assert_eq!(word(0, 0).parse(), Ok(rpm));
    }
    for which in [0, 1] {
        if let Ok(percent) = mmc::parse_life_time(bytes, which) {
            assert!(percent % 10 == 0 && (10..=110).contains(&percent), "{percent}");
            let digits = word(0, which).trim_start_matches("0x");
            assert_eq!(u8::from_str_radix(digits, 16), Ok(percent / 10));
        }
    }
    if let Ok(reserved) = mmc::parse_pre_eol(bytes) {
        assert!((1..=3).contains(&reserved), "{reserved}");
    }
});
