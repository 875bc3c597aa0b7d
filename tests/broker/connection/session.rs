//! A client after its handshake: packets in, answers and events out, and how it ends.

use std::time::{Duration, Instant};

use crate::event::{Event, Will};
use crate::manners::Silence;
use crate::packet::answer::{self, PINGRESP};
use crate::packet::{Fault, Header, Packet, Version, decode};
use crate::rate::Rate;
use crate::shared::{Order, Shared};
use crate::wire::{Hello, Incoming, Wire};

/// How long the CONNECT may take. `[3] 3.1.4`: "a reasonable amount of time".
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// `[5]` table 3-10.
const DISCONNECT_WITH_WILL: u8 = 0x04;
/// What holds where nothing is said. No publisher needs as much: a length beyond it is a mistake in the length.
pub(super) const PACKET_LEN_MAX: usize = 1 << 20;

/// One connection's state.
pub(super) struct Session<'a> {
    pub(super) shared: &'a Shared,
    pub(super) conn: u64,
    pub(super) wire: Wire,
    pub(super) hello: Hello,
    /// Set by an accepted CONNECT.
    pub(super) client: Option<Client>,
    /// What is to be sent when all of the record is read.
    pub(super) answers: Vec<Answer>,
    /// What is to be sent later, and when.
    pub(super) late: Vec<(Instant, Answer)>,
    /// Packet ids whose PUBACK was not sent.
    pub(super) unacknowledged: Vec<u16>,
    /// Publishes on this connection.
    pub(super) published: u64,
    /// Of those, how often.
    pub(super) rate: Rate,
    /// The current record's number.
    pub(super) record: u64,
    /// The number of the record in which the packet at hand begins.
    pub(super) first_record: u64,
    /// Begins with a packet.
    inbound: Vec<u8>,
    /// When the next packet must have come.
    deadline: Option<Instant>,
}

/// What was agreed upon with an accepted client.
pub(super) struct Client {
    pub(super) version: Version,
    pub(super) id: String,
    pub(super) common_name: String,
    /// One and a half keep-alives; `None` without.
    pub(super) grace: Option<Duration>,
    pub(super) session_expiry_secs: u32,
    pub(super) receive_maximum: usize,
    pub(super) maximum_packet_size: usize,
    pub(super) will: Option<Will>,
}

/// A packet to be sent, and the packet id that is free after it.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) settles: Option<u16>,
}

impl Answer {
    /// One that frees no packet id.
    pub(super) fn plain(bytes: Vec<u8>) -> Self {
        Self { bytes, settles: None }
    }
}

/// Why a connection ends.
pub(super) enum End {
    /// The client closed, or cannot be written to.
    Left { close_notify: bool },
    /// The client sent DISCONNECT; version 5 gives a reason.
    Goodbye { reason: Option<u8> },
    /// The client broke the rules.
    Fault(Fault),
    /// The broker ends it, by DISCONNECT in version 5.
    Dismissed(u8),
    /// The broker closes, politely or without a word in TLS.
    Dropped { close_notify: bool },
    /// The broker resets the TCP connection.
    Reset,
    /// The broker does not answer any more, and waits for the client to close.
    Silent,
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, conn: u64, wire: Wire, hello: Hello) -> Self {
        Self {
            shared,
            conn,
            wire,
            hello,
            client: None,
            answers: Vec::new(),
            late: Vec::new(),
            unacknowledged: Vec::new(),
            published: 0,
            rate: Rate::default(),
            record: 0,
            first_record: 0,
            inbound: Vec::new(),
            deadline: Some(Instant::now() + CONNECT_LIMIT),
        }
    }

    /// Serves record by record, until there is a reason to end.
    pub(super) fn run(&mut self) -> End {
        loop {
            if let Err(end) = self.serve_record() {
                return end;
            }
        }
    }

    fn serve_record(&mut self) -> Result<(), End> {
        let until = self.late.iter().map(|&(due, _)| due).chain(self.deadline).min();
        match self.wire.read(until) {
            Incoming::Data(data) => {
                self.record += 1;
                if self.inbound.is_empty() {
                    self.first_record = self.record;
                }
                self.inbound.extend(data);
                while self.serve_packet()? {
                    self.first_record = self.record;
                }
                self.send_what_is_due()
            }
            Incoming::Nothing if until != self.deadline => self.send_what_is_due(),
            Incoming::Closed { close_notify } => Err(match self.shared.order(self.conn) {
                Some(Order::Disconnect(reason)) => End::Dismissed(reason),
                Some(Order::Vanish) | None => End::Left { close_notify },
            }),
            Incoming::Nothing => Err(self.late().into()),
            Incoming::Broken(why) => Err(Fault::protocol(format!("TLS: {why}")).into()),
        }
    }

    /// Serves the packet at the head of what came in; false: it is not complete.
    fn serve_packet(&mut self) -> Result<bool, End> {
        let Some(header) = Header::read(&self.inbound)? else {
            return Ok(false);
        };
        let client = self.client.as_ref();
        let len_max = client.map_or(PACKET_LEN_MAX, |client| client.maximum_packet_size);
        if header.end > len_max {
            let what = format!("a packet of {} bytes, {len_max} are allowed", header.end);
            return Err(Fault::new(0x95, what).into());
        }
        let Some(body) = self.inbound.get(header.body..header.end) else {
            return Ok(false);
        };
        let packet = decode(header.first, body, client.map(|client| client.version))?;
        self.inbound.drain(..header.end);
        match packet {
            Packet::Connect(connect) => self.connect(&connect)?,
            Packet::Publish(publish) => self.publish(publish)?,
            Packet::PingReq => self.ping(),
            Packet::Disconnect { reason, session_expiry_secs } => {
                return Err(self.goodbye(reason, session_expiry_secs));
            }
        }
        let grace = self.client.as_ref().and_then(|client| client.grace);
        self.deadline = grace.map(|grace| Instant::now() + grace);
        Ok(true)
    }

    fn ping(&mut self) {
        self.shared.log.push(Event::Ping { conn: self.conn, at: Instant::now() });
        if !self.shared.manners(|manners| manners.ignore_pings) {
            self.answers.push(Answer::plain(PINGRESP.to_vec()));
        }
    }

    fn goodbye(&self, reason: u8, session_expiry_secs: Option<u32>) -> End {
        let client = self.client.as_ref().expect("CONNECT came first");
        let prolongs = session_expiry_secs.is_some_and(|secs| secs > 0);
        if prolongs && client.session_expiry_secs == 0 {
            // [5] 3.14.2.2.2
            return Fault::protocol("DISCONNECT prolongs a session that CONNECT let end").into();
        }
        End::Goodbye { reason: (client.version == Version::V5).then_some(reason) }
    }

    /// `[MQTT-3.1.2-24]`, `[5]` `[MQTT-3.1.2-22]`.
    fn late(&self) -> Fault {
        let grace = self.client.as_ref().and_then(|client| client.grace);
        let what = match grace {
            Some(grace) => format!("no packet within {grace:?}, one and a half keep-alives"),
            None => format!("no CONNECT within {CONNECT_LIMIT:?}"),
        };
        Fault::new(0x8d, what)
    }

    /// Sends all answers, and the late ones whose time has come.
    fn send_what_is_due(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let mut due: Vec<_> = self.late.extract_if(.., |&mut (due, _)| due <= now).collect();
        due.sort_by_key(|&(due, _)| due);
        self.answers.extend(due.into_iter().map(|(_, answer)| answer));
        self.send_answers()
    }

    /// Sends all answers in one write, or drops them where the broker is silent.
    pub(super) fn send_answers(&mut self) -> Result<(), End> {
        let (trickle, silence) = self.shared.manners(|manners| (manners.trickle, manners.silence));
        if silence == Silence::AfterConnack && self.client.is_some() {
            self.answers.clear();
        }
        if self.answers.is_empty() {
            return Ok(());
        }
        self.wire.trickle = trickle;
        let mut bytes = Vec::new();
        for answer in self.answers.drain(..) {
            bytes.extend(answer.bytes);
            self.unacknowledged.retain(|&id| Some(id) != answer.settles);
        }
        self.wire.write(&bytes).map_err(|_| End::Left { close_notify: false })
    }

    /// Ends the connection as `end` wants it, and says so.
    pub(super) fn finish(mut self, end: End) {
        match end {
            End::Left { close_notify } => self.over(false, None, close_notify),
            End::Silent => {
                let (_, close_notify) = self.wire.discard(None);
                self.over(false, None, close_notify);
            }
            End::Goodbye { reason } => {
                let (surplus, close_notify) = self.wire.linger();
                let surplus = surplus + self.inbound.len();
                if surplus > 0 {
                    // [MQTT-3.14.4-2]
                    self.violation(format!("{surplus} bytes after DISCONNECT"));
                }
                self.over(true, reason, close_notify);
            }
            End::Fault(fault) => {
                self.violation(fault.what);
                self.part(Some(fault.reason), true);
            }
            End::Dismissed(reason) => {
                let v5 = self.version() == Some(Version::V5);
                self.part(Some(reason), v5);
            }
            End::Dropped { close_notify } => self.part(None, close_notify),
            End::Reset => {
                // Where the client has gone meanwhile, nobody is left to be reset.
                let _ = self.send_answers();
                self.over(false, None, false);
                self.wire.reset_on_close();
            }
        }
    }

    /// Sends what is left to say, and closes. The event comes first: the client may take its time.
    fn part(&mut self, reason: Option<u8>, close_notify: bool) {
        if let (Some(reason), Some(Version::V5)) = (reason, self.version()) {
            let long = self.shared.manners(|manners| manners.long_forms);
            self.answers.push(Answer::plain(answer::disconnect(reason, long)));
        }
        // Where the client has gone meanwhile, the connection is over all the same.
        let _ = self.send_answers();
        self.over(false, None, false);
        self.wire.close(close_notify);
    }

    pub(super) fn version(&self) -> Option<Version> {
        self.client.as_ref().map(|client| client.version)
    }

    fn violation(&self, what: String) {
        self.shared.log.push(Event::Violation { conn: self.conn, at: Instant::now(), what });
    }

    fn over(&self, cleanly: bool, reason: Option<u8>, close_notify: bool) {
        // [MQTT-3.1.2-8], [5] [MQTT-3.1.2-8]; version 5 has a goodbye that leaves a will.
        if (!cleanly || reason == Some(DISCONNECT_WITH_WILL))
            && let Some(will) = self.client.as_ref().and_then(|client| client.will.clone())
        {
            self.shared.log.push(Event::Will { conn: self.conn, at: Instant::now(), will });
        }
        self.shared.log.push(Event::Disconnected {
            conn: self.conn,
            at: Instant::now(),
            cleanly,
            reason,
            close_notify,
        });
    }
}
