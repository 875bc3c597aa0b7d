//! What the device answers, and how the answers look in a property message.
//!
//! A message is a list of 32-bit words: its length in bytes, a code, then for each tag its id, the length
//! of its value buffer in bytes, a code and the value buffer, and a zero at the end.

use std::ffi::c_int;
use std::fmt;

use crate::property::Property;

const REQUEST: u32 = 0;
const RESPONSE_OK: u32 = 0x8000_0000;
const RESPONSE_ERROR: u32 = 0x8000_0001;
/// In a tag's code: this is a response. The other bits are the whole answer's length in bytes.
const TAG_RESPONSE: u32 = 0x8000_0000;
const END: u32 = 0;
const WORD_LEN: usize = 4;

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// This value.
    Value(u32),
    /// A response that claims half the bytes it should have, and writes none.
    Short,
    /// A response of length 0, the value untouched: how emulated firmware answers a tag unknown to it.
    Unknown,
    /// The error code for the whole message, and beside it this value, which is not to be believed.
    Error(u32),
    /// The call succeeds, and the message is the question still.
    Silence,
    /// The call fails with this errno. `EINVAL` is how the driver tells the firmware's error code.
    Fails(c_int),
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The tag's id.
    pub tag: u32,
    /// The value buffer as it came.
    pub values: Vec<u32>,
    /// What it got.
    pub answer: Answer,
}

/// Outcomes, one after the other; the last one stays.
struct Series<T> {
    coming: Box<dyn Iterator<Item = T> + Send>,
    last: T,
}

impl<T: Copy> Series<T> {
    fn next(&mut self) -> T {
        self.last = self.coming.next().unwrap_or(self.last);
        self.last
    }
}

/// What the device answers. At first it can be opened and knows no property.
pub(crate) struct Script {
    opens: Series<Result<(), c_int>>,
    answers: Vec<(Property, Series<Answer>)>,
}

impl Script {
    pub fn new() -> Self {
        Self { opens: Series { coming: Box::new(std::iter::empty()), last: Ok(()) }, answers: Vec::new() }
    }

    pub fn on_open(&mut self, outcomes: Box<dyn Iterator<Item = Result<(), c_int>> + Send>) {
        self.opens.coming = outcomes;
    }

    pub fn on(&mut self, property: Property, answers: Box<dyn Iterator<Item = Answer> + Send>) {
        self.answers.retain(|(other, _)| *other != property);
        self.answers.push((property, Series { coming: answers, last: Answer::Unknown }));
    }

    pub fn open(&mut self) -> Result<(), c_int> {
        self.opens.next()
    }

    /// Answers in place, and tells what was asked; `None` if it is not a message of questions. The driver
    /// refuses it then with `EINVAL`.
    pub fn answer(&mut self, message: &mut [u32]) -> Option<(Vec<Question>, Result<(), c_int>)> {
        let mut asked = Vec::new();
        let mut outcome = Ok(());
        let mut code = RESPONSE_OK;
        for (at, tag, values) in tags(message)? {
            let series = self.answers.iter_mut().find(|(property, _)| {
                property.tag == tag && (property.part.is_none() || property.part == values.first().copied())
            });
            let (part, answer) =
                series.map_or((None, Answer::Unknown), |(property, answers)| (property.part, answers.next()));
            let words: Vec<_> = match answer {
                Answer::Value(value) | Answer::Error(value) => part.into_iter().chain([value]).collect(),
                _ => Vec::new(),
            };
            let whole_len = WORD_LEN * if part.is_some() { 2 } else { 1 };
            let claimed_len = match answer {
                Answer::Value(_) | Answer::Error(_) => Some(whole_len),
                Answer::Short => Some(whole_len / 2),
                Answer::Unknown => Some(0),
                Answer::Silence | Answer::Fails(_) => None,
            };
            if let Some(len) = claimed_len {
                message[at + 2] = TAG_RESPONSE | u32::try_from(len).expect("at most 8");
                // An answer that is longer than its buffer is cut off, and its length is not.
                let room = &mut message[at + 3..][..values.len()];
                room.iter_mut().zip(words).for_each(|(room, word)| *room = word);
            }
            match answer {
                Answer::Error(_) => code = RESPONSE_ERROR,
                Answer::Silence => code = REQUEST,
                Answer::Fails(errno) => outcome = Err(errno),
                _ => {}
            }
            asked.push(Question { tag, values, answer });
        }
        message[1] = code;
        Some((asked, outcome))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.answers.iter().map(|(property, _)| property)).finish()
    }
}

/// The tags of a message of questions: where each begins, its id and its value buffer.
fn tags(message: &[u32]) -> Option<Vec<(usize, u32, Vec<u32>)>> {
    if message.get(1) != Some(&REQUEST) {
        return None;
    }
    let mut found = Vec::new();
    let mut at = 2;
    loop {
        match message.get(at..)? {
            [END, ..] => return Some(found),
            &[tag, bytes, REQUEST, ref rest @ ..] => {
                let bytes = usize::try_from(bytes).ok()?;
                let values = rest.get(..bytes.div_ceil(WORD_LEN))?.to_vec();
                let next = at + 3 + values.len();
                found.push((at, tag, values));
                at = next;
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::property::{TEMPERATURE, THROTTLED};

    const QUESTION: [u32; 8] = [32, 0, 0x0003_0006, 8, 0, 0, 0, 0];

    fn script(property: Property, answer: Answer) -> Script {
        let mut script = Script::new();
        script.on(property, Box::new(std::iter::once(answer)));
        script
    }

    #[test]
    fn each_answer_has_the_words_of_the_firmware() {
        for (answer, words) in [
            (Answer::Value(48_312), [32, 0x8000_0000, 0x0003_0006, 8, 0x8000_0008, 0, 48_312, 0]),
            (Answer::Short, [32, 0x8000_0000, 0x0003_0006, 8, 0x8000_0004, 0, 0, 0]),
            (Answer::Unknown, [32, 0x8000_0000, 0x0003_0006, 8, 0x8000_0000, 0, 0, 0]),
            (Answer::Error(48_312), [32, 0x8000_0001, 0x0003_0006, 8, 0x8000_0008, 0, 48_312, 0]),
            (Answer::Silence, QUESTION),
        ] {
            let mut message = QUESTION;
            let (asked, outcome) = script(TEMPERATURE, answer).answer(&mut message).unwrap();
            assert_eq!((message, outcome), (words, Ok(())), "{answer:?}");
            assert_eq!(asked, [Question { tag: 0x0003_0006, values: vec![0, 0], answer }]);
        }
        let (_, outcome) = script(TEMPERATURE, Answer::Fails(5)).answer(&mut { QUESTION }).unwrap();
        assert_eq!(outcome, Err(5));
    }

    #[test]
    fn an_answer_without_a_part_is_one_word() {
        let mut message = [28, 0, 0x0003_0046, 4, 0, 0, 0];
        let (_, outcome) = script(THROTTLED, Answer::Value(0x5_0005)).answer(&mut message).unwrap();
        assert_eq!(outcome, Ok(()));
        assert_eq!(message, [28, 0x8000_0000, 0x0003_0046, 4, 0x8000_0004, 0x5_0005, 0]);
    }

    #[test]
    fn an_answer_that_is_longer_than_its_buffer_is_cut_off_and_says_so() {
        let mut message = [28, 0, 0x0003_0006, 4, 0, 0, 0];
        let (_, outcome) = script(TEMPERATURE, Answer::Value(48_312)).answer(&mut message).unwrap();
        assert_eq!(outcome, Ok(()));
        assert_eq!(message, [28, 0x8000_0000, 0x0003_0006, 4, 0x8000_0008, 0, 0]);
    }

    #[test]
    fn several_tags_of_a_message_are_answered_each() {
        let mut script = script(TEMPERATURE, Answer::Value(48_312));
        script.on(THROTTLED, Box::new([Answer::Value(1)].into_iter()));
        let mut message = [48, 0, 0x0003_0006, 8, 0, 0, 0, 0x0003_0046, 4, 0, 0, 0];
        let (asked, outcome) = script.answer(&mut message).unwrap();
        assert_eq!((asked.len(), outcome), (2, Ok(())));
        assert_eq!((message[6], message[10]), (48_312, 1));
    }

    #[test]
    fn what_is_no_message_of_questions_is_refused_untouched() {
        for wrong in [
            &[12][..],                                      // no code, no end
            &[8, 0],                                        // no end
            &[32, 0x8000_0000, 0x0003_0006, 8, 0, 0, 0, 0], // an answer already
            &[32, 0, 0x0003_0006, 8, 0x8000_0000, 0, 0, 0], // the same of a tag
            &[32, 0, 0x0003_0006, 16, 0, 0, 0, 0],          // a value buffer beyond the end
            &[32, 0, 0x0003_0006, u32::MAX, 0, 0, 0, 0],    // the same
            &[28, 0, 0x0003_0006, 8, 0, 0, 0],              // no end behind the tag
        ] {
            let mut message = wrong.to_vec();
            assert!(Script::new().answer(&mut message).is_none(), "{wrong:x?}");
            assert_eq!(message, wrong);
        }
    }
}
