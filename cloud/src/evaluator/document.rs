//! A JSON document into the statements of a policy.

use super::json::{self, Value};
use super::statement::{Condition, Statement};
use super::{Effect, Policy, PolicyError, TEXT_LEN_MAX};

/// The version of the policy language that knows variables.
const VERSION: &str = "2012-10-17";

/// The one before it, which is also that of a document that names none.
const VERSION_OLD: &str = "2008-10-17";

type Members = [(String, Value)];

pub fn read(text: &str) -> Result<Policy, PolicyError> {
    if text.len() > TEXT_LEN_MAX {
        return Err(PolicyError::TooLong);
    }
    let mut document = json::parse(text).map_err(PolicyError::Json)?;
    if let Some(Value::Text(inner)) = members(&document).and_then(|outer| get(outer, "policyDocument")) {
        document = json::parse(inner).map_err(PolicyError::Json)?;
    }
    let policy = members(&document).ok_or(wrong(None, "the document", "an object"))?;
    let has_variables = match get(policy, "Version") {
        Some(Value::Text(version)) if version == VERSION => true,
        Some(Value::Text(version)) if version != VERSION_OLD => {
            return Err(wrong(None, "Version", "\"2012-10-17\""));
        }
        None | Some(Value::Text(_)) => false,
        Some(_) => return Err(wrong(None, "Version", "\"2012-10-17\"")),
    };
    let list = match get(policy, "Statement").ok_or(PolicyError::Missing(None, "Statement"))? {
        Value::List(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let statements = (1..).zip(list).map(|(number, value)| statement(number, value));
    let statements = statements.collect::<Result<Vec<_>, _>>()?;
    let ignores_variables = !has_variables && statements.iter().any(Statement::names_variables);
    Ok(Policy { statements, ignores_variables })
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
        strange: elements
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

/// One string or a list of them; with `words`, numbers and `true` and `false` without quotes too.
fn strings(value: &Value, words: bool) -> Option<Vec<String>> {
    let list = match value {
        Value::List(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let string = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Word(word) if words && word != "null" => Some(word.clone()),
        _ => None,
    };
    list.iter().map(string).collect()
}
