//! `pivitals run`: a sample each interval, on one connection, until SIGTERM.

use crate::device::{House, TOPIC};
use crate::observer::{Message, Observer};
use crate::payload::{self, Reading};
use crate::pki::KeyKind;
use crate::{PATIENCE, tools};

/// Enough to see that they go on.
const SAMPLES: usize = 6;

#[test]
fn run_delivers_a_sample_each_second_on_one_connection_and_says_goodbye_on_sigterm() {
    if !tools::are_here() {
        return;
    }
    let mut house = House::new("run", "");
    let device = house.device(KeyKind::RsaPkcs1);
    let mut observer = Observer::new(house.mosquitto.plain_port);
    let mut agent = device.start("run", house.mosquitto.port, &["interval=1"]);
    let mut messages: Vec<Message> =
        std::iter::repeat_with(|| observer.message()).take(SAMPLES * payload::MESSAGES).collect();

    agent.signal("TERM");
    let (status, lines) = agent.wait(PATIENCE);
    assert_eq!(status.code(), Some(0), "{lines:#?}");
    house.mosquitto.wait_for("Received DISCONNECT from pi-7", PATIENCE);
    house.mosquitto.wait_for("Client pi-7 disconnected.", PATIENCE);
    messages.extend(observer.rest());

    let readings: Vec<_> = messages.iter().map(|message| payload::read(&message.payload)).collect();
    let samples: Vec<_> = readings.chunks(payload::MESSAGES).collect();
    for sample in &samples {
        let timestamp = sample[0].timestamp;
        let whole = (0..payload::MESSAGES).map(|series| Reading { timestamp, series });
        assert!(sample.iter().copied().eq(whole), "not a whole sample: {sample:?}");
    }
    let timestamps: Vec<_> = samples.iter().map(|sample| sample[0].timestamp).collect();
    // The first sample comes a second after the start, before the grid that all others are on.
    assert!(matches!(timestamps[1] - timestamps[0], 1 | 2), "{timestamps:?}");
    assert!(timestamps[1..].windows(2).all(|pair| pair[1] == pair[0] + 1), "{timestamps:?}");
    assert!(messages.iter().all(|message| message.topic == TOPIC && message.qos == 1), "{messages:#?}");

    let log = house.mosquitto.stop();
    let count = |part: &str| log.iter().filter(|line| line.contains(part)).count();
    assert_eq!(count(" as pi-7 ("), 1, "one connection: {log:#?}");
    assert_eq!(count("Received PUBLISH from pi-7 (d0, q1, r0, "), messages.len(), "{log:#?}");
}
