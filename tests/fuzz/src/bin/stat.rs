//! `/proc/stat`, read twice: two texts with a record separator (0x1e) between them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::measure::probe::cpu::{Ticks, busy_percent, parse};
use pivitals::metric::sample::NoData;

fuzz_target!(|input: &[u8]| {
    let mut texts = input.splitn(2, |&byte| byte == 0x1e);
    let last = parse_checked(texts.next().unwrap_or_default());
    let now = parse_checked(texts.next().unwrap_or_default());
    match busy_percent(last, now) {
        Ok(percent) => assert!((0.0..=100.0).contains(&percent), "{percent}"),
        Err(NoData::NotYet | NoData::Backwards) => assert!(last.is_ok() && now.is_ok()),
        Err(reason) => assert!(last == Err(reason) || now == Err(reason)),
    }
});

/// Parses, and holds the outcome against another way to read the same line.
fn parse_checked(text: &[u8]) -> Result<Ticks, NoData> {
    let ticks = parse(text);
    let Ok(counted) = ticks else { return ticks };
    let line = text.split(|&byte| byte == b'\n').next().map(String::from_utf8_lossy).expect("a line");
    let line = line.trim_ascii_start().strip_prefix("cpu").expect("the line of all cores");
    let numbers = line.split_ascii_whitespace().take(8).map_while(|word| word.parse::<u128>().ok());
    let sum: u128 = numbers.sum();
    assert_eq!(u128::from(counted.busy) + u128::from(counted.idle), sum, "no tick is lost");
    assert_eq!(parse(&[text, b"\xff"].concat()), ticks, "what follows the line says nothing");
    ticks
}
