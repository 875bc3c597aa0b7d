//! What the README and the guide say of the cloud is what the programs say.

use std::fs;
use std::path::Path;

use pivitals::message::topics::Topics;
use pivitals::mqtt::session::{Refusal, SessionError};
use pivitals::net::tls::Validity;
use pivitals::platform::clock::Utc;
use pivitals::report::failure::{Context, Failure};
use pivitals_cloud::cli;
use pivitals_cloud::cloudformation;
use pivitals_cloud::cost::Bill;
use pivitals_cloud::fleet::{Fleet, Known};
use pivitals_cloud::stack::Stack;

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).unwrap()
}

fn fleet(set: &[&str]) -> Fleet {
    let set: Vec<_> = set.iter().map(|&set| set.to_owned()).collect();
    Fleet::load(Some("/dev/null".as_ref()), &set, &Known::default()).unwrap()
}

#[test]
fn the_readme_shows_the_bill_as_it_is_printed() {
    let bill = Bill::new(&fleet(&[]), &[1, 1_000, 100_000]).to_string();
    assert!(text("README.md").contains(&format!("```\n$ pivitals-cloud cost\n{bill}```\n")), "{bill}");
}

#[test]
fn the_help_stands_in_the_guide() {
    assert!(text("docs/aws.md").contains(&format!("```\n{}```\n", cli::HELP)));
}

#[test]
fn the_guide_has_ten_steps() {
    let guide = text("docs/aws.md");
    let steps = guide.lines().filter_map(|line| line.split_once(". **")?.0.parse::<u32>().ok());
    assert_eq!(steps.collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
}

#[test]
fn the_guides_errors_are_in_the_words_of_the_device() {
    let guide = text("docs/aws.md");
    let context = Context {
        endpoint: "abcdefghijklmn-ats.iot.eu-west-1.amazonaws.com",
        port: 8883,
        client_id: "pi-7",
        topics: &Topics::new("pivitals/pi-7/metrics", &[]),
        certificate: Path::new("pi-7-certificate.pem.crt"),
        validity: Validity { from: Utc::from_millis(0), until: Utc::from_millis(u64::MAX) },
        now: Utc::from_millis(61_000),
        resolvers: "",
    };
    for failure in [
        Failure::PublishRefused(0, 0x87),
        Failure::Session(SessionError::Refused(Refusal::NotAuthorized)),
        Failure::Session(SessionError::Disconnected(0x8e)),
        Failure::ClockNotSet,
    ] {
        let words = failure.explain(context);
        let quoted = format!("> {}\n> → {}\n", words.cause, words.remedy);
        assert!(guide.contains(&quoted), "{quoted}");
    }
}

#[test]
fn the_guides_names_are_those_of_the_template() {
    let guide = text("docs/aws.md");
    let stack = Stack::new(&fleet(&["format=emf", "rule=PiVitals", "label=pi-7"]));
    let template = cloudformation::yaml(&stack);
    for (told, made) in [
        ("--thing-type-name PiVitals", "ThingTypeName: PiVitals\n"),
        ("--policy-name PiVitals-device", "PolicyName: PiVitals-device\n"),
        ("/pivitals/PiVitals/errors", "LogGroupName: \"/pivitals/PiVitals/errors\"\n"),
        ("'PiVitals: nothing arrives'", "AlarmName: \"PiVitals: nothing arrives\"\n"),
        ("`PiVitals: its action fails`", "AlarmName: \"PiVitals: its action fails\"\n"),
        ("dashboard** `PiVitals`", "DashboardName: PiVitals\n"),
        ("AlarmEmail=", "  AlarmEmail:\n"),
    ] {
        assert!(guide.contains(told) && template.contains(made), "{told}");
    }
}
