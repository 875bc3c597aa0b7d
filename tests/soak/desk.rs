//! Where the broker's acknowledgements come from, and the account of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pivitals_broker::{Manners, PubackManner, Published};

/// The metrics of the samples, in the order in which they are measured.
pub const METRICS: [&str; 4] = ["memory", "temperature", "disk", "certificate_days"];

/// The account, shared with the broker's threads.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<Account>>);

#[derive(Default)]
pub struct Account {
    /// How the next publishes are answered; those after them with PUBACK.
    pub manners: VecDeque<PubackManner>,
    /// The broker sends nothing.
    pub is_silent: bool,
    /// By second, and in it by metric.
    samples: BTreeMap<u64, [Message; METRICS.len()]>,
    /// Samples of which each message was acknowledged.
    pub complete: u64,
    /// The last publish: its connection, and its TLS record on that.
    pub last: (u64, u64),
    /// What must not be.
    pub breaches: Vec<String>,
}

/// A message of a sample.
#[derive(Clone, Default)]
struct Message {
    payload: Option<Vec<u8>>,
    /// The connection on which it was acknowledged last.
    acknowledged: Option<u64>,
}

impl Desk {
    pub fn account(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Good manners, but for the answers that come from here.
    pub fn manners(&self) -> Manners {
        let desk = self.clone();
        let publish = Box::new(move |published: &Published| desk.account().answer(published));
        Manners { publish, ..Manners::default() }
    }
}

impl Account {
    /// Samples that have begun to arrive.
    pub fn seen(&self) -> u64 {
        self.samples.len() as u64
    }

    /// The samples that are not complete, with what was acknowledged of them.
    pub fn incomplete(&self) -> Vec<String> {
        let incomplete = self.samples.iter().filter(|(_, messages)| !is_complete(messages));
        let list = |messages: &[Message; METRICS.len()]| -> Vec<&str> {
            let taken = METRICS.iter().zip(messages).filter(|(_, message)| message.acknowledged.is_some());
            taken.map(|(&metric, _)| metric).collect()
        };
        incomplete.map(|(second, messages)| format!("{second}: only {:?}", list(messages))).collect()
    }

    fn answer(&mut self, published: &Published) -> PubackManner {
        let manner = self.manners.pop_front().unwrap_or_default();
        self.last = (published.conn, published.record);
        let metric = published.topic.rsplit('/').next();
        let part = METRICS.iter().position(|&name| Some(name) == metric);
        let value: Option<serde_json::Value> = serde_json::from_slice(&published.payload).ok();
        let second = value.and_then(|value| value["timestamp"].as_u64());
        let (Some(part), Some(second)) = (part, second) else {
            self.breaches.push(format!("expected a metric and its time, got {published}"));
            return manner;
        };
        let messages = self.samples.entry(second).or_default();
        let was_complete = is_complete(messages);
        let message = &mut messages[part];
        if message.acknowledged == Some(published.conn) {
            self.breaches
                .push(format!("sent again on the connection that it was acknowledged on: {published}"));
        }
        match &message.payload {
            Some(first) if *first != published.payload => {
                let first = String::from_utf8_lossy(first);
                self.breaches.push(format!("sent before as {first}: {published}"));
            }
            _ => message.payload = Some(published.payload.clone()),
        }
        if is_acknowledgement(manner) && !self.is_silent {
            message.acknowledged = Some(published.conn);
        }
        self.complete += u64::from(!was_complete && is_complete(messages));
        manner
    }
}

fn is_complete(messages: &[Message; METRICS.len()]) -> bool {
    messages.iter().all(|message| message.acknowledged.is_some())
}

fn is_acknowledgement(manner: PubackManner) -> bool {
    matches!(
        manner,
        PubackManner::Acknowledge
            | PubackManner::First
            | PubackManner::Twice
            | PubackManner::ForeignFirst
            | PubackManner::Late(_)
    )
}
