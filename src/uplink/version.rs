//! Which version of MQTT to speak: the one that is set, or the one that the broker takes.

use crate::config::Mqtt;
use crate::mqtt::session::{Answer, Refusal, SessionError, Version};
use crate::net::link::LinkError;
use crate::report::failure::Failure;

/// The version to speak.
#[derive(Debug)]
pub struct VersionChoice {
    current: Version,
    is_free: bool,
    /// A broker has accepted version 5.
    is_5_known: bool,
    /// A broker has said that it does not know version 5.
    is_5_unknown: bool,
}

impl VersionChoice {
    /// The version that the configuration names, or 5 first.
    #[must_use]
    pub const fn new(mqtt: Mqtt) -> Self {
        let (current, is_free) = match mqtt {
            Mqtt::Only(version) => (version, false),
            Mqtt::Auto => (Version::V5, true),
        };
        Self { current, is_free, is_5_known: false, is_5_unknown: false }
    }

    /// The version for the next session.
    #[must_use]
    pub const fn current(&self) -> Version {
        self.current
    }

    /// Notes that the broker has accepted a session.
    pub fn accepted(&mut self) {
        self.is_5_known |= self.current == Version::V5;
    }

    /// Chooses the version for the attempt after a failure. Tells whether it is 3.1.1 after 5, which
    /// is tried before the failure counts as one.
    ///
    /// Brokers that do not know version 5 say so, or close the connection without a word. The latter
    /// may have another reason, so after the next failure 5 is tried again.
    pub fn choose_after(&mut self, failure: &Failure) -> bool {
        if !self.is_free {
            return false;
        }
        let says_so = matches!(failure, Failure::Session(SessionError::Refused(Refusal::Version)));
        let says_nothing = matches!(failure, Failure::Closed(Some(Answer::ConnAck), LinkError::Closed));
        match self.current {
            Version::V5 if says_so || (says_nothing && !self.is_5_known) => {
                self.is_5_unknown = says_so;
                self.current = Version::V3;
                true
            }
            Version::V3 if says_so || !self.is_5_unknown => {
                self.is_5_unknown = false;
                self.current = Version::V5;
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::platform::os_error::OsError;

    const REFUSED: Failure = Failure::Session(SessionError::Refused(Refusal::Version));
    const CLOSED: Failure = Failure::Closed(Some(Answer::ConnAck), LinkError::Closed);
    const DENIED: Failure = Failure::Session(SessionError::Refused(Refusal::NotAuthorized));
    const RESET: Failure = Failure::Closed(
        Some(Answer::ConnAck),
        LinkError::Broken(OsError::of_kind(ErrorKind::ConnectionReset)),
    );

    #[test]
    fn version_5_is_tried_first_and_3_1_1_where_it_is_refused() {
        for failure in [REFUSED, CLOSED] {
            let mut version = VersionChoice::new(Mqtt::Auto);
            assert_eq!(version.current(), Version::V5);
            assert!(version.choose_after(&failure));
            assert_eq!(version.current(), Version::V3);
        }
    }

    #[test]
    fn a_broker_that_takes_neither_has_failed_and_is_asked_for_5_again() {
        for (first, second) in [(CLOSED, CLOSED), (CLOSED, REFUSED), (REFUSED, REFUSED)] {
            let mut version = VersionChoice::new(Mqtt::Auto);
            assert!(version.choose_after(&first));
            assert!(!version.choose_after(&second));
            assert_eq!(version.current(), Version::V5);
        }
    }

    #[test]
    fn a_broker_that_says_it_does_not_know_5_is_not_asked_for_it_again() {
        let mut version = VersionChoice::new(Mqtt::Auto);
        version.choose_after(&REFUSED);
        version.accepted();
        assert!(!version.choose_after(&CLOSED));
        assert_eq!(version.current(), Version::V3);
    }

    #[test]
    fn a_broker_that_closed_without_a_word_gets_another_chance_with_5() {
        let mut version = VersionChoice::new(Mqtt::Auto);
        version.choose_after(&CLOSED);
        version.accepted();
        assert!(!version.choose_after(&DENIED));
        assert_eq!(version.current(), Version::V5);
    }

    #[test]
    fn another_failure_is_not_that_of_the_version() {
        for failure in [DENIED, RESET] {
            let mut version = VersionChoice::new(Mqtt::Auto);
            assert!(!version.choose_after(&failure));
            assert_eq!(version.current(), Version::V5);
        }
    }

    #[test]
    fn version_5_once_accepted_stays() {
        let mut version = VersionChoice::new(Mqtt::Auto);
        version.accepted();
        assert!(!version.choose_after(&CLOSED));
        assert_eq!(version.current(), Version::V5);
    }

    #[test]
    fn a_version_that_is_set_stays() {
        for set in [Version::V3, Version::V5] {
            let mut version = VersionChoice::new(Mqtt::Only(set));
            assert!(!version.choose_after(&REFUSED));
            assert_eq!(version.current(), set);
        }
    }
}
