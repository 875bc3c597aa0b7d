//! The packets of one version, written and read. Publishing allocates nothing.

use bytes::BytesMut;

use super::event::SessionError;
use super::frame::Frame;
use super::packet::{Message, Packet};
use super::settings::{Settings, Version};
use super::{v3, v5};
use crate::message::payload;

/// Writes and reads the packets of a session.
#[derive(Debug)]
pub struct Codec {
    templates: Templates,
    /// Where a payload becomes `Bytes`, which rumqttc takes. Every message uses the same memory.
    payload: BytesMut,
}

/// A PUBLISH for each topic, so that a topic is copied once and not with every message.
#[derive(Debug)]
enum Templates {
    V3(Box<[v3::Publish]>),
    V5(Box<[v5::Publish]>),
}

impl Codec {
    /// Makes a codec for these settings and writes CONNECT into `outgoing`, which is empty.
    pub fn new(settings: &Settings<'_>, outgoing: &mut BytesMut) -> Self {
        let topics = settings.topics.iter().map(String::as_str);
        let (templates, is_written) = match settings.version {
            Version::V3 => {
                (Templates::V3(topics.map(v3::template).collect()), v3::connect(settings, outgoing).is_ok())
            }
            Version::V5 => {
                (Templates::V5(topics.map(v5::template).collect()), v5::connect(settings, outgoing).is_ok())
            }
        };
        debug_assert!(is_written, "CONNECT is shorter than the protocol's limit");
        Self { templates, payload: BytesMut::with_capacity(payload::LEN_MAX) }
    }

    /// Writes a PUBLISH with quality of service 1 on the topic with this index.
    ///
    /// # Errors
    /// [`SessionError::PacketTooLong`] if the packet would be longer than `len_max`; nothing is written then.
    pub fn publish(
        &mut self,
        topic: usize,
        id: u16,
        payload: &[u8],
        retain: bool,
        len_max: usize,
        outgoing: &mut BytesMut,
    ) -> Result<(), SessionError> {
        self.payload.extend_from_slice(payload);
        let message = Message { id, payload: self.payload.split().freeze(), retain };
        let written = match &mut self.templates {
            Templates::V3(templates) => {
                templates.get_mut(topic).map(|template| v3::publish(template, message, len_max, outgoing))
            }
            Templates::V5(templates) => {
                templates.get_mut(topic).map(|template| v5::publish(template, message, len_max, outgoing))
            }
        };
        // Nothing holds the payload any more, so the next one takes its place.
        let is_reclaimed = self.payload.try_reclaim(payload::LEN_MAX);
        debug_assert!(is_reclaimed, "the payload was dropped");
        debug_assert!(written.is_some(), "topics are numbered as in the settings");
        written.unwrap_or(Ok(()))
    }

    /// Writes PINGREQ.
    pub fn ping_request(&self, outgoing: &mut BytesMut) {
        let is_written = match &self.templates {
            Templates::V3(_) => v3::ping_request(outgoing).is_ok(),
            Templates::V5(_) => v5::ping_request(outgoing).is_ok(),
        };
        debug_assert!(is_written, "two bytes");
    }

    /// Writes DISCONNECT for a normal end.
    pub fn disconnect(&self, outgoing: &mut BytesMut) {
        let is_written = match &self.templates {
            Templates::V3(_) => v3::disconnect(outgoing).is_ok(),
            Templates::V5(_) => v5::disconnect(outgoing).is_ok(),
        };
        debug_assert!(is_written, "two bytes");
    }

    /// Reads one whole packet.
    ///
    /// # Errors
    /// [`SessionError::Malformed`].
    pub fn read(&self, frame: &Frame<'_>) -> Result<Packet, SessionError> {
        match &self.templates {
            Templates::V3(_) => v3::read(frame),
            Templates::V5(_) => v5::read(frame),
        }
    }
}
