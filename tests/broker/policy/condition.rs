//! The conditions of a statement.

use serde_json::Value;

use super::pattern::{Glob, Pattern, Syntax};
use super::{Caller, Lookup, texts};

/// One operator with one key and the values to hold against it.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    operator: Operator,
    key: String,
    values: Vec<Pattern>,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Compare {
        how: Comparison,
        /// It holds where no value fits.
        is_negated: bool,
        /// It holds where the key has no value.
        if_exists: bool,
    },
    /// It holds where the key has no value, or with `"false"` where it has.
    Null,
    /// Never holds.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    EqualInAnyCase,
    Like,
}

impl Operator {
    fn read(name: &str) -> Self {
        let (base, if_exists) = match name.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (name, false),
        };
        let (how, is_negated) = match base {
            "Null" if !if_exists => return Self::Null,
            "StringEquals" => (Comparison::Equal, false),
            "StringNotEquals" => (Comparison::Equal, true),
            "Bool" | "StringEqualsIgnoreCase" => (Comparison::EqualInAnyCase, false),
            "StringNotEqualsIgnoreCase" => (Comparison::EqualInAnyCase, true),
            "StringLike" => (Comparison::Like, false),
            "StringNotLike" => (Comparison::Like, true),
            _ => return Self::Unknown,
        };
        Self::Compare { how, is_negated, if_exists }
    }

    fn has_wildcards(self) -> bool {
        matches!(self, Self::Compare { how: Comparison::Like, .. })
    }
}

impl Condition {
    /// All of a `Condition` element.
    pub(super) fn read_all(element: &Value, variables: bool) -> Result<Vec<Self>, String> {
        let operators = element.as_object().ok_or("a Condition that is no object")?;
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let operator = Operator::read(name);
            let keys = keys.as_object().ok_or_else(|| format!("the condition {name} is no object"))?;
            for (key, values) in keys {
                let syntax = Syntax { wildcards: operator.has_wildcards(), variables };
                let values = texts(values, key)?
                    .iter()
                    .map(|value| Pattern::read(value, syntax))
                    .collect::<Result<_, _>>()?;
                conditions.push(Self { operator, key: key.clone(), values });
            }
        }
        Ok(conditions)
    }

    pub(super) fn holds(&self, caller: &Caller<'_>) -> bool {
        let Some(values) =
            self.values.iter().map(|value| value.resolve(caller)).collect::<Option<Vec<Glob>>>()
        else {
            return false;
        };
        match (self.operator, caller.look_up(&self.key)) {
            (Operator::Unknown, _) | (_, Lookup::Unknown) => false,
            (Operator::Null, found) => {
                let is_absent = if matches!(found, Lookup::Absent) { "true" } else { "false" };
                values.iter().any(|value| value.matches_in_any_case(is_absent))
            }
            (Operator::Compare { is_negated, if_exists, .. }, Lookup::Absent) => is_negated || if_exists,
            (Operator::Compare { how, is_negated, .. }, Lookup::Value(found)) => {
                let fits = |value: &Glob| match how {
                    Comparison::EqualInAnyCase => value.matches_in_any_case(found),
                    Comparison::Equal | Comparison::Like => value.matches(found),
                };
                values.iter().any(fits) != is_negated
            }
        }
    }
}
