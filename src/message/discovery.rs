//! What Home Assistant is told of a device, so that it shows up there by itself: one document with
//! everything that is to be found in the `flat` messages.
//!
//! `{"dev":{"ids":"pivitals_pi-7","name":"pi-7",…},"o":{"name":"pivitals",…},"stat_t":"…","avty_t":"…",`
//! `"cmps":{"cpu_percent":{"name":"cpu usage",…,"val_tpl":"{{value_json['cpu_percent']}}","p":"sensor",…},…}}`
//!
//! Source: Home Assistant's documentation of its MQTT integration ("Device discovery payload", with the
//! abbreviations there), of MQTT sensors and binary sensors, and of their device classes.

use std::time::Duration;

use super::flat::Key;
use crate::message::json::{self, Object};
use crate::metric::{Metric, Series, Unit};

/// What the device says while it is connected; and what is said of it when it is not, by itself or by the
/// broker. Home Assistant assumes these words.
pub const ONLINE: &str = "online";
/// See [`ONLINE`].
pub const OFFLINE: &str = "offline";

/// A value that no sample has brought for so many intervals is none any more.
const INTERVALS: u64 = 3;

/// What a model begins with, and who made it then.
const PI: &str = "Raspberry Pi";

/// A device, to be told of to Home Assistant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name there, for good: letters, digits, `_` and `-`.
    pub id: String,
    /// The board's model, where the device tree has one.
    pub model: Option<String>,
}

impl Device {
    /// The device with this client id. What cannot stand in a name becomes `_`.
    #[must_use]
    pub fn new(client_id: &str, model: Option<&str>) -> Self {
        let mut id = "pivitals_".to_owned();
        for letter in client_id.chars() {
            let is_plain = letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
            id.push(if is_plain { letter } else { '_' });
        }
        Self { id, model: model.map(str::to_owned) }
    }

    /// The document, for `flat` messages on `topic` with these series, one an interval.
    #[must_use]
    pub fn document(
        &self,
        label: &str,
        series: &[Series],
        topic: &str,
        availability: &str,
        interval: Duration,
    ) -> String {
        const VERSION: &str = env!("CARGO_PKG_VERSION");
        let model = self.model.as_deref().unwrap_or_default();
        let maker = if model.starts_with(PI) { PI } else { "" };
        let software = concat!("pivitals ", env!("CARGO_PKG_VERSION"));
        let mut document = String::new();
        let written = json::object(&mut document, |all| {
            all.key("dev").object(|device| {
                let ids = self.id.as_str();
                let about = [("ids", ids), ("name", label), ("mf", maker), ("mdl", model), ("sw", software)];
                write_known(device, &about);
            });
            all.key("o").object(|origin| write_known(origin, &[("name", "pivitals"), ("sw", VERSION)]));
            write_known(all, &[("stat_t", topic), ("avty_t", availability)]);
            all.key("cmps").object(|entities| {
                for series in series {
                    let key = Key(series).to_string();
                    entities.key(&key).object(|entity| self.write_entity(entity, series, &key, interval));
                }
            });
        });
        debug_assert!(written.is_ok(), "memory takes everything");
        document
    }

    fn write_entity(&self, entity: &mut Object<'_>, series: &Series, key: &str, interval: Duration) {
        let (id, class) = (&self.id, class(series.metric));
        let mut quoted = String::new();
        for letter in key.chars() {
            if matches!(letter, '\'' | '\\') {
                quoted.push('\\');
            }
            quoted.push(letter);
        }
        entity.key("name").text_of(series);
        entity.key("uniq_id").text_of(&format_args!("{id}_{key}"));
        entity.key("val_tpl").text_of(&format_args!("{{{{value_json['{quoted}']}}}}"));
        entity.key("exp_aft").integer(INTERVALS * interval.as_secs());
        // What a binary sensor's template makes of the number. One that is not known becomes `None` in
        // both kinds, which Home Assistant takes for unknown.
        let is_binary = class.state.is_empty();
        let (platform, on, off) =
            if is_binary { ("binary_sensor", "1.0", "0.0") } else { ("sensor", "", "") };
        let about = [
            ("p", platform),
            ("dev_cla", class.device),
            ("unit_of_meas", class.unit),
            ("stat_cla", class.state),
            ("pl_on", on),
            ("pl_off", off),
        ];
        write_known(entity, &about);
    }
}

/// Writes those members that are not empty.
fn write_known(object: &mut Object<'_>, members: &[(&str, &str)]) {
    for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
        object.key(name).text(value);
    }
}

/// How Home Assistant sorts a metric: each may be empty.
struct Class {
    device: &'static str,
    unit: &'static str,
    /// Empty is a binary sensor.
    state: &'static str,
}

/// The class of a metric. The units are among those that Home Assistant knows for the device class.
fn class(metric: Metric) -> Class {
    let (device, unit) = match metric {
        Metric::UnderVoltageNow
        | Metric::FrequencyCappedNow
        | Metric::ThrottledNow
        | Metric::SoftLimitNow
        | Metric::UnderVoltageSinceBoot
        | Metric::FrequencyCappedSinceBoot
        | Metric::ThrottledSinceBoot
        | Metric::SoftLimitSinceBoot
        | Metric::ReadonlyRoot => return Class { device: "problem", unit: "", state: "" },
        Metric::Temperature => ("temperature", "°C"),
        Metric::Clock => ("frequency", "MHz"),
        Metric::CoreVoltage => ("voltage", "mV"),
        Metric::WifiSignal => ("signal_strength", "dBm"),
        Metric::CertificateDays => ("duration", "d"),
        Metric::SdWrittenPerDay => ("", "MB/d"),
        _ => match metric.description().unit {
            Unit::Percent => ("", "%"),
            Unit::Megabytes => ("data_size", "MB"),
            Unit::BytesPerSecond => ("data_rate", "B/s"),
            Unit::Seconds => ("duration", "s"),
            Unit::Milliseconds => ("duration", "ms"),
            Unit::Count | Unit::None => ("", ""),
        },
    };
    // These begin anew at a boot, or with the agent.
    let is_counter =
        matches!(metric, Metric::Uptime | Metric::OomKills | Metric::AgentDropped | Metric::AgentReconnects);
    Class { device, unit, state: if is_counter { "total_increasing" } else { "measurement" } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn document(device: &Device, series: &[Series]) -> String {
        device.document("Pi \"7\"", series, "t", "t/availability", MINUTE)
    }

    #[test]
    fn a_device_is_told_of_with_its_sensors() {
        let device = Device::new("pi-7", Some("Raspberry Pi 4 Model B Rev 1.4"));
        let series = [Series::new(Metric::Temperature), Series::new(Metric::ReadonlyRoot)];
        let version = env!("CARGO_PKG_VERSION");
        let expected = [
            r#"{"dev":{"ids":"pivitals_pi-7","name":"Pi \"7\"","mf":"Raspberry Pi","#,
            r#""mdl":"Raspberry Pi 4 Model B Rev 1.4","sw":"pivitals VERSION"},"#,
            r#""o":{"name":"pivitals","sw":"VERSION"},"stat_t":"t","avty_t":"t/availability","cmps":{"#,
            r#""temperature_celsius":{"name":"cpu temperature","#,
            r#""uniq_id":"pivitals_pi-7_temperature_celsius","val_tpl":"{{value_json['temperature_celsius']}}","#,
            r#""exp_aft":180,"p":"sensor","dev_cla":"temperature","unit_of_meas":"°C","stat_cla":"measurement"},"#,
            r#""root_readonly":{"name":"root read-only","#,
            r#""uniq_id":"pivitals_pi-7_root_readonly","val_tpl":"{{value_json['root_readonly']}}","#,
            r#""exp_aft":180,"p":"binary_sensor","dev_cla":"problem","pl_on":"1.0","pl_off":"0.0"}}}"#,
        ];
        assert_eq!(document(&device, &series), expected.concat().replace("VERSION", version));
    }

    #[test]
    fn what_is_not_known_of_the_board_is_left_out() {
        let unknown = document(&Device::new("x", None), &[]);
        assert!(unknown.starts_with(r#"{"dev":{"ids":"pivitals_x","name":"Pi \"7\"","sw":"#), "{unknown}");
        let other = document(&Device::new("x", Some("Radxa ROCK 5B")), &[]);
        assert!(other.contains(r#""mdl":"Radxa ROCK 5B""#) && !other.contains(r#""mf""#), "{other}");
    }

    #[test]
    fn an_id_has_nothing_in_it_that_home_assistant_forbids() {
        for (client_id, id) in [
            ("pi-7_A", "pivitals_pi-7_A"),
            ("living room/pi.7", "pivitals_living_room_pi_7"),
            ("büro", "pivitals_b_ro"),
        ] {
            assert_eq!(Device::new(client_id, None).id, id);
        }
    }

    #[test]
    fn what_would_end_a_template_is_escaped_in_it_and_once_more_in_json() {
        let series = [Series::of(Metric::Disk, r"/it's\")];
        let document = document(&Device::new("x", None), &series);
        assert!(document.contains(r#""val_tpl":"{{value_json['disk_percent_it\\'s\\\\']}}""#), "{document}");
        assert!(document.contains(r#""disk_percent_it's\\":{"#), "{document}");
    }
}
