//! The beginning of `/proc/meminfo`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::measure::probe::memory::parse_used_kib;

fuzz_target!(|text: &[u8]| {
    let Ok(used_kib) = parse_used_kib(text) else { return };
    let total_kib = first_of(text, "MemTotal:").expect("a total");
    let available_kib = first_of(text, "MemAvailable:").expect("what is available");
    assert_eq!(total_kib - available_kib, used_kib);
    // A line more, cut off within its number, changes nothing.
    assert_eq!(parse_used_kib(&[text, b"\nMemTotal: 1"].concat()), Ok(used_kib));
});

/// The first number of that key, read in another way.
fn first_of(text: &[u8], key: &str) -> Option<u64> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.split('\n').map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let words = lines.find(|words| words.first() == Some(&key))?;
    words.get(1)?.parse().ok()
}
