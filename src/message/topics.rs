//! Where messages are published: one topic, or one a metric; and what the broker keeps of the device.

use crate::metric::Series;
use crate::queue::outbox::Parts;

/// What stands in a topic for the metric of a message.
pub const METRIC: &str = "{metric}";

/// What stands behind the topic of samples in that of the device's availability.
pub const AVAILABILITY: &str = "/availability";

/// The topics of a device, numbered from 0, and which part of a sample goes to which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// Those of samples first.
    names: Vec<String>,
    of_samples: usize,
    /// A topic's number for each part; empty where all go to the only one.
    of_part: Vec<usize>,
    pattern: String,
}

impl Topics {
    /// The one topic of all messages, or with [`METRIC`] in it, one for each key of `series`, the mount
    /// point behind it. A sample's parts are its series then.
    #[must_use]
    pub fn new(template: &str, series: &[Series]) -> Self {
        let pattern = template.replace(METRIC, "*");
        if !template.contains(METRIC) {
            return Self { names: vec![pattern.clone()], of_samples: 1, of_part: Vec::new(), pattern };
        }
        let mut names: Vec<String> = Vec::new();
        let of_part = series.iter().map(|series| {
            let metric = format!("{}{}", series.metric.description().key, series.suffix());
            let name = template.replace(METRIC, &metric);
            names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        });
        let of_part = of_part.collect();
        Self { of_samples: names.len(), names, of_part, pattern }
    }

    /// The same with the two topics of what the broker keeps of the device called `id`: first
    /// what Home Assistant is told of it, then whether it is there.
    #[must_use]
    pub fn with_discovery(mut self, id: &str) -> Self {
        self.names.push(format!("homeassistant/device/{id}/config"));
        self.names.push(format!("{}{AVAILABILITY}", self.pattern));
        self
    }

    /// Those of samples, in the order of their numbers.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.names.get(..self.of_samples).unwrap_or_default()
    }

    /// All of them, in the order of their numbers.
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.names
    }

    /// The number of the topic on which Home Assistant is told of the device, where there is one.
    #[must_use]
    pub const fn discovery(&self) -> usize {
        self.of_samples
    }

    /// The number of the topic on which stands whether the device is there, where there is one.
    #[must_use]
    pub const fn availability(&self) -> usize {
        self.of_samples + 1
    }

    /// The topic with this number; what stands for all if there is none.
    #[must_use]
    pub fn name(&self, topic: usize) -> &str {
        self.names.get(topic).map_or(&self.pattern, String::as_str)
    }

    /// What stands for all of them, also in a policy: the topic, or one with a `*` for the metric.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The number of the topic that a sample's part goes to.
    #[must_use]
    pub fn of(&self, part: usize) -> usize {
        self.of_part.get(part).copied().unwrap_or(0)
    }

    /// The parts of a sample that go to a topic.
    #[must_use]
    pub fn parts(&self, topic: usize) -> Parts {
        let parts = if self.of_part.is_empty() { Parts::MAX } else { self.of_part.len() };
        Parts::of((0..parts).filter(|&part| self.of(part) == topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;

    fn series(metrics: &[(Metric, Option<&str>)]) -> Vec<Series> {
        metrics.iter().map(|&(metric, mount)| Series { metric, of: mount.map(Into::into) }).collect()
    }

    #[test]
    fn without_a_metric_in_it_there_is_one_topic_for_all() {
        let topics = Topics::new("a/b", &series(&[(Metric::Cpu, None), (Metric::Memory, None)]));
        assert_eq!((topics.names(), topics.pattern()), (&["a/b".to_owned()][..], "a/b"));
        assert!((0..Parts::MAX).all(|part| topics.of(part) == 0));
        assert_eq!(topics.parts(0), Parts::of(0..Parts::MAX));
    }

    #[test]
    fn with_a_metric_in_it_there_is_one_topic_a_key_and_mount_point() {
        let topics = Topics::new(
            "{metric}/x/{metric}",
            &series(&[
                (Metric::Disk, Some("/")),
                (Metric::AgentQueue, None),
                (Metric::Disk, Some("/var/log")),
                (Metric::AgentPuback, None),
            ]),
        );
        assert_eq!(topics.names(), ["disk/x/disk", "agent/x/agent", "disk_var_log/x/disk_var_log"]);
        assert_eq!(topics.pattern(), "*/x/*");
        assert_eq!([0, 1, 2, 3].map(|part| topics.of(part)), [0, 1, 2, 1]);
        assert_eq!(topics.parts(1), Parts::of([1, 3]));
        assert_eq!((topics.name(2), topics.name(9)), ("disk_var_log/x/disk_var_log", "*/x/*"));
    }

    #[test]
    fn with_discovery_there_are_two_more_that_no_sample_goes_to() {
        let topics = Topics::new("a/b", &[]).with_discovery("pivitals_pi-7");
        assert_eq!((topics.names(), topics.all().len()), (&["a/b".to_owned()][..], 3));
        assert_eq!(topics.name(topics.discovery()), "homeassistant/device/pivitals_pi-7/config");
        assert_eq!(topics.name(topics.availability()), "a/b/availability");
        assert!((0..Parts::MAX).all(|part| topics.of(part) == 0));
    }
}
