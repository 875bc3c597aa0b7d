//! The keys of the configuration: one list for the reader, the error messages and the documentation.

use std::fmt;

use crate::metric::words;

/// A key and what is told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it stands before the `=`.
    pub name: &'static str,
    /// The value where the configuration has none; `None` where nothing is assumed.
    pub default: Option<&'static str>,
    /// What a value can be, to follow "allowed: ".
    pub allowed: &'static str,
}

const fn key(name: &'static str, default: Option<&'static str>, allowed: &'static str) -> Key {
    Key { name, default, allowed }
}

const ABSOLUTE_PATH: &str = "an absolute path";

pub const ENDPOINT: Key = key("endpoint", None, "a host name or an address, without a scheme and a port");
pub const PORT: Key = key("port", Some("8883"), "1–65535");
pub const CLIENT_ID: Key =
    key("client_id", Some("{hostname}"), "1–128 bytes, not beginning with $, no control characters");
pub const TOPIC: Key = key(
    "topic",
    Some("pivitals/{client_id}/metrics"),
    "1–256 bytes, at most 7 slashes, no +, # and control characters",
);
pub const RULE: Key = key("rule", None, "the name of an IoT rule: 1–128 letters, digits and _");
pub const CERTS: Key = key("certs", Some("/etc/pivitals/certs"), ABSOLUTE_PATH);
pub const CA_FILE: Key = key("ca_file", None, ABSOLUTE_PATH);
pub const CERT_FILE: Key = key("cert_file", None, ABSOLUTE_PATH);
pub const KEY_FILE: Key = key("key_file", None, ABSOLUTE_PATH);
pub const INTERVAL: Key = key("interval", Some("60"), "1–86400 (seconds)");
pub const FORMAT: Key = key("format", Some("rule"), "rule, emf, flat");
pub const NAMESPACE: Key =
    key("namespace", Some("PiVitals"), "1–255 letters, digits and . - _ / # :, not beginning with AWS/ or :");
pub const LABEL: Key = key("label", Some("{hostname}"), "1–128 bytes, no control characters");
pub const METRICS: Key = key("metrics", Some(words::DEFAULT), words::ALLOWED);
pub const DISK: Key = key("disk", Some("/"), "one to four absolute paths of at most 64 bytes");
pub const ALERT: Key = key(
    "alert",
    None,
    "a metric, > or < and a number of up to 12 digits and one decimal: temperature > 80, wifi_signal < -67.5",
);
pub const MQTT: Key = key("mqtt", Some("auto"), "5, 3.1.1, auto");
pub const KEEP_ALIVE: Key = key("keep_alive", Some("240"), "30–1200 (seconds)");
pub const QUEUE: Key = key("queue", Some("1440"), "1–10080 (samples)");
pub const LOG: Key = key("log", Some("auto"), "stderr, syslog, auto");
pub const LOG_LEVEL: Key = key("log_level", Some("info"), "error, warn, info, debug");
pub const STATUS_FILE: Key = key("status_file", None, ABSOLUTE_PATH);
pub const DISCOVERY: Key = key("discovery", None, "homeassistant");

/// Every key, in the order of the documentation.
pub const KEYS: [Key; 23] = [
    ENDPOINT,
    PORT,
    CLIENT_ID,
    TOPIC,
    RULE,
    CERTS,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    INTERVAL,
    FORMAT,
    NAMESPACE,
    LABEL,
    METRICS,
    DISK,
    ALERT,
    MQTT,
    KEEP_ALIVE,
    QUEUE,
    LOG,
    LOG_LEVEL,
    STATUS_FILE,
    DISCOVERY,
];

/// What a name that there is not was probably meant to be: the nearest of those that are offered, if one
/// is near at all. To be written behind a message.
#[derive(Debug, Default)]
pub struct Nearest {
    name: String,
    distance: usize,
}

impl Nearest {
    pub fn offer(&mut self, typed: &str, known: &str) {
        let distance = distance(typed, known);
        if distance <= 1 + known.len() / 4 && (self.name.is_empty() || distance < self.distance) {
            *self = Self { name: known.to_owned(), distance };
        }
    }
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() { Ok(()) } else { write!(f, "; did you mean {}?", self.name) }
    }
}

/// How many letters have to be added, taken away or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // Distances of the letters of `a` so far to every beginning of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, letter) in a.chars().take(64).enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(index + 1);
        for ((&other, &diagonal), &above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            let left = next.last().copied().unwrap_or_default();
            let changed = diagonal + usize::from(!letter.eq_ignore_ascii_case(&other));
            next.push(changed.min(left + 1).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        let nearest = |typed| {
            let mut nearest = Nearest::default();
            for key in &KEYS {
                nearest.offer(typed, key.name);
            }
            nearest.name
        };
        for (typed, meant) in [
            ("intervall", "interval"),
            ("Interval", "interval"),
            ("end_point", "endpoint"),
            ("clientid", "client_id"),
            ("client-id", "client_id"),
            ("keepalive", "keep_alive"),
            ("loglevel", "log_level"),
            ("cert", "certs"),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
        for typed in ["", "x", "password", "brightness"] {
            assert_eq!(nearest(typed), "", "{typed}");
        }
    }

    #[test]
    fn distances_are_those_of_the_book() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "log"), 3);
        assert_eq!(distance("disk", "disk"), 0);
    }
}
