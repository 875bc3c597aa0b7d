//! Resources as data, and texts that refer to them. What is written from this knows nothing else.

/// A text, with what is only known when it is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<Part>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it is.
    Literal(String),
    /// `aws`, or what it is called in China and for governments.
    Partition,
    /// Where it is deployed.
    Region,
    /// Whose it is.
    Account,
    /// What the user chose.
    Parameter(&'static str),
    /// The ARN of the role with this id.
    RoleArn(&'static str),
    /// The ARN of the topic that alarms go to.
    TopicArn,
    /// The name of the log group with this id.
    LogGroup(&'static str),
}

impl Text {
    /// Adds a part.
    #[must_use]
    pub fn and(mut self, part: impl Into<Part>) -> Self {
        self.0.push(part.into());
        self
    }

    /// An ARN of a service in the region and the account where it is deployed.
    #[must_use]
    pub fn arn(service: &str, resource: &str) -> Self {
        Self::from("arn:")
            .and(Part::Partition)
            .and(format!(":{service}:").as_str())
            .and(Part::Region)
            .and(":")
            .and(Part::Account)
            .and(format!(":{resource}").as_str())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(vec![text.into()])
    }
}

impl From<Part> for Text {
    fn from(part: Part) -> Self {
        Self(vec![part])
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }
}

/// A value in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Text),
    /// A whole number.
    Number(i64),
    /// A truth value.
    Bool(bool),
    /// Values in order.
    List(Vec<Value>),
    /// Keys and their values, in order.
    Map(Vec<(String, Value)>),
    /// A text that is this value as JSON.
    Json(Box<Value>),
}

impl Value {
    /// Keys and values.
    #[must_use]
    pub fn map<const N: usize>(entries: [(&str, Value); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Values of one kind.
    #[must_use]
    pub fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Text>> From<T> for Value {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.as_str().into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

/// What the user can choose when it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// What it is if nothing is chosen.
    pub default: Value,
    /// The only values that are allowed, if not all are.
    pub allowed: &'static [i64],
}

/// One thing to be made in the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What others call it: letters and digits, beginning with a capital.
    pub id: String,
    /// What it is for, in words.
    pub why: String,
    /// What it is.
    pub kind: Kind,
}

/// What a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// What all things of the fleet have in common.
    ThingType {
        /// Its name.
        name: String,
        /// In words.
        description: String,
        /// Attributes by which things can be found.
        attributes: Vec<&'static str>,
    },
    /// What a device may do.
    Policy {
        /// Its name.
        name: String,
        /// The document.
        document: Value,
    },
    /// Where messages or errors are kept.
    LogGroup {
        /// Its name.
        name: String,
    },
    /// A metric from the events of a log group.
    MetricFilter(MetricFilter),
    /// What the rule may do.
    Role {
        /// In words.
        description: String,
        /// Who may take it.
        trust: Value,
        /// What it allows.
        permissions: Value,
    },
    /// Where alarms go.
    Topic {
        /// Its name.
        name: String,
    },
    /// By e-mail, if the user gave an address.
    Subscription,
    /// What is done with each message.
    Rule(Rule),
    /// Something is wrong.
    Alarm(Alarm),
    /// Graphs and tables.
    Dashboard {
        /// Its name.
        name: String,
        /// As CloudWatch defines it.
        body: Value,
    },
}

/// A metric from the events of a log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricFilter {
    /// Its name.
    pub name: String,
    /// The key of the number in an event.
    pub key: String,
    /// The metric's name.
    pub metric: String,
    /// CloudWatch's namespace.
    pub namespace: String,
    /// CloudWatch's unit.
    pub unit: &'static str,
    /// The key of what the dimension `device` is in an event; none for one metric of all devices.
    pub device: Option<&'static str>,
}

impl MetricFilter {
    /// Events in which the key has a number. A comparison is not true of `null`, as `= *` may be.
    #[must_use]
    pub fn pattern(&self) -> String {
        format!("{{ $.{key} >= 0 || $.{key} < 0 }}", key = self.key)
    }
}

/// What is done with each message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// In words.
    pub description: String,
    /// What is selected from where.
    pub sql: String,
    /// With that.
    pub action: Action,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// One metric a message, whose name, unit, value and time stand in it.
    Metric {
        /// CloudWatch's namespace.
        namespace: String,
    },
    /// Events of a log group: one a message, or as many as are in it.
    Log {
        /// Whether the message is a list of events with their times.
        is_batch: bool,
    },
}

/// Something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name, which stands in the e-mail.
    pub name: String,
    /// What to do.
    pub description: String,
    /// What is looked at.
    pub watch: Watch,
    /// CloudWatch's word for how it is compared.
    pub comparison: &'static str,
    /// With this.
    pub threshold: Value,
    /// Seconds that are taken together.
    pub period: i64,
    /// So many of them in a row.
    pub periods: i64,
    /// CloudWatch's word for what it means that there is no data.
    pub missing: &'static str,
}

/// What an alarm looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// One metric.
    Metric {
        /// CloudWatch's namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its dimensions.
        dimensions: Vec<(&'static str, Value)>,
        /// CloudWatch's word for what is taken of a period.
        statistic: &'static str,
    },
    /// A query of CloudWatch Metrics Insights.
    Query(String),
}
