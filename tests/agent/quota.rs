//! A broker whose quota is below the pace: the agent slows down, and the backlog arrives.

use std::fs;
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pivitals_broker::{Manners, PubackManner, ThrottledPublish};

use crate::house::{House, PATIENCE, for_each, hang_up, timestamp};

/// The silent broker costs two times 30 seconds, in which a PUBACK is waited for in vain, and two reconnects.
const QUOTA_PATIENCE: Duration = Duration::from_secs(240);
/// In the backlog, each of eleven messages or more.
const SAMPLES: usize = 20;

#[test]
fn backlog_arrives_with_a_quota_below_the_pace() {
    // The silent one has a higher quota, so that the pace halves twice and not three times.
    let cases =
        [(ThrottledPublish::Puback, 10), (ThrottledPublish::Disconnect, 10), (ThrottledPublish::Silence, 30)];
    for_each(cases, |(throttled_publish, quota)| {
        // The broker stands still at the first message, and reads on when `go_on` is dropped.
        let (go_on, blocked) = channel::<()>();
        let manners = Manners {
            publishes_per_second: Some(quota),
            throttled_publish,
            publish: Box::new(move |_| {
                blocked.recv().unwrap_err();
                PubackManner::Acknowledge
            }),
            ..Manners::default()
        };
        let house = House::new("quota", manners);
        for mount in ["a", "b", "c"] {
            fs::create_dir(house.board.root().join(mount)).unwrap();
        }
        house.configure(&format!("queue = {SAMPLES}\n"));
        let metrics = "metrics=cpu memory disk temperature agent certificate_days";
        let mut agent = house.start("run", &["mqtt=5", metrics, "disk=/ /a /b /c"]);
        agent.wait_for_line(&format!("the queue of {SAMPLES} samples is full"), PATIENCE);
        // From here on 1.5 messages a second, which every quota allows, and none is dropped.
        house.configure("queue = 1000\n");
        let config = fs::read_to_string(house.config()).unwrap();
        fs::write(house.config(), config.replace("interval = 1\n", "interval = 8\n")).unwrap();
        hang_up(&mut agent);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        drop(go_on);
        // The oldest go first: the backlog has arrived when a sample arrives that is taken from now on.
        house.broker.wait_for(QUOTA_PATIENCE, |event| {
            event.published().filter(|message| message.allowed && timestamp(message) > now)
        });
        agent.signal("TERM");
        let (status, lines) = agent.wait(PATIENCE);
        assert_eq!(status.code(), Some(0), "{throttled_publish:?}: {lines:#?}");
        let (taken, throttled) = (house.taken().len(), house.throttled());
        assert!(taken > (SAMPLES - 1) * 11, "{throttled_publish:?}: {taken}: {lines:#?}");
        // At the full pace it is 70 a second.
        assert!(throttled < 60, "{throttled_publish:?}: {throttled} publishes above the quota");
        assert_eq!(house.broker.violations(), Vec::<String>::new());
    });
}
