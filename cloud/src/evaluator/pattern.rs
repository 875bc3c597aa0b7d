//! Patterns of a policy: text with wildcards and variables, matched against actions, ARNs and values.

use std::str::Chars;

use super::request::{Lookup, Request};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This character.
    Literal(char),
    /// `?`: one character.
    One,
    /// `*`: any number of characters, including slashes and colons.
    Any,
}

/// A pattern in which variables are replaced by their values.
#[derive(Debug)]
pub struct Pattern<'p> {
    tokens: Vec<Token>,
    /// A variable whose value is not certain. An unknown value is a `*`: text that does not match this does not
    /// match any value.
    pub unsure: Option<&'p str>,
}

impl<'p> Pattern<'p> {
    /// Reads a text. `${…}` is a variable if there is a request to look it up in; `*` and `?` are wildcards if
    /// `has_wildcards`.
    pub fn read(text: &'p str, variables: Option<&Request<'_>>, has_wildcards: bool) -> Self {
        let plain = if has_wildcards { wildcard } else { Token::Literal };
        let mut pattern = Self { tokens: Vec::new(), unsure: None };
        let mut rest = text;
        while let (Some(request), Some((before, after))) = (variables, rest.split_once("${")) {
            pattern.tokens.extend(before.chars().map(plain));
            let (name, value, after) = match after.split_once('}') {
                Some((name, after)) => (name, value(name, request), after),
                None => (after, Lookup::Unknown, ""),
            };
            pattern.push_value(name, value);
            rest = after;
        }
        pattern.tokens.extend(rest.chars().map(plain));
        pattern
    }

    fn push_value(&mut self, name: &'p str, value: Lookup<'_>) {
        match value {
            Lookup::Known(value) => self.tokens.extend(value.chars().map(Token::Literal)),
            Lookup::Possible(value) => {
                self.tokens.extend(value.chars().map(Token::Literal));
                self.unsure = Some(name);
            }
            Lookup::Unknown => {
                self.tokens.push(Token::Any);
                self.unsure = Some(name);
            }
        }
    }

    /// Whether the pattern matches the whole text.
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.tokens, text)
    }

    /// Whether the pattern matches the ARN of `resource`, such as `client/pi-7`, in some partition, region and
    /// account, because the device's own are not known.
    pub fn matches_arn(&self, resource: &str) -> bool {
        let mut segments = self.tokens.split(|token| *token == Token::Literal(':')).skip(1).peekable();
        // The pattern's own segment is taken literally, except the last one: a `*` in it may cover colons.
        let mut segment = |other: &str| match segments.next() {
            Some(tokens) if segments.peek().is_some() => {
                tokens.iter().map(|token| token.spelling()).collect()
            }
            _ => other.to_owned(),
        };
        let partition = segment("aws");
        let partition = if partition.starts_with("aws-") { &partition } else { "aws" };
        let (_service, region, account) = (segment("iot"), segment("us-east-1"), segment("123456789012"));
        self.matches(&format!("arn:{partition}:iot:{region}:{account}:{resource}"))
    }
}

/// A variable's value. `${*}`, `${?}` and `${$}` are the characters themselves.
fn value<'a>(name: &'a str, request: &'a Request<'_>) -> Lookup<'a> {
    match name {
        "*" | "?" | "$" => Lookup::Known(name),
        _ => request.look_up(name),
    }
}

impl Token {
    const fn spelling(self) -> char {
        match self {
            Self::Literal(c) => c,
            Self::One => '?',
            Self::Any => '*',
        }
    }
}

const fn wildcard(c: char) -> Token {
    match c {
        '*' => Token::Any,
        '?' => Token::One,
        _ => Token::Literal(c),
    }
}

/// Backtracks to the last `*` only, so the time is at most proportional to the product of both lengths.
fn matches(mut tokens: &[Token], text: &str) -> bool {
    let mut text = text.chars();
    let mut last_any: Option<(&[Token], Chars<'_>)> = None;
    loop {
        let mut after = text.clone();
        match (tokens.split_first(), after.next()) {
            (None, None) => return true,
            (Some((Token::Any, rest)), _) => {
                last_any = Some((rest, text.clone()));
                tokens = rest;
            }
            (Some((token, rest)), Some(c)) if [Token::One, Token::Literal(c)].contains(token) => {
                (tokens, text) = (rest, after);
            }
            _ => {
                let Some((rest, from)) = &mut last_any else { return false };
                if from.next().is_none() {
                    return false;
                }
                (tokens, text) = (rest, from.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wild(pattern: &str, text: &str) -> bool {
        Pattern::read(pattern, None, true).matches(text)
    }

    #[test]
    fn star_matches_any_characters_and_question_mark_one() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "a/b:c"),
            ("a*", "a"),
            ("a/*/c", "a/b/b/c"),
            ("*a*b", "xaxbxab"),
            ("a?c", "aéc"),
            ("**?", "a"),
            ("a+#", "a+#"),
        ] {
            assert!(wild(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("?", ""),
            ("?", "ab"),
            ("a*b", "abc"),
            ("pi-7", "pi-70"),
            ("a/*/c", "a/c"),
            ("a/+/c", "a/b/c"),
            ("a/#", "a/b"),
            ("A", "a"),
        ] {
            assert!(!wild(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn time_of_a_match_is_bounded() {
        let text = "a".repeat(2_000);
        assert!(!wild(&("*a".repeat(1_000) + "b"), &text));
        assert!(wild(&"*a".repeat(1_000), &text));
    }

    #[test]
    fn arn_matches_in_any_partition_region_and_account() {
        for pattern in [
            "*",
            "arn:aws:iot:eu-west-1:000000000001:client/pi-7",
            "arn:aws-cn:iot:cn-north-1:000000000001:client/*",
            "arn:aws-us-gov:iot:us-gov-?est-1:*:client/pi-7",
            "arn:aws-eusc:iot:*:*:client/pi-7",
            "arn:aws*:iot:*:*:client/pi-?",
            "arn:*:iot:*:*:client/pi-7",
            "arn:aws:iot:::client/pi-7",
            "arn:aws:iot:eu-*:client/pi-7",
            "arn:aws:iot:eu-west-1:*",
            "arn:aws:iot:*",
            "arn:*",
        ] {
            assert!(Pattern::read(pattern, None, true).matches_arn("client/pi-7"), "{pattern}");
        }
        for pattern in [
            "client/pi-7",
            "arn:aws:iot:*:*:topic/pi-7",
            "arn:aws:s3:*:*:client/pi-7",
            "arn:other:iot:*:*:client/pi-7",
            "arn:awss:iot:*:*:client/pi-7",
            "arn:aws:iot:eu-west-1:client/pi-7",
            "arn:aws:iot:eu-west-1:topic/*",
            "arn:aws:iot:*:*:client/pi-70",
            "arn:aws:iot:*:*:Client/pi-7",
            "arn:aws:iot:*:*:client/pi-7:*",
            "",
        ] {
            assert!(!Pattern::read(pattern, None, true).matches_arn("client/pi-7"), "{pattern}");
        }
    }
}
