//! The command line into a [`Command`].

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use pivitals::message::payload::LABEL_LEN_MAX;
use pivitals::metric::DEVICE_LEN_MAX;

use crate::fleet::Known;

#[cfg(test)]
mod tests;

/// What `--help` prints.
pub const HELP: &str = "\
pivitals-cloud: the AWS side of pivitals, from a device's own configuration

Usage: pivitals-cloud COMMAND [OPTIONS]

Commands:
  cloudformation   print a template: thing type, policy, rule, roles, alarms,
                   dashboard
  terraform        print the same as a configuration of Terraform
  policy           print the device's AWS IoT Core policy alone
  cost             print what a fleet costs a month, by formula

Options:
  --config FILE      the device's configuration (default /etc/pivitals.conf)
  --set KEY=VALUE    a key of the configuration; wins over the file; repeatable
  --device LABEL     a device that gets alarms of its own; repeatable
  --interface NAME   a network interface of the devices, for `network` and `all`
                     (default eth0 and wlan0); repeatable
  --drive NAME       a disk of the devices, for `disk_io` and `all`
                     (default mmcblk0); repeatable
  --json             cloudformation, terraform: JSON, without comments
  --region REGION    policy: where it holds (default any)
  --account NUMBER   policy: whose it is (default anybody's)
  --devices N        cost: how many; repeatable (default 1, 1,000 and 100,000)
  --version          print the version
  --help             print this

Exit codes: 0 done; 64 wrong usage; 70 own fault; 78 wrong configuration
";

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Print CloudFormation's template.
    CloudFormation(Source, Syntax),
    /// Print Terraform's configuration.
    Terraform(Source, Syntax),
    /// Print the device's policy.
    Policy(Source, Whereabouts),
    /// Print the bill of so many devices.
    Cost(Source, Vec<u32>),
    /// Print the version.
    Version,
    /// Print the help.
    Help,
}

/// What is known of the devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The configuration file, if it was named; then it has to be there.
    pub config: Option<PathBuf>,
    /// `KEY=VALUE`, in the order given.
    pub set: Vec<String>,
    /// What the configuration does not tell.
    pub known: Known,
}

/// How a stack is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Syntax {
    /// With comments.
    #[default]
    ForReaders,
    /// JSON.
    Json,
}

/// Where a policy holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// AWS's name of it.
    pub region: Option<String>,
    /// Its number.
    pub account: Option<String>,
}

/// A command line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageError {
    /// Nothing is to be done.
    NoCommand,
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
    /// The value cannot be what it should be.
    BadValue(&'static str, String, &'static str),
    /// The option is for another command.
    NotForCommand(&'static str, &'static str),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("a command is missing")?,
            Self::UnknownCommand(command) => write!(f, "there is no command {command}")?,
            Self::SecondCommand(command) => write!(f, "{command}: one command at a time")?,
            Self::UnknownOption(option) => write!(f, "there is no option {option}")?,
            Self::MissingValue(option) => write!(f, "{option} needs a value")?,
            Self::SecondOption(option) => write!(f, "{option} was given twice")?,
            Self::BadValue(option, value, allowed) => write!(f, "{option} {value}: allowed: {allowed}")?,
            Self::NotForCommand(option, command) => write!(f, "{option} is not for the command {command}")?,
        }
        f.write_str("; pivitals-cloud --help tells more")
    }
}

/// The commands that need a configuration.
const COMMANDS: [&str; 4] = ["cloudformation", "terraform", "policy", "cost"];

/// Reads the arguments after the program's name.
///
/// # Errors
/// The first one that cannot be understood.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter();
    let mut command = None;
    let mut given = Given::default();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(OsString::from(value))),
            _ => (text.as_str(), None),
        };
        match name {
            "--help" | "-h" if attached.is_none() => return Ok(Command::Help),
            "--version" | "-V" if attached.is_none() => return Ok(Command::Version),
            option if option.starts_with('-') => {
                let next = || attached.clone().or_else(|| arguments.next());
                given.take(option, attached.is_some(), next)?;
            }
            other if command.is_some() => return Err(UsageError::SecondCommand(other.to_owned())),
            other => match COMMANDS.into_iter().find(|known| *known == other) {
                Some(known) => command = Some(known),
                None => return Err(UsageError::UnknownCommand(other.to_owned())),
            },
        }
    }
    given.into_command(command.ok_or(UsageError::NoCommand)?)
}

/// The options so far.
#[derive(Default)]
struct Given {
    source: Source,
    json: Option<()>,
    place: Whereabouts,
    devices: Vec<u32>,
}

/// A fleet of one, of one's own, and of a company's.
const DEVICES: [u32; 3] = [1, 1_000, 100_000];

impl Given {
    fn take(
        &mut self,
        option: &str,
        is_attached: bool,
        mut next: impl FnMut() -> Option<OsString>,
    ) -> Result<(), UsageError> {
        match option {
            "--config" => once(&mut self.source.config, "--config", value("--config", next())?.into()),
            "--set" => text("--set", next()).map(|set| self.source.set.push(set)),
            "--device" => label("--device", next()).map(|label| self.source.known.devices.push(label)),
            "--interface" => name("--interface", next()).map(|name| self.source.known.interfaces.push(name)),
            "--drive" => name("--drive", next()).map(|name| self.source.known.drives.push(name)),
            "--region" => once(&mut self.place.region, "--region", region(next())?),
            "--account" => once(&mut self.place.account, "--account", account(next())?),
            "--devices" => devices(next()).map(|number| self.devices.push(number)),
            "--json" if !is_attached => once(&mut self.json, "--json", ()),
            unknown => Err(UsageError::UnknownOption(unknown.to_owned())),
        }
    }

    fn into_command(self, command: &'static str) -> Result<Command, UsageError> {
        // Each option with the commands that it is for.
        let special: [(bool, &'static str, &[&str]); 4] = [
            (self.json.is_some(), "--json", &["cloudformation", "terraform"]),
            (self.place.region.is_some(), "--region", &["policy"]),
            (self.place.account.is_some(), "--account", &["policy"]),
            (!self.devices.is_empty(), "--devices", &["cost"]),
        ];
        let refused =
            special.iter().find(|(is_given, _, commands)| *is_given && !commands.contains(&command));
        if let Some((_, option, _)) = refused {
            return Err(UsageError::NotForCommand(option, command));
        }
        let syntax = if self.json.is_some() { Syntax::Json } else { Syntax::ForReaders };
        let devices = if self.devices.is_empty() { DEVICES.to_vec() } else { self.devices };
        Ok(match command {
            "cost" => Command::Cost(self.source, devices),
            "policy" => Command::Policy(self.source, self.place),
            "terraform" => Command::Terraform(self.source, syntax),
            _ => Command::CloudFormation(self.source, syntax),
        })
    }
}

fn once<T>(slot: &mut Option<T>, option: &'static str, value: T) -> Result<(), UsageError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(UsageError::SecondOption(option)),
    }
}

fn value(option: &'static str, given: Option<OsString>) -> Result<OsString, UsageError> {
    given.ok_or(UsageError::MissingValue(option))
}

fn text(option: &'static str, given: Option<OsString>) -> Result<String, UsageError> {
    let bad = |text: OsString| UsageError::BadValue(option, text.to_string_lossy().into_owned(), "UTF-8");
    value(option, given)?.into_string().map_err(bad)
}

fn checked(
    option: &'static str,
    given: Option<OsString>,
    allowed: &'static str,
    is_allowed: impl Fn(&str) -> bool,
) -> Result<String, UsageError> {
    let text = text(option, given)?;
    if is_allowed(&text) { Ok(text) } else { Err(UsageError::BadValue(option, text, allowed)) }
}

fn label(option: &'static str, given: Option<OsString>) -> Result<String, UsageError> {
    let is_label =
        |text: &str| (1..=LABEL_LEN_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    checked(option, given, "a label: 1–128 bytes, no control characters", is_label)
}

fn name(option: &'static str, given: Option<OsString>) -> Result<String, UsageError> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_name = |text: &str| (1..=DEVICE_LEN_MAX).contains(&text.len()) && text.bytes().all(is_letter);
    checked(option, given, "1–15 letters, digits and _ . -", is_name)
}

fn region(given: Option<OsString>) -> Result<String, UsageError> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    checked("--region", given, "a region, like eu-west-1", |text| {
        !text.is_empty() && text.bytes().all(is_letter)
    })
}

fn account(given: Option<OsString>) -> Result<String, UsageError> {
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    checked("--account", given, "twelve digits", is_account)
}

fn devices(given: Option<OsString>) -> Result<u32, UsageError> {
    const ALLOWED: &str = "1–1000000000";
    let text = text("--devices", given)?;
    let number = text.parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.ok_or(UsageError::BadValue("--devices", text, ALLOWED))
}
