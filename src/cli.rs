//! The command line into a [`Command`].

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::config::setup::Options;
use crate::doctor::Checks;

/// What `--help` prints.
pub const HELP: &str = "\
pivitals: CPU, memory, disk and temperature of a Raspberry Pi to CloudWatch, through AWS IoT Core

Usage: pivitals [COMMAND] [OPTIONS]

Commands:
  run      sample and publish until SIGTERM or SIGINT; SIGHUP reads the
           configuration and the certificates again (the default)
  once     publish one sample, wait until it is acknowledged, and exit
  print    print one sample as it would be published; needs no network
  doctor   check the configuration and the whole way to the broker, step by
           step, with cause and remedy. It publishes one sample, and takes the
           client id over from an agent that runs: AWS serves one of a name

Options:
  --config FILE      the configuration (default /etc/pivitals.conf)
  --set KEY=VALUE    a key of the configuration; wins over the file; repeatable
  --root DIR         where proc, sys, dev and the mount points are (default /)
  --offline          doctor: only what needs no network; looks for configuration
                     and certificates under --root, too: for a build host
  --json             doctor: print one JSON document
  --version          print the version
  --help             print this

Exit codes: 0 done; 64 wrong usage; 69 broker unreachable or unanswering;
70 own fault; 77 refused: certificate, policy, client id; 78 wrong configuration
";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Sample and publish until told to stop.
    Run(Options),
    /// Publish one sample.
    Once(Options),
    /// Print one sample.
    Print(Options),
    /// Check everything.
    Doctor(Options, Checks),
    /// Print the version.
    Version,
    /// Print the help.
    Help,
}

/// A command line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageError {
    /// There is no such command.
    UnknownCommand(String),
    /// A command was given already.
    SecondCommand(String),
    /// There is no such option.
    UnknownOption(String),
    /// The option needs a value.
    MissingValue(&'static str),
    /// The option was given already.
    SecondOption(&'static str),
    /// The value is not UTF-8.
    NotUtf8(&'static str),
    /// The option is for `doctor`, and another command was given.
    NotForCommand(&'static str),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand(command) => write!(f, "there is no command {command}")?,
            Self::SecondCommand(command) => write!(f, "{command}: one command at a time")?,
            Self::UnknownOption(option) => write!(f, "there is no option {option}")?,
            Self::MissingValue(option) => write!(f, "{option} needs a value")?,
            Self::SecondOption(option) => write!(f, "{option} was given twice")?,
            Self::NotUtf8(option) => write!(f, "{option}: the value is not UTF-8")?,
            Self::NotForCommand(option) => write!(f, "{option} is for the command doctor only")?,
        }
        f.write_str("; pivitals --help tells more")
    }
}

#[derive(Clone, Copy)]
enum Action {
    Run,
    Once,
    Print,
    Doctor,
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// The first one that cannot be understood.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter();
    let mut action = None;
    let (mut config, mut root, mut set) = (None, None, Vec::new());
    let mut checks = Checks::default();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(OsString::from(value))),
            _ => (text.as_str(), None),
        };
        let mut value =
            |option| attached.clone().or_else(|| arguments.next()).ok_or(UsageError::MissingValue(option));
        match name {
            "--help" | "-h" if attached.is_none() => return Ok(Command::Help),
            "--version" | "-V" if attached.is_none() => return Ok(Command::Version),
            "--config" => once(&mut config, "--config", value("--config")?)?,
            "--root" => once(&mut root, "--root", value("--root")?)?,
            "--offline" if attached.is_none() => checks.offline = true,
            "--json" if attached.is_none() => checks.json = true,
            "--set" => {
                set.push(value("--set")?.into_string().map_err(|_| UsageError::NotUtf8("--set"))?);
            }
            option if option.starts_with('-') => return Err(UsageError::UnknownOption(text)),
            command if action.is_some() => return Err(UsageError::SecondCommand(command.to_owned())),
            "run" => action = Some(Action::Run),
            "once" => action = Some(Action::Once),
            "print" => action = Some(Action::Print),
            "doctor" => action = Some(Action::Doctor),
            command => return Err(UsageError::UnknownCommand(command.to_owned())),
        }
    }
    let options = Options { config, set, root: root.unwrap_or_else(|| "/".into()) };
    if let Some(option) = checks.given()
        && !matches!(action, Some(Action::Doctor))
    {
        return Err(UsageError::NotForCommand(option));
    }
    Ok(match action {
        None | Some(Action::Run) => Command::Run(options),
        Some(Action::Once) => Command::Once(options),
        Some(Action::Print) => Command::Print(options),
        Some(Action::Doctor) => Command::Doctor(options, checks),
    })
}

fn once(slot: &mut Option<PathBuf>, option: &'static str, value: OsString) -> Result<(), UsageError> {
    match slot.replace(value.into()) {
        None => Ok(()),
        Some(_) => Err(UsageError::SecondOption(option)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, UsageError> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn defaults() -> Options {
        Options { config: None, set: Vec::new(), root: "/".into() }
    }

    #[test]
    fn no_command_is_run() {
        assert_eq!(parsed(""), Ok(Command::Run(defaults())));
        assert_eq!(parsed("run"), parsed(""));
        assert_eq!(parsed("once"), Ok(Command::Once(defaults())));
        assert_eq!(parsed("print"), Ok(Command::Print(defaults())));
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        let options = Options {
            config: Some("/c".into()),
            set: vec!["a=b=c".to_owned(), "d=e".to_owned()],
            root: "/r".into(),
        };
        let expected = Ok(Command::Print(options));
        assert_eq!(parsed("print --config /c --set a=b=c --set d=e --root /r"), expected);
        assert_eq!(parsed("--root=/r --set=a=b=c --config=/c print --set d=e"), expected);
    }

    #[test]
    fn the_doctor_has_options_of_its_own() {
        assert_eq!(parsed("doctor"), Ok(Command::Doctor(defaults(), Checks::default())));
        let checks = Checks { offline: true, json: true };
        let expected = Ok(Command::Doctor(defaults(), checks));
        assert_eq!(parsed("--json doctor --offline"), expected);
        for (line, option) in [("--offline", "--offline"), ("once --json", "--json")] {
            assert_eq!(parsed(line), Err(UsageError::NotForCommand(option)), "{line}");
        }
    }

    #[test]
    fn help_and_version_win_over_the_rest() {
        for line in ["--help", "-h", "run --help", "--set a=b -h"] {
            assert_eq!(parsed(line), Ok(Command::Help));
        }
        assert_eq!(parsed("--version"), Ok(Command::Version));
        assert_eq!(parsed("-V"), Ok(Command::Version));
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for (line, error) in [
            ("doctro", UsageError::UnknownCommand("doctro".into())),
            ("run once", UsageError::SecondCommand("once".into())),
            ("--verbose", UsageError::UnknownOption("--verbose".into())),
            ("-x", UsageError::UnknownOption("-x".into())),
            ("--help=me", UsageError::UnknownOption("--help=me".into())),
            ("--config", UsageError::MissingValue("--config")),
            ("--root / --root /", UsageError::SecondOption("--root")),
        ] {
            assert_eq!(parsed(line), Err(error), "{line}");
        }
    }
}
