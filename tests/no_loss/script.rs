//! What happens in a run, as data: the same for the same seed.

use std::ops::RangeInclusive;

use pivitals_broker::Random;

/// Everything there is.
pub const ALL: usize = usize::MAX;

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// A sample is taken; a bit for each reading that is to be had.
    Sample { known: u8 },
    /// Time passes.
    Wait { millis: u64 },
    /// The agent turns its loop once, and finds so many bytes from the broker.
    Serve { bytes: usize },
    /// The same, but the connection breaks while it writes; so much of what was under way arrives.
    ServeAndBreak { arrive: usize },
    /// So many bytes from the agent arrive at the broker.
    Arrive { bytes: usize },
    /// The broker sends one of the answers that it owes, in one of the forms that are legal.
    Answer { which: usize, form: usize },
    /// The broker sends all that it owes.
    AnswerAll,
    /// The broker acknowledges a message twice.
    AnswerTwice { which: usize },
    /// The broker forgets an answer.
    Forget { which: usize },
    /// The broker acknowledges a message that it was never sent.
    Foreign { id: u16 },
    /// The next message that arrives is refused: by a PUBACK in version 5, by closing in 3.1.1.
    RefuseNext,
    /// From here on the messages of a part are refused in that way, or of none.
    Forbid { part: Option<usize> },
    /// The broker goes away: by DISCONNECT in version 5, by closing in 3.1.1.
    GoAway,
    /// The broker says something that is no MQTT.
    Nonsense,
    /// The connection is lost; so much of what was under way still arrives at the broker.
    Cut { arrive: usize },
    /// If there is no connection, there is one now.
    Connect { receive_maximum: u16 },
    /// The ring gets another capacity.
    Resize { capacity: usize },
    /// The wall clock is set to another time, or lost.
    SetClock { is_set: bool, offset_secs: u64 },
}

/// A run.
pub struct Script {
    pub seed: u64,
    pub capacity: usize,
    pub steps: Vec<Step>,
}

impl Script {
    pub fn new(seed: u64) -> Self {
        let mut random = Choice::new(seed);
        let capacity = random.one_of(1..=40);
        // Some scripts are mostly outage, others mostly traffic.
        let weights = Weights {
            sample: random.one_of(4..=40),
            connect: random.one_of(2..=30),
            answer: random.one_of(2..=40),
            fault: random.one_of(0..=12),
        };
        let length = random.one_of(150..=350);
        let steps = (0..length).map(|_| weights.step(&mut random)).collect();
        Self { seed, capacity, steps }
    }
}

/// How often what happens, in relation to the others.
struct Weights {
    sample: usize,
    connect: usize,
    answer: usize,
    fault: usize,
}

impl Weights {
    fn step(&self, random: &mut Choice) -> Step {
        let kinds = [
            (self.sample, sample as fn(&mut Choice) -> Step),
            (15, wait),
            (30, |random| Step::Serve { bytes: random.amount(9) }),
            (20, |random| Step::Arrive { bytes: random.amount(300) }),
            (self.answer, |random| Step::Answer { which: random.any(), form: random.any() }),
            (8, |_| Step::AnswerAll),
            (self.connect, |random| Step::Connect { receive_maximum: random.small(1..=20) }),
            (self.fault, fault),
        ];
        let mut roll = random.one_of(0..=kinds.iter().map(|(weight, _)| weight).sum::<usize>() - 1);
        for (weight, make) in kinds {
            match roll.checked_sub(weight) {
                None => return make(random),
                Some(rest) => roll = rest,
            }
        }
        unreachable!("the roll is less than the sum of the weights")
    }
}

fn sample(random: &mut Choice) -> Step {
    // Mostly all four; sometimes not even one.
    Step::Sample { known: if random.one_of(0..=3) > 0 { 0b1111 } else { random.small(0..=15) } }
}

fn wait(random: &mut Choice) -> Step {
    let millis = match random.one_of(0..=59) {
        0..=39 => random.small(0..=400),
        40..=54 => random.small(400..=15_000),
        55..=57 => random.small(15_000..=40_000),
        58 => 130_000,           // half the keep-alive and more
        _ => 25 * 3_600 * 1_000, // more than the events of a batch may span
    };
    Step::Wait { millis }
}

fn fault(random: &mut Choice) -> Step {
    match random.one_of(0..=20) {
        0..=1 => Step::AnswerTwice { which: random.any() },
        2..=3 => Step::Forget { which: random.any() },
        4 => Step::Foreign { id: if random.one_of(0..=3) == 0 { 0 } else { random.small(40_000..=65_535) } },
        5..=6 => Step::RefuseNext,
        7..=8 => Step::GoAway,
        9 => Step::Nonsense,
        10..=11 => Step::Cut { arrive: random.amount(600) },
        12..=13 => Step::ServeAndBreak { arrive: random.amount(600) },
        14..=15 => Step::Resize { capacity: random.one_of(1..=40) },
        16..=19 => Step::Forbid { part: Some(random.one_of(0..=5)).filter(|&part| part < 4) },
        _ => Step::SetClock { is_set: random.one_of(0..=2) > 0, offset_secs: random.small(0..=9_999) },
    }
}

/// The choices of a script.
struct Choice(Random);

impl Choice {
    fn new(seed: u64) -> Self {
        let mut random = Self(Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        random.any(); // seeds that are alike begin alike
        random
    }

    fn any(&mut self) -> usize {
        usize::try_from(self.0.word() >> 33).expect("31 bits")
    }

    fn one_of(&mut self, range: RangeInclusive<usize>) -> usize {
        range.start() + self.any() % (range.end() - range.start() + 1)
    }

    fn small<T: TryFrom<usize>>(&mut self, range: RangeInclusive<usize>) -> T {
        T::try_from(self.one_of(range)).ok().expect("the range is one of the type's")
    }

    /// Of bytes: none, a few, many or all.
    fn amount(&mut self, few: usize) -> usize {
        match self.one_of(0..=5) {
            0 => 0,
            1 => self.one_of(1..=few),
            2 => self.one_of(1..=10 * few),
            _ => ALL,
        }
    }
}
