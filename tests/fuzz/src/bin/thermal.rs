//! A thermal zone: its `type` and its `temp`, with a record separator (0x1e) between them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::measure::probe::temperature::{parse_millicelsius, zone_rank};

fuzz_target!(|input: &[u8]| {
    let mut texts = input.splitn(2, |&byte| byte == 0x1e);
    let (kind, temp) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
    if let Some(rank) = zone_rank(kind) {
        assert!(rank < 5, "{rank}");
        assert!(kind.contains(&b'\n') && !kind.starts_with(b"\n"), "a whole line");
        assert!(zone_rank(&[b"x", kind].concat()).is_none(), "no part of a name is the name");
    }
    if let Ok(millicelsius) = parse_millicelsius(temp) {
        assert!((-55_000..=150_000).contains(&millicelsius), "{millicelsius}");
        let line = temp.split(|&byte| byte == b'\n').next().expect("a line");
        let word = String::from_utf8_lossy(line).split_ascii_whitespace().next().map(str::parse);
        assert_eq!(word, Some(Ok(millicelsius)));
    }
});
