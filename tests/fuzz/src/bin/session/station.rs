//! A session, driven as the agent drives it, and what must be true of it all the time.

use std::time::Duration;

use pivitals::clock::BootTime;
use pivitals::session::{Event, IN_FLIGHT_MAX, Session, SessionError, Settings, Version};

use crate::wire::{self, Answer, Inbound};

const PAYLOAD_LENGTHS: [usize; 4] = [0, 1, 600, 4000];
/// AWS IoT Core leaves what exceeds it unacknowledged.
const PUBLISHES_A_SECOND_MAX: usize = 100;

pub struct Station {
    version: Version,
    session: Session<u32>,
    inbound: Inbound,
    now: BootTime,
    connected: bool,
    /// Packet ids, read from what was sent, and tickets; the oldest first.
    in_flight: Vec<(u16, u32)>,
    /// Tickets of messages that were given to the session since it last sent.
    unsent: Vec<u32>,
    last_ticket: u32,
    published_at: Vec<BootTime>,
}

impl Station {
    pub fn new(version: Version) -> Self {
        let now = BootTime::from_millis(1);
        let topics = wire::TOPICS.map(str::to_owned);
        let settings = Settings { version, client_id: "pi-7", topics: &topics, keep_alive_secs: 30 };
        Self {
            version,
            session: Session::new(&settings, now),
            inbound: Inbound::new(version),
            now,
            connected: false,
            in_flight: Vec::new(),
            unsent: Vec::new(),
            last_ticket: 0,
            published_at: Vec::new(),
        }
    }

    /// The broker sends bytes, which need be no whole packet.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        self.inbound.extend(bytes);
        self.session.receive(bytes);
        while let Some(event) = self.session.next_event()? {
            let said = self.inbound.next_answer().expect("an event comes of a packet");
            let expected = match said {
                Answer::Accepted => {
                    assert!(!self.connected, "a session is accepted once");
                    self.connected = true;
                    Event::Connected
                }
                Answer::Taken(id) => self.answered(id).map_or(Event::Stray(id), Event::Acknowledged),
                Answer::Refused(id, reason) => {
                    self.answered(id).map_or(Event::Stray(id), |ticket| Event::Refused(ticket, reason))
                }
            };
            assert_eq!(event, expected, "what the broker said is what is understood");
        }
        assert_eq!(self.inbound.next_answer(), None, "no answer is left lying");
        Ok(())
    }

    /// The ticket of the message in flight with this packet id, which is so no more.
    fn answered(&mut self, id: u16) -> Option<u32> {
        let place = self.in_flight.iter().position(|&(other, _)| other == id)?;
        Some(self.in_flight.remove(place).1)
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
        let Some(&(id, _)) = self.in_flight.get(place % self.in_flight.len().max(1)) else { return Ok(()) };
        let [high, low] = id.to_be_bytes();
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
        for id in wire::published_ids(self.version, &sent) {
            assert!(self.connected, "nothing is published before CONNACK");
            assert!(id != 0 && self.in_flight.iter().all(|&(other, _)| other != id), "{id} is not free");
            self.in_flight.push((id, self.unsent.remove(0)));
        }
        assert_eq!(self.unsent, [], "what was published is sent");
        self.assert_in_flight();
        assert!(self.session.deadline() > self.now, "a loop that waits for the deadline would be a busy one");
        Ok(())
    }

    /// A session that ended has acknowledged nothing that the broker did not.
    pub fn assert_nothing_came_with(&self, error: SessionError) {
        if !matches!(error, SessionError::PacketTooLong(_)) {
            self.assert_in_flight();
        }
    }

    fn assert_in_flight(&self) {
        assert!(self.in_flight.len() <= IN_FLIGHT_MAX);
        let waiting = self.in_flight.iter().map(|&(_, ticket)| ticket).chain(self.unsent.iter().copied());
        assert_eq!(self.session.in_flight(), self.in_flight.len() + self.unsent.len());
        assert_eq!(self.session.first_in_flight(), waiting.min());
    }
}
