//! Which version of MQTT to speak: the one that is set, or the one that the broker takes.

use crate::config::Mqtt;
use crate::failure::Failure;
use crate::session::{Answer, Refusal, SessionError, Version};

/// The version to speak.
#[derive(Debug)]
pub struct VersionChoice {
    current: Version,
    is_free: bool,
    /// A broker has accepted it.
    proven: bool,
}

impl VersionChoice {
    pub const fn new(mqtt: Mqtt) -> Self {
        let (current, is_free) = match mqtt {
            Mqtt::Only(version) => (version, false),
            Mqtt::Auto => (Version::V5, true),
        };
        Self { current, is_free, proven: false }
    }

    /// The version for the next session.
    pub const fn current(&self) -> Version {
        self.current
    }

    /// Notes that the broker has accepted a session.
    pub const fn accepted(&mut self) {
        self.proven = true;
    }

    /// Whether the other version is to be tried before a failure counts as one. Brokers that do not
    /// know version 5 say so, or close the connection without a word; the latter may have another
    /// reason, so if 3.1.1 fares no better, the next attempt is with 5 again.
    pub fn is_other_tried_after(&mut self, failure: &Failure) -> bool {
        let says_so = matches!(failure, Failure::Session(SessionError::Refused(Refusal::Version)));
        let says_nothing = matches!(failure, Failure::Closed(Some(Answer::ConnAck), _));
        if !self.is_free || self.proven || !(says_so || says_nothing) {
            return false;
        }
        let is_tried = self.current == Version::V5;
        self.current = if is_tried { Version::V3 } else { Version::V5 };
        is_tried
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkError;

    const REFUSED: Failure = Failure::Session(SessionError::Refused(Refusal::Version));
    const CLOSED: Failure = Failure::Closed(Some(Answer::ConnAck), LinkError::Closed);
    const DENIED: Failure = Failure::Session(SessionError::Refused(Refusal::NotAuthorized));

    #[test]
    fn version_5_is_tried_first_and_3_1_1_where_it_is_refused() {
        for failure in [REFUSED, CLOSED] {
            let mut version = VersionChoice::new(Mqtt::Auto);
            assert_eq!(version.current(), Version::V5);
            assert!(version.is_other_tried_after(&failure));
            assert_eq!(version.current(), Version::V3);
        }
    }

    #[test]
    fn a_broker_that_takes_neither_has_failed_and_is_asked_for_5_again() {
        let mut version = VersionChoice::new(Mqtt::Auto);
        assert!(version.is_other_tried_after(&CLOSED));
        assert!(!version.is_other_tried_after(&CLOSED));
        assert_eq!(version.current(), Version::V5);
    }

    #[test]
    fn another_failure_is_not_that_of_the_version() {
        let mut version = VersionChoice::new(Mqtt::Auto);
        assert!(!version.is_other_tried_after(&DENIED));
        assert_eq!(version.current(), Version::V5);
    }

    #[test]
    fn a_version_that_was_accepted_stays() {
        let mut version = VersionChoice::new(Mqtt::Auto);
        version.accepted();
        assert!(!version.is_other_tried_after(&CLOSED));
        assert_eq!(version.current(), Version::V5);
    }

    #[test]
    fn a_version_that_is_set_stays() {
        for set in [Version::V3, Version::V5] {
            let mut version = VersionChoice::new(Mqtt::Only(set));
            assert!(!version.is_other_tried_after(&REFUSED));
            assert_eq!(version.current(), set);
        }
    }
}
