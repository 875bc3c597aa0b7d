//! Terraform's two syntaxes: its own language, HCL, and JSON, from one tree of blocks.

use crate::json;
use crate::model::{Part, Text, Value};
use crate::words::comment;

/// What stands for a part in `${…}`.
pub type Reference<'a> = &'a dyn Fn(&Part) -> String;

/// `kind "label" "label" { … }`
#[derive(Debug, Clone)]
pub struct Block {
    /// `resource`, or what a block within another is called.
    pub kind: &'static str,
    /// Its type and name, at the top.
    pub labels: Vec<String>,
    /// What it is for; at the top.
    pub why: String,
    /// What stands in it.
    pub body: Vec<Item>,
}

/// What stands in a block.
#[derive(Debug, Clone)]
pub enum Item {
    /// `name = value`
    Argument(&'static str, Value),
    /// `name = expression`
    Expression(&'static str, String),
    /// `name = keyword`, which is a text of its own in JSON, and no template there.
    Keyword(&'static str, &'static str),
    /// A block within.
    Block(Block),
}

impl Block {
    /// A block within another.
    pub fn inner(kind: &'static str, body: Vec<Item>) -> Item {
        Item::Block(Self { kind, labels: Vec::new(), why: String::new(), body })
    }
}

/// Blocks in Terraform's language, as `terraform fmt` would leave them.
pub fn hcl(out: &mut String, block: &Block, indent: usize, reference: Reference<'_>) {
    if !block.why.is_empty() {
        comment(out, &block.why, indent);
    }
    let start = " ".repeat(indent);
    out.extend([&start, block.kind]);
    for label in &block.labels {
        out.extend([" ", &json::quoted(label)]);
    }
    if block.body.is_empty() {
        return out.push_str(" {}\n");
    }
    out.push_str(" {\n");
    let lines: Vec<_> = block.body.iter().map(|item| line(item, indent + 2, reference)).collect();
    for (index, (item, line)) in block.body.iter().zip(&lines).enumerate() {
        match (item, line) {
            (Item::Block(inner), _) => {
                if index > 0 {
                    out.push('\n');
                }
                hcl(out, inner, indent + 2, reference);
            }
            (_, Some((name, value))) => {
                let width = width(&lines, index);
                out.extend([&format!("{start}  {name:width$} = "), value.as_str(), "\n"]);
            }
            (_, None) => {}
        }
    }
    out.extend([&start, "}\n"]);
}

/// An argument's name and its value; none for a block.
fn line(item: &Item, indent: usize, reference: Reference<'_>) -> Option<(String, String)> {
    match item {
        Item::Argument(name, value) => Some(((*name).to_owned(), expression(value, indent, reference))),
        Item::Expression(name, expression) => Some(((*name).to_owned(), expression.clone())),
        Item::Keyword(name, keyword) => Some(((*name).to_owned(), (*keyword).to_owned())),
        Item::Block(_) => None,
    }
}

/// The longest name of the arguments that follow each other around this one, a line each.
fn width(lines: &[Option<(String, String)>], index: usize) -> usize {
    let is_one_line =
        |line: &Option<(String, String)>| line.as_ref().is_some_and(|(_, text)| !text.contains('\n'));
    if !lines.get(index).is_some_and(is_one_line) {
        return 0;
    }
    let (before, after) = lines.split_at(index);
    let around = before.iter().rev().take_while(|line| is_one_line(line));
    let around = around.chain(after.iter().take_while(|line| is_one_line(line)));
    around.flatten().map(|(name, _)| name.chars().count()).max().unwrap_or(0)
}

fn expression(value: &Value, indent: usize, reference: Reference<'_>) -> String {
    let inner = " ".repeat(indent + 2);
    let end = " ".repeat(indent);
    match value {
        Value::Text(text) => match text.0.as_slice() {
            [part] if !matches!(part, Part::Literal(_)) => reference(part),
            _ => json::quoted(&interpolated(text, reference)),
        },
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Json(document) => format!("jsonencode({})", expression(document, indent, reference)),
        Value::List(values) if values.iter().all(is_scalar) => {
            let values: Vec<_> = values.iter().map(|value| expression(value, indent, reference)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::List(values) => {
            let line = |value| format!("{inner}{},\n", expression(value, indent + 2, reference));
            format!("[\n{}{end}]", values.iter().map(line).collect::<String>())
        }
        Value::Map(entries) => {
            let lines: Vec<_> = entries
                .iter()
                .map(|(key, value)| Some((name(key), expression(value, indent + 2, reference))))
                .collect();
            let entry = |(index, (key, value)): (usize, &(String, String))| {
                let width = width(&lines, index);
                format!("{inner}{key:width$} = {value}\n")
            };
            format!("{{\n{}{end}}}", lines.iter().flatten().enumerate().map(entry).collect::<String>())
        }
    }
}

/// A key: in quotes where it is no identifier.
fn name(key: &str) -> String {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_identifier =
        key.starts_with(|first: char| first.is_ascii_alphabetic()) && key.bytes().all(is_letter);
    if is_identifier { key.to_owned() } else { json::quoted(key) }
}

const fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Number(_) | Value::Bool(_))
}

/// What `${` and `%{` would mean is not meant in what is literal.
fn interpolated(text: &Text, reference: Reference<'_>) -> String {
    json::text(text, &|part| match part {
        Part::Literal(text) => text.replace("${", "$${").replace("%{", "%%{"),
        other => format!("${{{}}}", reference(other)),
    })
}

/// The same blocks in Terraform's JSON syntax, as one value.
pub fn json_syntax(blocks: &[Block], reference: Reference<'_>) -> Value {
    let mut whole = Vec::new();
    for block in blocks {
        let body = body(&block.body, reference);
        let mut place = &mut whole;
        for name in std::iter::once(block.kind).chain(block.labels.iter().map(String::as_str)) {
            place = entry(place, name);
        }
        place.extend(body);
    }
    Value::Map(whole)
}

/// The map behind a key, which is made if it is not there.
fn entry<'a>(map: &'a mut Vec<(String, Value)>, name: &str) -> &'a mut Vec<(String, Value)> {
    let position = map.iter().position(|(key, _)| key == name).unwrap_or(map.len());
    if position == map.len() {
        map.push((name.to_owned(), Value::Map(Vec::new())));
    }
    match map.get_mut(position) {
        Some((_, Value::Map(inner))) => inner,
        _ => unreachable!("{name} is a kind of block or a label, and no argument"),
    }
}

fn body(items: &[Item], reference: Reference<'_>) -> Vec<(String, Value)> {
    let item = |item: &Item| match item {
        Item::Argument(name, value) => ((*name).to_owned(), flat(value, reference)),
        Item::Expression(name, expression) => ((*name).to_owned(), format!("${{{expression}}}").into()),
        Item::Keyword(name, keyword) => ((*name).to_owned(), (*keyword).into()),
        Item::Block(block) => {
            (block.kind.to_owned(), Value::List(vec![Value::Map(body(&block.body, reference))]))
        }
    };
    items.iter().map(item).collect()
}

/// A value whose texts are templates.
fn flat(value: &Value, reference: Reference<'_>) -> Value {
    match value {
        Value::Text(text) => interpolated(text, reference).into(),
        Value::Json(document) => {
            let document = json::pretty(document, &|part| interpolated(&part.clone().into(), reference));
            document.into()
        }
        Value::List(values) => Value::List(values.iter().map(|value| flat(value, reference)).collect()),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), flat(value, reference))).collect())
        }
        Value::Number(_) | Value::Bool(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(item: Item) -> String {
        let block = Block { kind: "k", labels: vec!["l".into()], why: "why".into(), body: vec![item] };
        let mut out = String::new();
        hcl(&mut out, &block, 0, &|_| "var.x".to_owned());
        out
    }

    #[test]
    fn what_is_literal_is_no_template_and_what_is_referred_to_is() {
        let text = Text::from("a ${b} %{c}").and(Part::Region);
        let argument = |value| Item::Argument("a", value);
        assert_eq!(written(argument(text.into())), "# why\nk \"l\" {\n  a = \"a $${b} %%{c}${var.x}\"\n}\n");
        assert_eq!(written(argument(Part::Region.into())), "# why\nk \"l\" {\n  a = var.x\n}\n");
        let document = Value::Json(Box::new(Value::map([("a", Value::list(["${b}"]))])));
        assert_eq!(
            written(argument(document)),
            "# why\nk \"l\" {\n  a = jsonencode({\n    a = [\"$${b}\"]\n  })\n}\n"
        );
    }

    #[test]
    fn equals_signs_of_neighbours_stand_below_each_other() {
        let body = vec![Item::Argument("a", 1.into()), Item::Argument("long", 2.into())];
        assert_eq!(
            written(Block::inner("i", body)),
            "# why\nk \"l\" {\n  i {\n    a    = 1\n    long = 2\n  }\n}\n"
        );
    }
}
