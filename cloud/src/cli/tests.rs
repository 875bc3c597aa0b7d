use super::*;

fn parsed(line: &str) -> Result<Command, UsageError> {
    parse(line.split_whitespace().map(OsString::from))
}

#[test]
fn options_stand_before_or_after_the_command() {
    let known = Known { devices: vec!["a".into(), "b".into()], ..Known::default() };
    let source = Source { config: Some("/c".into()), set: vec!["a=b=c".into()], known };
    let expected = Ok(Command::CloudFormation(source, Syntax::Json));
    assert_eq!(parsed("cloudformation --config /c --set a=b=c --device a --device b --json"), expected);
    assert_eq!(parsed("--json --device=a --config=/c cloudformation --set=a=b=c --device=b"), expected);
}

#[test]
fn each_command_has_options_of_its_own() {
    let place = Whereabouts { region: Some("eu-west-1".into()), account: Some("123456789012".into()) };
    let policy = Ok(Command::Policy(Source::default(), place));
    assert_eq!(parsed("policy --region eu-west-1 --account 123456789012"), policy);
    assert_eq!(parsed("cost"), Ok(Command::Cost(Source::default(), DEVICES.to_vec())));
    assert_eq!(parsed("cost --devices 7"), Ok(Command::Cost(Source::default(), vec![7])));
    for (line, option, command) in [
        ("policy --json", "--json", "policy"),
        ("cost --json", "--json", "cost"),
        ("terraform --region eu-west-1", "--region", "terraform"),
        ("cloudformation --devices 7", "--devices", "cloudformation"),
    ] {
        assert_eq!(parsed(line), Err(UsageError::NotForCommand(option, command)), "{line}");
    }
}

#[test]
fn help_and_version_win_over_the_rest() {
    for line in ["--help", "-h", "cost --help", "--set a=b -h"] {
        assert_eq!(parsed(line), Ok(Command::Help));
    }
    assert_eq!(parsed("--version"), Ok(Command::Version));
    assert_eq!(parsed("-V"), Ok(Command::Version));
}

#[test]
fn what_cannot_be_understood_is_named() {
    for (line, error) in [
        ("", UsageError::NoCommand),
        ("cloudfront", UsageError::UnknownCommand("cloudfront".into())),
        ("policy cost", UsageError::SecondCommand("cost".into())),
        ("policy --root /", UsageError::UnknownOption("--root".into())),
        ("terraform --json=x", UsageError::UnknownOption("--json".into())),
        ("policy --config", UsageError::MissingValue("--config")),
        ("policy --config a --config b", UsageError::SecondOption("--config")),
    ] {
        assert_eq!(parsed(line), Err(error), "{line}");
    }
    for line in [
        "policy --account 12",
        "policy --region Ireland",
        "cost --devices 0",
        "cost --devices many",
        "policy --interface eth0:1",
        "policy --device=",
    ] {
        assert!(matches!(parsed(line), Err(UsageError::BadValue(..))), "{line}");
    }
}
