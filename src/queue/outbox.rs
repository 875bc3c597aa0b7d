//! The outbox: a bounded ring of the samples that are not acknowledged yet.
//!
//! A sample is sent as one or more *parts*, each a message of its own. A message can also hold the same part
//! of several samples. A sample leaves the ring when each of its parts is acknowledged and no older sample
//! is left. When the ring is full, the oldest sample is dropped and counted. The outbox knows neither what
//! the parts are nor anything of brokers.

use std::collections::VecDeque;

use crate::metric::sample::{Kept, Readings, Sample};
use crate::platform::clock::BootTime;

mod parts;
mod shelf;

pub use parts::Parts;
use shelf::Shelf;

/// What one message holds: the same part of one or more consecutive samples.
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

// Up to 10,080 of them are kept.
const _: () = assert!(size_of::<Entry>() <= 40);

/// The ring of samples, and what of them is acknowledged and in flight.
#[derive(Debug)]
pub struct Outbox {
    entries: VecDeque<Entry>,
    /// The readings of the entries; [`Outbox::row`] gives the row of each.
    shelf: Shelf,
    capacity: usize,
    /// Number of the oldest entry. The others follow without a gap.
    first: u64,
    /// Number of an entry whose readings are in the shelf's first row.
    row_0: u64,
    dropped: u64,
}

impl Outbox {
    /// A ring for `capacity` samples, at least one. It allocates here and at the first sample, which tells how
    /// many readings a sample has, and then only when the capacity or the series change.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let entries = VecDeque::with_capacity(capacity);
        Self { entries, shelf: Shelf::default(), capacity, first: 0, row_0: 0, dropped: 0 }
    }

    /// Adds a sample whose `parts` are to be sent. A sample without parts is not added. If the ring is full,
    /// the oldest sample is dropped.
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

    /// The next message to send: the first part of the oldest sample that has one which is not acknowledged,
    /// not in flight and not in `held`. [`waiting`](Self::waiting) gives the samples that the message can
    /// hold.
    #[must_use]
    pub fn next_ticket(&self, held: Parts) -> Option<Ticket> {
        self.entries.iter().zip(self.first..).find_map(|(entry, first)| {
            let part = entry.unsent().without(held).first()?;
            Some(Ticket { first, samples: 1, part })
        })
    }

    /// The ticket's first sample and those after it, as far as the same part of each is unsent.
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

    /// Moves the readings of all entries to a shelf for `capacity` samples of `width` readings.
    fn arrange(&mut self, capacity: usize, width: usize) {
        let mut arranged = Shelf::new(capacity, width);
        for index in 0..self.entries.len() {
            arranged.put(index, self.shelf.row(self.row(index)));
        }
        (self.shelf, self.capacity, self.row_0) = (arranged, capacity, self.first);
    }

    /// Records that the message was sent with the first `samples` of those that were waiting. Gives the ticket
    /// by which it is acknowledged.
    pub fn sent(&mut self, ticket: Ticket, samples: usize) -> Ticket {
        let ticket = Ticket { samples, ..ticket };
        self.each_of(ticket, |entry, part| entry.in_flight = entry.in_flight.with(part));
        ticket
    }

    /// Records that the message was acknowledged.
    pub fn acknowledge(&mut self, ticket: Ticket) {
        self.each_of(ticket, |entry, part| {
            entry.unacknowledged = entry.unacknowledged.without(part);
        });
        self.forget_finished();
    }

    /// Records that the message was refused: its parts are to be sent again.
    pub fn refused(&mut self, ticket: Ticket) {
        self.each_of(ticket, |entry, part| entry.in_flight = entry.in_flight.without(part));
    }

    /// Records that the connection is lost: what was in flight is to be sent again.
    pub fn rewind(&mut self) {
        for entry in &mut self.entries {
            entry.in_flight = Parts::default();
        }
    }

    /// Changes the capacity. Samples that do not fit any more are dropped, the oldest first.
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

    /// Changes every sample to another configuration. `change` gets a sample with its unacknowledged parts
    /// and returns its new parts, all of which are unsent.
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

    /// Whether every sample is acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Samples dropped since the start, unacknowledged, because the ring was full.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn index(&self, number: u64) -> usize {
        usize::try_from(number.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Calls `change` for each of the ticket's samples that is still in the ring.
    fn each_of(&mut self, ticket: Ticket, mut change: impl FnMut(&mut Entry, Parts)) {
        let part = Parts::one(ticket.part);
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
            // Start over at the first row, so that rows never written stay so.
            self.entries.clear();
            self.row_0 = self.first;
        }
    }
}

#[cfg(test)]
mod tests;
