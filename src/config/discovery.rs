//! Where Home Assistant can be told of a device, and where not.

use super::text::ConfigError;
use super::{Check, Reported, is_topic, keys};
use crate::message::payload::Format;
use crate::message::topics::AVAILABILITY;

const HOME_ASSISTANT: &str = "homeassistant";

impl Check<'_> {
    /// Whether Home Assistant is told of the device. It takes messages that Home Assistant can read and
    /// gets, and a broker that keeps some of them. What is not known here is wrong already, and told.
    pub(super) fn discovery(
        &mut self,
        format: Option<Format>,
        topic: &str,
        has_rule: bool,
        endpoint: Option<&str>,
    ) -> Result<bool, Reported> {
        let (place, value) = self.values.get(&keys::DISCOVERY);
        let Some(value) = value else { return Ok(false) };
        if value != HOME_ASSISTANT {
            let error = ConfigError::not_allowed(place, &keys::DISCOVERY, value);
            self.values.errors.push(error);
            return Err(Reported);
        }
        if !cfg!(feature = "discovery") {
            let why = "this build has no Home Assistant discovery; build with the feature `discovery`";
            let error = ConfigError::new(place, format_args!("discovery = {HOME_ASSISTANT}: {why}"));
            self.values.errors.push(error);
            return Err(Reported);
        }
        let is_aws = |endpoint: &str| endpoint.to_ascii_lowercase().contains(".amazonaws.com");
        let obstacles = [
            (
                format.is_some_and(|format| format != Format::Flat),
                "it takes its values from format flat; set `format = flat`",
            ),
            (
                has_rule || topic.starts_with("$aws"),
                "what goes to a rule reaches no subscriber; leave out `rule` and $aws",
            ),
            (
                endpoint.is_some_and(is_aws),
                "AWS closes the connection at a retained message unless the policy has iot:RetainPublish; use a \
                 broker at home",
            ),
            (
                !topic.is_empty() && !is_topic(&format!("{topic}{AVAILABILITY}")),
                "with /availability behind it the topic is too long; shorten `topic`",
            ),
        ];
        for (_, why) in obstacles.iter().filter(|(is_there, _)| *is_there) {
            let error = ConfigError::new(place.clone(), format_args!("discovery = {HOME_ASSISTANT}: {why}"));
            self.values.errors.push(error);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;
    use crate::config::identity::Identity;

    fn read(text: &str) -> Result<Config, Vec<String>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots/pi-4");
        Config::read(
            Some(("f.conf", &format!("discovery = homeassistant\n{text}"))),
            &[],
            &Identity::read(&root),
        )
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_device_is_told_of_by_its_client_id_and_its_model() {
        let config = read("format = flat\nclient_id = pi.7\nendpoint = homeassistant.local\n").unwrap();
        let device = config.discovery.unwrap();
        assert_eq!(device.id, "pivitals_pi_7");
        assert_eq!(device.model.as_deref(), Some("Raspberry Pi 4 Model B Rev 1.4"));
        let topics = [
            "pivitals/pi.7/metrics",
            "homeassistant/device/pivitals_pi_7/config",
            "pivitals/pi.7/metrics/availability",
        ];
        assert_eq!(config.topics.all(), topics);
        assert_eq!(config.topics.names(), &topics[..1], "no sample goes to the others");
    }

    #[test]
    fn it_is_refused_with_the_reason_where_it_could_not_work() {
        let long = format!("topic = {}", "x".repeat(256 - "/availability".len() + 1));
        for (text, reason) in [
            ("", "set `format = flat`"),
            ("format = emf", "set `format = flat`"),
            ("topic = {metric}", "set `format = flat`"),
            ("format = flat\nrule = vitals", "reaches no subscriber"),
            ("format = flat\ntopic = $aws/rules/vitals/a", "reaches no subscriber"),
            ("format = flat\nendpoint = abc-ats.iot.eu-west-1.amazonaws.com", "iot:RetainPublish"),
            ("format = flat\nendpoint = abc.ats.iot.cn-north-1.amazonaws.com.cn", "iot:RetainPublish"),
            ("format = flat\nendpoint = abc-ats.iot.eu-west-1.AmazonAWS.com", "iot:RetainPublish"),
            ("format = flat\ntopic = 1/2/3/4/5/6/7/8", "the topic is too long"),
            (&format!("format = flat\n{long}"), "the topic is too long"),
        ] {
            let errors = read(text).unwrap_err();
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].starts_with("f.conf:1: discovery = homeassistant: "), "{errors:?}");
            assert!(errors[0].contains(reason), "{text}: {errors:?}");
        }
        let all = read("rule = vitals\nendpoint = a.iot.eu-west-1.amazonaws.com").unwrap_err();
        assert_eq!(all.len(), 3, "every reason at once: {all:?}");
        assert!(read("format = flat\ntopic = 1/2/3/4/5/6/7").is_ok());
    }

    #[test]
    fn nothing_else_can_be_told() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots/pi-4");
        let set = ["format=flat", "discovery=openhab"].map(str::to_owned);
        let errors = Config::read(None, &set, &Identity::read(&root)).unwrap_err();
        assert_eq!(errors[0].to_string(), "--set: discovery = openhab: allowed: homeassistant");
    }
}
