//! `cargo soak`: the release binary through hours of faults, in minutes.
//!
//! Three agents, one with each setting of `mqtt`, run side by side in a time that runs a hundred times
//! as fast, each against a broker of its own that does all that brokers, networks and administrators do,
//! in random order. Asserted are:
//! - No loss: every sample that was taken arrives and is acknowledged, with each of its messages.
//! - No line in the log without a cause.
//! - Memory and descriptors at the end are what they were after the warm-up.
//! - Exit code 0 at the end, and no breach of MQTT before.
//!
//! The seed of a run is printed and can be given: `cargo soak -- SEED`. It determines the faults and their
//! order; the agent's waits are random of their own.
//!
//! - [`agent`]: its build, process and log; [`board`]: what it measures, and how many times
//! - [`desk`]: the broker's acknowledgements, and the account of them
//! - [`station`]: an agent and its broker, and what is seen of both
//! - [`fault`]: the faults and the lines that they may cause; [`play`]: how they are made

mod agent;
mod board;
mod desk;
mod fault;
mod play;
mod station;

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Instant, SystemTime};

use pivitals_broker::Random;

use agent::Figures;
use station::Station;

/// What each of the three agents goes through at the least.
const SAMPLES_MIN: u64 = 10_000_u64.div_ceil(3);
const RECONNECTS_MIN: u64 = 1_000_u64.div_ceil(3);
/// The warm-up, in times through every kind of fault. The measurement takes as many at the least.
const WARM_DECKS: u32 = 2;

/// By how much memory may differ: four pages. Heap and stack were measured to grow by 12 to 20 kB from the
/// first deck to the second, while the allocator still meets new orders of sizes, and by no more than 8 kB
/// in either direction after that. As the agent reconnects more than 150 times after the warm-up, a leak of
/// 100 bytes a connection, or of 3 a sample, is beyond this. Pages of the binary itself are not counted:
/// which of them are in memory is the system's to say.
const ANONYMOUS_MAX_KB: u64 = 16;
/// Lines that only a machine too slow for this time explains: with one at one fault in ten, the soak is of
/// the machine, not of the agent.
const SLOW_MAX: usize = 20;

struct Outcome {
    mqtt: &'static str,
    samples: u64,
    reconnects: u64,
    faults: usize,
    slow: Vec<String>,
    warm: Figures,
    end: Figures,
}

fn main() -> ExitCode {
    let seed =
        std::env::args().nth(1).map_or_else(seed_of_now, |text| text.parse().expect("a seed is a number"));
    let binary = agent::build();
    println!("seed {seed}");
    let started_at = Instant::now();
    let soaks = ["5", "3.1.1", "auto"].map(|mqtt| {
        let binary = binary.clone();
        thread::spawn(move || soak(&binary, mqtt, seed))
    });
    let outcomes: Vec<_> = soaks.into_iter().filter_map(|soak| soak.join().ok()).collect();
    for outcome in &outcomes {
        outcome.print();
    }
    let total = |figure: fn(&Outcome) -> u64| outcomes.iter().map(figure).sum::<u64>();
    println!(
        "together: {} cycles, {} reconnects in {} s",
        total(|outcome| outcome.samples),
        total(|outcome| outcome.reconnects),
        started_at.elapsed().as_secs()
    );
    if outcomes.len() == 3 && outcomes.iter().all(Outcome::is_well) {
        ExitCode::SUCCESS
    } else {
        println!("failed, with seed {seed}");
        ExitCode::FAILURE
    }
}

fn seed_of_now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
    now.as_secs()
}

fn soak(binary: &Path, mqtt: &'static str, seed: u64) -> Outcome {
    let mut random = Random::new(seed * 0x9e37_79b9 + mqtt.len() as u64);
    let mut station = Station::new(binary, mqtt);
    station.until_delivered();
    let (mut warm, mut decks, mut faults) = (None, 0, 0);
    loop {
        for fault in fault::deck(mqtt, &mut random) {
            play::play(&mut station, &fault, &mut random);
            faults += 1;
        }
        play::rest(&mut station);
        let (samples, reconnects) = (station.samples(), station.seen.accepted - 1);
        let figures = station.figures();
        decks += 1;
        if decks == WARM_DECKS {
            warm = Some(figures);
        } else if let Some(warm) = warm
            && decks >= 2 * WARM_DECKS
            && samples >= SAMPLES_MIN
            && reconnects >= RECONNECTS_MIN
        {
            station.end();
            let samples = station.samples();
            return Outcome { mqtt, samples, reconnects, faults, slow: station.slow, warm, end: figures };
        }
    }
}

impl Outcome {
    fn print(&self) {
        let Self { mqtt, samples, reconnects, faults, slow, warm, end } = self;
        println!(
            "mqtt = {mqtt}: {samples} cycles, {reconnects} reconnects, {faults} faults; after the warm-up and at \
             the end: memory {} and {} kB (with the binary {} and {}), descriptors {} and {}",
            warm.anonymous_kb,
            end.anonymous_kb,
            warm.resident_kb,
            end.resident_kb,
            warm.descriptors,
            end.descriptors
        );
        for line in slow {
            println!("  of a slow machine: {line}");
        }
    }

    fn is_well(&self) -> bool {
        self.warm.descriptors == self.end.descriptors
            && self.slow.len() <= SLOW_MAX
            && self.end.anonymous_kb.abs_diff(self.warm.anonymous_kb) <= ANONYMOUS_MAX_KB
    }
}
