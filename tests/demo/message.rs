//! Payloads into readings. It goes by the agent's list of metrics, and reads JSON with `serde_json`,
//! which the agent does not use: what one writes, another one must understand.

use pivitals::message::payload::Format;
use pivitals::metric::{Description, Metric};
use serde_json::Value;

/// What a message tells about one moment.
pub struct Part {
    /// UTC, in the format's own unit: it is only compared.
    pub timestamp: u64,
    /// What is known of that moment.
    pub readings: Vec<(Metric, f64)>,
}

/// Reads a message, which is about more than one moment only as `emf`.
pub fn read(payload: &str, format: Format) -> Result<Vec<Part>, String> {
    let parts = json(payload).and_then(|message| match format {
        Format::Rule => rule(&message).map(|part| vec![part]),
        Format::Flat => flat(&message, |metric| metric.flat_key).map(|part| vec![part]),
        Format::Emf => message.get("batch")?.as_array()?.iter().map(emf).collect(),
    });
    parts.ok_or_else(|| format!("the broker received a message that is not as the format has it: {payload}"))
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn timestamp(message: &Value) -> Option<u64> {
    message.get("timestamp")?.as_u64()
}

/// `{"name":"disk usage / (pi-7)","unit":"Percent","value":12.3,"timestamp":1767225600}`
fn rule(message: &Value) -> Option<Part> {
    let name = message.get("name")?.as_str()?;
    let metric =
        Metric::DEFAULT.into_iter().find(|metric| name.starts_with(metric.description().rule_name))?;
    let value = message.get("value")?.as_f64()?;
    Some(Part { timestamp: timestamp(message)?, readings: vec![(metric, value)] })
}

/// `{"label":"pi-7","timestamp":1767225600,"cpu_percent":12.3,"temperature_celsius":null}`
fn flat(message: &Value, key: fn(&Description) -> &str) -> Option<Part> {
    let value = |metric: Metric| Some((metric, message.get(key(metric.description()))?.as_f64()?));
    let readings = Metric::DEFAULT.into_iter().filter_map(value).collect();
    Some(Part { timestamp: timestamp(message)?, readings })
}

/// `{"timestamp":1767225600000,"message":"{\"_aws\":…,\"cpu_usage\":12.3}"}`: JSON in JSON.
fn emf(event: &Value) -> Option<Part> {
    let mut document = json(event.get("message")?.as_str()?)?;
    // The event's own time is that of the document, which has none at its top.
    document.as_object_mut()?.insert("timestamp".to_owned(), event.get("timestamp")?.clone());
    flat(&document, |metric| metric.emf_name)
}
