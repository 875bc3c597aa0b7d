//! AWS IoT policies: who may do what, from the JSON document that one would attach to a certificate.
//!
//! What is followed, after the IoT developer guide ("AWS IoT Core policies", "policy variables",
//! "Publish/Subscribe policy examples") and the IAM user guide, whose conventions it refers to:
//! - Nothing is allowed that no statement allows; a statement that denies wins over all that allow.
//! - `Action` and `Resource` are a text or a list of texts; `NotAction` and `NotResource` cover all
//!   the others. Actions are the same in upper and lower case, resources are not.
//! - `*` stands for any text, slashes included, `?` for any one character; MQTT's `+` and `#` are
//!   plain characters.
//! - `${…}` is a variable where `Version` is 2012-10-17, the value of which is plain text. In a
//!   document of another version, or none, it is plain text itself.
//! - Thing variables have a value where the certificate is attached to a thing and the client id is
//!   the thing's name. Here a thing has the name its certificate has as common name.
//! - `Condition`: all have to hold. Known are `Bool`, `StringEquals`, `StringLike`, their
//!   `Not` and `IgnoreCase` forms, each with `IfExists`, and `Null`; the keys are the variables.
//!
//! Statements that do not apply, whether they allow or deny: those with a condition of an unknown
//! operator or key, and those with a variable that is unknown or has no value, wherever it stands.
//! The guides say that such a statement "might be invalid", and not more.
//!
//! The broker stands for any partition, region and account: in an ARN these are not compared.

mod condition;
mod pattern;

use serde_json::{Map, Value};

use condition::Condition;
use pattern::{Glob, Pattern, Syntax};

/// A policy document.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// The client that asks.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// As in its CONNECT.
    pub client_id: &'a str,
    /// The common name of its certificate, which is the thing's name.
    pub common_name: &'a str,
    /// The certificate is attached to the thing.
    pub is_thing_attached: bool,
}

/// What a variable or a condition's key stands for.
enum Lookup<'a> {
    Value(&'a str),
    /// It has no value for this caller.
    Absent,
    /// There is no such key, or none that is known here.
    Unknown,
}

#[derive(Clone, Debug)]
struct Statement {
    is_allow: bool,
    actions: Scope,
    resources: Scope,
    conditions: Vec<Condition>,
}

/// What fits one of the patterns, or what fits none.
#[derive(Clone, Debug)]
struct Scope {
    patterns: Vec<Pattern>,
    is_inverted: bool,
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// What AWS would refuse the document for, in words: no JSON, an element that is missing, unknown,
    /// given with its opposite or of the wrong type, a resource that is no ARN of AWS IoT.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let document = object(&document, "the policy", &["Version", "Id", "Statement"])?;
        let variables = match document.get("Version") {
            None => false,
            Some(version) => match version.as_str() {
                Some("2012-10-17") => true,
                Some("2008-10-17") => false,
                _ => {
                    return Err(format!("the Version {version}, which is neither 2012-10-17 nor 2008-10-17"));
                }
            },
        };
        let statements = match document.get("Statement") {
            None => return Err("a policy without a Statement".to_owned()),
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement) => vec![statement],
        };
        let read = |statement| Statement::read(statement, variables);
        Ok(Self { statements: statements.into_iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Whether `caller` may do `action` (`iot:Publish`) with `resource`: what an ARN ends with,
    /// `topic/a/b` or `client/pi-7`.
    pub fn allows(&self, caller: &Caller<'_>, action: &str, resource: &str) -> bool {
        let mut is_allowed = false;
        for statement in self.statements.iter().filter(|each| each.applies(caller, action, resource)) {
            if !statement.is_allow {
                return false;
            }
            is_allowed = true;
        }
        is_allowed
    }
}

impl<'a> Caller<'a> {
    fn look_up(&self, key: &str) -> Lookup<'a> {
        let is_attached = self.is_thing_attached && self.client_id == self.common_name;
        match key.to_ascii_lowercase().as_str() {
            "iot:clientid" => Lookup::Value(self.client_id),
            "iot:connection.thing.thingname" if is_attached => Lookup::Value(self.common_name),
            "iot:connection.thing.thingname" => Lookup::Absent,
            "iot:connection.thing.isattached" => Lookup::Value(if is_attached { "true" } else { "false" }),
            "iot:certificate.subject.commonname" => Lookup::Value(self.common_name),
            _ => Lookup::Unknown,
        }
    }
}

impl Statement {
    fn read(statement: &Value, variables: bool) -> Result<Self, String> {
        const ELEMENTS: [&str; 7] =
            ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        let statement = object(statement, "a statement", &ELEMENTS)?;
        let is_allow = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err("a statement whose Effect is neither Allow nor Deny".to_owned()),
        };
        let plain = Syntax { wildcards: true, variables: false };
        let actions = Scope::read(statement, "Action", |action| Pattern::read(action, plain))?;
        let rich = Syntax { wildcards: true, variables };
        let resources = Scope::read(statement, "Resource", |arn| Pattern::read(resource_of(arn)?, rich))?;
        let conditions = match statement.get("Condition") {
            Some(element) => Condition::read_all(element, variables)?,
            None => Vec::new(),
        };
        Ok(Self { is_allow, actions, resources, conditions })
    }

    fn applies(&self, caller: &Caller<'_>, action: &str, resource: &str) -> bool {
        self.actions.covers(caller, |pattern| pattern.matches_in_any_case(action))
            && self.resources.covers(caller, |pattern| pattern.matches(resource))
            && self.conditions.iter().all(|condition| condition.holds(caller))
    }
}

impl Scope {
    /// Reads the element `name`, or the one that covers all the others.
    fn read(
        statement: &Map<String, Value>,
        name: &str,
        read: impl Fn(&str) -> Result<Pattern, String>,
    ) -> Result<Self, String> {
        let opposite = format!("Not{name}");
        let (element, is_inverted) = match (statement.get(name), statement.get(&opposite)) {
            (Some(element), None) => (element, false),
            (None, Some(element)) => (element, true),
            _ => return Err(format!("a statement with neither or both of {name} and {opposite}")),
        };
        let patterns = texts(element, name)?.iter().map(|text| read(text)).collect::<Result<_, _>>()?;
        Ok(Self { patterns, is_inverted })
    }

    fn covers(&self, caller: &Caller<'_>, fits: impl Fn(&Glob) -> bool) -> bool {
        let resolved: Option<Vec<Glob>> =
            self.patterns.iter().map(|pattern| pattern.resolve(caller)).collect();
        resolved.is_some_and(|patterns| patterns.iter().any(fits) != self.is_inverted)
    }
}

/// What an ARN of AWS IoT ends with; `*` is all there is.
fn resource_of(arn: &str) -> Result<&str, String> {
    if arn == "*" {
        return Ok(arn);
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    // A template's placeholder that was not filled in has other characters.
    let is_place = |place: &str| {
        place.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '*' | '?'))
    };
    match parts[..] {
        ["arn", partition, "iot", region, account, resource]
            if partition.starts_with("aws") && is_place(region) && is_place(account) =>
        {
            Ok(resource)
        }
        _ => Err(format!("the resource `{arn}` is not of the form arn:aws:iot:REGION:ACCOUNT:…, nor *")),
    }
}

/// An object with no other elements than these.
fn object<'a>(value: &'a Value, what: &str, elements: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let object = value.as_object().ok_or_else(|| format!("{what} is no object"))?;
    match object.keys().find(|key| !elements.contains(&key.as_str())) {
        Some(unknown) => Err(format!("{what} with the unknown element {unknown}")),
        None => Ok(object),
    }
}

/// One text, or a list of them. A truth value reads as its name: `"true"` and `true` are the same.
fn texts(value: &Value, what: &str) -> Result<Vec<String>, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(format!("{what} is {value}, where a text is expected")),
    };
    match value {
        Value::Array(list) if list.is_empty() => Err(format!("{what} is an empty list")),
        Value::Array(list) => list.iter().map(text).collect(),
        single => Ok(vec![text(single)?]),
    }
}

#[cfg(test)]
mod tests;
