//! The agent's own health, as metrics that arrive at the broker.

use pivitals_broker::{Issuer, Manners, Published, Validity};
use serde_json::Value;

use crate::house::{House, PATIENCE, hang_up};

const METRICS: &str = "metrics=agent certificate_days";

fn value_of(message: &Published, key: &str) -> Value {
    let value: Value = serde_json::from_slice(&message.payload).unwrap();
    value[key].clone()
}

/// Waits for a sample in which `key` has this value.
fn wait_for(house: &House, key: &str, value: f64) -> Published {
    house
        .broker
        .wait_for(PATIENCE, |event| event.published().filter(|message| value_of(message, key) == value))
}

#[test]
fn reconnects_and_the_latency_of_pubacks_arrive_as_metrics() {
    let house = House::new("health", Manners::default());
    let agent = house.start("run", &[METRICS, "format=flat"]);
    let first = house.published();
    assert_eq!(value_of(&first, "agent_puback_milliseconds"), Value::Null, "nothing was acknowledged yet");
    for key in ["agent_samples_dropped", "agent_reconnects", "agent_queue_samples"] {
        assert_eq!(value_of(&first, key), 0.0, "{key}");
    }
    let second = house.published();
    assert!(value_of(&second, "agent_puback_milliseconds").as_f64().unwrap() >= 0.0, "{second}");
    for reconnects in [1.0, 2.0] {
        house.broker.close_connections(Some(0x8b));
        wait_for(&house, "agent_reconnects", reconnects);
    }
    house.end(agent);
}

#[test]
fn what_an_outage_has_left_in_the_queue_and_dropped_from_it_arrives_as_metrics() {
    let mut house = House::new("dropped", Manners::default());
    let mut agent = house.start("run", &[METRICS, "format=flat", "queue=3"]);
    house.published();
    house.broker.stop();
    agent.wait_for_line("the queue of 3 samples is full", PATIENCE);
    house.broker.restart();
    hang_up(&mut agent);
    let line = agent.wait_for_line("samples were dropped, because the queue was full", PATIENCE);
    let dropped: f64 = line.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!(dropped >= 1.0, "{line}");
    // Taken when the queue was full, and when it was empty again.
    wait_for(&house, "agent_queue_samples", 3.0);
    let after = wait_for(&house, "agent_queue_samples", 0.0);
    assert_eq!(value_of(&after, "agent_samples_dropped"), dropped, "{after}");
    house.end(agent);
}

#[test]
fn the_days_that_the_certificate_has_left_arrive_as_a_metric() {
    for days in [3, 400] {
        let house = House::new("days-left", Manners::default());
        let device = house.pki.device_with("other", Validity::DaysLeft(days), Issuer::Ours);
        let certs = format!("certs={}", device.dir.display());
        // Whoever runs it every minute does not want to be told every minute.
        assert_eq!(house.once(&["metrics=certificate_days", "format=flat", &certs]), (0, vec![]));
        assert_eq!(value_of(&house.published(), "certificate_days"), f64::from(days));
    }
}
