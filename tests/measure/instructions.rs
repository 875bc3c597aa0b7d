//! Instructions, counted by callgrind over a short and a long run: the difference is that of the
//! cycles which the long one has more.

use crate::Bench;

const SHORT: usize = 5;
const LONG: usize = 25;

pub fn of_a_cycle(bench: &Bench) -> u64 {
    let (short, long) = (of_a_run(bench, SHORT), of_a_run(bench, LONG));
    long.saturating_sub(short) / (LONG - SHORT) as u64
}

fn of_a_run(bench: &Bench, samples: usize) -> u64 {
    let output = format!("--callgrind-out-file={}", bench.dir.path().join("callgrind.%p").display());
    let agent = bench.run(&["valgrind", "--tool=callgrind", &output], samples);
    let pid = agent.id(); // valgrind becomes the program that it runs
    let lines = bench.end(agent, pid);
    let collected = format!("=={pid}== Collected : ");
    let line = lines.iter().find_map(|line| line.strip_prefix(&collected));
    line.unwrap_or_else(|| panic!("{lines:#?}")).trim().parse().unwrap()
}
