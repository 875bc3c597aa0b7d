//! A session, driven as the agent drives it, and what must be true of it all the time.

use std::time::Duration;

use pivitals::platform::clock::BootTime;
use pivitals::mqtt::{Event, IN_FLIGHT_MAX, Pace, Session, SessionError, Settings, Version};

use crate::wire::{self, Answer, Inbound, Sent};

const PAYLOAD_LENGTHS: [usize; 4] = [0, 1, 600, 4000];
/// AWS IoT Core leaves what exceeds it unacknowledged.
const PUBLISHES_A_SECOND_MAX: usize = 100;
const KEEP_ALIVE_SECS: u16 = 30;

/// A message that the broker has and did not acknowledge.
struct InFlight {
    /// Read from what was sent.
    id: u16,
    ticket: u32,
    sent_at: BootTime,
}

pub struct Station {
    version: Version,
    session: Session<u32>,
    inbound: Inbound,
    now: BootTime,
    connected: bool,
    /// The oldest first.
    in_flight: Vec<InFlight>,
    /// Tickets of messages that were given to the session since it last sent.
    unsent: Vec<u32>,
    last_ticket: u32,
    published_at: Vec<BootTime>,
    last_sent_at: BootTime,
    /// Of the first PINGREQ that was not answered.
    ping_sent_at: Option<BootTime>,
}

impl Station {
    pub fn new(version: Version) -> Self {
        let now = BootTime::from_millis(1);
        let topics = wire::TOPICS.map(str::to_owned);
        let settings = Settings {
            version,
            client_id: "pi-7",
            topics: &topics,
            keep_alive_secs: KEEP_ALIVE_SECS,
            will: None,
        };
        Self {
            version,
            session: Session::new(&settings, Pace::default(), now),
            inbound: Inbound::new(version),
            now,
            connected: false,
            in_flight: Vec::new(),
            unsent: Vec::new(),
            last_ticket: 0,
            published_at: Vec::new(),
            last_sent_at: now,
            ping_sent_at: None,
        }
    }

    /// The broker sends bytes, which need be no whole packet.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.inbound.extend(bytes);
        self.session.receive(bytes);
        while let Some(event) = self.session.next_event()? {
            let expected = match self.next_answer().expect("an event comes of a packet") {
                Answer::Accepted => {
                    assert!(!self.connected, "a session is accepted once");
                    self.connected = true;
                    Event::Connected
                }
                Answer::Taken(id) => self.answered(id).map_or(Event::Stray(id), Event::Acknowledged),
                Answer::Refused(id, reason) => {
                    self.answered(id).map_or(Event::Stray(id), |ticket| Event::Refused(ticket, reason))
                }
                Answer::Alive => unreachable!("it is no event"),
            };
            assert_eq!(event, expected, "what the broker said is what is understood");
        }
        assert_eq!(self.next_answer(), None, "no answer is left lying");
        Ok(())
    }

    /// The ticket of the message in flight with this packet id, which is so no more.
    fn answered(&mut self, id: u16) -> Option<u32> {
        let place = self.in_flight.iter().position(|message| message.id == id)?;
        Some(self.in_flight.remove(place).ticket)
    }

    /// The next answer that becomes an event.
    fn next_answer(&mut self) -> Option<Answer> {
        loop {
            match self.inbound.next_answer() {
                Some(Answer::Alive) => self.ping_sent_at = None,
                other => return other,
            }
        }
    }

    /// Messages are published, as many as there is room for.
    pub fn publish(&mut self, amount: usize) -> Result<(), SessionError> {
        let payload = vec![b'x'; PAYLOAD_LENGTHS[amount % 4]];
        for _ in 0..=amount / 4 {
            if !self.session.has_room(payload.len(), self.now) {
                break;
            }
            self.last_ticket += 1;
            let topic = amount % wire::TOPICS.len();
            if let Err(error) = self.session.publish(topic, &payload, self.last_ticket, self.now) {
                assert!(matches!(error, SessionError::PacketTooLong(_)), "{error:?}");
                assert!(payload.len() > self.session.payload_len_max() || payload.is_empty());
                return Err(error);
            }
            self.unsent.push(self.last_ticket);
            self.published_at.push(self.now);
        }
        let now = self.now;
        self.published_at.retain(|&at| now.since(at) < Duration::from_secs(1));
        assert!(self.published_at.len() < PUBLISHES_A_SECOND_MAX);
        Ok(())
    }

    /// Nothing happens for a millisecond, for half a minute, until the deadline.
    pub fn pass(&mut self, amount: usize) {
        let deadline = self.session.deadline();
        self.now = match amount {
            63 if deadline < BootTime::NEVER => deadline,
            _ => self.now + Duration::from_millis(1 << (amount / 4)),
        };
    }

    /// The broker takes a message that is in flight, if there is one.
    pub fn acknowledge(&mut self, place: usize) -> Result<(), SessionError> {
        let place = place % self.in_flight.len().max(1);
        let Some(message) = self.in_flight.get(place) else { return Ok(()) };
        let [high, low] = message.id.to_be_bytes();
        self.receive(&[0x40, 2, high, low])
    }

    /// What the agent does at the end of each turn of its loop.
    pub fn turn(&mut self) -> Result<(), SessionError> {
        self.session.tick(self.now)?;
        let mut sent = Vec::new();
        let written: Result<(), ()> = self.session.flush(self.now, |bytes| {
            sent.extend_from_slice(bytes);
            Ok(())
        });
        written.expect("a network that takes everything");
        for packet in wire::packets(self.version, &sent) {
            assert!(self.connected || packet == Sent::Connect, "nothing but CONNECT before CONNACK");
            self.sent(&packet);
        }
        assert_eq!(self.unsent, [], "what was published is sent");
        self.assert_in_flight();
        self.assert_awake();
        Ok(())
    }

    fn sent(&mut self, packet: &Sent) {
        self.last_sent_at = self.now;
        match *packet {
            Sent::Connect => {}
            Sent::Publish(id) => {
                assert!(id != 0 && self.in_flight.iter().all(|message| message.id != id), "{id} is not free");
                let ticket = self.unsent.remove(0);
                self.in_flight.push(InFlight { id, ticket, sent_at: self.now });
            }
            Sent::Ping => self.ping_sent_at = self.ping_sent_at.or(Some(self.now)),
        }
    }

    /// A broker that owes an answer for too long has ended the session; one that owes none is asked for
    /// a sign of life in time; and a loop that waits for the deadline waits.
    fn assert_awake(&self) {
        let owed_for = |sent_at| self.now.since(sent_at).as_secs();
        assert!(self.connected || owed_for(self.last_sent_at) < 10, "CONNACK");
        assert!(self.in_flight.iter().all(|message| owed_for(message.sent_at) < 30), "PUBACK");
        assert!(self.ping_sent_at.is_none_or(|sent_at| owed_for(sent_at) < 20), "PINGRESP");
        if self.version == Version::V3 {
            let silence_secs = self.now.since(self.last_sent_at).as_secs();
            assert!(silence_secs < KEEP_ALIVE_SECS.into(), "the broker may close the connection");
        }
        assert!(self.session.deadline() > self.now, "the deadline lies ahead");
    }

    /// A session that ended has acknowledged nothing that the broker did not.
    pub fn assert_nothing_came_with(&self, error: SessionError) {
        if !matches!(error, SessionError::PacketTooLong(_)) {
            self.assert_in_flight();
        }
    }

    fn assert_in_flight(&self) {
        assert!(self.in_flight.len() <= IN_FLIGHT_MAX);
        let sent = self.in_flight.iter().map(|message| message.ticket);
        let waiting = sent.chain(self.unsent.iter().copied());
        assert_eq!(self.session.in_flight(), self.in_flight.len() + self.unsent.len());
        assert_eq!(self.session.first_in_flight(), waiting.min());
    }
}
