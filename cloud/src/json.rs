//! Values as JSON, keys in their order; what does not fit into a line is indented by two.

use crate::model::{Part, Text, Value};

/// Writes a value; `part` tells what stands for a part of a text.
pub fn pretty(value: &Value, part: &dyn Fn(&Part) -> String) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, part);
    out
}

/// Writes a value without references. A reference has no text before it is deployed, and is left out.
pub fn document(value: &Value) -> String {
    pretty(value, &|part| match part {
        Part::Literal(text) => text.clone(),
        _ => String::new(),
    })
}

/// A text with what stands for its parts.
pub fn text(text: &Text, part: &dyn Fn(&Part) -> String) -> String {
    text.0.iter().map(part).collect()
}

/// A string in double quotes.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Lines are this long, unless a text is longer.
const WIDTH: usize = 140;

fn write(out: &mut String, value: &Value, indent: usize, part: &dyn Fn(&Part) -> String) {
    let line = one_line(value, part);
    if indent + line.len() <= WIDTH {
        return out.push_str(&line);
    }
    match value {
        Value::List(values) if !values.is_empty() => {
            let entries = values.iter().map(|value| (String::new(), value));
            enclosed(out, ('[', ']'), entries, indent, part);
        }
        Value::Map(entries) if !entries.is_empty() => {
            let entries = entries.iter().map(|(key, value)| (format!("{}: ", quoted(key)), value));
            enclosed(out, ('{', '}'), entries, indent, part);
        }
        _ => out.push_str(&line),
    }
}

fn one_line(value: &Value, part: &dyn Fn(&Part) -> String) -> String {
    match value {
        Value::Text(parts) => quoted(&text(parts, part)),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Json(inner) => quoted(&pretty(inner, part)),
        Value::List(values) => {
            let values: Vec<_> = values.iter().map(|value| one_line(value, part)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Map(entries) => {
            let entry =
                |(key, value): &(String, Value)| format!("{}: {}", quoted(key), one_line(value, part));
            let entries: Vec<_> = entries.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn enclosed<'a>(
    out: &mut String,
    (open, close): (char, char),
    entries: impl Iterator<Item = (String, &'a Value)>,
    indent: usize,
    part: &dyn Fn(&Part) -> String,
) {
    out.push(open);
    let mut separator = "\n";
    for (key, value) in entries {
        out.push_str(separator);
        separator = ",\n";
        out.push_str(&" ".repeat(indent + 2));
        out.push_str(&key);
        write(out, value, indent + 2, part);
    }
    out.push('\n');
    out.push_str(&" ".repeat(indent));
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_into_a_line_is_one_and_the_rest_is_indented() {
        let long = "x".repeat(130);
        let value = Value::map([
            ("a", Value::list(["1", "2"])),
            ("b", long.as_str().into()),
            ("c", Value::list([""; 0])),
        ]);
        let expected = format!("{{\n  \"a\": [\"1\", \"2\"],\n  \"b\": \"{long}\",\n  \"c\": []\n}}");
        let literal = |part: &Part| if let Part::Literal(text) = part { text.clone() } else { String::new() };
        assert_eq!(pretty(&value, &literal), expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&expected).unwrap()["b"], long);
    }
}
