//! The demo's command line.

use std::str::FromStr as _;

use pivitals::message::payload::Format;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: cargo demo [-- [--samples N] [--format rule|flat|emf]]

Runs the agent on this machine against a broker of its own, and shows what the broker receives.

  --samples N        end after N samples, a sample a second; otherwise Ctrl-C ends it
  --format FORMAT    the agent's format: rule (a message a metric; the default), flat or emf";

/// The formats by the names they have in the agent's configuration.
const FORMATS: [(&str, Format); 3] = [("rule", Format::Rule), ("flat", Format::Flat), ("emf", Format::Emf)];

/// What the user asks for.
pub struct Arguments {
    /// How many samples to wait for; `None`: until a signal comes.
    pub samples: Option<u64>,
    /// The agent's format.
    pub format: Format,
}

impl Arguments {
    /// How the demo comes to its end, in words.
    pub fn end(&self) -> String {
        match self.samples {
            Some(1) => "ends after 1 sample".to_owned(),
            Some(samples) => format!("ends after {samples} samples"),
            None => "Ctrl-C ends it".to_owned(),
        }
    }
}

/// A format's name in the agent's configuration.
pub fn format_name(format: Format) -> &'static str {
    FORMATS.iter().find(|(_, other)| *other == format).map_or("rule", |(name, _)| name)
}

/// Reads the arguments after the program's name; `None`: help is asked for.
pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut parsed = Arguments { samples: None, format: Format::Rule };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let (name, attached) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            let value = attached.clone().or_else(|| arguments.next());
            value.ok_or_else(|| usage(&format!("{name} needs a value")))
        };
        match name {
            "--help" | "-h" => return Ok(None),
            "--samples" => {
                let value = value()?;
                let samples = u64::from_str(&value).ok().filter(|&samples| samples > 0);
                let wrong = || usage(&format!("--samples {value}: a number from 1 on is needed"));
                parsed.samples = Some(samples.ok_or_else(wrong)?);
            }
            "--format" => {
                let value = value()?;
                let format = FORMATS.iter().find(|(name, _)| *name == value).map(|(_, format)| *format);
                let wrong = || usage(&format!("--format {value}: rule, flat or emf is needed"));
                parsed.format = format.ok_or_else(wrong)?;
            }
            _ => return Err(usage(&format!("{argument}: there is no such argument"))),
        }
    }
    Ok(Some(parsed))
}

fn usage(error: &str) -> String {
    let usage = HELP.lines().next().unwrap_or_default();
    format!("{error}\n{usage}")
}
