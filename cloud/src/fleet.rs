//! What the devices that share a configuration have in common, and what the cloud calls the rest.
//!
//! The configuration is read as on a device, but for one that nobody has seen: marks stand for its names.
//! Where a mark ends up, the cloud has a variable of its own (in a policy) or takes anything (in a rule).

use std::path::{Path, PathBuf};

use pivitals::config::Config;
use pivitals::config::identity::{Identity, PLACEHOLDERS};
use pivitals::config::setup::{self, CONFIG_FILE, Options};
use pivitals::message::payload::{Format, NAMESPACE_LEN_MAX};
use pivitals::message::topics::{METRIC, Topics};
use pivitals::metric::{Scope, Series};

use crate::names::once_each;

#[cfg(test)]
mod tests;

/// Characters that nobody may use: each stands for a placeholder, in their order.
const MARKS: [&str; PLACEHOLDERS.len()] = ["\u{e000}", "\u{e001}", "\u{e002}", "\u{e003}"];
/// Stands for the client id.
const CLIENT: &str = "\u{e004}";

/// The thing's name, which the client id has to be.
pub const THING_NAME: &str = "${iot:Connection.Thing.ThingName}";

const BASIC_INGEST: &str = "$aws/rules/";

/// What AWS IoT lets a policy be called, less what its name has beside the rule's.
const RULE_LEN_MAX: usize = 128 - "-device-99".len();
/// What CloudWatch lets an alarm be called.
const ALARM_LEN_MAX: usize = 255;

/// What is known of the devices beside their configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Labels of devices that get alarms of their own.
    pub devices: Vec<String>,
    /// Network interfaces, for the metrics of each; the usual ones of a Pi if there are none.
    pub interfaces: Vec<String>,
    /// Disks, likewise.
    pub drives: Vec<String>,
}

/// The devices that share a configuration, as the cloud sees them.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// As one of them reads it; its names are marks.
    pub config: Config,
    /// What they measure.
    pub series: Vec<Series>,
    /// Where they publish, with the policy's variables for what differs between them.
    pub topics: Vec<String>,
    /// What a rule selects from: the topics without Basic Ingest's prefix, `+` for what differs.
    pub filter: String,
    /// The rule's name: the one that the configuration publishes to, or one that follows from the
    /// namespace.
    pub rule: String,
    /// Attributes that a thing has to have, because a topic names them and they are not its name.
    pub attributes: Vec<&'static str>,
    /// Labels of devices that are known, at least if all have the same one.
    pub devices: Vec<String>,
}

impl Fleet {
    /// Reads the configuration that the options name.
    ///
    /// # Errors
    /// Everything that is wrong, a line each.
    pub fn load(config: Option<&Path>, set: &[String], known: &Known) -> Result<Self, Vec<String>> {
        let path = config.unwrap_or(Path::new(CONFIG_FILE));
        let identity = Identity::given(MARKS);
        let read = |set: Vec<String>| {
            let options = Options { config: config.map(Into::into), set, root: PathBuf::new() };
            setup::read_config(path, &options, &identity)
                .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let config = read(set.to_vec())?;
        // Once more with a mark for the client id, to see where that stands.
        let is_client_id =
            |set: &&String| set.split_once('=').is_some_and(|(key, _)| key.trim() == "client_id");
        let others = set.iter().filter(|set| !is_client_id(set)).cloned();
        let marked = read(others.chain([format!("client_id={CLIENT}")]).collect())?;
        Self::new(config, &marked.topics, known)
    }

    fn new(config: Config, marked: &Topics, known: &Known) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        if let Some(topic) = marked.names().iter().find(|topic| topic.contains(['*', '?'])) {
            errors.push(format!(
                "topic = {}: a policy takes * and ? for any characters, so that others could publish there",
                unmarked(topic)
            ));
        }
        if config.discovery.is_some() {
            errors.push(
                "discovery = homeassistant: is for a broker at home; AWS closes the connection at a message to be \
                 retained, which no policy made here allows"
                    .to_owned(),
            );
        }
        let series = with_names(&config, known);
        let template = template(marked);
        let topics = Topics::new(&template, &series);
        let (rule, plain) = match template.strip_prefix(BASIC_INGEST).and_then(|rest| rest.split_once('/')) {
            Some((rule, plain)) => (rule.to_owned(), plain),
            None => (rule_name(&config.namespace), template.as_str()),
        };
        let devices = match (known.devices.as_slice(), config.label.contains(is_mark)) {
            ([], false) => vec![config.label.clone()],
            (devices, _) => once_each(devices),
        };
        if config.format == Format::Flat {
            errors.extend(series.iter().filter_map(not_selectable));
            errors.extend((!Self::is_filterable(&config.namespace)).then(|| {
                format!(
                    "namespace = {}: format = flat: a filter of CloudWatch Logs takes no `:` there; take emf",
                    config.namespace
                )
            }));
        }
        errors.extend(too_long(&rule, &series, &devices));
        if !errors.is_empty() {
            return Err(errors);
        }
        let variables = Variables { client_id: &config.client_id };
        Ok(Self {
            topics: topics.names().iter().map(|topic| variables.put_into(topic)).collect(),
            attributes: variables.attributes(&template),
            filter: filter(plain),
            series,
            rule,
            devices,
            config,
        })
    }

    /// The name of a series in CloudWatch, in the formats in which the device is a dimension.
    #[must_use]
    pub fn dimensional_name(series: &Series) -> String {
        format!("{}{}", series.metric.description().emf_name, series.suffix())
    }

    /// The key of a series in a flat message.
    #[must_use]
    pub fn flat_key(series: &Series) -> String {
        format!("{}{}", series.metric.description().flat_key, series.suffix())
    }

    /// Whether a filter of CloudWatch Logs can select a key in an event.
    #[must_use]
    pub fn is_selectable(key: &str) -> bool {
        key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    }

    /// Whether a filter of CloudWatch Logs can put a metric into a namespace.
    #[must_use]
    pub fn is_filterable(namespace: &str) -> bool {
        namespace.len() <= NAMESPACE_LEN_MAX && !namespace.contains(':')
    }

    /// The label, if all devices have the same one.
    #[must_use]
    pub fn known_label(&self) -> Option<&str> {
        Some(self.config.label.as_str()).filter(|label| !label.contains(is_mark))
    }

    /// Whether the rule is asked by its name, without the message broker.
    #[must_use]
    pub fn is_basic_ingest(&self) -> bool {
        self.topics.iter().all(|topic| topic.starts_with(BASIC_INGEST))
    }

    /// The log group that the messages go to, in the formats that have one.
    #[must_use]
    pub fn log_group(&self) -> String {
        format!("/pivitals/{}", self.rule)
    }
}

fn is_mark(char: char) -> bool {
    ('\u{e000}'..='\u{e004}').contains(&char)
}

/// A text as it stood in the configuration, more or less.
fn unmarked(text: &str) -> String {
    let text = text.replace(CLIENT, "{client_id}");
    PLACEHOLDERS.iter().zip(MARKS).fold(text, |text, (name, mark)| text.replace(mark, &format!("{{{name}}}")))
}

/// The topic with [`METRIC`] in it, if it has one.
fn template(topics: &Topics) -> String {
    match topics.names() {
        [only] if only == topics.pattern() => only.clone(),
        _ => topics.pattern().replace('*', METRIC),
    }
}

/// The series with the names of interfaces and disks that are known, instead of the usual ones; those that
/// an alert names are published in any case.
fn with_names(config: &Config, known: &Known) -> Vec<Series> {
    let (interfaces, drives) = (once_each(&known.interfaces), once_each(&known.drives));
    let mut named: Vec<Series> = Vec::new();
    for one in &config.series {
        let things = match one.metric.description().scope {
            Scope::Interface => &interfaces,
            Scope::Disk => &drives,
            Scope::Board | Scope::Mount => &Vec::new(),
        };
        if things.is_empty() {
            named.push(one.clone());
        } else if !named.iter().any(|earlier| earlier.metric == one.metric) {
            named.extend(things.iter().map(|name| Series::of(one.metric, name)));
        }
    }
    for alert in &config.alerts {
        if !named.contains(&alert.series) {
            named.push(alert.series.clone());
        }
    }
    named
}

/// Names of which AWS would not take what is made of them.
fn too_long(rule: &str, series: &[Series], devices: &[String]) -> Vec<String> {
    if rule.len() > RULE_LEN_MAX {
        return vec![format!(
            "rule = {rule}: the names of policies are made of it, and have room for {RULE_LEN_MAX} of its letters; \
             without a rule, it is made of `namespace`"
        )];
    }
    let longest = series.iter().map(|series| series.to_string().chars().count()).max().unwrap_or(0);
    let is_too_long = |device: &&String| {
        rule.len() + ": ".len() + longest + " of ".len() + device.chars().count() > ALARM_LEN_MAX
    };
    let error = |device| {
        format!("{device}: with rule {rule} the names of its alarms are longer than {ALARM_LEN_MAX}")
    };
    devices.iter().filter(is_too_long).map(error).collect()
}

/// What is wrong with a series whose key a filter of CloudWatch Logs cannot select.
fn not_selectable(series: &Series) -> Option<String> {
    let key = Fleet::flat_key(series);
    (!Fleet::is_selectable(&key)).then(|| {
        format!(
            "format = flat: {key}: CloudWatch Logs selects keys of letters, digits, - and _ only; take emf"
        )
    })
}

/// Letters, digits and `_`, as a rule's name has them.
fn rule_name(namespace: &str) -> String {
    namespace.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect()
}

/// Levels of which a device's own part is not known on the host, or which SQL could not quote, are `+`.
fn filter(topic: &str) -> String {
    let level = |level: &str| {
        let is_plain = !level.contains(METRIC) && !level.contains(is_mark) && !level.contains('\'');
        if is_plain { level.to_owned() } else { "+".to_owned() }
    };
    topic.split('/').map(level).collect::<Vec<_>>().join("/")
}

/// Marks into the variables of AWS IoT's policies.
struct Variables<'a> {
    client_id: &'a str,
}

impl Variables<'_> {
    fn put_into(&self, topic: &str) -> String {
        let topic = self.without_client_id(topic).replace(CLIENT, THING_NAME);
        PLACEHOLDERS.iter().zip(MARKS).fold(topic, |topic, (name, mark)| {
            topic.replace(mark, &format!("${{iot:Connection.Thing.Attributes[{name}]}}"))
        })
    }

    /// A client id that is made of placeholders may stand in the topic by itself.
    fn without_client_id(&self, topic: &str) -> String {
        if self.client_id.contains(is_mark) {
            topic.replace(self.client_id, CLIENT)
        } else {
            topic.to_owned()
        }
    }

    fn attributes(&self, topic: &str) -> Vec<&'static str> {
        let topic = self.without_client_id(topic);
        let names = PLACEHOLDERS.into_iter().zip(MARKS);
        names.filter(|(_, mark)| topic.contains(mark)).map(|(name, _)| name).collect()
    }
}
