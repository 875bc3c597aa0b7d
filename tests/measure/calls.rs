//! System calls, counted in strace's log between one reading of /proc/stat and the next.

use std::fs;

use pivitals_broker::Program;

use crate::Bench;

const SAMPLES: usize = 10;
/// The first samples come with connecting, and with files that are opened.
const SETTLED: usize = 3;

/// What a cycle does.
pub struct Calls {
    /// The most of any cycle.
    pub most: u64,
    /// Their names, of that cycle.
    pub names: Vec<String>,
    pub sent: u64,
    pub received: u64,
}

pub fn of_a_cycle(bench: &Bench) -> Calls {
    let log = bench.dir.path().join("strace.log");
    let agent = bench.run(&["strace", "-o", &log.display().to_string()], SAMPLES);
    let pid = traced(&agent);
    bench.end(agent, pid);
    let log = fs::read_to_string(log).unwrap();
    let lines: Vec<_> = log.lines().collect();
    let starts: Vec<_> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.contains("\"cpu  "))
        .map(|(index, _)| index)
        .collect();
    assert!(starts.len() >= SAMPLES, "{log}");
    let cycles = starts.windows(2).skip(SETTLED).map(|pair| &lines[pair[0]..pair[1]]);
    let longest = cycles.max_by_key(|cycle| cycle.len()).unwrap();
    let bytes = |call: &str| {
        let of_call = longest.iter().filter(|line| line.starts_with(call));
        of_call.filter_map(|line| line.rsplit_once("= ")?.1.parse::<u64>().ok()).sum()
    };
    Calls {
        most: longest.len() as u64,
        names: names(longest),
        sent: bytes("write"),
        received: bytes("recvfrom"),
    }
}

/// The process that strace runs.
pub fn traced(strace: &Program) -> u32 {
    let children = format!("/proc/{0}/task/{0}/children", strace.id());
    fs::read_to_string(children).unwrap().trim().parse().unwrap()
}

/// The calls' names.
pub fn names(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| line.split('(').next().unwrap().to_owned()).collect()
}
