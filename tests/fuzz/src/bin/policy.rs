//! A policy document, and what it allows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::policy::{Action, Decision, Policy, Request};

const TOPIC: &str = "pivitals/pi-7/metrics";

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(policy) = Policy::parse(text) else { return };
    assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "what is read is JSON");
    for action in [Action::Connect, Action::Publish(TOPIC), Action::RetainPublish(TOPIC)] {
        let decide = |thing| policy.decide(&Request { action, client_id: "pi-7", thing });
        let known = decide(Some("pi-7"));
        assert_eq!(known, decide(Some("pi-7")), "the same question has the same answer");
        // To know less of the device makes no yes of a no.
        match decide(None) {
            Decision::Allowed => assert_eq!(known, Decision::Allowed),
            Decision::NotAllowed => assert_eq!(known, Decision::NotAllowed),
            Decision::Denied(_) | Decision::Unknown(..) => {}
        }
    }
});
