//! Reads the JSON text of a policy.

use std::fmt;

use super::statement::{Condition, Effect, Statement};
use super::tree::Value;

/// The version of the policy language that has variables.
const VERSION: &str = "2012-10-17";

/// The version before, which is the default of a document without one.
const VERSION_OLD: &str = "2008-10-17";

type Members = [(String, Value)];

/// The statements of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// In the order of the document.
    pub statements: Vec<Statement>,
    /// Whether the document's version has variables.
    pub has_variables: bool,
}

/// Why a text is not a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// The text is not JSON; with the reason and the place.
    NotJson(String),
    /// An object has two members with one name; with the name and the place.
    Twice(String),
    /// An element is missing: in the statement with this number, or in the document.
    Missing(Option<usize>, &'static str),
    /// An element has a wrong value.
    Wrong {
        /// The statement, counted from 1; `None` for the document.
        statement: Option<usize>,
        /// The element's name.
        element: &'static str,
        /// The values that are allowed, in words.
        allowed: &'static str,
    },
}

/// Reads a document, or the output of `aws iot get-policy`, which contains it as a string. Lines and columns in
/// errors then refer to that string.
///
/// # Errors
/// The first error in the text.
pub fn read(text: &str) -> Result<Document, PolicyError> {
    let mut document = parse(text)?;
    if let Some(Value::Text(inner)) = members(&document).and_then(|outer| get(outer, "policyDocument")) {
        document = parse(inner)?;
    }
    let policy = members(&document).ok_or(wrong(None, "the document", "an object"))?;
    let has_variables = match get(policy, "Version") {
        Some(Value::Text(version)) if version == VERSION => true,
        Some(Value::Text(version)) if version == VERSION_OLD => false,
        None => false,
        Some(_) => return Err(wrong(None, "Version", "\"2012-10-17\"")),
    };
    let list = match get(policy, "Statement").ok_or(PolicyError::Missing(None, "Statement"))? {
        Value::List(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let statements = (1..).zip(list).map(|(number, value)| statement(number, value));
    Ok(Document { statements: statements.collect::<Result<_, _>>()?, has_variables })
}

fn parse(text: &str) -> Result<Value, PolicyError> {
    serde_json::from_str(text).map_err(|error| {
        let words = error.to_string();
        if error.is_data() { PolicyError::Twice(words) } else { PolicyError::NotJson(words) }
    })
}

const fn wrong(statement: Option<usize>, element: &'static str, allowed: &'static str) -> PolicyError {
    PolicyError::Wrong { statement, element, allowed }
}

const fn members(value: &Value) -> Option<&Members> {
    match value {
        Value::Members(members) => Some(members.as_slice()),
        _ => None,
    }
}

fn get<'v>(members: &'v Members, name: &str) -> Option<&'v Value> {
    members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
}

fn statement(number: usize, value: &Value) -> Result<Statement, PolicyError> {
    const ELEMENTS: [&str; 5] = ["Sid", "Effect", "Action", "Resource", "Condition"];
    let place = Some(number);
    let elements = members(value).ok_or(wrong(place, "Statement", "an object, or a list of them"))?;
    let sid = match get(elements, "Sid") {
        Some(Value::Text(sid)) => Some(sid.clone()),
        Some(_) => return Err(wrong(place, "Sid", "a string")),
        None => None,
    };
    let effect = match get(elements, "Effect").ok_or(PolicyError::Missing(place, "Effect"))? {
        Value::Text(effect) if effect == "Allow" => Effect::Allow,
        Value::Text(effect) if effect == "Deny" => Effect::Deny,
        _ => return Err(wrong(place, "Effect", "\"Allow\" or \"Deny\"")),
    };
    let texts = |element, instead| match get(elements, element) {
        Some(value) => {
            strings(value, false).map(Some).ok_or(wrong(place, element, "a string, or a list of them"))
        }
        None if get(elements, instead).is_some() => Ok(None),
        None => Err(PolicyError::Missing(place, element)),
    };
    Ok(Statement {
        sid,
        effect,
        actions: texts("Action", "NotAction")?,
        resources: texts("Resource", "NotResource")?,
        conditions: match get(elements, "Condition") {
            Some(value) => conditions(value).ok_or(wrong(place, "Condition", CONDITION))?,
            None => Vec::new(),
        },
        unsupported: elements
            .iter()
            .map(|(name, _)| name)
            .find(|name| !ELEMENTS.contains(&name.as_str()))
            .cloned(),
    })
}

const CONDITION: &str = "{\"operator\": {\"key\": \"value\" or a list of them}}";

fn conditions(value: &Value) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (operator, keys) in members(value)? {
        for (key, values) in members(keys)? {
            let values = strings(values, true)?;
            conditions.push(Condition { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Some(conditions)
}

/// A string or a list of strings; with `words`, also numbers and truth values.
fn strings(value: &Value, words: bool) -> Option<Vec<String>> {
    let list = match value {
        Value::List(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let string = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Word(word) if words => Some(word.clone()),
        _ => None,
    };
    list.iter().map(string).collect()
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Missing(Some(number), _) | Self::Wrong { statement: Some(number), .. } = self {
            write!(f, "statement {number}: ")?;
        }
        match self {
            Self::NotJson(error) => write!(f, "not JSON: {error}"),
            Self::Twice(error) => f.write_str(error),
            Self::Missing(_, element) => write!(f, "{element} is missing"),
            Self::Wrong { element, allowed, .. } => write!(f, "{element}: allowed: {allowed}"),
        }
    }
}
