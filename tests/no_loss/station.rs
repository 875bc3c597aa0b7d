//! The agent without a network: session, outbox, encoder and wall clock, compared with the models at
//! every step.

use std::collections::BTreeMap;
use std::time::Duration;

use pivitals::message::payload::{Encoder, Format};
use pivitals::message::topics::Topics;
use pivitals::metric::sample::{Kept, NoData, Readings, Sample};
use pivitals::metric::{Metric, Series};
use pivitals::mqtt::session::{Session, Settings, Version};
use pivitals::platform::clock::{BootTime, EARLIEST_SECS};
use pivitals::platform::wall_clock::WallClock;
use pivitals::queue::outbox::{Outbox, Parts, Ticket};
use pivitals::uplink::denials::Denials;

use super::broker::Broker;
use super::queue::Queue;
use super::script::{ALL, Step};
use super::seen::Seen;
use super::wire::{self, Answer, LABEL, Piece};

mod turn;

use turn::Writes;

struct Online {
    session: Session<Ticket>,
    in_flight: BTreeMap<u16, (Ticket, Vec<Piece>)>,
    in_flight_max: usize,
}

/// A sample that was taken: the parts that it was queued with, and its readings.
struct Taken {
    at: BootTime,
    parts: Vec<usize>,
    readings: Vec<usize>,
}

pub struct Station {
    version: Version,
    format: Format,
    now: BootTime,
    /// UTC minus boot time, in milliseconds; `None` while nobody knows.
    offset_millis: Option<u64>,
    wall: WallClock,
    encoder: Encoder,
    outbox: Outbox,
    topics: Topics,
    denials: Denials,
    online: Option<Online>,
    broker: Broker,
    queue: Queue,
    taken: Vec<Taken>,
    seen: Seen,
}

impl Station {
    pub fn new(version: Version, format: Format, capacity: usize) -> Self {
        let series =
            Metric::DEFAULT.map(|metric| Series { metric, of: (metric == Metric::Disk).then(|| "/".into()) });
        let topics = Topics::new(wire::topic(format), &series);
        Self {
            version,
            format,
            now: BootTime::from_millis(100_000),
            offset_millis: Some(EARLIEST_SECS * 1000),
            wall: WallClock::default(),
            encoder: Encoder::new(format, series.into(), LABEL, "pivitals"),
            outbox: Outbox::new(capacity),
            denials: Denials::new(topics.clone()),
            topics,
            online: None,
            broker: Broker::new(version),
            queue: Queue::new(capacity),
            taken: Vec::new(),
            seen: Seen::default(),
        }
    }

    pub fn step(&mut self, step: Step) {
        match step {
            Step::Sample { known } => self.sample(known),
            Step::Wait { millis } => self.now = self.now + Duration::from_millis(millis),
            Step::Serve { bytes } => self.serve(bytes, Writes::Succeed),
            Step::ServeAndBreak { arrive } => self.serve(ALL, Writes::Fail { arrive }),
            Step::Arrive { bytes } => self.broker.arrive(bytes),
            Step::Answer { which, form } => self.broker.answer(which, form),
            Step::AnswerAll => self.broker.answer_all(),
            Step::AnswerTwice { which } => self.broker.answer_twice(which),
            Step::Forget { which } => self.broker.forget(which),
            Step::Foreign { id } => self.broker.foreign(id),
            Step::RefuseNext => self.broker.refuse_next(true),
            // In `emf` a sample has but one part.
            Step::Forbid { part } => self.broker.forbid(match self.format {
                Format::Rule => part,
                _ => part.map(|_| 0),
            }),
            Step::GoAway => self.broker.go_away(),
            Step::Nonsense => self.broker.end(Answer::Nonsense),
            Step::Cut { arrive } => self.disconnected(arrive),
            Step::Connect { receive_maximum } => self.connect(receive_maximum),
            Step::Resize { capacity } => {
                self.outbox.resize(capacity);
                self.queue.resize(capacity);
            }
            Step::SetClock { is_set, offset_secs } => {
                self.offset_millis = is_set.then_some((EARLIEST_SECS + offset_secs) * 1000);
            }
        }
        self.compare();
    }

    /// Everything becomes well, but for what is forbidden, and stays so until all that is allowed is
    /// delivered; then the rest.
    pub fn drain(&mut self) {
        self.offset_millis = Some(EARLIEST_SECS * 1000);
        self.broker.refuse_next(false);
        if let Some(forbidden) = self.broker.forbidden() {
            self.serve_until("what is allowed is starved", |station| {
                station.queue.next_unsent(Parts::of([forbidden])).is_none()
                    && station.online.as_ref().is_none_or(|online| online.in_flight.is_empty())
            });
        }
        self.broker.forbid(None);
        self.serve_until("samples are never delivered", |station| station.outbox.is_empty());
    }

    /// Time passes and the broker answers at once, for as long as a topic can be held, and some time.
    fn serve_until(&mut self, complaint: &str, is_done: impl Fn(&Self) -> bool) {
        for _ in 0..4_000 {
            if is_done(self) {
                return;
            }
            self.connect(16);
            self.now = self.now + Duration::from_millis(200);
            self.serve(ALL, Writes::Succeed);
            self.broker.arrive(ALL);
            self.broker.answer_all();
            self.compare();
        }
        panic!("{complaint}: {} are left", self.outbox.len());
    }

    /// A topic is denied, as the agent takes note of it.
    fn deny(&mut self, topic: usize) {
        self.seen.denials += 1;
        self.denials.deny(topic, self.now.as_millis(), self.now);
    }

    pub fn assert_nothing_is_missing(mut self) -> Seen {
        let accepted = (0..).zip(&self.taken).filter(|(_, taken)| !taken.parts.is_empty());
        let mut delivered = 0;
        for (number, taken) in accepted {
            self.seen.accepted += 1;
            if !self.queue.dropped.contains(&number) {
                let is_here = |&part: &usize| self.broker.has_acknowledged((number, part));
                assert!(taken.parts.iter().all(is_here), "sample {number} is not delivered, and not counted");
                delivered += 1;
            }
        }
        self.seen.dropped = self.queue.dropped.len();
        assert_eq!(self.outbox.dropped(), self.queue.dropped.len() as u64, "what is dropped is counted");
        assert_eq!(self.seen.accepted, delivered + self.seen.dropped);
        self.seen.duplicates = self.broker.duplicates;
        self.seen
    }

    /// The outbox against the model.
    fn compare(&self) {
        assert_eq!(self.outbox.len(), self.queue.len(), "samples that are owed");
        assert_eq!(self.outbox.dropped(), self.queue.dropped.len() as u64, "samples dropped");
        let in_flight = self.online.as_ref().map_or(0, |online| online.in_flight.len());
        let Some(next) = self.denials.next_ticket(&self.outbox, in_flight, self.now) else { return };
        assert_eq!(Some(self.pieces(next, 1)[0]), self.next_owed(in_flight), "what is sent next");
    }

    /// What is to be sent next by the model: what is on trial after all others, and alone.
    fn next_owed(&self, in_flight: usize) -> Option<Piece> {
        let held = self.denials.held(self.now);
        let allowed = self.queue.next_unsent(held.with(self.denials.on_trial(self.now)));
        allowed.or_else(|| self.queue.next_unsent(held).filter(|_| in_flight == 0))
    }

    /// What a message with this ticket and so many samples holds.
    fn pieces(&self, ticket: Ticket, samples: usize) -> Vec<Piece> {
        let number = |sample: Kept<'_>| {
            let found = self.taken.binary_search_by_key(&sample.taken_at, |taken| taken.at);
            u32::try_from(found.expect("a sample that was taken")).expect("few samples")
        };
        let waiting = self.outbox.waiting(ticket).take(samples);
        waiting.map(|sample| (number(sample), ticket.part())).collect()
    }

    fn sample(&mut self, known: u8) {
        self.now = self.now + Duration::from_millis(1);
        let number = u32::try_from(self.taken.len()).expect("few samples");
        let reading = |index: u8| {
            let is_known = known >> index & 1 == 1;
            if is_known { Ok(wire::value(number, index)) } else { Err(NoData::Unreadable) }
        };
        let readings: Readings = (0..4).map(reading).collect();
        let readings_known: Vec<_> = (0..4).filter(|&index| readings[index].is_ok()).collect();
        let parts = match self.format {
            Format::Rule => readings_known.clone(),
            _ => readings_known.iter().take(1).map(|_| 0).collect(),
        };
        let sample = Sample { taken_at: self.now, readings };
        assert_eq!(self.encoder.parts(&sample), Parts::of(parts.iter().copied()), "what a sample becomes");
        self.outbox.push(&sample, Parts::of(parts.iter().copied()));
        self.queue.push(number, parts.iter().copied());
        self.taken.push(Taken { at: self.now, parts, readings: readings_known });
    }

    fn connect(&mut self, receive_maximum: u16) {
        if self.online.is_none() {
            let topics = self.topics.names();
            let settings = Settings {
                version: self.version,
                client_id: "pi-7",
                topics,
                keep_alive_secs: 240,
                will: None,
            };
            let session = Session::new(&settings, self.now);
            self.online = Some(Online { session, in_flight: BTreeMap::new(), in_flight_max: 0 });
            self.broker.open(receive_maximum);
        }
    }

    fn disconnected(&mut self, arrive: usize) {
        self.broker.cut(arrive);
        self.online = None;
        self.denials.ended(self.now.as_millis(), self.now);
        self.outbox.rewind();
        self.queue.disconnected();
    }
}
