//! Instructions, counted by callgrind over a short and a long run: the difference is that of the
//! cycles which the long one has more.

use pivitals_broker::Program;

use crate::Bench;

const SHORT: usize = 5;
const LONG: usize = 25;

pub fn of_a_cycle(bench: &Bench) -> u64 {
    let run = |samples| of_a_run(bench, |tool| bench.run(tool, samples));
    run(LONG).saturating_sub(run(SHORT)) / (LONG - SHORT) as u64
}

/// Of a run of the agent that is started under this tool.
pub fn of_a_run(bench: &Bench, start: impl FnOnce(&[&str]) -> Program) -> u64 {
    let output = format!("--callgrind-out-file={}", bench.dir.path().join("callgrind.%p").display());
    let agent = start(&["valgrind", "--tool=callgrind", &output]);
    let pid = agent.id(); // valgrind becomes the program that it runs
    let lines = bench.end(agent, pid);
    let collected = format!("=={pid}== Collected : ");
    let line = lines.iter().find_map(|line| line.strip_prefix(&collected));
    line.unwrap_or_else(|| panic!("{lines:#?}")).trim().parse().unwrap()
}
