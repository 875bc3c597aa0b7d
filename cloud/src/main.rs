//! Arguments to command to exit code; the only file that exits.

use std::io::{self, Write as _};
use std::process::ExitCode;

use pivitals::report::failure::exit;
use pivitals_cloud::cli::{self, Command, Source, Syntax, Whereabouts};
use pivitals_cloud::cloudformation;
use pivitals_cloud::cost::Bill;
use pivitals_cloud::fleet::Fleet;
use pivitals_cloud::policy::{self, Place};
use pivitals_cloud::stack::Stack;
use pivitals_cloud::terraform;

fn main() -> ExitCode {
    let text = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Help) => Ok(cli::HELP.to_owned()),
        Ok(Command::Version) => Ok(concat!("pivitals-cloud ", env!("CARGO_PKG_VERSION"), "\n").to_owned()),
        Ok(Command::CloudFormation(source, syntax)) => stack(&source).map(|stack| match syntax {
            Syntax::ForReaders => cloudformation::yaml(&stack),
            Syntax::Json => cloudformation::json_template(&stack),
        }),
        Ok(Command::Terraform(source, syntax)) => stack(&source).map(|stack| match syntax {
            Syntax::ForReaders => terraform::hcl(&stack),
            Syntax::Json => terraform::json(&stack),
        }),
        Ok(Command::Cost(source, devices)) => {
            load(&source).map(|fleet| Bill::new(&fleet, &devices).to_string())
        }
        Ok(Command::Policy(source, place)) => load(&source).and_then(|fleet| device_policy(&fleet, &place)),
        Err(error) => return complain(exit::USAGE, &[error.to_string()]),
    };
    match text {
        Ok(text) => say(&text),
        Err(errors) => complain(exit::CONFIG, &errors),
    }
}

fn load(source: &Source) -> Result<Fleet, Vec<String>> {
    Fleet::load(source.config.as_deref(), &source.set, &source.known)
}

fn stack(source: &Source) -> Result<Stack, Vec<String>> {
    load(source).map(|fleet| Stack::new(&fleet))
}

fn device_policy(fleet: &Fleet, place: &Whereabouts) -> Result<String, Vec<String>> {
    let place = Place::of(place.region.as_deref(), place.account.as_deref());
    let document = policy::device(&fleet.topics, &place);
    let characters = policy::characters(&document);
    if characters > policy::LEN_MAX {
        return Err(vec![format!(
            "the policy has {characters} characters, and AWS IoT Core takes {}: take a `topic` without {{metric}}, or \
             fewer `metrics`; the templates have several policies instead",
            policy::LEN_MAX
        )]);
    }
    Ok(policy::text(&document) + "\n")
}

fn say(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => exit::OK.into(),
        Err(error) => complain(exit::SOFTWARE, &[format!("standard output: {error}")]),
    }
}

/// Prints what is wrong, a line each. Nothing can be done if that fails.
fn complain(code: u8, errors: &[String]) -> ExitCode {
    for error in errors {
        let _ = writeln!(io::stderr(), "pivitals-cloud: {error}");
    }
    code.into()
}
