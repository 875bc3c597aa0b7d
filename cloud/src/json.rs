//! Values as JSON, indented by two, keys in their order.

use crate::model::{Part, Text, Value};

/// Writes a value; `part` tells what stands for a part of a text.
pub fn pretty(value: &Value, part: &dyn Fn(&Part) -> String) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, part);
    out
}

/// A text with what stands for its parts.
pub fn text(text: &Text, part: &dyn Fn(&Part) -> String) -> String {
    text.0.iter().map(part).collect()
}

/// A string in double quotes.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write(out: &mut String, value: &Value, indent: usize, part: &dyn Fn(&Part) -> String) {
    match value {
        Value::Text(parts) => out.push_str(&quoted(&text(parts, part))),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Bool(truth) => out.push_str(&truth.to_string()),
        Value::Json(inner) => out.push_str(&quoted(&pretty(inner, part))),
        Value::List(values) => {
            let entries = values.iter().map(|value| (String::new(), value));
            enclosed(out, ('[', ']'), entries, indent, part);
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (format!("{}: ", quoted(key)), value));
            enclosed(out, ('{', '}'), entries, indent, part);
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
    let mut is_empty = true;
    for (key, value) in entries {
        out.push_str(if is_empty { "\n" } else { ",\n" });
        is_empty = false;
        out.push_str(&" ".repeat(indent + 2));
        out.push_str(&key);
        write(out, value, indent + 2, part);
    }
    if !is_empty {
        out.push('\n');
        out.push_str(&" ".repeat(indent));
    }
    out.push(close);
}
