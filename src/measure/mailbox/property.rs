//! VideoCore property messages, encoded and decoded.
//!
//! A message is a list of 32-bit words: its length in bytes, a code, then for each tag its id, the
//! length of its value buffer in bytes, a code and the value buffer, and a zero at the end. The
//! firmware answers in place. Source: the Raspberry Pi firmware wiki, "Mailbox property interface".

use crate::metric::sample::NoData;

/// A message with one tag, whose value buffer is an id and a value, or a value alone; what is left over
/// stands behind the end.
pub type Message = [u32; 8];

const REQUEST: u32 = 0;
const RESPONSE_OK: u32 = 0x8000_0000;
/// In a tag's code: this is a response. The other bits are its length in bytes.
const TAG_RESPONSE: u32 = 0x8000_0000;
const VALUE_LEN: u32 = 4;
const ID_AND_VALUE_LEN: u32 = 8;
const END: u32 = 0;

/// A question to the firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// The property.
    pub tag: u32,
    /// Of which of the parts that have it, where there are several.
    pub id: Option<u32>,
}

/// Temperature of the SoC, in thousandths of a degree Celsius.
pub const TEMPERATURE: Tag = Tag { tag: 0x0003_0006, id: Some(0) };
/// Whether the board is held back, bit by bit. The value of the question says which of those since boot
/// are to be forgotten: zero, none.
pub const THROTTLED: Tag = Tag { tag: 0x0003_0046, id: None };
/// The ARM cores' clock as it is measured, in Hz.
pub const ARM_CLOCK: Tag = Tag { tag: 0x0003_0047, id: Some(3) };
/// Voltage of the SoC's core, in millionths of a volt.
pub const CORE_VOLTAGE: Tag = Tag { tag: 0x0003_0003, id: Some(1) };

/// The message that asks.
#[must_use]
pub const fn request(Tag { tag, id }: Tag) -> Message {
    #[expect(clippy::cast_possible_truncation, reason = "32")]
    const LEN: u32 = size_of::<Message>() as u32;
    match id {
        Some(id) => [LEN, REQUEST, tag, ID_AND_VALUE_LEN, REQUEST, id, 0, END],
        None => [LEN, REQUEST, tag, VALUE_LEN, REQUEST, 0, END, END],
    }
}

/// The value in the message that came back for [`request`].
///
/// # Errors
/// `NotPresent` for an answer of no length: so emulated firmware "answers" a tag it does not know, and
/// leaves the value as it was; a zero must not be made of that. `Malformed` for any other answer that is
/// no success, is to another tag or part, or has another length than the value.
pub fn response(Tag { tag, id }: Tag, message: &Message) -> Result<u32, NoData> {
    let &[_, code, answered, _, length, first, second, _] = message;
    let is_response = code == RESPONSE_OK && length & TAG_RESPONSE != 0 && answered == tag;
    match (length & !TAG_RESPONSE, id) {
        (0, _) if is_response => Err(NoData::NotPresent),
        (ID_AND_VALUE_LEN, Some(id)) if is_response && id == first => Ok(second),
        (VALUE_LEN, None) if is_response => Ok(first),
        _ => Err(NoData::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: Message = [32, 0x8000_0000, 0x0003_0006, 8, 0x8000_0008, 0, 48_312, 0];

    #[test]
    fn a_request_has_the_documented_words() {
        assert_eq!(request(TEMPERATURE), [32, 0, 0x0003_0006, 8, 0, 0, 0, 0]);
        assert_eq!(request(ARM_CLOCK), [32, 0, 0x0003_0047, 8, 0, 3, 0, 0]);
        assert_eq!(request(CORE_VOLTAGE), [32, 0, 0x0003_0003, 8, 0, 1, 0, 0]);
        // Four bytes of value, and zero for "forget nothing".
        assert_eq!(request(THROTTLED), [32, 0, 0x0003_0046, 4, 0, 0, 0, 0]);
    }

    #[test]
    fn an_answer_gives_its_value() {
        assert_eq!(response(TEMPERATURE, &ANSWER), Ok(48_312));
        let answer = [32, 0x8000_0000, 0x0003_0046, 4, 0x8000_0004, 0x0005_0005, 0, 0];
        assert_eq!(response(THROTTLED, &answer), Ok(0x0005_0005));
    }

    #[test]
    fn an_unanswered_request_is_no_value() {
        assert_eq!(response(TEMPERATURE, &request(TEMPERATURE)), Err(NoData::Malformed));
    }

    #[test]
    fn a_tag_that_the_firmware_does_not_know_is_no_zero() {
        for tag in [TEMPERATURE, THROTTLED, ARM_CLOCK, CORE_VOLTAGE] {
            let mut answer = request(tag);
            (answer[1], answer[4]) = (0x8000_0000, 0x8000_0000); // as QEMU answers it
            assert_eq!(response(tag, &answer), Err(NoData::NotPresent));
            // With a length that is another tag's, it is another kind of wrong.
            answer[4] = if tag == THROTTLED { 0x8000_0008 } else { 0x8000_0004 };
            assert_eq!(response(tag, &answer), Err(NoData::Malformed));
        }
    }

    #[test]
    fn an_answer_that_is_wrong_in_any_word_is_no_value() {
        for (word, wrong) in [
            (1, 0x8000_0001), // the firmware's error code
            (2, 0x0003_000a), // another tag
            (4, 0x8000_0004), // too short for a value
            (4, 0x0000_0008), // no response at all
            (4, 0xffff_ffff), // longer than the buffer
            (5, 1),           // another part
        ] {
            let mut answer = ANSWER;
            answer[word] = wrong;
            assert_eq!(response(TEMPERATURE, &answer), Err(NoData::Malformed), "{word}: {wrong:#x}");
        }
    }
}
