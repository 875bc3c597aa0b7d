//! The samples that wait for their acknowledgement: a ring that keeps what the wire may lose.
//!
//! A sample is sent as one or more *parts*, each a message of its own; a message can also hold the
//! same part of several samples. A sample leaves the ring when each of its parts was acknowledged and
//! no older one is left, or as the oldest when the ring is full; then it is counted. What the parts
//! are, and what a broker is, is not known here.

use std::collections::VecDeque;

use crate::metric::sample::{Kept, Readings, Sample};
use crate::platform::clock::BootTime;

mod shelf;

use shelf::Shelf;

/// A set of parts of one sample, numbered from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts(u64);

impl Parts {
    /// Parts that a sample can have.
    pub const MAX: usize = 64;

    /// The set of these parts; numbers of [`MAX`](Self::MAX) and more are left out.
    pub fn of(parts: impl IntoIterator<Item = usize>) -> Self {
        Self(parts.into_iter().fold(0, |set, part| set | bit(part)))
    }

    /// Whether no part is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the part is in the set.
    #[must_use]
    pub const fn contains(self, part: usize) -> bool {
        self.0 & bit(part) != 0
    }

    fn first(self) -> Option<usize> {
        (!self.is_empty()).then_some(self.0.trailing_zeros() as usize)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The parts of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

const fn bit(part: usize) -> u64 {
    if part < Parts::MAX { 1 << part } else { 0 }
}

/// What one message holds: a part of one sample, or of several that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    first: u64,
    samples: usize,
    part: usize,
}

impl Ticket {
    /// Whether the other message begins with the same part of the same sample.
    #[must_use]
    pub const fn begins_like(&self, other: &Self) -> bool {
        self.first == other.first && self.part == other.part
    }

    /// The part that the message holds.
    #[must_use]
    pub const fn part(&self) -> usize {
        self.part
    }
}

#[derive(Debug)]
struct Entry {
    taken_at: BootTime,
    unacknowledged: Parts,
    in_flight: Parts,
}

impl Entry {
    const fn unsent(&self) -> Parts {
        self.unacknowledged.without(self.in_flight)
    }
}

/// The ring.
#[derive(Debug)]
pub struct Outbox {
    entries: VecDeque<Entry>,
    /// The readings of the entries, in the row of [`Outbox::row`].
    shelf: Shelf,
    capacity: usize,
    /// Number of the oldest entry; the others follow without a gap.
    first: u64,
    /// Number of the entry that the shelf's first row is for, once in a round.
    row_0: u64,
    dropped: u64,
}

impl Outbox {
    /// A ring for `capacity` samples, at least one. All its memory is taken here and, when it is known how
    /// many readings a sample has, with the first; it is touched only as far as it is needed.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let entries = VecDeque::with_capacity(capacity);
        Self { entries, shelf: Shelf::default(), capacity, first: 0, row_0: 0, dropped: 0 }
    }

    /// Adds a sample whose `parts` are to be sent, if there are any. If the ring is full, the oldest
    /// sample goes.
    pub fn push(&mut self, sample: &Sample, parts: Parts) {
        if parts.is_empty() {
            return;
        }
        if self.entries.len() >= self.capacity {
            self.drop_oldest();
        }
        if sample.readings.len() > self.shelf.width() {
            self.arrange(self.capacity, sample.readings.len());
        }
        self.shelf.put(self.row(self.entries.len()), &sample.readings);
        self.entries.push_back(Entry {
            taken_at: sample.taken_at,
            unacknowledged: parts,
            in_flight: Parts::default(),
        });
        self.forget_finished();
    }

    /// The next message to send: the oldest sample's first part that is neither acknowledged nor in
    /// flight nor one of those that are `held`. [`waiting`](Self::waiting) gives the samples that the
    /// message can hold.
    #[must_use]
    pub fn next_ticket(&self, held: Parts) -> Option<Ticket> {
        self.entries.iter().zip(self.first..).find_map(|(entry, first)| {
            let part = entry.unsent().without(held).first()?;
            Some(Ticket { first, samples: 1, part })
        })
    }

    /// The samples from the ticket's on, as many as follow each other with the same part unsent.
    pub fn waiting(&self, ticket: Ticket) -> impl Iterator<Item = Kept<'_>> {
        let from = self.index(ticket.first).min(self.entries.len());
        let entries = self.entries.range(from..).zip(from..);
        entries
            .take_while(move |(entry, _)| entry.unsent().contains(ticket.part))
            .map(|(entry, index)| self.kept(entry, index))
    }

    fn kept(&self, entry: &Entry, index: usize) -> Kept<'_> {
        Kept { taken_at: entry.taken_at, readings: self.shelf.row(self.row(index)) }
    }

    /// The row of the readings of the entry with this index.
    fn row(&self, index: usize) -> usize {
        let number = self.first + index as u64;
        usize::try_from((number - self.row_0) % self.capacity as u64).unwrap_or(0)
    }

    /// Puts the readings of all entries on a shelf for so many samples of so many readings.
    fn arrange(&mut self, capacity: usize, width: usize) {
        let mut arranged = Shelf::new(capacity, width);
        for index in 0..self.entries.len() {
            arranged.put(index, self.shelf.row(self.row(index)));
        }
        (self.shelf, self.capacity, self.row_0) = (arranged, capacity, self.first);
    }

    /// Notes that the message was sent with the first `samples` of those that were waiting.
    pub fn sent(&mut self, ticket: Ticket, samples: usize) -> Ticket {
        let ticket = Ticket { samples, ..ticket };
        self.each_of(ticket, |entry, part| entry.in_flight = entry.in_flight.with(part));
        ticket
    }

    /// Notes that the message was acknowledged.
    pub fn acknowledge(&mut self, ticket: Ticket) {
        self.each_of(ticket, |entry, part| {
            entry.unacknowledged = entry.unacknowledged.without(part);
        });
        self.forget_finished();
    }

    /// Notes that the message was refused: what it holds is to be sent again.
    pub fn refused(&mut self, ticket: Ticket) {
        self.each_of(ticket, |entry, part| entry.in_flight = entry.in_flight.without(part));
    }

    /// Notes that the connection is gone: what was in flight is to be sent again.
    pub fn rewind(&mut self) {
        for entry in &mut self.entries {
            entry.in_flight = Parts::default();
        }
    }

    /// Gives the ring another capacity; what does not fit any more goes, the oldest first.
    pub fn resize(&mut self, capacity: usize) {
        let capacity = capacity.max(1);
        while self.entries.len() > capacity {
            self.drop_oldest();
        }
        self.arrange(capacity, self.shelf.width());
        let mut entries = VecDeque::with_capacity(self.capacity);
        entries.extend(self.entries.drain(..));
        self.entries = entries;
        self.forget_finished();
    }

    /// Brings every sample into the form that is sent from now on: `change`, which is told the parts
    /// that are not acknowledged, gives its new parts, which all count as unsent.
    pub fn convert(&mut self, mut change: impl FnMut(&mut Sample, Parts) -> Parts) {
        let mut arranged = Shelf::default();
        for index in 0..self.entries.len() {
            let readings: Readings = self.shelf.row(self.row(index)).iter().copied().collect();
            let Some(entry) = self.entries.get_mut(index) else { break };
            let mut sample = Sample { taken_at: entry.taken_at, readings };
            let parts = change(&mut sample, entry.unacknowledged);
            if !entry.unacknowledged.is_empty() {
                entry.unacknowledged = parts;
            }
            entry.in_flight = Parts::default();
            if index == 0 {
                arranged = Shelf::new(self.capacity, sample.readings.len());
            }
            arranged.put(index, &sample.readings);
        }
        (self.shelf, self.row_0) = (arranged, self.first);
        self.forget_finished();
    }

    /// Samples in the ring.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether every sample was acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Samples that went unacknowledged since start, because the ring was full.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn index(&self, number: u64) -> usize {
        usize::try_from(number.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Calls `change` for those of a ticket's samples that are still in the ring.
    fn each_of(&mut self, ticket: Ticket, mut change: impl FnMut(&mut Entry, Parts)) {
        let part = Parts(bit(ticket.part));
        for number in (ticket.first..).take(ticket.samples) {
            let index = self.index(number);
            if let Some(entry) = self.entries.get_mut(index) {
                change(entry, part);
            }
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.first += 1;
            self.dropped += u64::from(!entry.unacknowledged.is_empty());
        }
    }

    fn forget_finished(&mut self) {
        while self.entries.front().is_some_and(|entry| entry.unacknowledged.is_empty()) {
            self.entries.pop_front();
            self.first += 1;
        }
        if self.entries.is_empty() {
            // Back to the ring's beginning, so that the rest stays untouched.
            self.entries.clear();
            self.row_0 = self.first;
        }
    }
}

#[cfg(test)]
mod tests;
