//! Whether a policy document allows what the configuration wants.

use std::fs;
use std::path::Path;

use super::report::{Report, Step, Verdict};
use super::{CONFIG, WARN};
use crate::config::Config;
use crate::policy::{Action, Decision, Policy, Request};
use crate::report::failure::{Words, exit, file_error, lacks};

/// A statement denies it, or none allows it.
const DENIED: Verdict = Verdict::Fail(exit::NOPERM);

pub fn check(path: &Path, config: &Config, report: &mut Report<'_>) {
    let file = path.display().to_string();
    let policy = match read(path) {
        Ok(policy) => policy,
        Err(why) => {
            let words = Words::new(
                format!("{file}: this policy cannot be read: {why}"),
                "give the document that is attached to the certificate, as `aws iot get-policy` prints it",
            );
            return report.bad(Step::Policy, CONFIG, words);
        }
    };
    if policy.ignores_variables() {
        let words = Words::new(
            format!("{file}: the variables ${{…}} are text like any other in this version of the language"),
            "begin the document with \"Version\":\"2012-10-17\"",
        );
        report.bad(Step::Policy, WARN, words);
    }
    let publish = config.topics.names().iter().map(|topic| Action::Publish(topic));
    for action in [Action::Connect].into_iter().chain(publish) {
        // The thing is taken to have the client id for its name.
        let client_id = &config.client_id;
        judge(&file, &policy, &Request { action, client_id, thing: Some(client_id) }, report);
    }
}

fn read(path: &Path) -> Result<Policy, String> {
    let text = fs::read_to_string(path).map_err(|error| file_error(error.kind()))?;
    Policy::parse(&text).map_err(|error| error.to_string())
}

fn judge(file: &str, policy: &Policy, request: &Request<'_>, report: &mut Report<'_>) {
    let (action, resource) = (request.action.name(), request.resource());
    let (verdict, words) = match policy.decide(request) {
        Decision::Allowed => return report.ok(Step::Policy, format!("allows {action} on {resource}")),
        Decision::Denied(statement) => (
            DENIED,
            Words::new(
                format!("{file}: {statement} denies {action} on {resource}, whatever others allow"),
                "change that statement",
            ),
        ),
        Decision::NotAllowed => (
            DENIED,
            Words::new(
                format!("{file}: no statement allows {action} on {resource}"),
                lacks(action, &resource),
            ),
        ),
        Decision::Unknown(statement, because) => (
            WARN,
            Words::new(
                format!(
                    "{file}: whether {action} on {resource} is allowed depends on {statement}, and there on {because}"
                ),
                "only AWS knows that: try it with `pivitals doctor` on the device",
            ),
        ),
    };
    report.bad(Step::Policy, verdict, words);
}
