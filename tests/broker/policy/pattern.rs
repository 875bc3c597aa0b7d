//! Texts of a policy with wildcards and variables in them.

use super::{Caller, Lookup};

/// A text as the policy has it.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Token(Token),
    /// By its name: `iot:ClientId`.
    Variable(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// This character.
    Char(char),
    /// `?`: any one.
    One,
    /// `*`: any number of any, slashes too.
    Any,
}

/// What has a meaning of its own in a text.
#[derive(Clone, Copy)]
pub(super) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// `${…}` is a variable.
    pub(super) variables: bool,
}

impl Pattern {
    pub(super) fn read(text: &str, syntax: Syntax) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if syntax.variables
                && let Some(inside) = rest.strip_prefix("${")
            {
                let (name, after) = inside
                    .split_once('}')
                    .ok_or_else(|| format!("a variable without its end in `{text}`"))?;
                parts.push(variable(name));
                rest = after;
                continue;
            }
            parts.push(Part::Token(match first {
                '*' if syntax.wildcards => Token::Any,
                '?' if syntax.wildcards => Token::One,
                plain => Token::Char(plain),
            }));
            rest = &rest[first.len_utf8()..];
        }
        Ok(Self(parts))
    }

    /// Puts in the values of the variables, as plain text: a `*` in a client id is no wildcard.
    /// `None` where one has none.
    pub(super) fn resolve(&self, caller: &Caller<'_>) -> Option<Glob> {
        let mut tokens = Vec::new();
        for part in &self.0 {
            match part {
                Part::Token(token) => tokens.push(*token),
                Part::Variable(name) => match caller.look_up(name) {
                    Lookup::Value(value) => tokens.extend(value.chars().map(Token::Char)),
                    Lookup::Absent | Lookup::Unknown => return None,
                },
            }
        }
        Some(Glob(tokens))
    }
}

/// `${*}`, `${?}` and `${$}` are the characters themselves.
fn variable(name: &str) -> Part {
    match name {
        "*" => Part::Token(Token::Char('*')),
        "?" => Part::Token(Token::Char('?')),
        "$" => Part::Token(Token::Char('$')),
        _ => Part::Variable(name.to_owned()),
    }
}

/// A pattern for one caller.
#[derive(Clone, Debug)]
pub(super) struct Glob(Vec<Token>);

impl Glob {
    /// All of `text` fits.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.fits(text, |token, char| token == char)
    }

    /// The same, and letters of ASCII are equal in both cases.
    pub(super) fn matches_in_any_case(&self, text: &str) -> bool {
        self.fits(text, |token, char| token.eq_ignore_ascii_case(&char))
    }

    /// On a mismatch the last `*` takes one character more.
    fn fits(&self, text: &str, same: impl Fn(char, char) -> bool) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut token, mut place) = (0, 0);
        let mut last_star = None;
        while let Some(&char) = text.get(place) {
            match self.0.get(token) {
                Some(Token::Any) => last_star = Some((token, place)),
                Some(Token::One) => place += 1,
                Some(&Token::Char(wanted)) if same(wanted, char) => place += 1,
                _ => {
                    let Some((star, begin)) = last_star else {
                        return false;
                    };
                    (token, place) = (star, begin + 1);
                    last_star = Some((star, place));
                }
            }
            token += 1;
        }
        self.0[token..].iter().all(|&token| token == Token::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLER: Caller<'_> = Caller { client_id: "pi-*", common_name: "pi-*", is_thing_attached: true };

    fn matches(pattern: &str, text: &str) -> bool {
        let syntax = Syntax { wildcards: true, variables: true };
        let pattern = Pattern::read(pattern, syntax).expect("it is well-formed");
        pattern.resolve(&CALLER).expect("its variables have values").matches(text)
    }

    #[test]
    fn a_star_takes_anything_and_slashes_and_nothing() {
        for text in ["a/", "a/b", "a/b/c", "a//", "a/ü"] {
            assert!(matches("a/*", text), "{text}");
        }
        assert!(!matches("a/*", "a"));
        assert!(!matches("a/*", "b/a/"));
        assert!(matches("*", ""));
        assert!(matches("a*c*e", "abcbcde"));
        assert!(!matches("a*c*e", "abcbcd"));
        assert!(matches("*/metrics", "a/metrics/b/metrics"));
        assert!(!matches("*/metrics", "a/metrics/b"));
        assert!(matches("**", "a"));
    }

    #[test]
    fn a_question_mark_takes_exactly_one_character_a_slash_too() {
        assert!(matches("pi-?", "pi-7"));
        assert!(matches("a?b", "a/b"));
        assert!(matches("?", "ü"));
        assert!(!matches("pi-?", "pi-"));
        assert!(!matches("pi-?", "pi-70"));
        assert!(matches("*?", "a"));
        assert!(!matches("*?", ""));
    }

    #[test]
    fn the_wildcards_of_mqtt_are_plain_characters() {
        assert!(matches("a/+/#", "a/+/#"));
        assert!(!matches("a/+", "a/b"));
        assert!(!matches("a/#", "a/b/c"));
    }

    #[test]
    fn a_value_brings_no_wildcard_along() {
        assert!(matches("client/${iot:ClientId}", "client/pi-*"));
        assert!(!matches("client/${iot:ClientId}", "client/pi-7"));
    }

    #[test]
    fn wildcards_and_the_dollar_can_be_meant_themselves() {
        assert!(matches("${$}aws/${*}/${?}", "$aws/*/?"));
        assert!(!matches("${*}", "a"));
        assert!(!matches("${?}", "a"));
        assert!(matches("$aws/*", "$aws/rules/x"));
    }

    #[test]
    fn a_variable_without_its_end_is_an_error() {
        let syntax = Syntax { wildcards: true, variables: true };
        let error = Pattern::read("client/${iot:ClientId", syntax).expect_err("it has no end");
        assert!(error.contains("client/${iot:ClientId"), "{error}");
    }

    #[test]
    fn texts_are_plain_where_nothing_has_a_meaning() {
        let plain = Syntax { wildcards: false, variables: false };
        let glob = Pattern::read("${iot:ClientId}*", plain).expect("it is well-formed").resolve(&CALLER);
        let glob = glob.expect("there is no variable in it");
        assert!(glob.matches("${iot:ClientId}*"));
        assert!(!glob.matches("pi-*"));
        assert!(glob.matches_in_any_case("${IOT:CLIENTID}*"));
    }
}
