//! The words of the configuration's `metrics`, put together from the list at compile time.

use super::list::{LIST, Metric};

/// What a value of `metrics` can be: `all, or one or more of cpu, memory, …`.
pub const ALLOWED: &str = text(&ALLOWED_BYTES);
/// The value that is taken where the configuration has none: `cpu memory …`.
pub const DEFAULT: &str = text(&DEFAULT_BYTES);

const ALLOWED_BYTES: [u8; allowed::<0>().length] = allowed().bytes;
const DEFAULT_BYTES: [u8; default::<0>().length] = default().bytes;

const fn allowed<const LEN: usize>() -> Text<LEN> {
    let mut text = Text::new();
    text.push(Metric::ALL_KEY);
    text.push(", or one or more of ");
    let mut rows = LIST;
    let mut last = "";
    while let [row, rest @ ..] = rows {
        if !is_same(row.key, last) {
            if !last.is_empty() {
                text.push(", ");
            }
            text.push(row.key);
            last = row.key;
        }
        rows = rest;
    }
    text
}

const fn default<const LEN: usize>() -> Text<LEN> {
    let mut text = Text::new();
    let mut metrics: &[Metric] = &Metric::DEFAULT;
    while let [metric, rest @ ..] = metrics {
        if text.length > 0 {
            text.push(" ");
        }
        text.push(metric.description().key);
        metrics = rest;
    }
    text
}

/// A text that is put together. What does not fit is only counted, so that a text of 0 bytes tells how
/// long it would be.
struct Text<const LEN: usize> {
    bytes: [u8; LEN],
    length: usize,
}

impl<const LEN: usize> Text<LEN> {
    const fn new() -> Self {
        Self { bytes: [0; LEN], length: 0 }
    }

    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
    const fn push(&mut self, text: &str) {
        let mut bytes = text.as_bytes();
        while let [byte, rest @ ..] = bytes {
            if self.length < LEN {
                self.bytes[self.length] = *byte;
            }
            self.length += 1;
            bytes = rest;
        }
    }
}

const fn is_same(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let ([x, rest_of_a @ ..], [y, rest_of_b @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (rest_of_a, rest_of_b);
    }
    a.is_empty() && b.is_empty()
}

#[expect(clippy::panic, reason = "evaluated at compile time")]
const fn text(bytes: &'static [u8]) -> &'static str {
    match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a text that was cut in the middle of a character"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_words_are_the_keys_of_the_list_each_once() {
        let mut keys = Metric::ALL.map(|metric| metric.description().key).to_vec();
        keys.dedup();
        assert_eq!(ALLOWED, format!("all, or one or more of {}", keys.join(", ")));
        assert_eq!(DEFAULT, "cpu memory disk temperature");
    }
}
