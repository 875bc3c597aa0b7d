//! An MQTT session as a state machine: bytes and time in; bytes, events and the next deadline out.
//!
//! It publishes with quality of service 1 and reads the answers to that. It has no socket and no clock, and it
//! ends with its connection: the first error ends it, and the owner sends again what was not acknowledged. Only
//! its [`Pace`] outlives it. Sources: MQTT 3.1.1 and 5.0 (OASIS), and AWS IoT Core's quotas.

use std::time::Duration;

use bytes::BytesMut;

use super::codec::Codec;
use super::event::{Answer, Event, SessionError};
use super::frame::{CONNACK, Frame};
use super::in_flight::InFlight;
use super::keep_alive::KeepAlive;
use super::limits::{IN_FLIGHT_MAX, INBOUND_LEN_MAX, OUTGOING_LEN_MAX, PACKET_LEN_MAX, PUBLISH_OVERHEAD_MAX};
use super::pace::Pace;
use super::packet::{Packet, Terms};
use super::reason;
use super::settings::Settings;
use crate::platform::clock::BootTime;

#[cfg(test)]
mod tests;

const CONNACK_WAIT: Duration = Duration::from_secs(10);

/// A session over one connection. `T` is the owner's name for a message.
#[derive(Debug)]
pub struct Session<T> {
    codec: Codec,
    incoming: Vec<u8>,
    outgoing: BytesMut,
    is_connected: bool,
    in_flight: InFlight<T>,
    in_flight_max: usize,
    packet_len_max: usize,
    retains: bool,
    keep_alive: KeepAlive,
    pace: Pace,
}

impl<T: Copy> Session<T> {
    /// Makes a session whose CONNECT waits to be sent. `pace` is that of the session before, or the full one.
    #[must_use]
    pub fn new(settings: &Settings<'_>, pace: Pace, now: BootTime) -> Self {
        let mut outgoing = BytesMut::with_capacity(OUTGOING_LEN_MAX);
        Self {
            codec: Codec::new(settings, &mut outgoing),
            incoming: Vec::with_capacity(2 * INBOUND_LEN_MAX),
            outgoing,
            is_connected: false,
            in_flight: InFlight::new(),
            in_flight_max: IN_FLIGHT_MAX,
            packet_len_max: PACKET_LEN_MAX,
            retains: true,
            keep_alive: KeepAlive::new(settings.keep_alive_secs, now),
            pace,
        }
    }

    /// The pace, for the next session.
    #[must_use]
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// The answer that the broker owes, if any: a connection that is closed now was closed before it.
    #[must_use]
    pub fn owed(&self) -> Option<Answer> {
        if !self.is_connected {
            Some(Answer::ConnAck)
        } else if !self.in_flight.is_empty() {
            Some(Answer::PubAck)
        } else {
            self.keep_alive.answer_deadline().map(|_| Answer::PingResp)
        }
    }

    /// The message that waits longest for its acknowledgement.
    #[must_use]
    pub fn first_in_flight(&self) -> Option<T> {
        self.in_flight.first().map(|message| message.ticket)
    }

    /// How many messages were published and not acknowledged.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Takes bytes from the broker; [`next_event`](Self::next_event) reads them.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// Reads received packets up to the next event; `None` when no whole packet is left.
    ///
    /// # Errors
    /// The error that ends the session. It is of no use after that, but for its [pace](Self::pace).
    pub fn next_event(&mut self) -> Result<Option<Event<T>>, SessionError> {
        while let Some(frame) = Frame::first_of(&self.incoming)? {
            let packet = self.codec.read(&frame)?;
            let length = frame.bytes.len();
            self.incoming.drain(..length);
            if let Some(event) = self.take(packet)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn take(&mut self, packet: Packet) -> Result<Option<Event<T>>, SessionError> {
        match (packet, self.is_connected) {
            (Packet::Accepted(terms), false) => self.accept(terms).map(Some),
            (Packet::Refused(refusal), false) => Err(SessionError::Refused(refusal)),
            (Packet::PubAck { id, reason }, true) => Ok(Some(self.answered(id, reason))),
            (Packet::PingResp, true) => {
                self.keep_alive.answered();
                Ok(None)
            }
            (Packet::Disconnect { reason }, true) => {
                if reason::is_quota(reason)
                    && let Some(sent_at) = self.in_flight.last_sent_at()
                {
                    self.pace.quota_exceeded(sent_at);
                }
                Err(SessionError::Disconnected(reason))
            }
            (Packet::Accepted(_) | Packet::Refused(_), true) => Err(SessionError::Unexpected(CONNACK)),
            // CONNACK is the first packet from a broker (MQTT 5, section 3.2).
            (_, false) => Err(SessionError::Malformed),
        }
    }

    fn accept(&mut self, terms: Terms) -> Result<Event<T>, SessionError> {
        if terms.qos_0_only {
            return Err(SessionError::QosUnsupported);
        }
        // Neither may be zero (MQTT 5, sections 3.2.2.3.3 and 3.2.2.3.6).
        if terms.receive_maximum == Some(0) || terms.packet_len_max == Some(0) {
            return Err(SessionError::Malformed);
        }
        self.is_connected = true;
        self.retains = !terms.retains_nothing;
        self.in_flight_max = terms.receive_maximum.map_or(IN_FLIGHT_MAX, |max| IN_FLIGHT_MAX.min(max.into()));
        self.packet_len_max = terms.packet_len_max.map_or(PACKET_LEN_MAX, |max| PACKET_LEN_MAX.min(max));
        if let Some(secs) = terms.keep_alive_secs {
            self.keep_alive.change(secs);
        }
        Ok(Event::Connected)
    }

    fn answered(&mut self, id: u16, reason: u8) -> Event<T> {
        let Some(message) = self.in_flight.answered(id) else { return Event::Stray(id) };
        if reason::is_quota(reason) {
            self.pace.quota_exceeded(message.sent_at);
        }
        if reason < reason::UNSPECIFIED_ERROR {
            Event::Acknowledged(message.ticket)
        } else {
            Event::Refused(message.ticket, reason)
        }
    }

    /// When another message can be published: in the past if now, [`BootTime::NEVER`] if the broker has to
    /// answer first.
    #[must_use]
    pub fn room_at(&self) -> BootTime {
        if self.is_connected && self.in_flight.len() < self.in_flight_max {
            self.pace.next_at()
        } else {
            BootTime::NEVER
        }
    }

    /// Whether a message can be published now, to be written together with those that wait.
    #[must_use]
    pub fn has_room(&self, payload_len: usize, now: BootTime) -> bool {
        let length = self.outgoing.len() + payload_len + PUBLISH_OVERHEAD_MAX;
        self.room_at() <= now && (self.outgoing.is_empty() || length <= OUTGOING_LEN_MAX)
    }

    /// The longest payload that the broker certainly accepts, in bytes.
    #[must_use]
    pub const fn payload_len_max(&self) -> usize {
        self.packet_len_max.saturating_sub(PUBLISH_OVERHEAD_MAX)
    }

    /// Whether the broker retains messages, as far as it says (MQTT 5, section 3.2.2.3.5).
    #[must_use]
    pub const fn retains(&self) -> bool {
        self.retains
    }

    /// Publishes a message on the topic with this index in the settings, if [`has_room`](Self::has_room).
    ///
    /// # Errors
    /// [`SessionError::PacketTooLong`] if the broker would not accept it. The session goes on without it.
    pub fn publish(
        &mut self,
        topic: usize,
        payload: &[u8],
        ticket: T,
        now: BootTime,
    ) -> Result<(), SessionError> {
        self.send(topic, payload, false, ticket, now)
    }

    /// Publishes a message that the broker keeps for later subscribers, if it [retains](Self::retains) any.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn publish_retained(
        &mut self,
        topic: usize,
        payload: &[u8],
        ticket: T,
        now: BootTime,
    ) -> Result<(), SessionError> {
        self.send(topic, payload, true, ticket, now)
    }

    fn send(
        &mut self,
        topic: usize,
        payload: &[u8],
        retain: bool,
        ticket: T,
        now: BootTime,
    ) -> Result<(), SessionError> {
        let id = self.in_flight.next_id();
        self.codec.publish(topic, id, payload, retain, self.packet_len_max, &mut self.outgoing)?;
        self.in_flight.push(id, ticket, now);
        self.pace.published(now);
        Ok(())
    }

    /// Asks the broker for a sign of life if nothing was sent for half the keep-alive, and looks for answers
    /// that are late.
    ///
    /// # Errors
    /// [`SessionError::Unanswered`].
    pub fn tick(&mut self, now: BootTime) -> Result<(), SessionError> {
        if let Some((deadline, answer)) = self.answer_deadline()
            && deadline <= now
        {
            // AWS IoT Core drops what exceeds its quota, and does not say so.
            if answer == Answer::PubAck
                && let Some(dropped) = self.in_flight.passed_over()
            {
                self.pace.quota_exceeded(dropped.sent_at);
            }
            return Err(SessionError::Unanswered(answer));
        }
        if self.ping_at() <= now {
            self.codec.ping_request(&mut self.outgoing);
            self.keep_alive.pinged(now);
        }
        Ok(())
    }

    /// When [`tick`](Self::tick) has something to do.
    #[must_use]
    pub fn deadline(&self) -> BootTime {
        self.answer_deadline().map_or(BootTime::NEVER, |(deadline, _)| deadline).min(self.ping_at())
    }

    fn answer_deadline(&self) -> Option<(BootTime, Answer)> {
        if !self.is_connected {
            return Some((self.keep_alive.last_sent_at() + CONNACK_WAIT, Answer::ConnAck));
        }
        let puback = self.in_flight.answer_deadline().map(|deadline| (deadline, Answer::PubAck));
        let pingresp = self.keep_alive.answer_deadline().map(|deadline| (deadline, Answer::PingResp));
        puback.into_iter().chain(pingresp).min_by_key(|(deadline, _)| *deadline)
    }

    fn ping_at(&self) -> BootTime {
        if self.is_connected { self.keep_alive.ping_at() } else { BootTime::NEVER }
    }

    /// Writes DISCONNECT. Messages in flight stay unacknowledged.
    pub fn disconnect(&mut self) {
        self.codec.disconnect(&mut self.outgoing);
    }

    /// Hands all that waits to be sent to `write` in one piece, so that it becomes one TLS record. `now` counts
    /// for the keep-alive.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn flush<E>(&mut self, now: BootTime, write: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        write(&self.outgoing)?;
        self.outgoing.clear();
        self.keep_alive.sent(now);
        Ok(())
    }
}
