//! What the firmware answers: which of the questions, and eight words, little endian; those that are
//! missing stand as in the request.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pivitals::measure::mailbox::property::{ARM_CLOCK, CORE_VOLTAGE, TEMPERATURE, THROTTLED, request, response};

fuzz_target!(|input: &[u8]| {
    let Some((which, words)) = input.split_first() else { return };
    let tag = [TEMPERATURE, THROTTLED, ARM_CLOCK, CORE_VOLTAGE][usize::from(which % 4)];
    let mut message = request(tag);
    for (word, bytes) in message.iter_mut().zip(words.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    // The one good answer, word for word; its length and its end are not the firmware's to change.
    let [length, _, _, buffer, _, first, second, end] = message;
    let (good, value) = match tag.id {
        Some(id) => ([length, 0x8000_0000, tag.tag, buffer, 0x8000_0008, id, second, end], second),
        None => ([length, 0x8000_0000, tag.tag, buffer, 0x8000_0004, first, second, end], first),
    };
    assert_eq!(response(tag, &message).ok(), (message == good).then_some(value));
});
