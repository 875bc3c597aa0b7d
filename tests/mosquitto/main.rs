//! The real agent against a real mosquitto, with certificates by the `openssl` command: two
//! programs that share no code with the agent, and so no mistake.
//!
//! Every test has a broker of its own, on ports of its own, and reads what was delivered through a
//! second, plain listener of that broker. Nothing is installed: where mosquitto or openssl is
//! missing, that is said and the tests pass, unless `PIVITALS_REQUIRE` names `mosquitto`.
//!
//! - [`tools`]: where mosquitto and openssl are
//! - [`pki`]: authorities, certificates and keys
//! - [`mosquitto`]: the broker; [`observer`]: the subscriber that looks on
//! - [`device`]: what a device has on its disk, and the agent on it
//! - [`payload`]: the contract's `rule` format, byte for byte
//! - `once`, `run`, `outage`, `refusals`, `certificates`, `discovery`: the promises

#![forbid(unsafe_code)]

mod certificates;
mod device;
mod discovery;
mod mosquitto;
mod observer;
mod once;
mod outage;
mod payload;
mod pki;
mod refusals;
mod run;
mod tools;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than anything here takes on a busy host.
const PATIENCE: Duration = Duration::from_secs(60);

/// Seconds since 1970.
fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set").as_secs()
}
