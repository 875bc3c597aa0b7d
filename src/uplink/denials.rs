//! Topics that the broker's policy denies, and how that is found out.
//!
//! MQTT 5 names the denied message. In 3.1.1, AWS IoT Core closes the connection without a word; the message
//! is sent again on the next connection, which is closed in turn. So the topic of the oldest unacknowledged
//! message becomes *suspect* when the broker closes the connection in place of a PUBACK. Messages of a suspect
//! topic are sent alone, after all others are acknowledged. After three closes without a PUBACK on the topic in
//! between, it counts as denied.
//!
//! A denied topic is *held*: its messages stay in the queue, and the others go on. Every five minutes, at the
//! device's phase, one message is tried, alone and after all others, because the trial may cost the
//! connection.

use std::time::Duration;

use crate::measure::schedule::Schedule;
use crate::message::topics::Topics;
use crate::platform::clock::BootTime;
use crate::queue::outbox::{Outbox, Parts, Ticket};

/// Closes in a row on one topic before the topic counts as denied.
const CLOSES: u8 = 3;

/// Between two trials of a held topic.
const TRIAL_INTERVAL: Duration = Duration::from_secs(300);

/// At least so long after a denial before the first trial.
const TRIAL_WAIT_MIN: Duration = Duration::from_secs(30);

/// Closes in a row without any PUBACK in between, up to which the other topics get a quick reconnect.
const QUICK_RECONNECTS: u8 = 3;

/// What is known of each topic.
#[derive(Debug)]
pub struct Denials {
    topics: Topics,
    /// By the topic's number.
    states: Vec<State>,
    /// The suspect or held topic whose message is in flight.
    trial: Option<usize>,
    /// When held topics are tried.
    trials: Schedule,
    /// Closes in place of a PUBACK since the last PUBACK on any topic.
    fruitless_closes: u8,
}

/// What is known of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its messages go out with all others.
    Allowed,
    /// So many closes in a row at one of its messages, fewer than [`CLOSES`].
    Suspect { closes: u8, others_acknowledged: bool },
    /// Its messages wait until then. `is_named`: the broker itself named the topic.
    Held { until: BootTime, is_named: bool },
}

/// What the end of a connection says about a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closure {
    /// This topic may be denied.
    Suspect,
    /// The broker denies this topic, which is held now.
    Denied {
        /// The topic's number.
        topic: usize,
        /// It was free before.
        is_news: bool,
        /// The broker said so, or acknowledged other topics in between: another device with the same client
        /// id is no explanation.
        is_certain: bool,
    },
}

impl Denials {
    /// Nothing is denied yet. `client_id` gives the phase of the trials.
    #[must_use]
    pub fn new(topics: Topics, client_id: &str, now: BootTime) -> Self {
        let states = vec![State::Allowed; topics.names().len()];
        let trials = Schedule::new(TRIAL_INTERVAL, client_id, now);
        Self { topics, states, trial: None, trials, fruitless_closes: 0 }
    }

    /// The message to send next, while `in_flight` others are unacknowledged.
    #[must_use]
    pub fn next_ticket(&self, outbox: &Outbox, in_flight: usize, now: BootTime) -> Option<Ticket> {
        if in_flight > 0 && self.trial.is_some() {
            return None;
        }
        let allowed = outbox.next_ticket(self.parts_of(|state| state != State::Allowed));
        if allowed.is_some() || in_flight > 0 { allowed } else { outbox.next_ticket(self.held(now)) }
    }

    /// Notes that the message is in flight.
    pub fn sent(&mut self, message: Ticket) {
        let topic = self.topics.of(message.part());
        self.trial = Some(topic).filter(|_| self.state(topic) != State::Allowed);
    }

    /// The parts that are not to be sent now.
    #[must_use]
    pub fn held(&self, now: BootTime) -> Parts {
        self.parts_of(|state| matches!(state, State::Held { until, .. } if until > now))
    }

    /// The parts that are sent alone, after all others: those of suspect topics, and of held ones whose trial
    /// is due.
    #[must_use]
    pub fn on_trial(&self, now: BootTime) -> Parts {
        self.parts_of(|state| match state {
            State::Allowed => false,
            State::Suspect { .. } => true,
            State::Held { until, .. } => until <= now,
        })
    }

    fn parts_of(&self, is_such: impl Fn(State) -> bool) -> Parts {
        let found = self.states.iter().enumerate().filter(|(_, state)| is_such(**state));
        found.fold(Parts::default(), |parts, (topic, _)| parts.with(self.topics.parts(topic)))
    }

    /// When the next held topic is tried.
    #[must_use]
    pub fn next_trial(&self, now: BootTime) -> BootTime {
        let trials = self.states.iter().filter_map(|state| match state {
            State::Held { until, .. } if *until > now => Some(*until),
            _ => None,
        });
        trials.min().unwrap_or(BootTime::NEVER)
    }

    /// Whether a topic is held, or on trial after it was.
    #[must_use]
    pub fn is_held(&self, topic: usize) -> bool {
        matches!(self.state(topic), State::Held { .. })
    }

    /// Whether some topic is neither held nor suspect, and a quick reconnect is worth its while: the
    /// connection that was closed should not keep its samples waiting.
    #[must_use]
    pub fn has_others(&self) -> bool {
        self.fruitless_closes <= QUICK_RECONNECTS && self.states.contains(&State::Allowed)
    }

    fn state(&self, topic: usize) -> State {
        self.states.get(topic).copied().unwrap_or(State::Allowed)
    }

    /// Holds a topic until its next trial. `is_named`: the broker itself named it. Returns whether it was free.
    pub fn hold(&mut self, topic: usize, is_named: bool, now: BootTime) -> bool {
        self.trial = self.trial.filter(|&trial| trial != topic);
        let until = self.trials.on_grid_from(now + TRIAL_WAIT_MIN);
        let Some(state) = self.states.get_mut(topic) else { return false };
        let was_free = !matches!(state, State::Held { .. });
        *state = State::Held { until, is_named };
        was_free
    }

    /// Notes a PUBACK. Returns the message's topic if it was held.
    pub fn acknowledged(&mut self, message: Ticket) -> Option<usize> {
        let topic = self.topics.of(message.part());
        self.fruitless_closes = 0;
        self.trial = self.trial.filter(|&trial| trial != topic);
        let was_held = self.is_held(topic);
        for (index, state) in self.states.iter_mut().enumerate() {
            match state {
                state if index == topic => *state = State::Allowed,
                State::Suspect { others_acknowledged, .. } => *others_acknowledged = true,
                State::Allowed | State::Held { .. } => {}
            }
        }
        was_held.then_some(topic)
    }

    /// Notes that the broker closed the connection while `in_flight` messages were unacknowledged, `oldest`
    /// the first of them. `is_said`: it said "not authorized", and not about which message.
    pub fn closed(&mut self, oldest: Ticket, in_flight: usize, is_said: bool, now: BootTime) -> Closure {
        let topic = self.topics.of(oldest.part());
        self.fruitless_closes = self.fruitless_closes.saturating_add(1);
        let is_only_one = in_flight == 1 || self.states.len() == 1;
        let (closes, is_certain) = match self.state(topic) {
            // With others in flight it may be one of them.
            State::Allowed => (u8::from(is_only_one), is_said),
            State::Suspect { closes, others_acknowledged } => (closes + 1, is_said || others_acknowledged),
            State::Held { .. } => (CLOSES, true),
        };
        if closes >= CLOSES || is_said && is_only_one {
            let is_news = self.hold(topic, is_said, now);
            return Closure::Denied { topic, is_news, is_certain };
        }
        if let Some(state) = self.states.get_mut(topic) {
            *state = State::Suspect { closes, others_acknowledged: is_certain };
        }
        Closure::Suspect
    }

    /// Frees the topics that only the broker's closing spoke against: another device with the same client id
    /// explains it.
    pub fn free_unnamed(&mut self) {
        for state in &mut self.states {
            if !matches!(state, State::Held { is_named: true, .. }) {
                *state = State::Allowed;
            }
        }
    }

    /// Notes that the connection ended, whatever the reason. A held topic's unanswered trial has failed.
    pub fn ended(&mut self, now: BootTime) {
        if let Some(topic) = self.trial.take()
            && let State::Held { is_named, .. } = self.state(topic)
        {
            self.hold(topic, is_named, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::sample::{Readings, Sample};
    use crate::metric::{Metric, Series};

    const HELD_MAX: Duration = TRIAL_INTERVAL.saturating_add(TRIAL_WAIT_MIN);

    fn at(secs: u64) -> BootTime {
        BootTime::from_millis(secs * 1000)
    }

    /// Denials on these topics, and a sample of cpu and memory in a queue.
    fn two(topic: &str) -> (Denials, Outbox) {
        let series = [Metric::Cpu, Metric::Memory].map(Series::new);
        let mut outbox = Outbox::new(4);
        outbox.push(&Sample { taken_at: BootTime::default(), readings: Readings::new() }, Parts::of(0..2));
        (Denials::new(Topics::new(topic, &series), "pi-7", BootTime::default()), outbox)
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
    fn third_close_in_a_row_on_one_topic_alone_denies_it() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (first, second) = both(&mut denials, &mut outbox);
        assert_eq!(denials.closed(first, 2, false, at(0)), Closure::Suspect);
        outbox.rewind();
        assert_eq!(send(&mut denials, &mut outbox, 0, at(0)), Some(second), "the suspect goes last");
        assert_eq!(send(&mut denials, &mut outbox, 1, at(0)), None, "and alone");
        assert_eq!(denials.acknowledged(second), None);
        outbox.acknowledge(second);
        for expected in [
            Closure::Suspect,
            Closure::Suspect,
            Closure::Denied { topic: 0, is_news: true, is_certain: true },
        ] {
            assert_eq!(send(&mut denials, &mut outbox, 0, at(0)), Some(first));
            assert_eq!(denials.closed(first, 1, false, at(0)), expected);
            assert!(denials.has_others());
            outbox.rewind();
        }
        assert_eq!(send(&mut denials, &mut outbox, 0, at(0)), None, "it is held");
    }

    #[test]
    fn close_on_the_only_topic_may_also_be_another_device() {
        let (mut denials, mut outbox) = two("a");
        let (first, _) = both(&mut denials, &mut outbox);
        assert_eq!(denials.closed(first, 2, false, at(0)), Closure::Suspect);
        assert_eq!(denials.closed(first, 1, false, at(0)), Closure::Suspect);
        let denied = Closure::Denied { topic: 0, is_news: true, is_certain: false };
        assert_eq!(denials.closed(first, 1, false, at(0)), denied);
        assert!(!denials.has_others());
        denials.free_unnamed();
        assert!(!denials.is_held(0), "another device explains the closes");
    }

    #[test]
    fn own_puback_clears_a_suspect_topic_and_others_do_not() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (first, second) = both(&mut denials, &mut outbox);
        for _ in 0..2 {
            assert_eq!(denials.closed(second, 1, false, at(0)), Closure::Suspect);
            denials.acknowledged(first);
        }
        denials.acknowledged(second);
        assert_eq!(denials.closed(second, 1, false, at(0)), Closure::Suspect, "counted from one again");
        denials.closed(second, 1, false, at(0));
        let denied = Closure::Denied { topic: 1, is_news: true, is_certain: false };
        assert_eq!(denials.closed(second, 1, false, at(0)), denied);
    }

    #[test]
    fn not_authorized_denies_at_once_when_only_one_topic_is_in_flight() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (first, _) = both(&mut denials, &mut outbox);
        assert_eq!(denials.closed(first, 2, true, at(0)), Closure::Suspect, "it may mean either");
        let denied = Closure::Denied { topic: 0, is_news: true, is_certain: true };
        assert_eq!(denials.closed(first, 1, true, at(0)), denied);
        let (mut denials, mut outbox) = two("a");
        let (first, _) = both(&mut denials, &mut outbox);
        assert_eq!(denials.closed(first, 2, true, at(0)), denied, "there is but one topic");
    }

    #[test]
    fn quick_reconnects_end_when_every_topic_is_denied() {
        let (mut denials, mut outbox) = two("a/{metric}");
        let (first, second) = both(&mut denials, &mut outbox);
        denials.closed(first, 2, false, at(0));
        assert!(denials.has_others());
        denials.closed(second, 1, false, at(0));
        assert!(!denials.has_others());
    }

    #[test]
    fn held_topic_is_tried_every_five_minutes_alone_and_after_all_others() {
        let (mut denials, mut outbox) = two("a/{metric}");
        assert!(denials.hold(0, true, at(0)));
        assert_eq!([0, 1, 2].map(|topic| denials.is_held(topic)), [true, false, false]);
        let trial = denials.next_trial(at(0));
        assert!(trial.since(at(0)) >= TRIAL_WAIT_MIN && trial.since(at(0)) < HELD_MAX);
        assert_eq!((denials.held(at(0)), denials.on_trial(trial)), (Parts::of([0]), Parts::of([0])));
        // Its time has come, but what is allowed goes first and is awaited.
        let allowed = send(&mut denials, &mut outbox, 0, trial).unwrap();
        assert_eq!(allowed.part(), 1);
        assert_eq!(send(&mut denials, &mut outbox, 1, trial), None);
        outbox.acknowledge(allowed);
        denials.acknowledged(allowed);
        let tried = send(&mut denials, &mut outbox, 0, trial).unwrap();
        assert_eq!(tried.part(), 0);
        outbox.push(&Sample { taken_at: trial, readings: Readings::new() }, Parts::of(0..2));
        assert_eq!(send(&mut denials, &mut outbox, 1, trial), None, "nothing goes beside it");
        let again = Closure::Denied { topic: 0, is_news: false, is_certain: true };
        assert_eq!(denials.closed(tried, 1, false, trial), again, "once is enough on trial");
        assert_eq!(denials.next_trial(trial).since(trial), TRIAL_INTERVAL);
        assert_eq!(denials.acknowledged(tried), Some(0));
        assert!(!denials.is_held(0));
    }

    #[test]
    fn unanswered_trial_waits_for_the_next() {
        let (mut denials, mut outbox) = two("a");
        denials.hold(0, true, at(0));
        let trial = denials.next_trial(at(0));
        send(&mut denials, &mut outbox, 0, trial).unwrap();
        denials.ended(trial);
        assert_eq!(denials.next_trial(trial).since(trial), TRIAL_INTERVAL);
    }
}
