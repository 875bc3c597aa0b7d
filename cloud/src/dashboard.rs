//! The dashboard: a table of the devices, the rule's own health, and a graph a series.

use pivitals::message::payload::Format;
use pivitals::metric::Series;

use crate::alarms;
use crate::fleet::Fleet;
use crate::model::{Part, Value};

/// CloudWatch's grid is so many columns wide.
const WIDTH: i64 = 24;
const GRAPH: (i64, i64) = (8, 6);
/// Columns of the table of devices.
const COLUMNS_MAX: usize = 8;

/// What CloudWatch is to show.
pub fn body(fleet: &Fleet) -> Value {
    let table = match fleet.config.format {
        Format::Rule => metric_table(fleet),
        Format::Emf | Format::Flat => log_table(fleet),
    };
    let mut widgets = vec![placed(table, 0, 0, 16, 6), placed(rule_health(fleet), 16, 0, 8, 6)];
    let (width, height) = GRAPH;
    for (number, series) in (0..).zip(&fleet.series) {
        let columns = WIDTH / width;
        let (x, y) = (number % columns * width, 6 + number / columns * height);
        widgets.push(placed(graph(fleet, series), x, y, width, height));
    }
    Value::map([("widgets", Value::List(widgets))])
}

fn placed((kind, properties): (&str, Value), x: i64, y: i64, width: i64, height: i64) -> Value {
    Value::map([
        ("type", kind.into()),
        ("x", x.into()),
        ("y", y.into()),
        ("width", width.into()),
        ("height", height.into()),
        ("properties", properties),
    ])
}

fn graph(fleet: &Fleet, series: &Series) -> (&'static str, Value) {
    // The key of format flat has the unit in it, where CloudWatch knows none.
    let unit = series.metric.description().flat_key;
    let axis = Value::map([("label", unit.into()), ("showUnits", false.into())]);
    let properties = Value::map([
        ("title", series.to_string().into()),
        ("view", "timeSeries".into()),
        ("region", Part::Region.into()),
        ("period", alarms::period(fleet).into()),
        ("stat", "Average".into()),
        ("metrics", metrics(fleet, series)),
        ("yAxis", Value::map([("left", axis)])),
    ]);
    ("metric", properties)
}

/// The series of all devices: found by a search, or in format `rule`, where the device stands in the name,
/// those of the devices that are known.
fn metrics(fleet: &Fleet, series: &Series) -> Value {
    let namespace = fleet.config.namespace.as_str();
    if fleet.config.format == Format::Rule && !fleet.devices.is_empty() {
        let named = |device: &String| {
            let name = format!("{series} ({device})");
            let label = Value::map([("label", device.as_str().into())]);
            Value::List(vec![namespace.into(), name.into(), label])
        };
        return Value::List(fleet.devices.iter().map(named).collect());
    }
    let search = match fleet.config.format {
        Format::Rule => format!("{{{}}} {}", quoted(namespace), words(fleet, series)),
        Format::Emf | Format::Flat => {
            let name = Fleet::dimensional_name(series);
            format!(r#"{{{},device}} MetricName="{name}""#, quoted(namespace))
        }
    };
    Value::List(vec![found(&search, "Average", alarms::period(fleet), 1)])
}

/// A line a metric that a search finds.
fn found(search: &str, statistic: &str, period: i64, number: usize) -> Value {
    let expression = format!("SEARCH('{search}', '{statistic}', {period})");
    Value::List(vec![Value::map([
        ("expression", expression.into()),
        ("id", format!("e{number}").into()),
        ("label", "".into()),
    ])])
}

/// A namespace as a search has it: in quotes where it has other characters than AWS's own, of letters, digits
/// and / (CloudWatch user guide, "Search expression syntax").
fn quoted(namespace: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'/';
    if namespace.bytes().all(is_plain) { namespace.to_owned() } else { format!("\"{namespace}\"") }
}

/// The words of a series' name, and none of those that others have in addition: a search looks for words,
/// and `disk usage` would find `disk usage /data`.
fn words(fleet: &Fleet, series: &Series) -> String {
    let words_of = |series: &Series| -> Vec<String> {
        let name = series.to_string();
        let words = name.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let own = words_of(series);
    let mut terms: Vec<_> = own.iter().map(|word| format!("MetricName={word}")).collect();
    for other in fleet.series.iter().filter(|other| *other != series).map(words_of) {
        let mut further = other.iter().filter(|word| !own.contains(word));
        if own.iter().all(|word| other.contains(word))
            && let Some(word) = further.next()
        {
            terms.push(format!("NOT MetricName={word}"));
        }
    }
    terms.dedup();
    terms.join(" ")
}

/// The devices, a row each, from the log group: the newest numbers, and of when they are.
fn log_table(fleet: &Fleet) -> (&'static str, Value) {
    let (device, name): (_, fn(&Series) -> String) = match fleet.config.format {
        Format::Flat => ("label", Fleet::flat_key),
        Format::Rule | Format::Emf => ("device", Fleet::dimensional_name),
    };
    let shown = fleet.series.iter().take(COLUMNS_MAX).map(name);
    let columns: Vec<_> = shown.map(|name| format!("latest(`{name}`) as `last_{name}`")).collect();
    let query = format!(
        "SOURCE '{}' | stats {}, max(@timestamp) as seen by {device} | sort seen asc | limit 1000",
        fleet.log_group(),
        columns.join(", ")
    );
    let properties = Value::map([
        ("title", "Devices, longest silent first".into()),
        ("view", "table".into()),
        ("region", Part::Region.into()),
        ("query", query.into()),
    ]);
    ("log", properties)
}

/// In format `rule` there is no log: the newest of each metric, a row each, whose name has the device.
fn metric_table(fleet: &Fleet) -> (&'static str, Value) {
    let period = alarms::period(fleet);
    let shown = fleet.series.iter().take(COLUMNS_MAX);
    let rows: Vec<Value> = if fleet.devices.is_empty() {
        let searches =
            shown.map(|series| format!("{{{}}} {}", quoted(&fleet.config.namespace), words(fleet, series)));
        (1..).zip(searches).map(|(number, search)| found(&search, "Average", period, number)).collect()
    } else {
        let rows =
            shown.flat_map(|series| fleet.devices.iter().map(move |device| format!("{series} ({device})")));
        rows.map(|name| Value::List(vec![fleet.config.namespace.as_str().into(), name.into()])).collect()
    };
    let properties = Value::map([
        ("title", "Devices".into()),
        ("view", "table".into()),
        ("region", Part::Region.into()),
        ("period", period.into()),
        ("stat", "Average".into()),
        ("metrics", Value::List(rows)),
        (
            "table",
            Value::map([
                ("layout", "vertical".into()),
                ("showTimeSeriesData", false.into()),
                ("summaryColumns", Value::list(["MIN", "MAX", "AVG"])),
            ]),
        ),
    ]);
    ("metric", properties)
}

fn rule_health(fleet: &Fleet) -> (&'static str, Value) {
    let rule = fleet.rule.as_str();
    let mut metrics: Vec<Value> = ["TopicMatch", "ParseError", "RuleMessageThrottled"]
        .map(|name| Value::list(["AWS/IoT", name, "RuleName", rule]))
        .into();
    for (number, name) in [(1, "Success"), (2, "Failure")] {
        let search = format!(r#"{{AWS/IoT,ActionType,RuleName}} RuleName="{rule}" MetricName="{name}""#);
        metrics.push(found(&search, "Sum", 300, number));
    }
    let properties = Value::map([
        ("title", format!("Rule {rule}").into()),
        ("view", "timeSeries".into()),
        ("region", Part::Region.into()),
        ("period", 300.into()),
        ("stat", "Sum".into()),
        ("metrics", Value::List(metrics)),
    ]);
    ("metric", properties)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Known;

    #[test]
    fn a_namespace_of_other_characters_is_quoted_in_a_search() {
        for (namespace, schema) in
            [("Pi/Vitals", "{Pi/Vitals"), ("Pi-Vitals", r#"{"Pi-Vitals""#), ("a.b_c", r#"{"a.b_c""#)]
        {
            for (format, end) in [("emf", ",device} "), ("rule", "} ")] {
                let set = [format!("namespace={namespace}"), format!("format={format}")];
                let fleet = Fleet::load(Some("/dev/null".as_ref()), &set, &Known::default()).unwrap();
                let shown = format!("{:?}", metrics(&fleet, &fleet.series[0])).replace('\\', "");
                assert!(shown.contains(&format!("SEARCH('{schema}{end}")), "{shown}");
            }
        }
    }
}
