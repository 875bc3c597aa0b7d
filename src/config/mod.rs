//! Text into a [`Config`], with every error at once.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use log::LevelFilter;

use crate::config::identity::{Identity, PLACEHOLDERS};
use crate::measure::alert::Alert;
use crate::message::payload::homeassistant::Device;
use crate::message::payload::{Format, LABEL_LEN_MAX, NAMESPACE_LEN_MAX};
use crate::message::topics::{self, Topics};
use crate::metric::{MOUNT_LEN_MAX, MOUNTS_MAX, Metric, Series};
use crate::mqtt::Version;
use crate::net::link::Target;
use crate::net::tls::CertificatePaths;

mod alert;
mod discovery;
pub mod identity;
mod keys;
pub mod setup;
mod text;

#[cfg(test)]
mod tests;

pub use keys::{KEYS, Key};
pub use text::ConfigError;
use text::Values;

/// AWS IoT Core's limits.
const CLIENT_ID_LEN_MAX: usize = 128;
const TOPIC_LEN_MAX: usize = 256;
const TOPIC_SLASHES_MAX: usize = 7;
const RULE_LEN_MAX: usize = 128;
/// What a topic begins with that goes to a rule without the message broker, before the rule's name.
const BASIC_INGEST: &str = "$aws/rules/";
/// A name in the DNS.
const ENDPOINT_LEN_MAX: usize = 253;

/// Which versions of MQTT to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mqtt {
    /// This one.
    Only(Version),
    /// 5 first, 3.1.1 where the broker refuses that.
    Auto,
}

/// Where log lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard error.
    Stderr,
    /// Datagrams to `/dev/log`.
    Syslog,
    /// Standard error when it is a terminal or the journal, else syslog.
    Auto,
}

/// A configuration that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The broker's host name; needed by everything that connects.
    pub endpoint: Option<String>,
    /// TCP port.
    pub port: u16,
    /// At most 128 bytes.
    pub client_id: String,
    /// Where messages are published; with `rule`, through Basic Ingest.
    pub topics: Topics,
    /// Where certificates are looked for.
    pub certificates: CertificatePaths,
    /// Between samples; 1 s to a day.
    pub interval: Duration,
    /// Of the payloads.
    pub format: Format,
    /// CloudWatch namespace of the `emf` format.
    pub namespace: String,
    /// The device in the metrics' names and dimensions; at most 128 bytes.
    pub label: String,
    /// What is measured, in this order.
    pub series: Vec<Series>,
    /// What is watched between the samples; its series are among those above.
    pub alerts: Vec<Alert>,
    /// Which version is spoken.
    pub mqtt: Mqtt,
    /// Seconds, 30 to 1200.
    pub keep_alive_secs: u16,
    /// Samples kept while the broker is away, 1 to 10080.
    pub queue: usize,
    /// Where log lines go.
    pub log: LogTarget,
    /// Which log lines are written.
    pub log_level: LevelFilter,
    /// Where the agent's state is written, if anywhere.
    pub status_file: Option<PathBuf>,
    /// The device as Home Assistant is told of it, if it is.
    pub discovery: Option<Device>,
}

impl Config {
    /// Reads a file's text, named `file` in messages, and the `KEY=VALUE` of `--set` options.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the lines.
    pub fn read(
        file: Option<(&str, &str)>,
        set: &[String],
        identity: &Identity,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut check = Check { values: Values::read(file, set), identity };
        let config = check.config();
        let mut errors = check.values.errors;
        errors.sort_by_key(ConfigError::order);
        match config {
            Ok(config) if errors.is_empty() => Ok(config),
            _ => Err(errors),
        }
    }

    /// Whether the TLS extension is needed that tells MQTT from HTTPS on AWS's port 443.
    #[must_use]
    pub const fn needs_alpn(&self) -> bool {
        self.port == 443
    }
}

/// What is to be measured.
enum Metrics {
    /// What the board has.
    All,
    /// These.
    These(Vec<Metric>),
}

/// There was an error, and it is among those of [`Values`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reported;

struct Check<'a> {
    values: Values,
    identity: &'a Identity,
}

impl Check<'_> {
    /// Reads every key, so that every error is found.
    fn config(&mut self) -> Result<Config, Reported> {
        let endpoint = self.optional(&keys::ENDPOINT, parse_endpoint);
        let port = self.number(&keys::PORT, 1..=65_535);
        let client_id = self.expanded(&keys::CLIENT_ID, &[], is_client_id);
        // An error of the client id is told once, and not again for what it stands in.
        let client = ("client_id", client_id.as_deref().unwrap_or("?"));
        // One with a metric in it is checked when it is known what stands there.
        let is_topic_or_more = |topic: &str| topic.contains(topics::METRIC) || is_topic(topic);
        let metric = ("metric", topics::METRIC);
        let topic = self.expanded(&keys::TOPIC, &[client, metric], is_topic_or_more);
        let label = self.expanded(&keys::LABEL, &[client], |label| is_text(label, LABEL_LEN_MAX));
        let rule = self.optional(&keys::RULE, parse_rule);
        let folder = self.required(&keys::CERTS, parse_path);
        let ca = self.optional(&keys::CA_FILE, parse_path);
        let certificate = self.optional(&keys::CERT_FILE, parse_path);
        let key = self.optional(&keys::KEY_FILE, parse_path);
        let interval = self.number(&keys::INTERVAL, 1..=86_400);
        let format = self.required(&keys::FORMAT, parse_format);
        let namespace = self.required(&keys::NAMESPACE, parse_namespace);
        let metrics = self.required(&keys::METRICS, parse_metrics);
        let mounts = self.required(&keys::DISK, parse_mounts);
        let alerts = alert::alerts(&mut self.values, mounts.as_deref().unwrap_or_default());
        let mqtt = self.required(&keys::MQTT, parse_mqtt);
        let keep_alive_secs = self.number(&keys::KEEP_ALIVE, 30..=1200);
        let queue = self.number(&keys::QUEUE, 1..=10_080);
        let log = self.required(&keys::LOG, parse_log);
        let log_level = self.required(&keys::LOG_LEVEL, parse_log_level);
        let status_file = self.optional(&keys::STATUS_FILE, parse_path);
        let has_rule = rule.as_ref().is_ok_and(Option::is_some);
        let discovery = self.discovery(
            format.as_ref().ok().copied(),
            topic.as_deref().unwrap_or_default(),
            has_rule,
            endpoint.as_ref().ok().and_then(Option::as_deref),
        );
        self.check_mount_keys(mounts.as_deref().unwrap_or_default());
        self.check_one_rule(has_rule, topic.as_deref().unwrap_or_default());
        let (topic, mut series) = (topic?, self.series(&metrics?, &mounts?));
        for alert in &alerts {
            alert::add(&mut series, &alert.series, &alerts);
        }
        let format = format?;
        self.check_topics(&topic, &series, format)?;
        let topic = rule?.map_or(topic.clone(), |rule| format!("{BASIC_INGEST}{rule}/{topic}"));
        let (client_id, mut topics) = (client_id?, Topics::new(&topic, &series));
        let discovery = discovery?.then(|| Device::new(&client_id, self.identity.model()));
        if let Some(device) = &discovery {
            topics = topics.with_discovery(&device.id);
        }
        Ok(Config {
            endpoint: endpoint?,
            port: port?,
            client_id,
            topics,
            certificates: CertificatePaths { folder: folder?, ca: ca?, certificate: certificate?, key: key? },
            interval: Duration::from_secs(interval?),
            format,
            namespace: namespace?,
            label: label?,
            series,
            alerts,
            mqtt: mqtt?,
            keep_alive_secs: keep_alive_secs?,
            queue: queue?,
            log: log?,
            log_level: log_level?,
            status_file: status_file?,
            discovery,
        })
    }

    fn series(&self, metrics: &Metrics, mounts: &[String]) -> Vec<Series> {
        let inventory = self.identity.inventory();
        match metrics {
            Metrics::All => inventory.all(mounts),
            Metrics::These(metrics) => inventory.series(metrics, mounts),
        }
    }

    /// The value of a key that may be missing.
    fn optional<T>(
        &mut self,
        key: &'static Key,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Reported> {
        let (place, value) = self.values.get(key);
        let Some(value) = value else { return Ok(None) };
        if let Some(parsed) = parse(value) {
            return Ok(Some(parsed));
        }
        let error = ConfigError::not_allowed(place, key, value);
        self.values.errors.push(error);
        Err(Reported)
    }

    /// The value of a key that has a default.
    fn required<T>(&mut self, key: &'static Key, parse: impl Fn(&str) -> Option<T>) -> Result<T, Reported> {
        self.optional(key, parse)?.ok_or(Reported)
    }

    fn number<T>(&mut self, key: &'static Key, range: RangeInclusive<T>) -> Result<T, Reported>
    where
        T: FromStr + PartialOrd,
    {
        // `parse` would take a sign.
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        self.required(key, |text| text.parse().ok().filter(|number| digits(text) && range.contains(number)))
    }

    /// A value in which placeholders stand for what is known of the device, and those of `more` for
    /// what is given there.
    fn expanded(
        &mut self,
        key: &'static Key,
        more: &[(&str, &str)],
        is_allowed: impl Fn(&str) -> bool,
    ) -> Result<String, Reported> {
        let (place, template) = self.values.get(key);
        let template = template.ok_or(Reported)?;
        let error = match expand(template, self.identity, more) {
            Ok(value) if is_allowed(&value) => return Ok(value),
            Ok(value) => ConfigError::not_allowed(place, key, &value),
            Err(why) => ConfigError::new(place, format_args!("{} = {template}: {why}", key.name)),
        };
        self.values.errors.push(error);
        Err(Reported)
    }

    /// A rule stands in the topic once.
    fn check_one_rule(&mut self, has_rule: bool, topic: &str) {
        if has_rule && topic.starts_with(BASIC_INGEST) {
            let (place, _) = self.values.get(&keys::RULE);
            let error = ConfigError::new(place, format_args!("rule: the topic {topic} names a rule already"));
            self.values.errors.push(error);
        }
    }

    /// A topic a metric needs messages of one metric, and each of them has the length and the levels
    /// that are allowed.
    fn check_topics(&mut self, template: &str, series: &[Series], format: Format) -> Result<(), Reported> {
        if !template.contains(topics::METRIC) {
            return Ok(());
        }
        let (place, _) = self.values.get(&keys::TOPIC);
        let topics = Topics::new(template, series);
        let error = match topics.names().iter().find(|topic| !is_topic(topic)) {
            Some(topic) => ConfigError::not_allowed(place, &keys::TOPIC, topic),
            None if format != Format::Rule => ConfigError::new(
                place,
                format_args!("topic = {template}: only in format rule has a message one {}", topics::METRIC),
            ),
            None => return Ok(()),
        };
        self.values.errors.push(error);
        Err(Reported)
    }

    /// `/a/b` and `/a_b` would have the same key in a payload.
    fn check_mount_keys(&mut self, mounts: &[String]) {
        let key = |mount: &String| mount.replace('/', "_");
        for (index, mount) in mounts.iter().enumerate() {
            if let Some(other) = mounts.iter().take(index).find(|other| key(other) == key(mount)) {
                let (place, _) = self.values.get(&keys::DISK);
                let error = ConfigError::new(
                    place,
                    format_args!("disk: {other} and {mount} would have the same key in a payload"),
                );
                self.values.errors.push(error);
            }
        }
    }
}

/// Puts in what the placeholders stand for: of the device, or those of `more`.
fn expand(template: &str, identity: &Identity, more: &[(&str, &str)]) -> Result<String, String> {
    let mut value = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        value.push_str(before);
        let (name, after) = after.split_once('}').ok_or("a { without its }")?;
        let given = more.iter().find(|(placeholder, _)| *placeholder == name);
        match (given, identity.resolve(name)) {
            (Some((_, given)), _) => value.push_str(given),
            (None, Some(Ok(known))) => value.push_str(known),
            (None, Some(Err(path))) => return Err(format!("{{{name}}} is not known: {path} has none")),
            (None, None) => {
                let all = PLACEHOLDERS.iter().chain(more.iter().map(|(placeholder, _)| placeholder));
                let all: Vec<_> = all.map(|placeholder| format!("{{{placeholder}}}")).collect();
                return Err(format!("there is no {{{name}}}: allowed: {}", all.join(", ")));
            }
        }
        rest = after;
    }
    if rest.contains('}') {
        return Err("a } without its {".to_owned());
    }
    value.push_str(rest);
    Ok(value)
}

fn is_text(text: &str, len_max: usize) -> bool {
    !text.is_empty() && text.len() <= len_max && !text.chars().any(char::is_control)
}

fn is_client_id(client_id: &str) -> bool {
    is_text(client_id, CLIENT_ID_LEN_MAX) && !client_id.starts_with('$')
}

fn is_topic(topic: &str) -> bool {
    // Basic Ingest's first three levels are not counted.
    let counted = match topic.strip_prefix(BASIC_INGEST).map(|rest| rest.split_once('/')) {
        Some(Some((rule, counted))) if is_rule(rule) => counted,
        Some(_) => return false,
        None => topic,
    };
    is_text(counted, TOPIC_LEN_MAX)
        && !topic.contains(['+', '#'])
        && counted.matches('/').count() <= TOPIC_SLASHES_MAX
}

fn parse_endpoint(text: &str) -> Option<String> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_host = text.len() <= ENDPOINT_LEN_MAX && text.split('.').all(is_label);
    let is_endpoint = is_host || text.parse::<std::net::IpAddr>().is_ok();
    // TLS has its own idea of names: one that ends in a number is none.
    (is_endpoint && Target::new(text, 1).is_some()).then(|| text.to_owned())
}

fn is_rule(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    is_text(text, RULE_LEN_MAX) && text.bytes().all(is_name)
}

fn parse_rule(text: &str) -> Option<String> {
    is_rule(text).then(|| text.to_owned())
}

fn parse_namespace(text: &str) -> Option<String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#:".contains(&byte);
    let is_namespace = is_text(text, NAMESPACE_LEN_MAX) && text.bytes().all(is_name);
    (is_namespace && !text.starts_with("AWS/") && !text.starts_with(':')).then(|| text.to_owned())
}

fn parse_path(text: &str) -> Option<PathBuf> {
    (text.starts_with('/') && !text.contains('\0')).then(|| PathBuf::from(text))
}

fn parse_format(text: &str) -> Option<Format> {
    match text {
        "rule" => Some(Format::Rule),
        "emf" => Some(Format::Emf),
        "flat" => Some(Format::Flat),
        _ => None,
    }
}

fn parse_mqtt(text: &str) -> Option<Mqtt> {
    match text {
        "5" => Some(Mqtt::Only(Version::V5)),
        "3.1.1" => Some(Mqtt::Only(Version::V3)),
        "auto" => Some(Mqtt::Auto),
        _ => None,
    }
}

fn parse_log(text: &str) -> Option<LogTarget> {
    match text {
        "stderr" => Some(LogTarget::Stderr),
        "syslog" => Some(LogTarget::Syslog),
        "auto" => Some(LogTarget::Auto),
        _ => None,
    }
}

fn parse_log_level(text: &str) -> Option<LevelFilter> {
    match text {
        "error" => Some(LevelFilter::Error),
        "warn" => Some(LevelFilter::Warn),
        "info" => Some(LevelFilter::Info),
        "debug" => Some(LevelFilter::Debug),
        _ => None,
    }
}

/// One or more, none of them twice.
fn parse_list<T: PartialEq>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let items: Vec<T> = text.split_whitespace().map(parse).collect::<Option<_>>()?;
    let is_new = |(index, item)| !items.iter().take(index).any(|earlier| earlier == item);
    (!items.is_empty() && items.iter().enumerate().all(is_new)).then_some(items)
}

fn parse_metrics(text: &str) -> Option<Metrics> {
    if text == Metric::ALL_KEY {
        return Some(Metrics::All);
    }
    let groups = parse_list(text, |key| {
        let metrics: Vec<_> = Metric::of_key(key).collect();
        (!metrics.is_empty()).then_some(metrics)
    })?;
    Some(Metrics::These(groups.concat()))
}

fn parse_mounts(text: &str) -> Option<Vec<String>> {
    let mounts = parse_list(text, |mount| {
        let trimmed = mount.trim_end_matches('/');
        let mount = if trimmed.is_empty() { "/" } else { trimmed };
        (mount.starts_with('/') && is_text(mount, MOUNT_LEN_MAX)).then(|| mount.to_owned())
    })?;
    (mounts.len() <= MOUNTS_MAX).then_some(mounts)
}
