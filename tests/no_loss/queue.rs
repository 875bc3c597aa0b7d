//! The model of what is owed: the ring as it is promised, told what was sent and what was acknowledged
//! by the packets themselves.

use std::collections::{BTreeSet, VecDeque};

use pivitals::queue::outbox::Parts;

use super::wire::Piece;

struct Slot {
    number: u32,
    owed: BTreeSet<usize>,
    in_flight: BTreeSet<usize>,
}

/// The samples that are owed.
pub struct Queue {
    slots: VecDeque<Slot>,
    capacity: usize,
    /// The numbers of those that a full ring has dropped.
    pub dropped: BTreeSet<u32>,
}

impl Queue {
    pub fn new(capacity: usize) -> Self {
        Self { slots: VecDeque::new(), capacity, dropped: BTreeSet::new() }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn push(&mut self, number: u32, parts: impl IntoIterator<Item = usize>) {
        let owed: BTreeSet<_> = parts.into_iter().collect();
        if !owed.is_empty() {
            self.make_room_for(1);
            self.slots.push_back(Slot { number, owed, in_flight: BTreeSet::new() });
            self.forget_finished();
        }
    }

    pub fn resize(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.make_room_for(0);
        self.forget_finished();
    }

    /// What is to be sent next of what is not held.
    pub fn next_unsent(&self, held: Parts) -> Option<Piece> {
        self.slots.iter().find_map(|slot| {
            let mut unsent = slot.owed.difference(&slot.in_flight);
            Some((slot.number, *unsent.find(|&&part| !held.contains(part))?))
        })
    }

    pub fn sent(&mut self, pieces: &[Piece]) {
        for (slot, part) in self.slots_of(pieces) {
            assert!(slot.owed.contains(&part), "what is sent is owed: {}, {part}", slot.number);
            assert!(slot.in_flight.insert(part), "never two copies on the way: {}, {part}", slot.number);
        }
    }

    pub fn acknowledged(&mut self, pieces: &[Piece]) {
        for (slot, part) in self.slots_of(pieces) {
            slot.owed.remove(&part);
        }
        self.forget_finished();
    }

    pub fn refused(&mut self, pieces: &[Piece]) {
        for (slot, part) in self.slots_of(pieces) {
            slot.in_flight.remove(&part);
        }
    }

    pub fn disconnected(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.in_flight.clear());
    }

    /// The slots of those pieces that are still in the ring.
    fn slots_of(&mut self, pieces: &[Piece]) -> impl Iterator<Item = (&mut Slot, usize)> {
        self.slots.iter_mut().filter_map(|slot| {
            let (_, part) = *pieces.iter().find(|(number, _)| *number == slot.number)?;
            Some((slot, part))
        })
    }

    fn make_room_for(&mut self, coming: usize) {
        while self.slots.len() + coming > self.capacity {
            let oldest = self.slots.pop_front().expect("a capacity of one at the least");
            if !oldest.owed.is_empty() {
                self.dropped.insert(oldest.number);
            }
        }
    }

    fn forget_finished(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.owed.is_empty()) {
            self.slots.pop_front();
        }
    }
}
