//! What an AWS IoT Core policy document allows a device, told without asking AWS.
//!
//! As the AWS IoT developer guide (policy actions, resources and variables) and the IAM user guide
//! (policy elements) have it: an explicit Deny wins, and what no statement allows is not allowed. What
//! depends on something that only AWS knows, like a thing's attributes or the address that a device
//! comes from, is [`Decision::Unknown`], never guessed.

use std::fmt;

mod document;
mod json;
mod pattern;
mod statement;

#[cfg(test)]
mod tests;

pub use json::{DEPTH_MAX, Fault, JsonError};

use statement::{Statement, Truth};

/// The longest document that is read, in bytes. AWS itself takes 2,048 characters, blanks not counted.
pub const TEXT_LEN_MAX: usize = 64 * 1024;

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
    ignores_variables: bool,
}

/// What a device wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// To connect with its client id.
    Connect,
    /// To publish to a topic.
    Publish(&'a str),
    /// To have what is published there retained, for which it needs [`Action::Publish`] as well.
    RetainPublish(&'a str),
}

/// Who wants to do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is to be done.
    pub action: Action<'a>,
    /// The client id of the connection.
    pub client_id: &'a str,
    /// The name of the thing that the certificate is attached to, if it is known.
    pub thing: Option<&'a str>,
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'p> {
    /// A statement allows it, and none denies it.
    Allowed,
    /// This statement denies it, whatever others say.
    Denied(StatementName<'p>),
    /// No statement allows it.
    NotAllowed,
    /// It depends on this statement, and that on what is not known here.
    Unknown(StatementName<'p>, Because<'p>),
}

/// Where a statement stands in its document, and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementName<'p> {
    /// Counted from 1.
    pub number: usize,
    /// Its `Sid`.
    pub sid: Option<&'p str>,
    /// What it does where it applies.
    pub effect: Effect,
}

/// What a statement does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It allows what nothing else denies.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// Why it cannot be told whether a statement applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because<'p> {
    /// A variable in a resource, or in a condition's value, has a value that is not known.
    Variable(&'p str),
    /// A condition with an operator that is not understood, or on a key whose value is not known.
    Condition {
        /// Like `StringEquals`.
        operator: &'p str,
        /// Like `aws:SourceIp`.
        key: &'p str,
    },
    /// An element that is not in AWS IoT's documents, like `NotAction`.
    Element(&'p str),
    /// A resource that is neither an ARN nor `*`.
    Resource(&'p str),
}

/// Why a text is no policy document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyError {
    /// It has more bytes than [`TEXT_LEN_MAX`].
    TooLong,
    /// It is not JSON.
    Json(JsonError),
    /// An element that has to be there is not: of the statement of that number, or of the document.
    Missing(Option<usize>, &'static str),
    /// An element is not as it has to be: of the statement of that number, or of the document.
    Wrong {
        /// The statement, counted from 1.
        statement: Option<usize>,
        /// The element's name.
        element: &'static str,
        /// What is allowed there, in words.
        allowed: &'static str,
    },
}

impl Policy {
    /// Reads a document, or what `aws iot get-policy` prints, which has it as a string; an error's line and
    /// column then are those in the string.
    ///
    /// # Errors
    /// The first thing wrong.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        document::read(text)
    }

    /// Decides as AWS does.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision<'_> {
        let variables = (!self.ignores_variables).then_some(request);
        let strongest = |effect: Effect| {
            let mut strongest = None;
            for (number, statement) in (1..).zip(&self.statements).filter(|(_, other)| other.effect == effect)
            {
                let name = StatementName { number, sid: statement.sid.as_deref(), effect };
                match statement.applies(request, variables) {
                    Truth::Yes => return Some((name, None)),
                    Truth::Maybe(because) => strongest = strongest.or(Some((name, Some(because)))),
                    Truth::No => {}
                }
            }
            strongest
        };
        match (strongest(Effect::Deny), strongest(Effect::Allow)) {
            (Some((name, None)), _) => Decision::Denied(name),
            (_, None) => Decision::NotAllowed,
            (Some((name, Some(because))), _) | (None, Some((name, Some(because)))) => {
                Decision::Unknown(name, because)
            }
            (None, Some((_, None))) => Decision::Allowed,
        }
    }

    /// Whether `${…}` stands somewhere, but for nothing: without `"Version": "2012-10-17"` it is text like
    /// any other.
    #[must_use]
    pub const fn ignores_variables(&self) -> bool {
        self.ignores_variables
    }
}

impl Action<'_> {
    /// As a policy calls it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect => "iot:Connect",
            Self::Publish(_) => "iot:Publish",
            Self::RetainPublish(_) => "iot:RetainPublish",
        }
    }
}

/// What is known of a variable, or of a condition's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known<'a> {
    Surely(&'a str),
    /// This, or there is no value at all.
    Perhaps(&'a str),
    Not,
}

impl Request<'_> {
    /// The end of the resource's ARN, like `client/pi-7` or `topic/pivitals/pi-7/metrics`.
    #[must_use]
    pub fn resource(&self) -> String {
        match self.action {
            Action::Connect => format!("client/{}", self.client_id),
            Action::Publish(topic) | Action::RetainPublish(topic) => format!("topic/{topic}"),
        }
    }

    /// Keys are not sensitive to case. A certificate that may serve several things stands for the one
    /// whose name is the client id, and for no other; one that serves a single thing exclusively stands
    /// for that under any client id. Which of the two it is, only AWS knows.
    fn value(&self, key: &str) -> Known<'_> {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        match self.thing {
            _ if is("iot:ClientId") => Known::Surely(self.client_id),
            Some(thing) if is("iot:Connection.Thing.ThingName") && thing != self.client_id => {
                Known::Perhaps(thing)
            }
            Some(thing) if is("iot:Connection.Thing.ThingName") => Known::Surely(thing),
            Some(thing) if is("iot:Connection.Thing.IsAttached") && thing == self.client_id => {
                Known::Surely("true")
            }
            _ => Known::Not,
        }
    }
}

impl fmt::Display for StatementName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.number)?;
        self.sid.map_or(Ok(()), |sid| write!(f, " ({sid})"))
    }
}

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable ${{{name}}}"),
            Self::Condition { operator, key } => write!(f, "the condition {operator} on {key}"),
            Self::Element(name) => write!(f, "the element {name}"),
            Self::Resource(text) => write!(f, "the resource {text}, which is no ARN"),
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |f: &mut fmt::Formatter<'_>, statement: &Option<usize>| {
            statement.map_or(Ok(()), |number| write!(f, "statement {number}: "))
        };
        match self {
            Self::TooLong => write!(f, "longer than {TEXT_LEN_MAX} bytes"),
            Self::Json(JsonError { line, column, fault }) => {
                write!(f, "line {line}, column {column}: not JSON: {}", fault.words())
            }
            Self::Missing(statement, element) => {
                place(f, statement)?;
                write!(f, "{element} is missing")
            }
            Self::Wrong { statement, element, allowed } => {
                place(f, statement)?;
                write!(f, "{element}: allowed: {allowed}")
            }
        }
    }
}
