//! The device's names: one text for each of their parsers, and after a record separator (0x1e) the
//! `type` of the network interface whose address it is.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use pivitals::config::identity::{parse_hostname, parse_mac, parse_machine_id, parse_serial};

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(input) else { return Corpus::Reject };
    let (text, kind) = text.split_once('\x1e').unwrap_or((text, "1\n"));
    for name in [parse_hostname(text), parse_serial(text), parse_machine_id(text)].into_iter().flatten() {
        assert!(!name.is_empty() && !name.contains('\n'), "{name:?}");
        assert!(text.contains(name) && name == name.trim_matches('\0'), "{name:?}");
    }
    assert_ne!(parse_hostname(text), Some("(none)"));
    assert!(parse_serial(text).is_none_or(|serial| serial.bytes().any(|digit| digit != b'0')));
    assert!(parse_machine_id(text).is_none_or(|id| id.len() == 32 && u128::from_str_radix(id, 16).is_ok()));
    if let Some(mac) = parse_mac(text, kind) {
        assert!(mac.len() == 12 && mac == mac.to_ascii_lowercase(), "{mac}");
        assert_ne!(u64::from_str_radix(&mac, 16).expect("hexadecimal digits"), 0);
        assert_eq!(kind.trim(), "1");
    }
    Corpus::Keep
});
