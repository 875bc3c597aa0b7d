//! Bytes from a broker, in pieces, with publishes and time between them.
//!
//! The first byte chooses the version: 5 if it is odd. Then come steps, one a byte. The two low bits
//! say what is done, the six others how much of it:
//!
//! | bits | step |
//! |---|---|
//! | 0 | of the input's next bytes so many and one more are received in one piece |
//! | 1 | a quarter as many messages and one more are published, of one of four lengths |
//! | 2 | time passes, the more the higher; all until the deadline if all bits are set |
//! | 3 | the broker acknowledges the message in flight that has this place |

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::mqtt::Version;

mod station;
mod wire;

use station::Station;

fuzz_target!(|input: &[u8]| {
    let Some((&first, mut input)) = input.split_first() else { return };
    let version = if first & 1 == 1 { Version::V5 } else { Version::V3 };
    let mut station = Station::new(version);
    while let Some((&step, rest)) = input.split_first() {
        input = rest;
        let amount = usize::from(step >> 2);
        let outcome = match step & 3 {
            0 => {
                let (piece, rest) = input.split_at(input.len().min(amount + 1));
                input = rest;
                station.receive(piece)
            }
            1 => station.publish(amount),
            2 => {
                station.pass(amount);
                Ok(())
            }
            _ => station.acknowledge(amount),
        };
        if let Err(error) = outcome.and_then(|()| station.turn()) {
            station.assert_nothing_came_with(error);
            return;
        }
    }
});
