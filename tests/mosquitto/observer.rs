//! A subscriber to everything: MQTT 3.1.1 without TLS, by hand.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use crate::PATIENCE;

const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBACK: u8 = 0x90;
const PINGRESP: u8 = 0xd0;

/// `#`, quality of service 1, packet id 1.
const SUBSCRIBE: [u8; 8] = [0x82, 6, 0, 1, 0, 1, b'#', 1];
const PINGREQ: [u8; 2] = [0xc0, 0];

/// A message that was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub payload: String,
    pub qos: u8,
    /// The broker may have sent it to this observer before.
    pub is_repeated: bool,
    /// The broker had kept it when this observer subscribed.
    pub is_retained: bool,
}

/// A subscription to `#` with quality of service 1.
#[derive(Debug)]
pub struct Observer {
    stream: TcpStream,
}

impl Observer {
    /// Subscribes for as long as the connection lasts.
    pub fn new(plain_port: u16) -> Self {
        let (mut observer, _) = Self::connect(plain_port, true);
        observer.subscribe();
        observer
    }

    /// Subscribes for good: the broker keeps the messages that come while this observer is away.
    pub fn lasting(plain_port: u16) -> Self {
        let (mut observer, is_known) = Self::connect(plain_port, false);
        assert!(!is_known, "a new broker knows no session");
        observer.subscribe();
        observer
    }

    /// Goes on with the subscription of [`lasting`](Self::lasting).
    pub fn again(plain_port: u16) -> Self {
        let (observer, is_known) = Self::connect(plain_port, false);
        assert!(is_known, "the broker has forgotten the session, so messages may be lost");
        observer
    }

    /// Connects, and tells whether the broker had kept a session.
    fn connect(plain_port: u16, clean_session: bool) -> (Self, bool) {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, plain_port)).expect("mosquitto listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        let mut observer = Self { stream };
        let flags = if clean_session { 2 } else { 0 };
        // Protocol MQTT, level 4; no keep-alive; client id `observer`.
        observer.send(&[&b"\x10\x14\0\x04MQTT\x04"[..], &[flags], &b"\0\0\0\x08observer"[..]].concat());
        match observer.packet() {
            Some((CONNACK, body)) if matches!(body[..], [_, 0]) => (observer, body[0] == 1),
            other => panic!("mosquitto refuses the observer: {other:?}"),
        }
    }

    fn subscribe(&mut self) {
        self.send(&SUBSCRIBE);
        assert_eq!(self.packet(), Some((SUBACK, vec![0, 1, 1])));
    }

    /// Waits for the next message.
    pub fn message(&mut self) -> Message {
        self.message_or_end().expect("the broker stays")
    }

    /// All that is there to be had, once nothing more is published.
    pub fn rest(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            // The broker sends what it has room for in flight, more on each acknowledgement, and the
            // answer to this after that: without a message before it, there is none.
            self.send(&PINGREQ);
            let before = messages.len();
            loop {
                match self.packet() {
                    Some((PINGRESP, _)) => break,
                    packet => messages.push(self.take(packet.expect("the broker stays"))),
                }
            }
            if messages.len() == before {
                return messages;
            }
        }
    }

    /// All that comes until the broker closes the connection.
    pub fn until_closed(mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.message_or_end()).collect()
    }

    fn message_or_end(&mut self) -> Option<Message> {
        let packet = self.packet()?;
        Some(self.take(packet))
    }

    /// A message, acknowledged.
    fn take(&mut self, (first, body): (u8, Vec<u8>)) -> Message {
        assert_eq!(first & 0xf0, PUBLISH, "not a message: {first:#04x} {body:02x?}");
        let qos = first >> 1 & 3;
        let (length, rest) = body.split_first_chunk().expect("the topic's length");
        let (topic, mut rest) = rest.split_at(u16::from_be_bytes(*length).into());
        if qos > 0 {
            let (id, payload) = rest.split_first_chunk::<2>().expect("a packet id");
            self.send(&[0x40, 2, id[0], id[1]]);
            rest = payload;
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let (is_repeated, is_retained) = (first & 8 != 0, first & 1 != 0);
        Message { topic: text(topic), payload: text(rest), qos, is_repeated, is_retained }
    }

    fn send(&mut self, bytes: &[u8]) {
        match self.stream.write_all(bytes) {
            // A broker that has closed is noticed when it is read from.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            result => result.expect("the observer's connection"),
        }
    }

    /// The next packet's first byte and its body; `None` where the connection ends before it.
    fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.byte()?;
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.fill(&mut body).then_some((first, body))
    }

    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.fill(&mut byte).then_some(byte[0])
    }

    fn fill(&mut self, buffer: &mut [u8]) -> bool {
        match self.stream.read_exact(buffer) {
            Ok(()) => true,
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                false
            }
            Err(error) => panic!("nothing was delivered in {PATIENCE:?}: {error}"),
        }
    }
}
