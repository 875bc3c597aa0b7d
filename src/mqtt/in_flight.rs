//! Messages that were published and not acknowledged, and their packet ids.

use std::time::Duration;

use super::limits::IN_FLIGHT_MAX;
use crate::platform::clock::BootTime;

const PUBACK_WAIT: Duration = Duration::from_secs(30);

/// A message in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<T> {
    id: u16,
    /// The caller's name for the message.
    pub ticket: T,
    /// When it was published.
    pub sent_at: BootTime,
}

/// The messages in flight, the oldest first.
#[derive(Debug)]
pub struct InFlight<T> {
    messages: heapless::Vec<Message<T>, IN_FLIGHT_MAX>,
    last_id: u16,
    last_sent_at: Option<BootTime>,
    /// Of the messages that were answered, when the youngest was published.
    last_answered_sent_at: Option<BootTime>,
}

impl<T: Copy> InFlight<T> {
    /// No message; packet ids begin with 1.
    pub const fn new() -> Self {
        Self { messages: heapless::Vec::new(), last_id: 0, last_sent_at: None, last_answered_sent_at: None }
    }

    /// How many messages are in flight.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether no message is in flight.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The message that waits longest.
    pub fn first(&self) -> Option<&Message<T>> {
        self.messages.first()
    }

    /// Until when the next PUBACK has to come, if the broker owes one.
    pub fn answer_deadline(&self) -> Option<BootTime> {
        self.first().map(|message| message.sent_at + PUBACK_WAIT)
    }

    /// When a message was published last, answered or not.
    pub const fn last_sent_at(&self) -> Option<BootTime> {
        self.last_sent_at
    }

    /// The next packet id: not zero, and none that is in flight. An id comes again only after all others,
    /// so that a second acknowledgement of it meets no younger message.
    pub fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if self.messages.iter().all(|message| message.id != self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Adds a message. There is room for [`IN_FLIGHT_MAX`].
    pub fn push(&mut self, id: u16, ticket: T, sent_at: BootTime) {
        let pushed = self.messages.push(Message { id, ticket, sent_at });
        debug_assert!(pushed.is_ok(), "the caller looks whether there is room");
        self.last_sent_at = Some(sent_at);
    }

    /// Takes the message out that has this packet id.
    pub fn answered(&mut self, id: u16) -> Option<Message<T>> {
        let index = self.messages.iter().position(|message| message.id == id)?;
        let message = self.messages.remove(index);
        self.last_answered_sent_at = self.last_answered_sent_at.max(Some(message.sent_at));
        Some(message)
    }

    /// The oldest message, if the broker has answered another one that was not published before it. Such a
    /// message was dropped: on a line that is down nothing is answered.
    pub fn passed_over(&self) -> Option<&Message<T>> {
        let last_answered = self.last_answered_sent_at?;
        self.first().filter(|message| message.sent_at <= last_answered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> BootTime {
        BootTime::from_millis(millis)
    }

    #[test]
    fn packet_ids_skip_zero_and_those_in_flight() {
        let mut in_flight = InFlight::new();
        in_flight.push(1, 'a', at(0));
        in_flight.last_id = u16::MAX;
        assert_eq!([in_flight.next_id(), in_flight.next_id()], [2, 3]);
    }

    #[test]
    fn message_is_passed_over_once_an_equally_old_or_younger_one_is_answered() {
        let mut in_flight = InFlight::new();
        for (id, sent_at) in [(1, 0), (2, 100), (3, 100), (4, 200)] {
            in_flight.push(id, id, at(sent_at));
        }
        assert_eq!(in_flight.passed_over(), None);
        in_flight.answered(1);
        assert_eq!(in_flight.passed_over(), None, "it was published before the others");
        in_flight.answered(3);
        assert_eq!(in_flight.passed_over().map(|message| message.ticket), Some(2));
        in_flight.answered(2);
        assert_eq!(in_flight.passed_over(), None);
    }
}
