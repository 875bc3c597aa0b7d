//! From a metric to its row in the list, and from a word of the configuration to its metrics.

use super::home_assistant::Class;
use super::list::{Description, LIST, Metric};

impl Metric {
    /// All metrics, in the order of the list.
    pub const ALL: [Self; LIST.len()] = all();

    /// The word in the configuration for every metric that the board has a source for.
    pub const ALL_KEY: &str = "all";

    /// The metrics that are measured where the configuration names none.
    pub const DEFAULT: [Self; 4] = [Self::Cpu, Self::Memory, Self::Disk, Self::Temperature];

    /// The metric's row in the list.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "each metric has a row: checked below, at compile time")]
    pub const fn description(self) -> &'static Description {
        &LIST[self as usize]
    }

    /// Whether the agent measures itself, so that the metric exists on every board.
    #[must_use]
    pub const fn is_of_agent(self) -> bool {
        self.description().is_of_agent
    }

    /// Whether the value is of the time since the last reading, and not of the moment of the reading.
    #[must_use]
    pub const fn is_rate(self) -> bool {
        self.description().is_rate
    }

    /// The metrics that the configuration calls `key`; none if it is no such word.
    pub fn of_key(key: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |metric| metric.description().key == key)
    }
}

impl Description {
    /// How Home Assistant sorts the metric.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::new(self.presentation, self.unit)
    }

    /// Whether every name and the meaning are given.
    const fn is_complete(&self) -> bool {
        !self.key.is_empty()
            && !self.rule_name.is_empty()
            && !self.flat_key.is_empty()
            && !self.emf_name.is_empty()
            && !self.meaning.is_empty()
    }
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn all() -> [Metric; LIST.len()] {
    let mut all = [LIST[0].metric; LIST.len()];
    let mut index = 0;
    while index < LIST.len() {
        all[index] = LIST[index].metric;
        index += 1;
    }
    all
}

/// Whether row number i is of the metric with the discriminant i, and complete, for each i.
const fn is_in_order() -> bool {
    let mut rows = LIST;
    let mut index = 0;
    while let [row, rest @ ..] = rows {
        if row.metric as usize != index || !row.is_complete() {
            return false;
        }
        index += 1;
        rows = rest;
    }
    true
}

const _: () = assert!(is_in_order(), "LIST has one complete row for each variant of Metric, in their order");
// The last variant. Without this, one behind it could have no row.
const _: () =
    assert!(Metric::CertificateDays as usize + 1 == LIST.len(), "the last variant has the last row");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_metrics_share_a_name() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            for other in Metric::ALL.into_iter().skip(index + 1) {
                let (a, b) = (metric.description(), other.description());
                assert_ne!(a.rule_name, b.rule_name);
                assert_ne!(a.flat_key, b.flat_key);
                assert_ne!(a.emf_name, b.emf_name);
            }
        }
    }

    #[test]
    fn metric_is_found_by_its_whole_key() {
        for metric in Metric::ALL {
            assert!(Metric::of_key(metric.description().key).any(|found| found == metric));
        }
        assert_eq!(Metric::of_key("agent").count(), 4);
        assert_eq!(Metric::of_key("cp").count() + Metric::of_key("cpu ").count(), 0);
    }

    #[test]
    fn metrics_of_a_key_follow_each_other() {
        let keys = Metric::ALL.map(|metric| metric.description().key);
        let mut groups: Vec<_> = keys.chunk_by(|a, b| a == b).map(|group| group[0]).collect();
        let number = groups.len();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), number);
    }

    #[test]
    fn only_a_rate_means_something_since_the_last_sample() {
        for metric in Metric::ALL {
            let is_rate = match metric.description().meaning {
                "the same for all tasks that were not idle" => true,
                meaning => meaning.contains("since the last sample") && !metric.is_of_agent(),
            };
            assert_eq!(metric.is_rate(), is_rate, "{metric:?}");
        }
    }
}
