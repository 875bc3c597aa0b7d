//! `cargo demo`: the real agent on this machine's real `/proc`, publishing by mutual TLS to the tests'
//! broker; what the broker receives is shown as it comes. Needs nothing but Rust and a C compiler.
//!
//! - [`arguments`]: the command line
//! - [`agent`]: the agent's configuration, its process, its log
//! - [`sensor`]: a temperature for machines that measure none
//! - [`message`]: payloads into readings; [`board`]: readings into samples and series
//! - [`account`]: what the broker saw, added up for the end
//! - [`screen`]: lines that scroll, and the series below them; [`terminal`]: its width, and Ctrl-C

mod account;
mod agent;
mod arguments;
mod board;
mod message;
mod screen;
mod sensor;
mod terminal;

use std::io::{self, Write};
use std::iter::once;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use pivitals::metric::Metric;
use pivitals::platform::event::Signals;
use pivitals::report::failure::exit;
use pivitals_broker::{Broker, Event, Manners, Pki, TestDir};

use account::Account;
use agent::Agent;
use arguments::Arguments;
use board::Board;
use screen::Screen;
use sensor::Sensor;
use terminal::Keyboard;

/// Between two looks at the signals. Everything else wakes the demo by itself.
const TICK: Duration = Duration::from_millis(100);
/// Without a word of agent or broker. Counted in ticks and not by a clock, so that a demo that was
/// suspended goes on when it wakes up.
const QUIET_TICKS_MAX: u32 = 300;
/// The broker's events are waited for as long as it takes.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the demo waits for.
enum Input {
    /// The broker saw something.
    Broker(Event),
    /// The agent wrote a line.
    AgentLine(String),
    /// The agent has closed its standard error: it ends.
    AgentEnd,
    /// The user wants no more.
    CtrlC,
}

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let arguments = match arguments::parse(words) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return say(io::stdout(), arguments::HELP, ExitCode::SUCCESS),
        Err(error) => return say(io::stderr(), &format!("demo: {error}"), exit::USAGE.into()),
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(io::stderr(), &format!("demo: {error}"), ExitCode::FAILURE),
    }
}

fn say(mut out: impl Write, text: &str, code: ExitCode) -> ExitCode {
    // Where the output is closed, the exit code is all that can be told.
    let _ = writeln!(out, "{text}");
    code
}

fn run(arguments: &Arguments) -> Result<(), String> {
    // Before any thread: all of them, and the agent, inherit that these signals are blocked. One that
    // comes early then waits for whoever takes it, and ends nobody halfway.
    let mut signals = Signals::new().map_err(|error| format!("signals: {error}"))?;
    let folder = TestDir::new("demo");
    let pki = Pki::new(&folder.path().join("pki"));
    let broker = Broker::start(&pki, Manners::default());
    let sensor = Sensor::where_none_is(folder.path())?;
    let root = sensor.as_ref().map_or(Path::new("/"), Sensor::root);
    let config =
        agent::Config::write(folder.path(), broker.port(), &pki.device(agent::NAME), arguments.format)?;

    let (sender, inputs) = channel();
    let agent = Agent::start(&config, root, sender.clone())?;
    let mut screen = Screen::new();
    let _keyboard = screen.is_terminal().then(|| Keyboard::take(sender.clone())).flatten();
    let mut lines = vec![
        format!("demo    the agent: pivitals {}, process {}", env!("CARGO_PKG_VERSION"), agent.id()),
        format!("demo    the broker: {}:{}, with certificates made just now", broker.host(), broker.port()),
        format!("demo    the configuration: {}", config.path.display()),
    ];
    lines.extend(config.text.lines().map(|line| format!("            {line}")));
    lines.extend(sensor.as_ref().map(|sensor| format!("demo    {}", sensor.explain())));
    lines.push(format!("demo    {}", arguments.end()));
    screen.show(&lines, &[]);
    relay(broker, sender);

    let mut demo = Demo {
        arguments,
        screen,
        agent,
        sensor,
        board: Board::default(),
        account: Account::default(),
        agent_end: None,
        is_stopping: false,
        is_interrupted: false,
    };
    demo.watch(&inputs, &mut signals)?;
    demo.end()
}

/// Passes the broker's events on, in a thread that ends with the process.
fn relay(broker: Broker, sender: Sender<Input>) {
    thread::spawn(move || while sender.send(Input::Broker(broker.next_event(FOREVER))).is_ok() {});
}

struct Demo<'a> {
    arguments: &'a Arguments,
    screen: Screen,
    agent: Agent,
    sensor: Option<Sensor>,
    board: Board,
    account: Account,
    agent_end: Option<ExitStatus>,
    /// The agent was told to end.
    is_stopping: bool,
    /// The user wants no more: Ctrl-C, or the reader of our output is gone.
    is_interrupted: bool,
}

impl Demo<'_> {
    /// Shows what comes, until the agent has ended and the broker has seen the end of its connections.
    fn watch(&mut self, inputs: &Receiver<Input>, signals: &mut Signals) -> Result<(), String> {
        let mut quiet_ticks = 0;
        while self.agent_end.is_none() || self.account.has_open_connections() {
            match inputs.recv_timeout(TICK) {
                Ok(first) => {
                    quiet_ticks = 0;
                    let mut lines = Vec::new();
                    for input in once(first).chain(inputs.try_iter()) {
                        self.take(input, &mut lines)?;
                    }
                    self.screen.show(&lines, self.board.series());
                }
                Err(RecvTimeoutError::Timeout) if quiet_ticks < QUIET_TICKS_MAX => quiet_ticks += 1,
                Err(RecvTimeoutError::Timeout) => {
                    let limit = TICK * QUIET_TICKS_MAX;
                    return Err(format!("neither the agent nor the broker said anything for {limit:?}"));
                }
                Err(RecvTimeoutError::Disconnected) => return Err("the broker is gone".to_owned()),
            }
            self.is_interrupted |= signals.next_signal().is_some() || self.screen.has_failed();
            let has_all = self.arguments.samples.is_some_and(|wanted| self.board.samples() >= wanted);
            if (self.is_interrupted || has_all) && !self.is_stopping && self.agent_end.is_none() {
                self.is_stopping = true;
                self.agent.terminate()?;
            }
        }
        Ok(())
    }

    /// Takes one input, and adds to `lines` what it is to be told in.
    fn take(&mut self, input: Input, lines: &mut Vec<String>) -> Result<(), String> {
        match input {
            Input::AgentLine(line) => {
                lines.push(format!("agent   {line}"));
                self.account.agent_line(line);
            }
            Input::CtrlC => self.is_interrupted = true,
            Input::AgentEnd => self.agent_end = Some(self.agent.wait()?),
            Input::Broker(event) => {
                lines.extend(self.account.event(&event));
                if let Event::Published(published) = event {
                    let payload = String::from_utf8_lossy(&published.payload);
                    for part in message::read(&payload, self.arguments.format)? {
                        self.board.add(part);
                    }
                    lines.push(payload.into_owned());
                }
                if let (Some(sensor), Some(percent)) = (&mut self.sensor, self.board.last(Metric::Cpu)) {
                    sensor.follow(self.board.samples(), percent)?;
                }
            }
        }
        Ok(())
    }

    /// The closing words, or what went wrong.
    fn end(mut self) -> Result<(), String> {
        self.board.complete();
        let samples = self.board.samples();
        let is_short = self.arguments.samples.is_some_and(|wanted| samples < wanted);
        let mut faults = self.account.faults();
        if is_short && !self.is_interrupted {
            faults.push(format!("the agent ended after {samples} samples"));
        }
        match self.agent_end {
            Some(status) if status.success() => {}
            Some(status) => faults.push(format!("the agent ended with {status}")),
            None => faults.push("the agent has not ended".to_owned()),
        }
        let closing: &[String] = match faults.as_slice() {
            [] => &[format!("demo    {}", self.account.summary(samples))],
            _ => &[],
        };
        self.screen.finish(closing, self.board.series());
        self.screen.into_result()?;
        if faults.is_empty() { Ok(()) } else { Err(faults.join("\ndemo: ")) }
    }
}
