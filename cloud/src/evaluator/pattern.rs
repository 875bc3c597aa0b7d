//! The patterns of a policy: wildcards, variables, and the resource names that they are held against.

use std::str::Chars;

use super::{Known, Request};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// The character itself.
    Literal(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, or none, slashes and colons among them.
    Any,
}

/// A pattern with its variables' values put in.
#[derive(Debug)]
pub struct Pattern<'p> {
    tokens: Vec<Token>,
    /// The variable without a certain value, if there is one. A value that is not known at all may be
    /// anything: it stands as a `*`, so that what does not match then never does.
    pub unsure: Option<&'p str>,
}

impl<'p> Pattern<'p> {
    /// Reads a text: `${…}` is a variable if there is a request to tell its value, `*` and `?` are
    /// wildcards if `has_wildcards`.
    pub fn read(text: &'p str, variables: Option<&Request<'_>>, has_wildcards: bool) -> Self {
        let plain = if has_wildcards { wildcard } else { Token::Literal };
        let mut pattern = Self { tokens: Vec::new(), unsure: None };
        let mut rest = text;
        while let (Some(request), Some((before, after))) = (variables, rest.split_once("${")) {
            pattern.tokens.extend(before.chars().map(plain));
            let (name, value, after) = match after.split_once('}') {
                Some((name, after)) => (name, value(name, request), after),
                None => (after, Known::Not, ""),
            };
            pattern.put_in(name, value);
            rest = after;
        }
        pattern.tokens.extend(rest.chars().map(plain));
        pattern
    }

    fn put_in(&mut self, name: &'p str, value: Known<'_>) {
        match value {
            Known::Surely(value) => self.tokens.extend(value.chars().map(Token::Literal)),
            Known::Perhaps(value) => {
                self.tokens.extend(value.chars().map(Token::Literal));
                self.unsure = Some(name);
            }
            Known::Not => {
                self.tokens.push(Token::Any);
                self.unsure = Some(name);
            }
        }
    }

    /// Whether it stands for the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.tokens, text)
    }

    /// Whether it stands for the ARN of `resource`, like `client/pi-7`, in some partition, region and
    /// account: those of the device are not known.
    pub fn matches_arn(&self, resource: &str) -> bool {
        let mut segments = self.tokens.split(|token| *token == Token::Literal(':')).skip(1).peekable();
        // What the pattern itself says, where it is certain to speak of this segment: a `*` at the end
        // of one may go over the colons after it.
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

/// A variable's value; some stand for the characters that are special otherwise.
fn value<'a>(name: &'a str, request: &'a Request<'_>) -> Known<'a> {
    match name {
        "*" | "?" | "$" => Known::Surely(name),
        _ => request.value(name),
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

/// Goes back to the last `*` only: time is bounded by the product of both lengths.
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
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
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
    fn no_pattern_takes_for_ever() {
        let text = "a".repeat(2_000);
        assert!(!wild(&("*a".repeat(1_000) + "b"), &text));
        assert!(wild(&"*a".repeat(1_000), &text));
    }

    #[test]
    fn any_partition_region_and_account_is_taken() {
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
