//! Values as YAML, in the form that CloudFormation's users write: block style, and its short tags.

use crate::json;
use crate::model::Value;

/// What is not a value of YAML's own: a tag and what stands behind it.
pub struct Tagged {
    /// `!Ref`, with its exclamation mark.
    pub tag: &'static str,
    /// One line, or more of them.
    pub text: String,
}

/// How a text or a JSON text is written.
pub type Scalar<'a> = &'a dyn Fn(&Value) -> Option<Tagged>;

/// Writes the entries of a map, each line behind so many blanks.
pub fn entries(out: &mut String, entries: &[(String, Value)], indent: usize, scalar: Scalar<'_>) {
    for (key, value) in entries {
        out.push_str(&" ".repeat(indent));
        out.push_str(&plain_or_quoted(key));
        out.push(':');
        behind(out, value, indent, scalar);
    }
}

/// What stands behind `key:` or `-`.
fn behind(out: &mut String, value: &Value, indent: usize, scalar: Scalar<'_>) {
    match value {
        Value::Map(inner) if !inner.is_empty() => {
            out.push('\n');
            entries(out, inner, indent + 2, scalar);
        }
        Value::List(values) if !values.is_empty() => {
            out.push('\n');
            for value in values {
                item(out, value, indent + 2, scalar);
            }
        }
        Value::Map(_) => out.push_str(" {}\n"),
        Value::List(_) => out.push_str(" []\n"),
        Value::Number(number) => out.extend([" ", &number.to_string(), "\n"]),
        Value::Bool(truth) => out.extend([" ", &truth.to_string(), "\n"]),
        Value::Text(_) | Value::Json(_) => match scalar(value) {
            Some(Tagged { tag, text }) if text.contains('\n') => {
                out.extend([" ", tag, " |-\n"]);
                for line in text.lines() {
                    out.extend([&" ".repeat(indent + 2), line, "\n"]);
                }
            }
            Some(Tagged { tag: "", text }) => out.extend([" ", &plain_or_quoted(&text), "\n"]),
            Some(Tagged { tag, text }) => out.extend([" ", tag, " ", &plain_or_quoted(&text), "\n"]),
            None => out.push_str(" \"\"\n"),
        },
    }
}

/// An item of a list: a map begins on the line of its dash.
fn item(out: &mut String, value: &Value, indent: usize, scalar: Scalar<'_>) {
    let dash = format!("{}-", " ".repeat(indent));
    match value {
        Value::Map(inner) if !inner.is_empty() => {
            let mut lines = String::new();
            entries(&mut lines, inner, indent + 2, scalar);
            out.push_str(&dash);
            out.push_str(lines.get(indent + 1..).unwrap_or_default());
        }
        other => {
            out.push_str(&dash);
            behind(out, other, indent, scalar);
        }
    }
}

/// As it is where nothing in it has a meaning for YAML, else as JSON has it, which YAML reads too.
fn plain_or_quoted(text: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b" _./()-:".contains(&byte);
    let is_name = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(is_word)
        && !text.contains(": ")
        && !text.ends_with([':', ' ']);
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_word_of_yaml = words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_name && !is_word_of_yaml { text.to_owned() } else { json::quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_means_something_in_yaml_is_quoted() {
        for text in
            ["", "true", "No", "2012-10-17", "a: b", "a:", "*", "#a", "a # b", "${x}", "°C", " a", "a\n"]
        {
            assert!(plain_or_quoted(text).starts_with('"'), "{text}");
        }
        for text in ["AWS::IoT::Rule", "cpu usage", "GreaterThanThreshold", "a/b.c-d_e"] {
            assert_eq!(plain_or_quoted(text), text);
        }
    }

    #[test]
    fn maps_and_lists_are_indented_and_a_map_in_a_list_begins_at_its_dash() {
        let inner = Value::map([("a", 1.into()), ("b", Value::list(["x", "*"]))]);
        let value = [
            ("list".to_owned(), Value::List(vec![inner, 2.into()])),
            ("none".to_owned(), Value::List(vec![])),
        ];
        let mut out = String::new();
        entries(&mut out, &value, 0, &|value| match value {
            Value::Text(text) => Some(Tagged { tag: "", text: json::text(text, &|_| "t".to_owned()) }),
            _ => None,
        });
        assert_eq!(out, "list:\n  - a: 1\n    b:\n      - t\n      - t\n  - 2\nnone: []\n");
    }
}
