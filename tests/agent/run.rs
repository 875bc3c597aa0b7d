//! Normal work, and its end.

use std::fs;

use pivitals_broker::{Manners, PubackManner};

use crate::house::{House, PATIENCE, timestamp};

#[test]
fn run_publishes_every_second_on_one_connection() {
    let house = House::new("run", Manners::default());
    let agent = house.start("run", &[]);
    let messages: Vec<_> = (0..24).map(|_| house.published()).collect();
    let mut times: Vec<_> = messages.iter().map(timestamp).collect();
    times.dedup();
    assert_eq!(times.len(), 6);
    // The first sample comes a second after the start, the others on the grid.
    assert!(times.windows(2).skip(1).all(|pair| pair[1] == pair[0] + 1), "{times:?}");
    assert!(messages.iter().all(|message| message.conn == messages[0].conn));
    house.end(agent);
}

#[test]
fn a_sensor_that_goes_and_comes_back_is_told_once_each() {
    let house = House::new("sensor", Manners::default());
    let temp = house.board.sensor();
    let mut agent = house.start("run", &["metrics=temperature cpu"]);
    house.published();
    fs::write(&temp, "too hot\n").unwrap();
    agent.wait_for_line("temperature: no reading: its source says something unexpected", PATIENCE);
    fs::write(&temp, "50000\n").unwrap();
    agent.wait_for_line("temperature: the reading is back", PATIENCE);
    let lines = house.end(agent);
    assert_eq!(lines.iter().filter(|line| line.contains("temperature")).count(), 2, "{lines:#?}");
}

#[test]
fn a_terminated_agent_ends_cleanly_whatever_it_is_doing() {
    let mut house = House::new("term", Manners::default());
    house.broker.stop();
    let mut agent = house.start("run", &[]);
    agent.wait_for_line("next attempt in", PATIENCE);
    agent.signal("INT");
    assert_eq!(agent.wait(PATIENCE).0.code(), Some(0));
    house.broker.restart();
    house.broker.set_manners(|manners| manners.publish = Box::new(|_| PubackManner::Silence));
    let agent = house.start("run", &[]);
    house.published();
    let lines = house.end(agent);
    assert!(
        lines.iter().any(|line| line.contains("stopped; ") && line.contains("undelivered")),
        "{lines:#?}"
    );
}
