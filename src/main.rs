//! Arguments to command to exit code: the table of contents, and the only file that exits.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use log::LevelFilter;
use pivitals::agent::{self, Agent};
use pivitals::cli::{self, Command};
use pivitals::config::LogTarget;
use pivitals::config::setup::{self, Options, Setup};
use pivitals::doctor::{self, Checks};
use pivitals::platform::event::Signals;
use pivitals::platform::start;
use pivitals::report::failure::{Failure, exit};
use pivitals::report::logging;

fn main() -> ExitCode {
    start::reset_inherited_state();
    let code = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => say(cli::HELP),
        Ok(Command::Version) => say(concat!("pivitals ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Command::Print(options)) => print(&options),
        Ok(Command::Once(options)) => once(&options),
        Ok(Command::Run(options)) => run(&options),
        Ok(Command::Doctor(options, checks)) => doctor(&options, &checks),
        Err(error) => complain(exit::USAGE, &[error.to_string()]),
    };
    code.into()
}

fn print(options: &Options) -> u8 {
    let config = match setup::load_config(options) {
        Ok(config) => config,
        Err(errors) => return complain(exit::CONFIG, &errors),
    };
    logging::start(LogTarget::Stderr);
    log::set_max_level(config.log_level);
    match agent::print(&config, &options.root, &mut io::stdout().lock()) {
        Ok(()) => exit::OK,
        Err(error) => complain(exit::SOFTWARE, &[format!("standard output: {error}")]),
    }
}

fn once(options: &Options) -> u8 {
    let setup = match load(options) {
        Ok(setup) => setup,
        Err(code) => return code,
    };
    let mut agent = Agent::new(setup, &options.root);
    match agent.once() {
        Ok(()) => exit::OK,
        Err(failures) => {
            let code = failures.first().map_or(exit::SOFTWARE, Failure::exit_code);
            let words: Vec<_> = failures.iter().map(|failure| agent.explain(failure).to_string()).collect();
            complain(code, &words)
        }
    }
}

fn run(options: &Options) -> u8 {
    // Before anything that takes time: a SIGTERM that comes early must not be lost.
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return complain(exit::SOFTWARE, &[format!("signals: {error}")]),
    };
    let setup = match load(options) {
        Ok(setup) => setup,
        Err(code) => return code,
    };
    Agent::new(setup, &options.root).run(&mut signals, || Setup::load(options));
    exit::OK
}

fn doctor(options: &Options, checks: &Checks) -> u8 {
    let mut say = |text: &str| {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    };
    match doctor::examine(options, checks, &mut say) {
        Ok(code) => code,
        Err(error) => complain(exit::SOFTWARE, &[format!("standard output: {error}")]),
    }
}

/// Loads what an agent needs, and starts the log that the configuration asks for.
fn load(options: &Options) -> Result<Setup, u8> {
    let loaded = Setup::load(options);
    let is_stderr = logging::start(loaded.as_ref().map_or(LogTarget::Auto, |setup| setup.config.log));
    match loaded {
        Ok(setup) => {
            log::set_max_level(setup.config.log_level);
            Ok(setup)
        }
        Err(errors) => {
            // An init script throws standard error away; the log is all that is left to look at.
            if !is_stderr {
                log::set_max_level(LevelFilter::Error);
                for error in &errors {
                    log::error!("{error}");
                }
            }
            Err(complain(exit::CONFIG, &errors))
        }
    }
}

fn say(text: &str) -> u8 {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => exit::OK,
        Err(_) => exit::SOFTWARE,
    }
}

/// Prints what is wrong, a line each. Nothing can be done if that fails.
fn complain(code: u8, errors: &[impl Display]) -> u8 {
    for error in errors {
        let _ = writeln!(io::stderr(), "pivitals: {error}");
    }
    code
}
