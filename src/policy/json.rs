//! JSON, as RFC 8259 has it and no other, into a tree: documents whose shape is not known beforehand.

/// How deep objects and lists may stand in each other; a policy needs six. It bounds the recursion.
pub const DEPTH_MAX: usize = 16;

/// One value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string, without its quotes and escapes.
    Text(String),
    /// A number, `true`, `false` or `null`, as it is written.
    Word(String),
    /// The values between brackets.
    List(Vec<Value>),
    /// The names and values between braces, in their order; no name stands there twice.
    Members(Vec<(String, Value)>),
}

/// What is wrong with a text that should be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It ends before the document does.
    Truncated,
    /// What stands here cannot stand here.
    Unexpected,
    /// An escape in a string stands for no character.
    Escape,
    /// A control character in a string, which has to be escaped.
    Control,
    /// More than [`DEPTH_MAX`] objects and lists in each other.
    Depth,
    /// The object has had a member of this name; readers differ in which of the two they take.
    Twice,
}

impl Fault {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Truncated => "the text ends too early",
            Self::Unexpected => "this cannot stand here",
            Self::Escape => "this escape stands for no character",
            Self::Control => "a control character in a string",
            Self::Depth => "too many brackets in each other",
            Self::Twice => "this name is given twice",
        }
    }
}

/// A fault and its place, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// Reads a whole document.
///
/// # Errors
/// The first fault.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let read = reader.value(DEPTH_MAX).and_then(|value| match reader.next_token() {
        None => Ok(value),
        Some(_) => Err(Fault::Unexpected),
    });
    read.map_err(|fault| {
        let before = text.get(..reader.at).unwrap_or(text).chars();
        let (line, column) = before.fold((1, 1), |(line, column), c| match c {
            '\n' => (line + 1, 1),
            _ => (line, column + 1),
        });
        JsonError { line, column, fault }
    })
}

/// A text and how far it has been read: always to the border of a character.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    /// The next byte that is no blank; it stays unread.
    fn next_token(&mut self) -> Option<u8> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.peek()
    }

    /// Goes over `byte`, which has to be the next token.
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        match self.next_token() {
            Some(found) if found == byte => self.at += 1,
            Some(_) => return Err(Fault::Unexpected),
            None => return Err(Fault::Truncated),
        }
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Fault> {
        let inner = depth.checked_sub(1).ok_or(Fault::Depth);
        match self.next_token().ok_or(Fault::Truncated)? {
            b'"' => Ok(Value::Text(self.string()?)),
            b'[' => self.list(inner?),
            b'{' => self.members(inner?),
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut values = Vec::new();
        self.at += 1;
        while !self.ends(b']', values.is_empty())? {
            values.push(self.value(depth)?);
        }
        Ok(Value::List(values))
    }

    fn members(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut members: Vec<(String, Value)> = Vec::new();
        self.at += 1;
        while !self.ends(b'}', members.is_empty())? {
            if self.next_token().ok_or(Fault::Truncated)? != b'"' {
                return Err(Fault::Unexpected);
            }
            let start = self.at;
            let name = self.string()?;
            if members.iter().any(|(earlier, _)| *earlier == name) {
                self.at = start;
                return Err(Fault::Twice);
            }
            self.expect(b':')?;
            members.push((name, self.value(depth)?));
        }
        Ok(Value::Members(members))
    }

    /// Goes over the end of a list or an object, or over what stands before its next part.
    fn ends(&mut self, close: u8, is_first: bool) -> Result<bool, Fault> {
        let next = self.next_token().ok_or(Fault::Truncated)?;
        if next == close {
            self.at += 1;
            return Ok(true);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Ok(false)
    }

    fn word(&mut self) -> Result<Value, Fault> {
        let rest = self.rest();
        let is_outside = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.');
        let word = rest.split(is_outside).next().unwrap_or_default();
        if !matches!(word, "true" | "false" | "null") && !is_number(word) {
            return Err(if word == rest && !word.is_empty() { Fault::Truncated } else { Fault::Unexpected });
        }
        self.at += word.len();
        Ok(Value::Word(word.to_owned()))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let mut string = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let (plain, special) = rest
                .char_indices()
                .find(|(_, c)| matches!(c, '"' | '\\' | '\0'..='\x1f'))
                .and_then(|(at, c)| Some((rest.get(..at)?, c)))
                .unwrap_or((rest, '\0'));
            string.push_str(plain);
            self.at += plain.len();
            match special {
                _ if self.peek().is_none() => return Err(Fault::Truncated),
                '"' => {
                    self.at += 1;
                    return Ok(string);
                }
                '\\' => string.push(self.escape()?),
                _ => return Err(Fault::Control),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let letter = self.rest().chars().nth(1).ok_or(Fault::Truncated)?;
        let plain = match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return Err(Fault::Escape),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\uXXXX`, or the two of them that make a character beyond the first 65,536.
    fn unicode(&mut self) -> Result<char, Fault> {
        let first = self.unit()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            let low = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(Fault::Escape)?;
            0x1_0000 + ((first - 0xd800) << 10) + low
        } else {
            first
        };
        char::from_u32(code).ok_or(Fault::Escape)
    }

    fn unit(&mut self) -> Result<u32, Fault> {
        let rest = self.rest();
        let digits = rest.strip_prefix("\\u").and_then(|digits| digits.get(..4));
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let is_cut_off = rest.len() < 6 && !rest.contains('"');
        let unit = unit.ok_or(if is_cut_off { Fault::Truncated } else { Fault::Escape })?;
        self.at += 6;
        Ok(unit)
    }
}

fn is_number(word: &str) -> bool {
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    let word = word.strip_prefix('-').unwrap_or(word);
    let (number, exponent) = word.split_once(['e', 'E']).map_or((word, None), |(n, e)| (n, Some(e)));
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    are_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(are_digits)
        && exponent.is_none_or(|exponent| are_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        match parse(json) {
            Ok(Value::Text(text)) => text,
            other => panic!("{json}: {other:?}"),
        }
    }

    fn fault(json: &str) -> (usize, usize, Fault) {
        let JsonError { line, column, fault } = parse(json).unwrap_err();
        (line, column, fault)
    }

    #[test]
    fn every_escape_of_a_string_is_read() {
        assert_eq!(text(r#" "a\"\\\/\b\f\n\r\t\u0041\u00e9" "#), "a\"\\/\x08\x0c\n\r\tAé");
        assert_eq!(text(r#""\ud83d\ude00 😀 \u0000""#), "😀 😀 \0");
        assert_eq!(text("\"\u{7f}\u{2028}\""), "\u{7f}\u{2028}");
    }

    #[test]
    fn what_is_no_character_is_no_escape() {
        for json in [
            r#""\ud83d""#,
            r#""\ud83dxxxxxx""#,
            r#""\ud83d\u0041""#,
            r#""\ud83d\ue000""#,
            r#""\ude00""#,
            r#""\u+041""#,
            r#""\x41""#,
            r#""\U0041""#,
        ] {
            assert!(matches!(parse(json), Err(JsonError { fault: Fault::Escape, .. })), "{json}");
        }
    }

    #[test]
    fn lists_objects_and_words_keep_their_order_and_their_spelling() {
        let word = |word: &str| Value::Word(word.to_owned());
        let list = Value::List(["-0.50", "1e+9", "true", "null"].map(word).to_vec());
        let object = Value::Members(vec![("b".to_owned(), list), ("a".to_owned(), Value::List(vec![]))]);
        assert_eq!(parse("\t{\"b\" : [-0.50,1e+9 , true,null],\r\n\"a\":[ ]}\n"), Ok(object));
    }

    #[test]
    fn what_looks_like_json_but_is_not_is_refused_at_its_place() {
        for (json, place) in [
            ("{\"a\": 1,}", (1, 9)),
            ("[1,]", (1, 4)),
            ("[1 2]", (1, 4)),
            ("[,1]", (1, 2)),
            ("{'a': 1}", (1, 2)),
            ("{a: 1}", (1, 2)),
            ("{\"a\" 1}", (1, 6)),
            ("[1] // comment", (1, 5)),
            ("[01]", (1, 2)),
            ("[1.]", (1, 2)),
            ("[+1]", (1, 2)),
            ("[NaN]", (1, 2)),
            ("{\n  \"é\": nul\n}", (2, 8)),
            ("[1]]", (1, 4)),
            ("\u{feff}[]", (1, 1)),
            ("[]\0", (1, 3)),
            ("[\u{a0}1]", (1, 2)),
        ] {
            assert_eq!(fault(json), (place.0, place.1, Fault::Unexpected), "{json}");
        }
        assert_eq!(fault("\"a\tb\""), (1, 3, Fault::Control));
        assert_eq!(fault("\"a\0b\""), (1, 3, Fault::Control));
    }

    #[test]
    fn every_beginning_of_a_document_is_told_to_be_too_short() {
        let whole = r#"{"a": ["\u00e9\n", -1.5e3, true], "b": {}}"#;
        assert!(parse(whole).is_ok());
        for (end, _) in whole.char_indices() {
            assert_eq!(parse(&whole[..end]).unwrap_err().fault, Fault::Truncated, "{}", &whole[..end]);
        }
    }

    #[test]
    fn a_name_given_twice_is_an_error_at_the_second() {
        assert_eq!(fault("{\"a\": 1,\n \"\\u0061\": 2}"), (2, 2, Fault::Twice));
        assert!(parse("[{\"a\": 1}, {\"a\": 1}]").is_ok());
    }

    #[test]
    fn no_depth_overflows_the_stack() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(fault(&nested(DEPTH_MAX + 1)), (1, DEPTH_MAX + 1, Fault::Depth));
        assert_eq!(fault(&"[".repeat(1_000_000)), (1, DEPTH_MAX + 1, Fault::Depth));
        assert_eq!(fault(&"{\"a\":".repeat(1_000_000)).2, Fault::Depth);
    }
}
