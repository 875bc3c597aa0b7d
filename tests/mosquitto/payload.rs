//! The contract's `rule` format, byte for byte.

/// Names and units for the label `pi-7`, in the order of the default `metrics`.
const SERIES: [(&str, &str); 4] = [
    ("cpu usage (pi-7)", "Percent"),
    ("memory usage (pi-7)", "Megabytes"),
    ("disk usage / (pi-7)", "Percent"),
    ("cpu temperature (pi-7)", "None"),
];

/// How many messages a sample has.
pub const MESSAGES: usize = SERIES.len();

/// A message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// Seconds since 1970.
    pub timestamp: u64,
    /// The place in a sample, from 0.
    pub series: usize,
}

/// Reads a payload. One that differs from the contract by a byte is a panic.
pub fn read(payload: &str) -> Reading {
    let reading = SERIES.iter().enumerate().find_map(|(series, (name, unit))| {
        let rest = payload.strip_prefix(&format!(r#"{{"name":"{name}","unit":"{unit}","value":"#))?;
        let (value, timestamp) = rest.strip_suffix('}')?.split_once(r#","timestamp":"#)?;
        (is_number(value, 1) && is_plausible(series, value) && is_number(timestamp, 0))
            .then(|| Reading { series, timestamp: timestamp.parse().expect("digits") })
    });
    reading.unwrap_or_else(|| panic!("not as the contract has it: {payload}"))
}

/// Digits as JSON has them, with so many after the point.
fn is_number(text: &str, decimals: usize) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return false,
        Some(parts) => parts,
        None => (text, ""),
    };
    let is_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
    !whole.is_empty()
        && !has_leading_zero
        && is_digits(whole)
        && is_digits(fraction)
        && fraction.len() == decimals
}

fn is_plausible(series: usize, value: &str) -> bool {
    let number: f64 = value.parse().expect("a number");
    match SERIES[series] {
        (_, "None") => value == "48.3",
        (_, "Percent") => (0.0..=100.0).contains(&number),
        _ => number > 0.0,
    }
}

#[test]
fn another_byte_is_noticed() {
    let good = r#"{"name":"cpu temperature (pi-7)","unit":"None","value":48.3,"timestamp":1795449694}"#;
    assert_eq!(read(good), Reading { series: 3, timestamp: 1_795_449_694 });
    let worse = |from: &str, to: &str| good.replace(from, to);
    for bad in [
        worse("pi-7", "pi-8"),
        worse("None", "Percent"),
        worse("48.3", "48"),
        worse("48.3", "48.31"),
        worse("48.3", "48.4"),
        worse("48.3", "048.3"),
        worse("48.3", "\"48.3\""),
        worse("694", "694.0"),
        worse("694", "694."),
        worse(":1795", ":-1795"),
        worse(",", ", "),
        worse("}", ",\"more\":1}"),
        format!("{good}\n"),
    ] {
        assert!(std::panic::catch_unwind(|| read(&bad)).is_err(), "{bad}");
    }
}
