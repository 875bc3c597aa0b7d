//! VideoCore property messages, encoded and decoded.
//!
//! A message is a list of 32-bit words: its length in bytes, a code, then for each tag its id, the
//! length of its value buffer in bytes, a code and the value buffer, and a zero at the end. The
//! firmware answers in place. Source: the Raspberry Pi firmware wiki, "Mailbox property interface".

use crate::sample::NoData;

/// A message with one tag, whose value buffer is an id and a value.
pub type Message = [u32; 8];

const REQUEST: u32 = 0;
const RESPONSE_OK: u32 = 0x8000_0000;
/// In a tag's code: this is a response. The other bits are its length in bytes.
const TAG_RESPONSE: u32 = 0x8000_0000;
const VALUE_LEN: u32 = 8;
const END: u32 = 0;

/// A question to the firmware about one of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// The property.
    pub tag: u32,
    /// Which of the parts.
    pub id: u32,
}

/// Temperature of the SoC, in thousandths of a degree Celsius.
pub const TEMPERATURE: Tag = Tag { tag: 0x0003_0006, id: 0 };

/// The message that asks.
#[must_use]
pub const fn request(Tag { tag, id }: Tag) -> Message {
    #[expect(clippy::cast_possible_truncation, reason = "32")]
    const LEN: u32 = size_of::<Message>() as u32;
    [LEN, REQUEST, tag, VALUE_LEN, REQUEST, id, 0, END]
}

/// The value in the message that came back for [`request`].
///
/// # Errors
/// `Malformed` for an answer that is no success, is to another tag or part, or is too short to hold
/// the value: emulated firmware "answers" a tag it does not know with a length of zero and leaves the
/// value as it was, and a zero must not be made of that.
pub const fn response(tag: Tag, message: &Message) -> Result<u32, NoData> {
    let &[_, code, answered, _, length, id, value, _] = message;
    let is_response = code == RESPONSE_OK && length & TAG_RESPONSE != 0;
    let is_whole = length & !TAG_RESPONSE == VALUE_LEN;
    if is_response && is_whole && answered == tag.tag && id == tag.id {
        Ok(value)
    } else {
        Err(NoData::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: Message = [32, 0x8000_0000, 0x0003_0006, 8, 0x8000_0008, 0, 48_312, 0];

    #[test]
    fn a_request_has_the_documented_words() {
        assert_eq!(request(TEMPERATURE), [32, 0, 0x0003_0006, 8, 0, 0, 0, 0]);
    }

    #[test]
    fn an_answer_gives_its_value() {
        assert_eq!(response(TEMPERATURE, &ANSWER), Ok(48_312));
    }

    #[test]
    fn an_unanswered_request_is_no_value() {
        assert_eq!(response(TEMPERATURE, &request(TEMPERATURE)), Err(NoData::Malformed));
    }

    #[test]
    fn an_answer_that_is_wrong_in_any_word_is_no_value() {
        for (word, wrong) in [
            (1, 0x8000_0001), // the firmware's error code
            (2, 0x0003_000a), // another tag
            (4, 0x8000_0000), // an unknown tag, as QEMU answers it
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
