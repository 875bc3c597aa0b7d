//! Topics on which the broker does not let this device publish, and how that is found out.
//!
//! MQTT 5 says so, of one message. In 3.1.1 AWS IoT Core closes the connection without a word; the
//! message is then sent again on the next one, which is closed in turn. So after a connection that was
//! closed with a message under way, messages go one at a time, until it is known which of them it is: a
//! line that is merely bad would not break at the same message each time.
//!
//! A denied topic is held: its messages stay in the queue, the others go on. From time to time one
//! message is tried, alone and after all others.

use std::time::Duration;

use crate::backoff::{Backoff, REFUSED_FLOOR};
use crate::clock::BootTime;
use crate::outbox::{Outbox, Parts, Ticket};
use crate::topics::Topics;

/// So often it is no accident.
const TIMES: u32 = 3;

/// What is known of each topic.
#[derive(Debug)]
pub struct Denials {
    topics: Topics,
    /// By the topic's number.
    holds: Vec<Hold>,
    suspect: Option<Suspect>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    /// While it is denied: when it is tried again.
    until: Option<BootTime>,
    backoff: Backoff,
}

/// A message at which the connection was closed, and how many times in a row.
#[derive(Debug, Clone, Copy)]
struct Suspect {
    message: Ticket,
    times: u32,
}

impl Denials {
    /// Nothing is denied yet.
    #[must_use]
    pub fn new(topics: Topics) -> Self {
        let holds = vec![Hold::default(); topics.names().len()];
        Self { topics, holds, suspect: None }
    }

    /// The message to send next: of topics that are tried again after all others, because a trial may
    /// cost the connection, which must not cost what is allowed.
    #[must_use]
    pub fn next_ticket(&self, outbox: &Outbox, now: BootTime) -> Option<Ticket> {
        let held = self.held(now);
        outbox.next_ticket(held.with(self.on_trial(now))).or_else(|| outbox.next_ticket(held))
    }

    /// The parts that are not to be sent now.
    #[must_use]
    pub fn held(&self, now: BootTime) -> Parts {
        self.parts_of(|until| until > now)
    }

    /// The parts of topics that are tried again.
    #[must_use]
    pub fn on_trial(&self, now: BootTime) -> Parts {
        self.parts_of(|until| until <= now)
    }

    /// The parts of denied topics whose end of the wait is such a one.
    fn parts_of(&self, is_such: impl Fn(BootTime) -> bool) -> Parts {
        let denied = self.holds.iter().enumerate().filter(|(_, hold)| hold.until.is_some_and(&is_such));
        denied.fold(Parts::default(), |parts, (topic, _)| parts.with(self.topics.parts(topic)))
    }

    /// How many messages may be under way: one, while of each it has to be known what becomes of it.
    #[must_use]
    pub fn window(&self, now: BootTime) -> usize {
        if self.suspect.is_some() || !self.on_trial(now).is_empty() { 1 } else { usize::MAX }
    }

    /// When a topic that is held is tried again.
    #[must_use]
    pub fn next_trial(&self, now: BootTime) -> BootTime {
        let trials = self.holds.iter().filter_map(|hold| hold.until.filter(|&until| until > now));
        trials.min().unwrap_or(BootTime::NEVER)
    }

    /// Whether a topic is held, or on trial.
    #[must_use]
    pub fn is_denied(&self, topic: usize) -> bool {
        self.holds.get(topic).is_some_and(|hold| hold.until.is_some())
    }

    /// Holds a topic, for `wait` at the least and longer each time. Tells whether it was free before.
    pub fn deny(&mut self, topic: usize, wait: Duration, random: u64, now: BootTime) -> bool {
        self.suspect = None;
        let Some(hold) = self.holds.get_mut(topic) else { return false };
        let was_free = hold.until.is_none();
        hold.until = Some(now + hold.backoff.next(REFUSED_FLOOR, random).max(wait));
        was_free
    }

    /// Notes that the broker has taken a message. Gives its topic, if that was held.
    pub fn acknowledged(&mut self, message: Ticket) -> Option<usize> {
        self.suspect = None;
        let topic = self.topics.of(message.part());
        let hold = self.holds.get_mut(topic).filter(|hold| hold.until.is_some())?;
        *hold = Hold::default();
        Some(topic)
    }

    /// Notes that the connection was closed while `in_flight` messages were not acknowledged, of which
    /// `message` was the first. Gives the topic that is thereby known to be denied, if one is: by a
    /// broker that `says_so`, at once.
    pub fn closed_at(&mut self, message: Ticket, in_flight: usize, says_so: bool) -> Option<usize> {
        let topic = self.topics.of(message.part());
        let times = match self.suspect {
            Some(last) if last.message.begins_like(&message) => last.times.saturating_add(1),
            _ => 1,
        };
        self.suspect = Some(Suspect { message, times });
        let is_known = in_flight == 1 || self.holds.len() == 1;
        (times >= TIMES || is_known && (says_so || self.is_denied(topic))).then_some(topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Metric, Series};
    use crate::sample::{Readings, Sample};

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(secs: u64) -> BootTime {
        BootTime::from_millis(secs * 1000)
    }

    /// Denials on these topics, and the two messages of a sample of cpu and memory.
    fn two(topic: &str) -> (Denials, Ticket, Ticket) {
        let series = [Metric::Cpu, Metric::Memory].map(Series::new);
        let mut outbox = Outbox::new(4);
        outbox.push(&Sample { taken_at: BootTime::default(), readings: Readings::new() }, Parts::of(0..2));
        let mut send = || outbox.next_ticket(Parts::default()).map(|ticket| outbox.sent(ticket, 1));
        let (first, second) = (send().unwrap(), send().unwrap());
        (Denials::new(Topics::new(topic, &series)), first, second)
    }

    #[test]
    fn three_times_at_the_same_message_is_no_accident() {
        let (mut denials, first, second) = two("a/{metric}");
        assert!(denials.window(at(0)) > 1);
        assert_eq!(denials.closed_at(first, 2, false), None);
        assert!(denials.window(at(0)) == 1, "one at a time from here");
        assert_eq!(denials.closed_at(first, 1, false), None);
        assert_eq!(denials.closed_at(second, 1, false), None, "the first was acknowledged meanwhile");
        assert_eq!(denials.closed_at(second, 1, false), None);
        assert_eq!(denials.closed_at(second, 1, false), Some(1));
    }

    #[test]
    fn a_message_that_is_taken_is_suspect_no_more() {
        let (mut denials, first, _) = two("a");
        denials.closed_at(first, 1, false);
        denials.closed_at(first, 1, false);
        assert_eq!(denials.acknowledged(first), None);
        assert!(denials.window(at(0)) > 1);
        assert_eq!(denials.closed_at(first, 1, false), None, "it is counted from one again");
    }

    #[test]
    fn a_broker_that_says_so_is_believed_when_it_is_clear_what_it_means() {
        let (mut denials, first, _) = two("a/{metric}");
        assert_eq!(denials.closed_at(first, 2, true), None, "it may mean either");
        assert_eq!(denials.closed_at(first, 1, true), Some(0));
        let (mut denials, first, _) = two("a");
        assert_eq!(denials.closed_at(first, 2, true), Some(0), "there is but one topic");
    }

    #[test]
    fn a_denied_topic_is_held_and_the_others_are_not() {
        let (mut denials, first, second) = two("a/{metric}");
        assert!(denials.deny(1, MINUTE, 0, at(0)));
        assert_eq!([0, 1, 2].map(|topic| denials.is_denied(topic)), [false, true, false]);
        assert_eq!(denials.held(at(0)), Parts::of([1]));
        assert!(denials.window(at(0)) > 1);
        assert_eq!(denials.next_trial(at(0)), at(60));
        assert_eq!(denials.acknowledged(first), None);
        assert_eq!(denials.held(at(59)), Parts::of([1]));
        assert!(denials.on_trial(at(59)).is_empty());
        // On trial it is sent after all others, with nothing beside it.
        assert!(denials.held(at(60)).is_empty() && denials.window(at(60)) == 1);
        assert_eq!(denials.on_trial(at(60)), Parts::of([1]));
        assert_eq!(denials.acknowledged(second), Some(1));
        assert!(denials.window(at(60)) > 1);
    }

    #[test]
    fn a_topic_that_is_still_denied_is_held_for_longer_each_time() {
        let (mut denials, _, second) = two("a/{metric}");
        denials.deny(1, REFUSED_FLOOR, u64::MAX, at(0));
        let mut now = denials.next_trial(at(0));
        for _ in 0..10 {
            assert_eq!(denials.closed_at(second, 1, false), Some(1), "once is enough on trial");
            assert!(!denials.deny(1, REFUSED_FLOOR, 0, now), "it was held before");
            let next = denials.next_trial(now);
            assert!(next.since(now) >= REFUSED_FLOOR);
            now = next;
        }
        let waits = (0..300_000).map(|random| { denials.holds[1] }.backoff.next(REFUSED_FLOOR, random));
        assert!(waits.max().unwrap() > 4 * MINUTE);
    }
}
