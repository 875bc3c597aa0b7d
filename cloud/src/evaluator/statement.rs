//! One statement of a policy, and whether it applies to a request.

use super::pattern::Pattern;
use super::{Because, Effect, Known, Request};

/// A statement as it stands in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    /// `None` where the document has another element in its place, which then is `strange`.
    pub actions: Option<Vec<String>>,
    /// Likewise.
    pub resources: Option<Vec<String>>,
    pub conditions: Vec<Condition>,
    /// The first element that is not understood.
    pub strange: Option<String>,
}

/// An operator, the key whose value it looks at, and the values of which one has to fit.
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
    /// It depends on this.
    Maybe(Because<'p>),
    Yes,
}

impl Statement {
    /// Whether it applies; variables have values where there is a request to tell them.
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
        let strange =
            self.strange.as_ref().map_or(Truth::Yes, |element| Truth::Maybe(Because::Element(element)));
        let conditions = self.conditions.iter().map(|condition| condition.holds(request, variables));
        conditions.fold(Truth::new(actions).and(resources).and(strange), Truth::and)
    }

    /// Whether `${…}` stands somewhere in it.
    pub fn names_variables(&self) -> bool {
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
        let (value, is_there) = match request.value(&self.key) {
            Known::Surely(value) => (value, true),
            Known::Perhaps(value) => (value, false),
            Known::Not => return unknown,
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
        // A key that is not there fits no value; one that may be missing fits all.
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
