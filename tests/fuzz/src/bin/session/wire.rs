//! MQTT, read by hand: nothing of what is tested is used for it.

use pivitals::mqtt::Version;

/// Messages go there, by turns; one byte long.
pub const TOPICS: [&str; 2] = ["t", "u"];

/// What a broker says to a session that goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// CONNACK.
    Accepted,
    /// PUBACK of that packet id.
    Taken(u16),
    /// PUBACK of that packet id, with a reason why not.
    Refused(u16, u8),
    /// PINGRESP.
    Alive,
}

/// What the broker has sent.
pub struct Inbound {
    version: Version,
    bytes: Vec<u8>,
}

impl Inbound {
    pub fn new(version: Version) -> Self {
        Self { version, bytes: Vec::new() }
    }

    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next answer among the packets that are whole.
    pub fn next_answer(&mut self) -> Option<Answer> {
        loop {
            let (kind, body, rest) = packet(&self.bytes)?;
            let answer = match (kind, body) {
                (0x20, &[_, 0, ..]) => Some(Answer::Accepted),
                (0x40, &[high, low, reason, ..]) if reason >= 0x80 && self.version == Version::V5 => {
                    Some(Answer::Refused(u16::from_be_bytes([high, low]), reason))
                }
                (0x40, &[high, low, ..]) => Some(Answer::Taken(u16::from_be_bytes([high, low]))),
                (0xd0, []) => Some(Answer::Alive),
                _ => panic!("a packet of kind {kind:#x} ends the session: {body:x?}"),
            };
            self.bytes = rest.to_vec();
            if answer.is_some() {
                return answer;
            }
        }
    }
}

/// The first byte, the body, and what follows the packet that `bytes` begin with, if it is whole.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut body_len = 0;
    for shift in [0, 7, 14, 21] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        body_len |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            let (body, rest) = rest.split_at_checked(body_len)?;
            return Some((first, body, rest));
        }
    }
    panic!("a length of more than four bytes ends the session")
}

/// What a session sends.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    Connect,
    Publish(u16),
    Ping,
}

/// The packets in what a session sent.
pub fn packets(version: Version, mut sent: &[u8]) -> Vec<Sent> {
    let mut packets = Vec::new();
    while let Some((first, body, rest)) = packet(sent) {
        sent = rest;
        packets.push(match (first, body) {
            (0x32, &[0, 1, b't' | b'u', high, low, ref payload @ ..]) => {
                let payload = if version == Version::V5 { payload.strip_prefix(&[0]) } else { Some(payload) };
                assert!(payload.expect("no properties").iter().all(|&byte| byte == b'x'));
                Sent::Publish(u16::from_be_bytes([high, low]))
            }
            (0x10, _) => Sent::Connect,
            (0xc0, []) => Sent::Ping,
            _ => panic!("a packet of kind {first:#x} is sent: {body:x?}"),
        });
    }
    assert!(sent.is_empty(), "whole packets are sent");
    packets
}
