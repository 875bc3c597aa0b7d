//! What it costs to watch temperature and throttle flags every second, at an emulated mailbox: all that an
//! agent does between two samples that are an hour apart.

use std::fs;
use std::sync::mpsc::{Receiver, channel};

use pivitals_broker::{Event, Program};
use pivitals_vcio::{Answer, Mailbox, property};

use crate::{Bench, PATIENCE, calls, instructions};

const OPTIONS: [&str; 5] = [
    "interval=3600",
    "metrics=temperature throttled",
    "alert=temperature > 80",
    "alert=under_voltage_now > 0",
    "alert=throttled_now > 0",
];
/// Of the first sample.
const MESSAGES: usize = 9;
/// In the order in which they are asked: the flags, and the temperature.
const QUESTIONS: usize = 2;
/// Seconds until all that comes with connecting is over.
const SETTLED: usize = 3;
const SHORT: usize = 5;
const LONG: usize = 25;

/// What a second costs.
pub struct Watch {
    /// System calls, the most of any second.
    pub calls: u64,
    pub names: Vec<String>,
    /// Instructions in user mode.
    pub instructions: u64,
    /// Time on a processor, in user mode and in the kernel, in microseconds.
    pub cpu_micros: u64,
}

pub fn of_a_second(bench: &Bench) -> Watch {
    let (calls, names) = calls_of_a_second(bench);
    let run = |seconds| instructions::of_a_run(bench, |tool| start(bench, tool, seconds).0);
    Watch {
        calls,
        names,
        instructions: run(LONG).saturating_sub(run(SHORT)) / (LONG - SHORT) as u64,
        cpu_micros: cpu_micros(bench),
    }
}

/// Starts the agent, under a tool if there is one, and waits until it has watched for so many seconds.
fn start(bench: &Bench, tool: &[&str], seconds: usize) -> (Program, Receiver<()>) {
    let mailbox = Mailbox::new(bench.board.root());
    let (asked, questions) = channel();
    mailbox.on(property::THROTTLED, [Answer::Value(0)]);
    mailbox.on(
        property::TEMPERATURE,
        std::iter::repeat_with(move || {
            // At the end nobody wants to know any more.
            let _ = asked.send(());
            Answer::Value(48_312)
        }),
    );
    let agent = mailbox.run(|| Program::start(&mut bench.command(tool, &OPTIONS)));
    for _ in 0..MESSAGES {
        bench.broker.wait_for(PATIENCE, Event::published);
    }
    wait(&questions, seconds);
    (agent, questions)
}

fn wait(questions: &Receiver<()>, seconds: usize) {
    for _ in 0..seconds {
        questions.recv_timeout(PATIENCE).expect("the agent watches");
    }
}

fn calls_of_a_second(bench: &Bench) -> (u64, Vec<String>) {
    let log = bench.dir.path().join("strace-watch.log");
    let (agent, _questions) = start(bench, &["strace", "-o", &log.display().to_string()], LONG);
    let pid = calls::traced(&agent);
    bench.end(agent, pid);
    let log = fs::read_to_string(log).unwrap();
    let lines: Vec<_> = log.lines().collect();
    let is_question = |(index, line): (usize, &&str)| line.starts_with("ioctl(").then_some(index);
    let questions: Vec<_> = lines.iter().enumerate().filter_map(is_question).collect();
    // The first two are of the first look, the next two of the sample that is taken with it.
    let starts: Vec<_> = questions.iter().step_by(QUESTIONS).skip(SETTLED).collect();
    assert!(starts.len() >= LONG - SETTLED, "{log}");
    let seconds = starts.windows(2).map(|pair| &lines[*pair[0]..*pair[1]]);
    let longest = seconds.max_by_key(|second| second.len()).unwrap();
    (longest.len() as u64, calls::names(longest))
}

fn cpu_micros(bench: &Bench) -> u64 {
    let (agent, questions) = start(bench, &[], SETTLED);
    let pid = agent.id();
    let on_processor = || -> u64 {
        let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    };
    while questions.try_recv().is_ok() {}
    wait(&questions, 1);
    let before = on_processor();
    wait(&questions, LONG);
    let nanos = on_processor() - before;
    bench.end(agent, pid);
    nanos.div_ceil(1000 * LONG as u64)
}
