//! The way to the broker.

use pivitals_broker::{Event, Manners};

use crate::house::{House, PATIENCE, STEPS};

#[test]
fn a_healthy_device_is_well_in_every_step() {
    let house = House::new("well", Manners::default());
    let examination = house.examine(&[]);
    println!("{}", examination.text);
    assert_eq!(examination.code, 0, "{}", examination.text);
    assert_eq!(examination.steps(), STEPS);
    for step in STEPS {
        examination.is_ok(step);
    }
    for step in ["dns", "tcp", "tls", "connect", "puback", "client-id"] {
        assert!(examination.is_ok(step).millis.is_some(), "{}", examination.text);
    }
    assert!(examination.is_ok("dns").found.starts_with("localhost is "));
    assert_eq!(examination.is_ok("tcp").found, format!("127.0.0.1:{}", house.broker.port()));
    assert_eq!(examination.is_ok("tls").found, "TLS 1.3");
    assert_eq!(examination.is_ok("connect").found, "MQTT 5, client id pi-7");
    assert_eq!(examination.is_ok("publish").found, "pivitals/pi-7/metrics: 4 messages acknowledged");
    // What is published is what `once` would publish, and the goodbye is a good one.
    let names = [(); 4].map(|()| house.broker.wait_for(PATIENCE, Event::published).text().to_owned());
    assert!(names[3].contains("\"cpu temperature (pi-7)\",\"unit\":\"None\",\"value\":48.3"), "{names:?}");
    let goodbye = |event| match event {
        Event::Disconnected { cleanly, .. } => Some(cleanly),
        _ => None,
    };
    assert!(house.broker.wait_for(PATIENCE, goodbye));
    assert_eq!(house.broker.violations(), Vec::<String>::new());
}
