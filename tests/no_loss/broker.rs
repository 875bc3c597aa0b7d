//! The model of a broker: it answers late, in any order, twice, or not at all; and it writes down what
//! has arrived.

use std::collections::{BTreeMap, VecDeque};

use pivitals::mqtt::Version;

use super::wire::{Answer, Packet, Piece};

const NOT_AUTHORIZED: u8 = 0x87;
const SHUTTING_DOWN: u8 = 0x8b;

/// The last time that a piece came.
#[derive(Debug)]
struct Arrival {
    connection: u32,
    /// This time or an earlier one.
    is_accepted: bool,
    /// This time the agent was told that it is refused, so that it may try again on this connection.
    is_refused: bool,
    /// The agent has got a PUBACK for it.
    is_acknowledged: bool,
}

/// A packet on its way to the broker.
struct Coming {
    bytes_left: usize,
    packet: Packet,
    pieces: Vec<Piece>,
}

/// The broker, and the two directions of its connection to the agent.
pub struct Broker {
    version: Version,
    connection: u32,
    receive_maximum: u16,
    is_open: bool,
    is_connected: bool,
    refuses_next: bool,
    /// Of the messages of this part none is taken.
    forbidden: Option<usize>,
    coming: VecDeque<Coming>,
    owed: Vec<Answer>,
    returning: VecDeque<(Answer, VecDeque<u8>)>,
    arrivals: BTreeMap<Piece, Arrival>,
    /// The sample of which each part came last for the first time.
    newest: BTreeMap<usize, u32>,
    pub duplicates: usize,
}

impl Broker {
    pub fn new(version: Version) -> Self {
        Self {
            version,
            connection: 0,
            receive_maximum: 1,
            is_open: false,
            is_connected: false,
            refuses_next: false,
            forbidden: None,
            coming: VecDeque::new(),
            owed: Vec::new(),
            returning: VecDeque::new(),
            arrivals: BTreeMap::new(),
            newest: BTreeMap::new(),
            duplicates: 0,
        }
    }

    pub fn open(&mut self, receive_maximum: u16) {
        self.connection += 1;
        self.receive_maximum = receive_maximum;
        (self.is_open, self.is_connected) = (true, false);
    }

    /// The connection is lost, after so many of the bytes that were under way have arrived.
    pub fn cut(&mut self, arrive: usize) {
        self.arrive(arrive);
        self.is_open = false;
        self.coming.clear();
        self.owed.clear();
        self.returning.clear();
    }

    /// Puts a packet on its way.
    pub fn send(&mut self, length: usize, packet: Packet, pieces: Vec<Piece>) {
        self.coming.push_back(Coming { bytes_left: length, packet, pieces });
    }

    pub fn arrive(&mut self, mut bytes: usize) {
        while self.is_open
            && let Some(next) = self.coming.front_mut()
        {
            let taken = bytes.min(next.bytes_left);
            next.bytes_left -= taken;
            bytes -= taken;
            if next.bytes_left > 0 {
                return;
            }
            if let Some(Coming { packet, pieces, .. }) = self.coming.pop_front() {
                self.take(&packet, &pieces);
            }
        }
    }

    fn take(&mut self, packet: &Packet, pieces: &[Piece]) {
        match *packet {
            Packet::Connect => {
                let receive_maximum = self.receive_maximum;
                self.owed.push(Answer::ConnAck { receive_maximum });
            }
            Packet::PingReq => self.owed.push(Answer::PingResp),
            Packet::Publish { id, .. } => {
                let is_forbidden = pieces.iter().any(|&(_, part)| Some(part) == self.forbidden);
                let is_accepted = !std::mem::take(&mut self.refuses_next) && !is_forbidden;
                for &piece in pieces {
                    self.note(piece, is_accepted);
                }
                match (is_accepted, self.version) {
                    (true, _) => self.owed.push(Answer::PubAck { id, form: 0 }),
                    (false, Version::V5) => self.owed.push(Answer::Refusal { id, reason: NOT_AUTHORIZED }),
                    (false, Version::V3) => self.end(Answer::Close),
                }
            }
        }
    }

    fn note(&mut self, piece: Piece, is_accepted: bool) {
        let (number, part) = piece;
        let connection = self.connection;
        let Some(earlier) = self.arrivals.get_mut(&piece) else {
            let before = self.newest.insert(part, number);
            assert!(before.is_none_or(|before| before < number), "{piece:?} came after {before:?}");
            let is_acknowledged = false;
            let is_refused = !is_accepted;
            self.arrivals.insert(piece, Arrival { connection, is_accepted, is_refused, is_acknowledged });
            return;
        };
        let is_new = earlier.connection < connection;
        assert!(is_new || earlier.is_refused, "{piece:?} came twice on one connection, and was not refused");
        assert!(!earlier.is_acknowledged, "{piece:?} came again, though it was acknowledged");
        earlier.is_refused = !is_accepted;
        earlier.connection = connection;
        earlier.is_accepted |= is_accepted;
        self.duplicates += 1;
    }

    /// Answers one of those that wait. Before CONNACK, nothing else does.
    pub fn answer(&mut self, which: usize, form: usize) {
        if let Some(answer) = self.owed_answer(which) {
            self.say(match answer {
                Answer::PubAck { id, .. } => Answer::PubAck { id, form },
                other => other,
            });
        }
    }

    pub fn answer_all(&mut self) {
        for _ in 0..self.owed.len() {
            self.answer(0, 0);
        }
    }

    pub fn answer_twice(&mut self, which: usize) {
        if let Some(answer) = self.owed_answer(which) {
            self.say(answer);
            if matches!(answer, Answer::PubAck { .. }) {
                self.say(answer);
            }
        }
    }

    pub fn forget(&mut self, which: usize) {
        self.owed_answer(which);
    }

    pub fn foreign(&mut self, id: u16) {
        if self.is_connected {
            self.say(Answer::PubAck { id, form: 0 });
        }
    }

    pub fn refuse_next(&mut self, refuses: bool) {
        self.refuses_next = refuses;
    }

    pub fn forbid(&mut self, part: Option<usize>) {
        self.forbidden = part;
    }

    pub fn forbidden(&self) -> Option<usize> {
        self.forbidden
    }

    pub fn go_away(&mut self) {
        let may_say = self.version == Version::V5 && self.is_connected;
        self.end(if may_say { Answer::Disconnect { reason: SHUTTING_DOWN } } else { Answer::Close });
    }

    pub fn end(&mut self, last: Answer) {
        self.say(last);
        self.is_open = false;
        self.owed.clear();
    }

    fn owed_answer(&mut self, which: usize) -> Option<Answer> {
        let index = which.checked_rem(self.owed.len())?;
        Some(self.owed.remove(index))
    }

    fn say(&mut self, answer: Answer) {
        if self.is_open {
            self.is_connected |= matches!(answer, Answer::ConnAck { .. });
            self.returning.push_back((answer, answer.bytes(self.version).into()));
        }
    }

    /// What the agent reads when it gets so many bytes, and the answers that are whole with them.
    pub fn read(&mut self, limit: usize) -> (Vec<u8>, Vec<Answer>) {
        let (mut bytes, mut answers) = (Vec::new(), Vec::new());
        while let Some((answer, left)) = self.returning.front_mut() {
            let taken = left.len().min(limit - bytes.len());
            bytes.extend(left.drain(..taken));
            if !left.is_empty() {
                break;
            }
            answers.push(*answer);
            self.returning.pop_front();
        }
        (bytes, answers)
    }

    /// Notes that a PUBACK for these has come to the agent.
    pub fn acknowledged(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            let arrival = self.arrivals.get_mut(piece).expect("only what came is acknowledged");
            assert!(arrival.is_accepted, "only what was accepted is acknowledged");
            arrival.is_acknowledged = true;
        }
    }

    /// Whether the broker has taken it, and the agent knows.
    pub fn has_acknowledged(&self, piece: Piece) -> bool {
        self.arrivals.get(&piece).is_some_and(|arrival| arrival.is_accepted && arrival.is_acknowledged)
    }
}
