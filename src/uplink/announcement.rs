//! What is announced to Home Assistant, from the configuration.

use crate::config::Config;
use crate::config::setup::Setup;

/// The retained messages, and the topics they go to by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Home Assistant's discovery document.
    pub document: String,
    /// Its topic.
    pub document_topic: usize,
    /// The topic that says whether the device is online.
    pub availability_topic: usize,
}

impl Announcement {
    /// The announcement that `config` asks for, if it does.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        let topics = &config.topics;
        // A constant, so that a build without discovery has no code for the document.
        let device = config.discovery.as_ref().filter(|_| cfg!(feature = "discovery"))?;
        let document = device.document(
            &config.label,
            &config.series,
            topics.name(0),
            topics.name(topics.availability()),
            config.interval,
        );
        Some(Self {
            document: document.as_str().to_owned(),
            document_topic: topics.discovery(),
            availability_topic: topics.availability(),
        })
    }
}

/// Whether the device leaves its place at the broker, so that its watchers have to learn that it is offline
/// there, when `new` replaces `old`.
#[must_use]
pub fn is_moved(old: &Setup, new: &Setup) -> bool {
    old.endpoint != new.endpoint
        || old.config.port != new.config.port
        || old.config.topics.all() != new.config.topics.all()
}
