//! What the firmware answers: eight words, little endian; those that are missing stand as in the request.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::mailbox::{TEMPERATURE, request, response};

fuzz_target!(|input: &[u8]| {
    let mut message = request(TEMPERATURE);
    for (word, bytes) in message.iter_mut().zip(input.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    // The one good answer, word for word; its length and its end are not the firmware's to change.
    let [length, _, _, buffer, _, _, value, end] = message;
    let good = [length, 0x8000_0000, 0x0003_0006, buffer, 0x8000_0008, 0, value, end];
    assert_eq!(response(TEMPERATURE, &message).ok(), (message == good).then_some(value));
});
