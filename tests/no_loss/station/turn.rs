//! One turn of the agent's loop, as `agent.rs` has it: what came is taken, what is late is noticed,
//! what there is room for is sent.

use pivitals::message::payload::Format;
use pivitals::mqtt::session::{Event, IN_FLIGHT_MAX, SessionError, Version};
use pivitals::platform::adjtimex::KernelClock;
use pivitals::platform::clock::Utc;
use pivitals::queue::outbox::Ticket;

use super::{Online, Station};
use crate::wire::{self, Answer, Document, Packet, Piece};

/// The connection is of no use any more.
pub struct Ended;

/// Whether the connection takes what is written to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    Succeed,
    /// And so many of the bytes under way still arrive.
    Fail {
        arrive: usize,
    },
}

impl Station {
    pub fn serve(&mut self, bytes: usize, writes: Writes) {
        let utc = self.offset_millis.map_or(0, |offset| offset + self.now.as_millis());
        self.wall.update(self.now, Utc::from_millis(utc), || KernelClock::Synchronised);
        let Some(mut online) = self.online.take() else { return };
        let served = self.receive(&mut online, bytes).and_then(|()| self.send(&mut online, writes));
        if served.is_err()
            && let Some(message) = online.session.first_in_flight()
            && let Some(topic) = self.denials.closed_at(message, online.session.in_flight(), false)
        {
            self.deny(topic);
        }
        match (served, writes) {
            (Ok(()), _) => self.online = Some(online),
            (Err(Ended), Writes::Fail { arrive }) => self.disconnected(arrive),
            (Err(Ended), Writes::Succeed) => self.disconnected(0),
        }
    }

    /// Takes what the broker has said, and looks whether the session understands it.
    fn receive(&mut self, online: &mut Online, limit: usize) -> Result<(), Ended> {
        let (bytes, answers) = self.broker.read(limit);
        online.session.receive(&bytes);
        for answer in answers {
            let expected = match answer {
                Answer::ConnAck { receive_maximum } => {
                    let is_v5 = self.version == Version::V5;
                    let terms = if is_v5 { receive_maximum.into() } else { IN_FLIGHT_MAX };
                    online.in_flight_max = terms.min(IN_FLIGHT_MAX);
                    Ok(Some(Event::Connected))
                }
                Answer::PubAck { id, .. } => Ok(Some(self.acknowledged(online, id))),
                Answer::Refusal { id, reason } => Ok(Some(self.refused(online, id, reason))),
                Answer::PingResp => continue,
                Answer::Disconnect { reason } => {
                    self.seen.disconnects += 1;
                    Err(SessionError::Disconnected(reason))
                }
                Answer::Nonsense => Err(SessionError::Unexpected(15)),
                Answer::Close => return Err(Ended),
            };
            let event = online.session.next_event();
            assert_eq!(event, expected, "the answer {answer:?}");
            match event.map_err(|_| Ended)?.expect("as expected") {
                Event::Acknowledged(ticket) => {
                    self.outbox.acknowledge(ticket);
                    self.denials.acknowledged(ticket);
                }
                Event::Refused(ticket, _) => {
                    self.outbox.refused(ticket);
                    self.deny(self.topics.of(ticket.part()));
                }
                Event::Connected | Event::Stray(_) => {}
            }
        }
        assert_eq!(online.session.next_event(), Ok(None), "no event without an answer");
        assert_eq!(online.session.in_flight(), online.in_flight.len(), "none is given up");
        online.session.tick(self.now).map_err(|_| {
            self.seen.silences += 1;
            Ended
        })
    }

    /// What a PUBACK is to mean: the message with this id is done, if there is one.
    fn acknowledged(&mut self, online: &mut Online, id: u16) -> Event<Ticket> {
        let Some((ticket, pieces)) = online.in_flight.remove(&id) else {
            self.seen.strays += 1;
            return Event::Stray(id);
        };
        self.broker.acknowledged(&pieces);
        self.queue.acknowledged(&pieces);
        Event::Acknowledged(ticket)
    }

    /// What a PUBACK with a reason is to mean: the message is to be sent again, if there is one.
    fn refused(&mut self, online: &mut Online, id: u16, reason: u8) -> Event<Ticket> {
        let Some((ticket, pieces)) = online.in_flight.remove(&id) else { return Event::Stray(id) };
        self.seen.refusals += 1;
        self.queue.refused(&pieces);
        Event::Refused(ticket, reason)
    }

    fn send(&mut self, online: &mut Online, writes: Writes) -> Result<(), Ended> {
        loop {
            let mut is_full = false;
            let mut sent = Vec::new();
            while online.session.room_at() <= self.now
                && let Some(ticket) =
                    self.denials.next_ticket(&self.outbox, online.session.in_flight(), self.now)
            {
                let waiting = self.outbox.waiting(ticket);
                let dated = waiting.map_while(|sample| Some((sample, self.wall.utc_of(sample.taken_at)?)));
                let len_max = online.session.payload_len_max();
                let Some(message) = self.encoder.encode(ticket.part(), len_max, dated) else {
                    assert_eq!(self.offset_millis, None, "only without a clock, nothing can be sent");
                    self.seen.without_clock += 1;
                    break;
                };
                if !online.session.has_room(message.payload.len(), self.now) {
                    is_full = true;
                    break;
                }
                let (payload, samples) = (message.payload.to_vec(), message.samples);
                let pieces = self.pieces(ticket, samples);
                let in_flight = online.session.in_flight();
                assert_eq!(pieces.first().copied(), self.next_owed(in_flight), "the oldest first");
                self.queue.sent(&pieces);
                let ticket = self.outbox.sent(ticket, samples);
                self.denials.sent(ticket);
                let topic = self.topics.of(ticket.part());
                let published = online.session.publish(topic, &payload, ticket, self.now);
                assert_eq!(published, Ok(()));
                self.seen.batches += usize::from(samples > 1);
                sent.push((ticket, pieces));
            }
            self.flush(online, sent, writes)?;
            if !is_full {
                return Ok(());
            }
        }
    }

    /// Writes, and reads what was written.
    fn flush(
        &mut self,
        online: &mut Online,
        sent: Vec<(Ticket, Vec<Piece>)>,
        writes: Writes,
    ) -> Result<(), Ended> {
        let mut bytes = Vec::new();
        let flushed = online.session.flush(self.now, |written| {
            bytes.extend_from_slice(written);
            if writes == Writes::Succeed { Ok(()) } else { Err(Ended) }
        });
        let mut sent = sent.into_iter();
        for (length, packet) in wire::packets(self.version, &bytes) {
            let mut pieces = Vec::new();
            if let Packet::Publish { topic, id, payload } = &packet {
                let (ticket, meant) = sent.next().expect("a message that was published");
                assert_eq!(topic, self.topics.name(self.topics.of(ticket.part())));
                pieces = self.pieces_of(payload);
                assert_eq!(pieces, meant, "the message holds what its ticket says");
                assert_ne!(*id, 0, "a packet id is never zero");
                let same = online.in_flight.insert(*id, (ticket, meant));
                assert_eq!(same, None, "a packet id in flight is not used again: {id}");
            }
            self.broker.send(length, packet, pieces);
        }
        assert!(sent.next().is_none(), "what was published is written");
        assert!(online.in_flight.len() <= online.in_flight_max, "no more in flight than the broker allows");
        assert_eq!(online.session.in_flight(), online.in_flight.len());
        let is_full = online.in_flight_max > 0 && online.in_flight.len() == online.in_flight_max;
        self.seen.full_flights += usize::from(is_full);
        self.seen.broken_writes += usize::from(flushed.is_err());
        flushed
    }

    /// What the payload holds; and that it is whole, and dated rightly.
    fn pieces_of(&self, payload: &[u8]) -> Vec<Piece> {
        let offset = self.offset_millis.expect("nothing is sent without a clock");
        let documents = wire::documents(self.format, payload);
        assert!(self.format == Format::Emf || documents.len() == 1);
        let times: Vec<_> = documents.iter().map(|document| document.timestamp).collect();
        assert!(times.is_sorted() && times[times.len() - 1] - times[0] < 24 * 3_600 * 1_000, "{times:?}");
        let piece = |Document { number, readings, timestamp }: Document| {
            let taken = &self.taken[number as usize];
            let utc_millis = taken.at.as_millis() + offset;
            let (part, time) = match self.format {
                Format::Rule => (readings[0], utc_millis / 1000),
                _ => (0, utc_millis),
            };
            assert_eq!(timestamp, time, "the time of sample {number} is that of its taking");
            assert!(self.format == Format::Rule || readings == taken.readings, "sample {number} is whole");
            (number, part)
        };
        documents.into_iter().map(piece).collect()
    }
}
