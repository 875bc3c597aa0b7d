//! The decision of a whole policy.

use std::fmt;

use super::document::{self, PolicyError};
use super::request::Request;
use super::statement::{Because, Effect, Statement, Truth};

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
    has_variables: bool,
}

/// The answer of a policy to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'p> {
    /// A statement allows the request, and none denies it.
    Allowed,
    /// This statement denies the request.
    Denied(StatementName<'p>),
    /// No statement allows the request.
    NotAllowed,
    /// The answer depends on this statement, and that on a fact that is not known here.
    Unknown(StatementName<'p>, Because<'p>),
}

/// A statement's place and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementName<'p> {
    /// Counted from 1.
    pub number: usize,
    /// Its `Sid`.
    pub sid: Option<&'p str>,
    /// Its `Effect`.
    pub effect: Effect,
}

impl Policy {
    /// Reads a document, or the output of `aws iot get-policy`, which contains it as a string.
    ///
    /// # Errors
    /// The first error in the text.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document::Document { statements, has_variables } = document::read(text)?;
        Ok(Self { statements, has_variables })
    }

    /// Evaluates the policy as AWS does.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision<'_> {
        match (self.strongest(Effect::Deny, request), self.strongest(Effect::Allow, request)) {
            (Some((name, None)), _) => Decision::Denied(name),
            (_, None) => Decision::NotAllowed,
            (Some((name, Some(because))), _) | (None, Some((name, Some(because)))) => {
                Decision::Unknown(name, because)
            }
            (None, Some((_, None))) => Decision::Allowed,
        }
    }

    /// The first statement with this effect that applies; if there is none, the first that may apply, with the
    /// reason.
    fn strongest(
        &self,
        effect: Effect,
        request: &Request<'_>,
    ) -> Option<(StatementName<'_>, Option<Because<'_>>)> {
        let variables = self.has_variables.then_some(request);
        let mut possible = None;
        for (number, statement) in (1..).zip(&self.statements) {
            if statement.effect != effect {
                continue;
            }
            let name = StatementName { number, sid: statement.sid.as_deref(), effect };
            match statement.applies(request, variables) {
                Truth::Yes => return Some((name, None)),
                Truth::Maybe(because) => possible = possible.or(Some((name, Some(because)))),
                Truth::No => {}
            }
        }
        possible
    }

    /// Whether the document contains `${…}` as plain text, because it lacks `"Version": "2012-10-17"`.
    #[must_use]
    pub fn ignores_variables(&self) -> bool {
        !self.has_variables && self.statements.iter().any(Statement::has_variables)
    }
}

impl fmt::Display for StatementName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.number)?;
        self.sid.map_or(Ok(()), |sid| write!(f, " ({sid})"))
    }
}
