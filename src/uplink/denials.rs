//! Topics on which the broker does not let this device publish, and how that is found out.
//!
//! MQTT 5 says so, of one message. In 3.1.1 AWS IoT Core closes the connection without a word; the
//! message is then sent again on the next one, which is closed in turn. So after a connection that was
//! closed with a message under way, messages go one at a time, until it is known which of them it is: a
//! line that is merely bad would not break at the same message each time.
//!
//! A denied topic is held: its messages stay in the queue, the others go on. From time to time one
//! message is tried, alone and after all others, because the trial may cost the connection.

use crate::message::topics::Topics;
use crate::platform::clock::BootTime;
use crate::queue::outbox::{Outbox, Parts, Ticket};
use crate::uplink::backoff::{Backoff, REFUSED_FLOOR};

/// So often it is no accident.
const TIMES: u32 = 3;

/// What is known of each topic.
#[derive(Debug)]
pub struct Denials {
    topics: Topics,
    /// By the topic's number.
    holds: Vec<Hold>,
    suspect: Option<Suspect>,
    /// The topic of which a message is under way for a trial.
    trial: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    /// While it is denied: when it is tried again.
    until: Option<BootTime>,
    backoff: Backoff,
}

/// A topic at whose oldest message the connection was closed, and how many times in a row. Until a message
/// of the topic is taken, that is the same one, or its successor where the full queue has dropped it.
#[derive(Debug, Clone, Copy)]
struct Suspect {
    topic: usize,
    times: u32,
}

impl Denials {
    /// Nothing is denied yet.
    #[must_use]
    pub fn new(topics: Topics) -> Self {
        let holds = vec![Hold::default(); topics.names().len()];
        Self { topics, holds, suspect: None, trial: None }
    }

    /// The message to send next, while `in_flight` others are not answered.
    #[must_use]
    pub fn next_ticket(&self, outbox: &Outbox, in_flight: usize, now: BootTime) -> Option<Ticket> {
        // Of one that is suspect, or tried, it has to be known what becomes of it.
        if in_flight > 0 && (self.suspect.is_some() || self.trial.is_some()) {
            return None;
        }
        let held = self.held(now);
        let allowed = outbox.next_ticket(held.with(self.on_trial(now)));
        if allowed.is_some() || in_flight > 0 { allowed } else { outbox.next_ticket(held) }
    }

    /// Notes that the message is under way.
    pub fn sent(&mut self, message: Ticket) {
        let topic = self.topics.of(message.part());
        self.trial = Some(topic).filter(|&topic| self.is_denied(topic));
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

    /// Holds a topic, for longer each time. Tells whether it was free before.
    pub fn deny(&mut self, topic: usize, random: u64, now: BootTime) -> bool {
        self.suspect = self.suspect.filter(|suspect| suspect.topic != topic);
        self.trial = self.trial.filter(|&trial| trial != topic);
        let Some(hold) = self.holds.get_mut(topic) else { return false };
        let was_free = hold.until.is_none();
        // Of several messages that were under way together, each is refused.
        if hold.until.is_none_or(|until| until <= now) {
            hold.until = Some(now + hold.backoff.next(REFUSED_FLOOR, random));
        }
        was_free
    }

    /// Notes that the broker has taken a message. Gives its topic, if that was held.
    pub fn acknowledged(&mut self, message: Ticket) -> Option<usize> {
        let topic = self.topics.of(message.part());
        self.suspect = self.suspect.filter(|suspect| suspect.topic != topic);
        self.trial = self.trial.filter(|&trial| trial != topic);
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
            Some(last) if last.topic == topic => last.times.saturating_add(1),
            _ => 1,
        };
        self.suspect = Some(Suspect { topic, times });
        let is_known = in_flight == 1 || self.holds.len() == 1;
        (times >= TIMES || is_known && (says_so || self.is_denied(topic))).then_some(topic)
    }

    /// Notes that the connection has come to its end, whatever the reason. A trial without an answer is
    /// one that has failed: the next is not before its time.
    pub fn ended(&mut self, random: u64, now: BootTime) {
        if let Some(topic) = self.trial.take() {
            self.deny(topic, random, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metric::sample::{Readings, Sample};
    use crate::metric::{Metric, Series};

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(secs: u64) -> BootTime {
        BootTime::from_millis(secs * 1000)
    }

    /// Denials on these topics, and a sample of cpu and memory in a queue.
    fn two(topic: &str) -> (Denials, Outbox) {
        let series = [Metric::Cpu, Metric::Memory].map(Series::new);
        let mut outbox = Outbox::new(4);
        outbox.push(&Sample { taken_at: BootTime::default(), readings: Readings::new() }, Parts::of(0..2));
        (Denials::new(Topics::new(topic, &series)), outbox)
    }

    /// Sends the next message, if there is one.
    fn send(denials: &mut Denials, outbox: &mut Outbox, in_flight: usize, now: BootTime) -> Option<Ticket> {
        let ticket = denials.next_ticket(outbox, in_flight, now)?;
        denials.sent(ticket);
        Some(outbox.sent(ticket, 1))
    }

    /// The two messages, both sent.
    fn both(denials: &mut Denials, outbox: &mut Outbox) -> (Ticket, Ticket) {
        (send(denials, outbox, 0, at(0)).unwrap(), send(denials, outbox, 1, at(0)).unwrap())
    }

    #[test]
    fn three_times_at_the_same_message_is_no_accident() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (first, second) = both(&mut denials, &mut outbox);
        assert_eq!(denials.closed_at(first, 2, false), None);
        outbox.rewind();
        assert_eq!(send(&mut denials, &mut outbox, 0, at(0)), Some(first));
        assert_eq!(send(&mut denials, &mut outbox, 1, at(0)), None, "one at a time from here");
        assert_eq!(denials.closed_at(first, 1, false), None);
        assert_eq!(denials.acknowledged(first), None);
        assert_eq!(denials.closed_at(second, 1, false), None);
        assert_eq!(denials.closed_at(second, 1, false), None);
        assert_eq!(denials.closed_at(second, 1, false), Some(1));
    }

    #[test]
    fn a_topic_is_suspect_until_one_of_its_own_messages_is_taken() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (first, second) = both(&mut denials, &mut outbox);
        for _ in 0..2 {
            assert_eq!(denials.closed_at(second, 1, false), None);
            assert_eq!(denials.acknowledged(first), None, "another's says nothing of it");
        }
        // The full queue has dropped the message; its successor is closed at.
        assert_eq!(denials.closed_at(second, 1, false), Some(1));
        let (mut denials, mut outbox) = two("a");
        let (first, _) = both(&mut denials, &mut outbox);
        denials.closed_at(first, 1, false);
        denials.closed_at(first, 1, false);
        denials.acknowledged(first);
        assert_eq!(denials.closed_at(first, 1, false), None, "it is counted from one again");
    }

    #[test]
    fn a_broker_that_says_so_is_believed_when_it_is_clear_what_it_means() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (first, _) = both(&mut denials, &mut outbox);
        assert_eq!(denials.closed_at(first, 2, true), None, "it may mean either");
        assert_eq!(denials.closed_at(first, 1, true), Some(0));
        let (mut denials, mut outbox) = two("a");
        let (first, _) = both(&mut denials, &mut outbox);
        assert_eq!(denials.closed_at(first, 2, true), Some(0), "there is but one topic");
    }

    #[test]
    fn a_denied_topic_is_held_and_tried_alone_after_all_others() {
        let (mut denials, mut outbox) = two("a/{metric}");
        assert!(denials.deny(0, 0, at(0)));
        assert_eq!([0, 1, 2].map(|topic| denials.is_denied(topic)), [true, false, false]);
        assert_eq!((denials.held(at(29)), denials.next_trial(at(0))), (Parts::of([0]), at(30)));
        assert_eq!(denials.on_trial(at(30)), Parts::of([0]));
        // Its time has come, but what is allowed goes first, at its full pace, and is awaited.
        let allowed = send(&mut denials, &mut outbox, 0, at(30)).unwrap();
        assert_eq!(allowed.part(), 1);
        assert_eq!(send(&mut denials, &mut outbox, 1, at(30)), None);
        outbox.acknowledge(allowed);
        let tried = send(&mut denials, &mut outbox, 0, at(30)).unwrap();
        assert_eq!(tried.part(), 0);
        outbox.push(&Sample { taken_at: at(30), readings: Readings::new() }, Parts::of(0..2));
        assert_eq!(send(&mut denials, &mut outbox, 1, at(30)), None, "nothing goes beside it");
        assert_eq!(denials.acknowledged(tried), Some(0));
        assert!(send(&mut denials, &mut outbox, 1, at(30)).is_some());
    }

    #[test]
    fn messages_that_are_refused_together_make_one_wait() {
        let (mut denials, _) = two("a");
        assert!(denials.deny(0, 0, at(0)));
        for _ in 0..16 {
            assert!(!denials.deny(0, u64::MAX, at(0)));
        }
        assert_eq!(denials.next_trial(at(0)), at(30));
    }

    #[test]
    fn a_topic_that_is_still_denied_is_held_for_longer_each_time() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (_, second) = both(&mut denials, &mut outbox);
        denials.deny(1, u64::MAX, at(0));
        let mut now = denials.next_trial(at(0));
        for _ in 0..10 {
            assert_eq!(denials.closed_at(second, 1, false), Some(1), "once is enough on trial");
            assert!(!denials.deny(1, 0, now), "it was held before");
            let next = denials.next_trial(now);
            assert!(next.since(now) >= REFUSED_FLOOR);
            now = next;
        }
        let waits = (0..300_000).map(|random| { denials.holds[1] }.backoff.next(REFUSED_FLOOR, random));
        assert!(waits.max().unwrap() > MINUTE);
    }

    #[test]
    fn a_trial_that_is_never_answered_has_failed() {
        let (mut denials, mut outbox) = two("a");
        denials.deny(0, 0, at(0));
        send(&mut denials, &mut outbox, 0, at(30)).unwrap();
        denials.ended(0, at(60));
        let next = denials.next_trial(at(60));
        assert!(next.since(at(60)) >= REFUSED_FLOOR);
        denials.ended(0, at(61));
        assert_eq!(denials.next_trial(at(61)), next, "once");
    }
}
