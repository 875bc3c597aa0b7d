//! MQTT and JSON, read and written by hand: nothing of what is tested is used for it.

use pivitals::message::payload::Format;
use pivitals::mqtt::Version;
use serde_json::Value;

/// With a topic a metric where a message is of one.
pub const fn topic(format: Format) -> &'static str {
    match format {
        Format::Rule => "vitals/{metric}",
        _ => "vitals/pi-7",
    }
}

pub const LABEL: &str = "pi-7";

/// One reading of one sample, or in `emf` all of them: the sample's number, and the part.
pub type Piece = (u32, usize);

/// A packet from the agent.
#[derive(Debug)]
pub enum Packet {
    Connect,
    Publish { topic: String, id: u16, payload: Vec<u8> },
    PingReq,
}

/// What the broker can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    ConnAck { receive_maximum: u16 },
    PubAck { id: u16, form: usize },
    Refusal { id: u16, reason: u8 },
    PingResp,
    Disconnect { reason: u8 },
    Nonsense,
    Close,
}

/// The packets in `bytes`, which are whole, with their lengths.
pub fn packets(version: Version, mut bytes: &[u8]) -> Vec<(usize, Packet)> {
    let mut packets = Vec::new();
    while let Some((&first, rest)) = bytes.split_first() {
        let (body_len, rest) = variable_length(rest);
        let (body, rest) = rest.split_at_checked(body_len).expect("a whole packet");
        packets.push((bytes.len() - rest.len(), packet(version, first, body)));
        bytes = rest;
    }
    packets
}

fn packet(version: Version, first: u8, body: &[u8]) -> Packet {
    match first {
        0x10 => Packet::Connect,
        0xc0 => Packet::PingReq,
        0x30..0x40 => {
            assert_eq!(first & 0b1000, 0, "DUP is never set: it would be a lie on a new connection");
            assert_eq!(first & 0b0111, 0b0010, "quality of service 1, not retained");
            let (&length, body) = body.split_first_chunk().expect("the topic's length");
            let (topic, body) = body.split_at_checked(u16::from_be_bytes(length).into()).expect("the topic");
            let (&id, body) = body.split_first_chunk().expect("the packet id");
            let payload = match version {
                Version::V3 => body,
                Version::V5 => body.strip_prefix(&[0]).expect("no properties"),
            };
            let topic = String::from_utf8(topic.to_vec()).expect("UTF-8");
            Packet::Publish { topic, id: u16::from_be_bytes(id), payload: payload.to_vec() }
        }
        other => panic!("a packet of kind {other:#x}"),
    }
}

fn variable_length(bytes: &[u8]) -> (usize, &[u8]) {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).expect("a length's end");
    let length = bytes[..=end].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
    (length, &bytes[end + 1..])
}

impl Answer {
    /// The answer's bytes, in one of the forms that are legal.
    pub fn bytes(self, version: Version) -> Vec<u8> {
        match (self, version) {
            (Self::ConnAck { .. }, Version::V3) => vec![0x20, 2, 0, 0],
            (Self::ConnAck { receive_maximum }, Version::V5) => {
                let [high, low] = receive_maximum.to_be_bytes();
                vec![0x20, 6, 0, 0, 3, 0x21, high, low]
            }
            (Self::PubAck { id, form }, _) => {
                let [high, low] = id.to_be_bytes();
                match form % 4 {
                    0 if version == Version::V5 => vec![0x40, 3, high, low, 0],
                    1 if version == Version::V5 => vec![0x40, 4, high, low, 0, 0],
                    2 if version == Version::V5 => vec![0x40, 3, high, low, 0x10], // no subscribers
                    _ => vec![0x40, 2, high, low],
                }
            }
            (Self::Refusal { id, reason }, _) => {
                let [high, low] = id.to_be_bytes();
                vec![0x40, 3, high, low, reason]
            }
            (Self::PingResp, _) => vec![0xd0, 0],
            (Self::Disconnect { reason }, _) => vec![0xe0, 1, reason],
            (Self::Nonsense, _) => vec![0xf0],
            (Self::Close, _) => vec![],
        }
    }
}

/// What a payload says of a sample.
#[derive(Debug)]
pub struct Document {
    pub number: u32,
    /// Which of the readings are in it, in their order.
    pub readings: Vec<usize>,
    /// Since 1970: seconds in `rule`, milliseconds in `emf`.
    pub timestamp: u64,
}

/// The names of the four series of the tests.
const RULE_NAMES: [&str; 4] =
    ["cpu usage (pi-7)", "memory usage (pi-7)", "disk usage / (pi-7)", "cpu temperature (pi-7)"];
const EMF_NAMES: [&str; 4] = ["cpu_usage", "memory_used", "disk_usage", "cpu_temperature"];

pub fn documents(format: Format, payload: &[u8]) -> Vec<Document> {
    let message: Value = serde_json::from_slice(payload).expect("JSON");
    if format == Format::Rule {
        let name = message["name"].as_str().expect("a name");
        let reading = RULE_NAMES.iter().position(|known| *known == name).expect("a known name");
        let number = sample_of(&message["value"], reading);
        let timestamp = message["timestamp"].as_u64().expect("a time");
        return vec![Document { number, readings: vec![reading], timestamp }];
    }
    message["batch"].as_array().expect("a batch").iter().map(event).collect()
}

fn event(event: &Value) -> Document {
    let message: Value = serde_json::from_str(event["message"].as_str().expect("text")).expect("JSON");
    let timestamp = event["timestamp"].as_u64().expect("a time");
    assert_eq!(message["_aws"]["Timestamp"].as_u64(), Some(timestamp), "one event, one time");
    let readings: Vec<_> = (0..4).filter(|&reading| !message[EMF_NAMES[reading]].is_null()).collect();
    let numbers = readings.iter().map(|&reading| sample_of(&message[EMF_NAMES[reading]], reading));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 1, "an event is of one sample: {message}");
    Document { number: numbers[0], readings, timestamp }
}

/// Sample 7's reading 2 has the value 7.2.
pub fn value(number: u32, reading: u8) -> f64 {
    f64::from(number) + f64::from(reading) / 10.0
}

fn sample_of(value: &Value, reading: usize) -> u32 {
    let text = value.to_string();
    let (number, tenth) = text.split_once('.').expect("one decimal");
    assert_eq!(tenth.parse(), Ok(reading), "the value {value} is not this reading's");
    number.parse().expect("a sample's number")
}
