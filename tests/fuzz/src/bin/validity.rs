//! The dates in a certificate in DER.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::platform::clock::Utc;
use pivitals::net::tls::{State, Validity, ValidityError};

fuzz_target!(|input: &[u8]| {
    match Validity::read(input) {
        Ok(validity) => {
            let Validity { from, until } = validity;
            assert!(from <= until, "{validity:?}");
            assert_eq!(validity.state(from), State::Current);
            assert_eq!(validity.state(until), State::Current);
            let days = |now| validity.days_left(now);
            assert!(days(from) >= days(until) && days(until) >= 0, "{validity:?}");
            for date in [from, until] {
                let text = date.to_string();
                assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
                assert_eq!(read_back(&text), Some(Utc::from_millis(date.as_secs() * 1000)), "{text}");
            }
        }
        Err(ValidityError::Reversed(Validity { from, until })) => assert!(from > until),
        Err(ValidityError::Malformed) => {}
    }
});

/// `2026-11-25T17:00:00Z`
fn read_back(text: &str) -> Option<Utc> {
    let fields: Vec<u32> = text.split(['-', 'T', ':', 'Z']).filter_map(|field| field.parse().ok()).collect();
    let &[year, month, day, hour, minute, second] = fields.as_slice() else { return None };
    Utc::from_civil([year, month, day], [hour, minute, second])
}
