//! What the agent knows of itself: handed to the probes, where every other probe reads a file.

use std::time::Duration;

use crate::metric::Metric;
use crate::metric::sample::{NoData, Reading};

/// The agent's own state at the moment of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Health {
    /// Samples that a full queue has dropped since the agent's start.
    pub dropped: u64,
    /// Connections that were accepted since the agent's start, without the first.
    pub reconnects: u64,
    /// Samples that wait for their acknowledgement.
    pub queue: usize,
    /// The shortest time from a publish to its PUBACK since the last sample, if there was one.
    pub puback_latency: Option<Duration>,
    /// Whole days until the device's certificate expires.
    pub certificate_days: Result<i64, NoData>,
}

impl Default for Health {
    /// That of an agent that has done nothing, and has no certificate.
    fn default() -> Self {
        Self {
            dropped: 0,
            reconnects: 0,
            queue: 0,
            puback_latency: None,
            certificate_days: Err(NoData::NotPresent),
        }
    }
}

impl Health {
    /// The reading of one of the agent's own metrics.
    pub(super) fn read(&self, metric: Metric) -> Reading {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
        match metric {
            Metric::AgentDropped => Ok(self.dropped as f64),
            Metric::AgentReconnects => Ok(self.reconnects as f64),
            Metric::AgentQueue => Ok(self.queue as f64),
            Metric::AgentPuback => {
                self.puback_latency.map(|latency| 1e3 * latency.as_secs_f64()).ok_or(NoData::NotYet)
            }
            Metric::CertificateDays => self.certificate_days.map(|days| days as f64),
            _ => Err(NoData::NotPresent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_its_numbers_is_a_reading() {
        let health = Health {
            dropped: 1,
            reconnects: 2,
            queue: 3,
            puback_latency: Some(Duration::from_millis(4)),
            certificate_days: Ok(5),
        };
        let readings = Metric::of_key("agent").chain([Metric::CertificateDays]).map(|own| health.read(own));
        assert!(readings.eq([1.0, 2.0, 3.0, 4.0, 5.0].map(Ok)));
    }

    #[test]
    fn what_is_not_known_is_no_zero() {
        let health = Health::default();
        assert_eq!(health.read(Metric::AgentPuback), Err(NoData::NotYet));
        assert_eq!(health.read(Metric::CertificateDays), Err(NoData::NotPresent));
    }
}
