//! An MQTT session as a state machine: bytes and time in; bytes, events and the next deadline out.
//!
//! It publishes with quality of service 1 and understands the answers to that. It has no socket, no
//! clock and no memory beyond its connection: the first error ends it, and what was not acknowledged
//! is the caller's to send again. Sources: MQTT 3.1.1 and 5.0 (OASIS), and AWS IoT Core's quotas.

use std::fmt;
use std::time::Duration;

use crate::message::payload;
use crate::platform::clock::BootTime;

mod frame;
mod packet;
mod v3;
mod v5;

#[cfg(test)]
mod tests;

use frame::{CONNACK, Frame};

/// Publishes in flight, and publishes in one burst.
pub const IN_FLIGHT_MAX: usize = 16;

/// Between two full bursts. AWS IoT Core drops what exceeds 100 publishes a second on a connection,
/// unacknowledged; 16 in 200 ms are 80.
const BURST_WAIT: Duration = Duration::from_millis(200);

/// Longest packet taken from a broker: only acknowledgements are expected.
pub const INBOUND_LEN_MAX: usize = 1024;

/// Bytes that may wait to be written: three quarters of a TLS record. A message that is longer by itself
/// makes the buffer grow.
const OUTGOING_LEN_MAX: usize = 12 * 1024;
/// What PUBLISH adds to a payload: its topic above all, with the name of a rule before it.
const PUBLISH_OVERHEAD_MAX: usize = 512;

// The longest message fits, so that no buffer has to grow.
const _: () = assert!(payload::LEN_MAX + PUBLISH_OVERHEAD_MAX <= OUTGOING_LEN_MAX);

const CONNACK_WAIT: Duration = Duration::from_secs(10);
const PUBACK_WAIT: Duration = Duration::from_secs(30);
const PINGRESP_WAIT: Duration = Duration::from_secs(20);

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 3.1.1, protocol level 4.
    V3,
    /// 5.0, protocol level 5.
    V5,
}

impl Version {
    const fn dialect(self) -> packet::Dialect {
        match self {
            Self::V3 => v3::DIALECT,
            Self::V5 => v5::DIALECT,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3 => "3.1.1",
            Self::V5 => "5",
        })
    }
}

/// What a session is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings<'a> {
    /// The protocol to speak.
    pub version: Version,
    /// At most 128 bytes for AWS IoT Core.
    pub client_id: &'a str,
    /// Where messages go; each names one of these by its place.
    pub topics: &'a [String],
    /// Seconds.
    pub keep_alive_secs: u16,
    /// What the broker publishes when the connection breaks.
    pub will: Option<Will<'a>>,
}

/// A message that the broker publishes when the connection ends otherwise than by
/// [`disconnect`](Session::disconnect): retained, with quality of service 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// Where it goes.
    pub topic: &'a str,
    /// What it says.
    pub payload: &'a str,
}

/// What came of received bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<T> {
    /// The broker accepted the session.
    Connected,
    /// The broker took the message with this ticket.
    Acknowledged(T),
    /// The broker did not, and says why with a reason code of 0x80 or more (MQTT 5, section 3.4.2.1).
    Refused(T, u8),
    /// The broker acknowledged a message that is not in flight; there is nothing to be done about it.
    Stray(u16),
}

/// What the broker owes an answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To CONNECT.
    ConnAck,
    /// To PUBLISH.
    PubAck,
    /// To PINGREQ.
    PingResp,
}

/// Why the broker does not accept a session, both versions' codes in one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It does not speak this version.
    Version,
    /// It does not like the client id.
    ClientId,
    /// It wants a user name and a password, or other ones.
    Credentials,
    /// It knows who this is, and says no.
    NotAuthorized,
    /// It cannot serve now.
    Unavailable,
    /// Another reason code of MQTT 5, section 3.2.2.2.
    Other(u8),
}

/// What ends a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionError {
    /// CONNACK with a refusal.
    Refused(Refusal),
    /// DISCONNECT by the broker, with its reason code (MQTT 5, section 3.14.2.1).
    Disconnected(u8),
    /// No answer in time.
    Unanswered(Answer),
    /// The broker does not take quality of service 1.
    QosUnsupported,
    /// The broker does not take packets of the length of this one, in bytes.
    PacketTooLong(usize),
    /// A packet of the broker's that is longer than [`INBOUND_LEN_MAX`].
    InboundTooLong(usize),
    /// A packet of a kind that a publisher does not get, by its number (MQTT 5, section 2.1.2).
    Unexpected(u8),
    /// Bytes that are no packet.
    Malformed,
}

/// What a broker says of a session that it accepts (MQTT 5, section 3.2.2.3); 3.1.1 says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Terms {
    receive_maximum: Option<u16>,
    keep_alive_secs: Option<u16>,
    packet_len_max: Option<u32>,
    qos_0_only: bool,
    retains_nothing: bool,
}

/// A packet from the broker, in the form that both versions share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packet {
    Accepted(Terms),
    Refused(Refusal),
    PubAck { id: u16, reason: u8 },
    PingResp,
    Disconnect { reason: u8 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InFlight<T> {
    id: u16,
    ticket: T,
    sent_at: BootTime,
}

/// A session over one connection. `T` is what the caller knows a message by.
#[derive(Debug)]
pub struct Session<T> {
    version: Version,
    topics: Box<[String]>,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    connected: bool,
    in_flight: heapless::Vec<InFlight<T>, IN_FLIGHT_MAX>,
    in_flight_max: usize,
    packet_len_max: usize,
    retains: bool,
    keep_alive: Duration,
    last_id: u16,
    last_sent_at: BootTime,
    ping_sent_at: Option<BootTime>,
    burst_began_at: BootTime,
    burst: usize,
}

impl<T: Copy> Session<T> {
    /// A session whose CONNECT waits to be sent.
    #[must_use]
    pub fn new(settings: &Settings<'_>, now: BootTime) -> Self {
        let mut outgoing = Vec::with_capacity(OUTGOING_LEN_MAX);
        packet::connect(settings, settings.version.dialect(), &mut outgoing);
        Self {
            version: settings.version,
            topics: settings.topics.into(),
            incoming: Vec::with_capacity(2 * INBOUND_LEN_MAX),
            outgoing,
            connected: false,
            in_flight: heapless::Vec::new(),
            in_flight_max: IN_FLIGHT_MAX,
            packet_len_max: usize::MAX,
            retains: true,
            keep_alive: Duration::from_secs(settings.keep_alive_secs.into()),
            last_id: 0,
            last_sent_at: now,
            ping_sent_at: None,
            burst_began_at: now,
            burst: 0,
        }
    }

    /// What the broker owes, if anything: what a connection that is closed now was closed before.
    #[must_use]
    pub fn owed(&self) -> Option<Answer> {
        if !self.connected {
            Some(Answer::ConnAck)
        } else if !self.in_flight.is_empty() {
            Some(Answer::PubAck)
        } else {
            self.ping_sent_at.map(|_| Answer::PingResp)
        }
    }

    /// The message that waits longest for its acknowledgement.
    #[must_use]
    pub fn first_in_flight(&self) -> Option<T> {
        self.in_flight.first().map(|message| message.ticket)
    }

    /// Messages that were sent and not acknowledged.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Takes bytes from the broker; [`next_event`](Self::next_event) says what they mean.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// What the received bytes mean, one packet at a time; `None` when they are used up.
    ///
    /// # Errors
    /// What ends the session. It is of no use after that.
    pub fn next_event(&mut self) -> Result<Option<Event<T>>, SessionError> {
        while let Some(frame) = Frame::first_of(&self.incoming)? {
            let packet = match self.version {
                Version::V3 => v3::read(&frame)?,
                Version::V5 => v5::read(&frame)?,
            };
            let length = frame.length;
            self.incoming.drain(..length);
            if let Some(event) = self.take(packet)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn take(&mut self, packet: Packet) -> Result<Option<Event<T>>, SessionError> {
        match (packet, self.connected) {
            (Packet::Accepted(terms), false) => self.accept(terms).map(Some),
            (Packet::Refused(refusal), false) => Err(SessionError::Refused(refusal)),
            (Packet::PubAck { id, reason }, true) => Ok(Some(self.answered(id, reason))),
            (Packet::PingResp, true) => {
                self.ping_sent_at = None;
                Ok(None)
            }
            (Packet::Disconnect { reason }, true) => Err(SessionError::Disconnected(reason)),
            (Packet::Accepted(_) | Packet::Refused(_), true) => Err(SessionError::Unexpected(CONNACK)),
            (_, false) => Err(SessionError::Malformed), // MQTT 5, section 3.2: CONNACK is the first
        }
    }

    fn accept(&mut self, terms: Terms) -> Result<Event<T>, SessionError> {
        if terms.qos_0_only {
            return Err(SessionError::QosUnsupported);
        }
        self.connected = true;
        self.retains = !terms.retains_nothing;
        if terms.receive_maximum == Some(0) || terms.packet_len_max == Some(0) {
            return Err(SessionError::Malformed); // MQTT 5, sections 3.2.2.3.3 and 3.2.2.3.6
        }
        if let Some(receive_maximum) = terms.receive_maximum {
            self.in_flight_max = IN_FLIGHT_MAX.min(receive_maximum.into());
        }
        if let Some(length) = terms.packet_len_max {
            self.packet_len_max = usize::try_from(length).unwrap_or(usize::MAX);
        }
        if let Some(secs) = terms.keep_alive_secs {
            self.keep_alive = Duration::from_secs(secs.into());
        }
        Ok(Event::Connected)
    }

    fn answered(&mut self, id: u16, reason: u8) -> Event<T> {
        let Some(index) = self.in_flight.iter().position(|message| message.id == id) else {
            return Event::Stray(id);
        };
        let ticket = self.in_flight.remove(index).ticket;
        if reason < 0x80 { Event::Acknowledged(ticket) } else { Event::Refused(ticket, reason) }
    }

    /// When another message can be taken: now or in the past if at once, [`BootTime::NEVER`] if an
    /// answer has to come first.
    #[must_use]
    pub fn room_at(&self) -> BootTime {
        if !self.connected || self.in_flight.len() >= self.in_flight_max {
            BootTime::NEVER
        } else if self.burst >= IN_FLIGHT_MAX {
            self.burst_began_at + BURST_WAIT
        } else {
            BootTime::default()
        }
    }

    /// Whether a message can be taken now, to be written together with those that wait.
    #[must_use]
    pub fn has_room(&self, payload_len: usize, now: BootTime) -> bool {
        let length = self.outgoing.len() + payload_len + PUBLISH_OVERHEAD_MAX;
        self.room_at() <= now && (self.outgoing.is_empty() || length <= OUTGOING_LEN_MAX)
    }

    /// The longest payload that the broker certainly takes.
    #[must_use]
    pub const fn payload_len_max(&self) -> usize {
        self.packet_len_max.saturating_sub(PUBLISH_OVERHEAD_MAX)
    }

    /// Whether the broker keeps a topic's last retained message for those who subscribe later, as far as
    /// it says (MQTT 5, section 3.2.2.3.5).
    #[must_use]
    pub const fn retains(&self) -> bool {
        self.retains
    }

    /// Takes a message for the topic with this number. To be called while
    /// [`has_room`](Self::has_room) says so.
    ///
    /// # Errors
    /// [`SessionError::PacketTooLong`], if the broker would not take it. The session goes on without it.
    pub fn publish(
        &mut self,
        topic: usize,
        payload: &[u8],
        ticket: T,
        now: BootTime,
    ) -> Result<(), SessionError> {
        self.take_message(topic, payload, false, ticket, now)
    }

    /// Takes a message that the broker is to keep for those who subscribe later, which not every broker
    /// [does](Self::retains). Else as [`publish`](Self::publish).
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
        self.take_message(topic, payload, true, ticket, now)
    }

    fn take_message(
        &mut self,
        topic: usize,
        payload: &[u8],
        retain: bool,
        ticket: T,
        now: BootTime,
    ) -> Result<(), SessionError> {
        let id = self.free_id();
        let before = self.outgoing.len();
        let Some(topic) = self.topics.get(topic) else {
            debug_assert!(false, "topics are numbered as the settings have them");
            return Ok(());
        };
        packet::publish(topic, id, payload, retain, self.version.dialect(), &mut self.outgoing);
        let length = self.outgoing.len() - before;
        if length > self.packet_len_max {
            self.outgoing.truncate(before);
            return Err(SessionError::PacketTooLong(length));
        }
        // There is room, as the caller knows from `has_room`.
        let _ = self.in_flight.push(InFlight { id, ticket, sent_at: now });
        if now.since(self.burst_began_at) >= BURST_WAIT {
            self.burst_began_at = now;
            self.burst = 0;
        }
        self.burst += 1;
        Ok(())
    }

    /// The next packet id: not zero, and none that is in flight. An id comes again only after all
    /// others, so that a late second acknowledgement meets no younger message.
    fn free_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if self.in_flight.iter().all(|message| message.id != self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Asks the broker for a sign of life when nothing was sent for half the keep-alive, and looks
    /// for answers that are late.
    ///
    /// # Errors
    /// [`SessionError::Unanswered`].
    pub fn tick(&mut self, now: BootTime) -> Result<(), SessionError> {
        if let Some((deadline, answer)) = self.answer_deadline()
            && deadline <= now
        {
            return Err(SessionError::Unanswered(answer));
        }
        if self.ping_at() <= now {
            packet::ping_request(&mut self.outgoing);
            self.ping_sent_at = Some(now);
        }
        Ok(())
    }

    /// When [`tick`](Self::tick) has something to do.
    #[must_use]
    pub fn deadline(&self) -> BootTime {
        self.answer_deadline().map_or(BootTime::NEVER, |(deadline, _)| deadline).min(self.ping_at())
    }

    fn answer_deadline(&self) -> Option<(BootTime, Answer)> {
        if !self.connected {
            return Some((self.last_sent_at + CONNACK_WAIT, Answer::ConnAck));
        }
        let puback = self.in_flight.iter().map(|message| message.sent_at).min();
        let puback = puback.map(|sent_at| (sent_at + PUBACK_WAIT, Answer::PubAck));
        let pingresp = self.ping_sent_at.map(|sent_at| (sent_at + PINGRESP_WAIT, Answer::PingResp));
        puback.into_iter().chain(pingresp).min_by_key(|(deadline, _)| *deadline)
    }

    fn ping_at(&self) -> BootTime {
        if self.connected && self.ping_sent_at.is_none() && !self.keep_alive.is_zero() {
            self.last_sent_at + self.keep_alive / 2
        } else {
            BootTime::NEVER
        }
    }

    /// Says goodbye. What is in flight stays unacknowledged.
    pub fn disconnect(&mut self) {
        packet::disconnect(&mut self.outgoing);
    }

    /// Hands everything that waits to be sent to `write`, in one piece, so that it becomes one TLS
    /// record. The time counts for the keep-alive.
    ///
    /// # Errors
    /// What `write` says.
    pub fn flush<E>(&mut self, now: BootTime, write: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        write(&self.outgoing)?;
        self.outgoing.clear();
        self.last_sent_at = now;
        Ok(())
    }
}
