//! A statement of a policy, and whether it applies to a request.

use std::fmt;

use super::pattern::Pattern;
use super::request::{Lookup, Request};

/// What a statement does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It allows the request unless another statement denies it.
    Allow,
    /// It denies the request, whatever other statements allow.
    Deny,
}

/// Why it is unknown whether a statement applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because<'p> {
    /// The value of this variable in a resource or in a condition's value is not known.
    Variable(&'p str),
    /// The operator is not supported, or the key's value is not known.
    Condition {
        /// For example `StringEquals`.
        operator: &'p str,
        /// For example `aws:SourceIp`.
        key: &'p str,
    },
    /// This element is not supported, for example `NotAction`.
    Element(&'p str),
    /// This resource is neither an ARN nor `*`.
    Resource(&'p str),
}

/// A statement as written in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    /// `None` if the statement has `NotAction` instead, which is then its `unsupported` element.
    pub actions: Option<Vec<String>>,
    /// `None` if the statement has `NotResource` instead.
    pub resources: Option<Vec<String>>,
    pub conditions: Vec<Condition>,
    /// The first element that is not supported.
    pub unsupported: Option<String>,
}

/// A condition: it holds if one of the values fits the key's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub operator: String,
    pub key: String,
    pub values: Vec<String>,
}

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth<'p> {
    No,
    /// It depends on this fact.
    Maybe(Because<'p>),
    Yes,
}

impl Statement {
    /// Whether the statement applies to a request. Without `variables`, `${…}` is plain text.
    pub fn applies(&self, request: &Request<'_>, variables: Option<&Request<'_>>) -> Truth<'_> {
        let is_action = |action: &String| {
            let action = action.to_ascii_lowercase();
            Pattern::read(&action, None, true).matches(&request.action.name().to_ascii_lowercase())
        };
        let resource = request.resource();
        let actions = self.actions.as_ref().is_none_or(|actions| actions.iter().any(is_action));
        let resources = self.resources.as_ref().map_or(Truth::Yes, |resources| {
            resources.iter().map(|text| is_resource(text, &resource, variables)).fold(Truth::No, Truth::or)
        });
        let elements =
            self.unsupported.as_ref().map_or(Truth::Yes, |element| Truth::Maybe(Because::Element(element)));
        let conditions = self.conditions.iter().map(|condition| condition.holds(request, variables));
        conditions.fold(Truth::new(actions).and(resources).and(elements), Truth::and)
    }

    /// Whether a resource or a condition's value contains `${…}`.
    pub fn has_variables(&self) -> bool {
        let any = |texts: &Vec<String>| texts.iter().any(|text| text.contains("${"));
        self.resources.as_ref().is_some_and(any)
            || self.conditions.iter().any(|condition| any(&condition.values))
    }
}

fn is_resource<'p>(text: &'p str, resource: &str, variables: Option<&Request<'_>>) -> Truth<'p> {
    let pattern = Pattern::read(text, variables, true);
    if !pattern.matches_arn(resource) {
        return Truth::No;
    }
    if text != "*" && !text.starts_with("arn:") {
        return Truth::Maybe(Because::Resource(text));
    }
    pattern.unsure.map_or(Truth::Yes, |name| Truth::Maybe(Because::Variable(name)))
}

impl Condition {
    fn holds<'p>(&'p self, request: &Request<'_>, variables: Option<&Request<'_>>) -> Truth<'p> {
        let unknown = Truth::Maybe(Because::Condition { operator: &self.operator, key: &self.key });
        let (operator, is_optional) = match self.operator.strip_suffix("IfExists") {
            Some(operator) => (operator, true),
            None => (self.operator.as_str(), false),
        };
        let (value, is_there) = match request.look_up(&self.key) {
            Lookup::Known(value) => (value, true),
            Lookup::Possible(value) => (value, false),
            Lookup::Unknown => return unknown,
        };
        if !matches!(operator, "Bool" | "StringEquals" | "StringLike") {
            return unknown;
        }
        let fits = |text: &'p str| match (operator, text) {
            ("Bool", "true" | "false") => Truth::new(text == value),
            ("Bool", _) => unknown,
            _ => {
                let pattern = Pattern::read(text, variables, operator == "StringLike");
                let unsure = pattern.unsure.map(|name| Truth::Maybe(Because::Variable(name)));
                Truth::new(pattern.matches(value)).and(unsure.unwrap_or(Truth::Yes))
            }
        };
        let one_fits = self.values.iter().map(|text| fits(text)).fold(Truth::No, Truth::or);
        // A missing key fits no value. With `IfExists` it fits every value.
        if is_there || (one_fits == Truth::No && !is_optional) { one_fits } else { unknown }
    }
}

impl Truth<'_> {
    const fn new(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) => other,
            (this, _) => this,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, other) => other,
            (this, _) => this,
        }
    }
}

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable ${{{name}}}"),
            Self::Condition { operator, key } => write!(f, "the condition {operator} on {key}"),
            Self::Element(name) => write!(f, "the element {name}"),
            Self::Resource(text) => write!(f, "the resource {text}, which is not an ARN"),
        }
    }
}
