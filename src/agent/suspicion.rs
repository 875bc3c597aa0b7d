//! A broker that says no without a word.
//!
//! AWS IoT Core answers a publish that the policy does not allow, in MQTT 3.1.1, by closing the
//! connection. The message is then sent again on the next one, which is closed in turn. A line that is
//! merely bad would not break at the same message each time.

use crate::outbox::Ticket;

/// So often it is no accident.
const TIMES: u32 = 3;

/// The message at which the connection was closed last, and how many times in a row.
#[derive(Debug, Default)]
pub struct Suspicion {
    message: Option<Ticket>,
    times: u32,
}

impl Suspicion {
    /// Notes that the connection was closed while `message` was the first to be acknowledged. Tells
    /// whether that is now more than an accident.
    pub fn closed_at(&mut self, message: Ticket) -> bool {
        let is_same = self.message.is_some_and(|last| last.begins_like(&message));
        self.times = if is_same { self.times.saturating_add(1) } else { 1 };
        self.message = Some(message);
        self.times >= TIMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::BootTime;
    use crate::outbox::{Outbox, Parts};
    use crate::sample::{Readings, Sample};

    #[test]
    fn three_times_at_the_same_message_is_no_accident() {
        let mut outbox = Outbox::new(4);
        outbox.push(Sample { taken_at: BootTime::default(), readings: Readings::new() }, Parts::of(0..2));
        let first = outbox.next_ticket().unwrap();
        let first = outbox.sent(first, 1);
        let second = outbox.next_ticket().unwrap();
        let mut suspicion = Suspicion::default();
        assert!(!suspicion.closed_at(first));
        assert!(!suspicion.closed_at(first));
        assert!(!suspicion.closed_at(second), "the first was acknowledged meanwhile");
        assert!(!suspicion.closed_at(second));
        assert!(suspicion.closed_at(second));
        assert!(suspicion.closed_at(second), "and it stays so");
    }
}
