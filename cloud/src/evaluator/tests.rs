use super::*;

/// The one that the project's documents recommend, written as people write them.
const RECOMMENDED: &str = r#"{
    "Version": "2012-10-17",
    "Id": "pivitals",
    "Statement": [
        {
            "Sid": "ConnectAsItself",
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": "arn:aws:iot:eu-west-1:123456789012:client/${iot:Connection.Thing.ThingName}",
            "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}
        },
        {
            "Effect": "Allow",
            "Action": ["iot:Publish"],
            "Resource": [
                "arn:aws:iot:eu-west-1:123456789012:topic/pivitals/${iot:ClientId}/metrics",
                "arn:aws:iot:eu-west-1:123456789012:topic/$aws/rules/pivitals/*"
            ]
        }
    ]
}"#;

const TOPIC: &str = "pivitals/pi-7/metrics";

fn connect(client_id: &'static str, thing: Option<&'static str>) -> Request<'static> {
    Request { action: Action::Connect, client_id, thing }
}

fn publish(topic: &'static str) -> Request<'static> {
    Request { action: Action::Publish(topic), client_id: "pi-7", thing: Some("pi-7") }
}

/// The members of one statement, in a document of the version that knows variables.
fn policy(members: &str) -> Policy {
    policy_of(&[members])
}

fn policy_of(statements: &[&str]) -> Policy {
    let statements: Vec<_> = statements.iter().map(|members| format!("{{{members}}}")).collect();
    let list = statements.join(", ");
    Policy::parse(&format!(r#"{{"Version": "2012-10-17", "Statement": [{list}]}}"#)).unwrap()
}

fn may_publish_to(resource: &str, topic: &'static str) -> bool {
    let members = format!(r#""Effect": "Allow", "Action": "iot:Publish", "Resource": "{resource}""#);
    match policy(&members).decide(&publish(topic)) {
        Decision::Allowed => true,
        Decision::NotAllowed => false,
        other => panic!("{resource}: {other:?}"),
    }
}

/// What a Connect of `pi-7`, attached to `thing`, gets from an Allow on everything with this condition.
fn under(condition: &str, thing: Option<&'static str>) -> String {
    let allow = r#""Effect": "Allow", "Action": "iot:Connect", "Resource": "*""#;
    match policy(&format!(r#"{allow}, "Condition": {{{condition}}}"#)).decide(&connect("pi-7", thing)) {
        Decision::Unknown(name, because) => format!("{name}: {because}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_recommended_policy_allows_a_device_what_it_needs_and_no_more() {
    let policy = Policy::parse(RECOMMENDED).unwrap();
    assert_eq!(policy.decide(&connect("pi-7", Some("pi-7"))), Decision::Allowed);
    assert_eq!(policy.decide(&connect("pi-70", Some("pi-7"))), Decision::NotAllowed);
    assert_eq!(policy.decide(&publish(TOPIC)), Decision::Allowed);
    assert_eq!(policy.decide(&publish("$aws/rules/pivitals/a/b")), Decision::Allowed);
    assert_eq!(policy.decide(&publish("$aws/rules/other/a")), Decision::NotAllowed);
    assert_eq!(policy.decide(&publish("pivitals/pi-8/metrics")), Decision::NotAllowed);
    let retained = Request { action: Action::RetainPublish(TOPIC), ..publish(TOPIC) };
    assert_eq!(policy.decide(&retained), Decision::NotAllowed);
}

#[test]
fn a_deny_wins_in_any_order_and_is_named() {
    let deny =
        r#""Sid": "No", "Effect": "Deny", "Action": "iot:*", "Resource": "arn:aws:iot:*:*:topic/pivitals/*""#;
    let allow = r#""Effect": "Allow", "Action": "*", "Resource": "*""#;
    for (statements, number) in [([deny, allow], 1), ([allow, deny], 2)] {
        let policy = policy_of(&statements);
        let name = StatementName { number, sid: Some("No"), effect: Effect::Deny };
        assert_eq!(policy.decide(&publish(TOPIC)), Decision::Denied(name));
        assert_eq!(name.to_string(), format!("statement {number} (No)"));
        assert_eq!(policy.decide(&publish("other")), Decision::Allowed);
        assert_eq!(policy.decide(&connect("pi-7", None)), Decision::Allowed);
    }
}

#[test]
fn an_action_is_told_by_its_name_in_any_case_and_with_wildcards() {
    let may = |action: &str| {
        let members = format!(r#""Effect": "Allow", "Action": {action}, "Resource": "*""#);
        policy(&members).decide(&publish(TOPIC)) == Decision::Allowed
    };
    for action in [
        r#""iot:Publish""#,
        r#""IOT:publish""#,
        r#""iot:Pub*""#,
        r#""*""#,
        r#"["iot:Connect", "iot:P?blish"]"#,
    ] {
        assert!(may(action), "{action}");
    }
    for action in
        [r#""iot:Connect""#, r#""iot:RetainPublish""#, r#""Publish""#, r#""s3:*""#, "[]", r#""iot:Publish2""#]
    {
        assert!(!may(action), "{action}");
    }
}

#[test]
fn a_resource_stands_for_what_it_says() {
    for (resource, topic) in [
        ("*", TOPIC),
        ("arn:aws:iot:eu-west-1:123456789012:topic/pivitals/pi-7/metrics", TOPIC),
        ("arn:aws:iot:*:*:topic/pivitals/*", TOPIC),
        ("arn:aws:iot:*:*:topic/*/metrics", TOPIC),
        ("arn:aws:iot:*:*:topic/pivitals/pi-?/metrics", TOPIC),
        ("arn:aws:iot:*:*:topic/a/+/#", "a/+/#"),
        ("arn:aws:iot:*:*:topic/\\u0070ivitals/*", TOPIC),
    ] {
        assert!(may_publish_to(resource, topic), "{resource}");
    }
    for (resource, topic) in [
        ("arn:aws:iot:*:*:topic/pivitals/pi-70/metrics", TOPIC),
        ("arn:aws:iot:*:*:topic/pivitals/pi-7", TOPIC),
        ("arn:aws:iot:*:*:topic/pivitals/+/metrics", TOPIC),
        ("arn:aws:iot:*:*:topic/pivitals/#", TOPIC),
        ("arn:aws:iot:*:*:topicfilter/pivitals/*", TOPIC),
        ("arn:aws:iot:*:*:client/pi-7", TOPIC),
        ("topic/pivitals/pi-7/metrics", TOPIC),
        ("arn:aws:iot:*:*:topic/pivitals/pi-7/metrics\\u0000", TOPIC),
    ] {
        assert!(!may_publish_to(resource, topic), "{resource}");
    }
}

#[test]
fn a_resource_that_is_no_arn_is_not_guessed_at() {
    let policy = policy(r#""Effect": "Allow", "Action": "iot:Publish", "Resource": "*/metrics""#);
    let Decision::Unknown(_, because) = policy.decide(&publish(TOPIC)) else { panic!("guessed") };
    assert_eq!(because.to_string(), "the resource */metrics, which is no ARN");
    assert_eq!(policy.decide(&publish("metrics2")), Decision::NotAllowed);
}

#[test]
fn what_is_put_in_for_a_variable_is_no_wildcard() {
    let resource = "arn:aws:iot:*:*:topic/${iot:ClientId}/${IOT:clientid}";
    let policy = policy(&format!(r#""Effect": "Allow", "Action": "iot:Publish", "Resource": "{resource}""#));
    let by =
        |client_id, topic| policy.decide(&Request { action: Action::Publish(topic), client_id, thing: None });
    assert_eq!(by("*", "*/*"), Decision::Allowed);
    assert_eq!(by("*", "a/b"), Decision::NotAllowed);
    assert_eq!(by("?", "a/a"), Decision::NotAllowed);
    assert_eq!(by("a:b", "a:b/a:b"), Decision::Allowed);
    assert_eq!(by("${iot:ClientId}", "${iot:ClientId}/${iot:ClientId}"), Decision::Allowed);
}

#[test]
fn special_characters_can_be_meant_as_they_are() {
    let resource = "arn:aws:iot:*:*:topic/${*}/${?}/${$}{x}/$aws/*";
    assert!(may_publish_to(resource, "*/?/${x}/$aws/a"));
    assert!(!may_publish_to(resource, "a/?/${x}/$aws/a"));
    assert!(!may_publish_to(resource, "*/b/${x}/$aws/a"));
}

#[test]
fn a_variable_that_only_aws_knows_is_named_where_it_matters() {
    let resource = "arn:aws:iot:*:*:topic/pivitals/${iot:Certificate.Subject.CommonName}/metrics";
    let allow = format!(r#""Effect": "Allow", "Action": "iot:Publish", "Resource": "{resource}""#);
    let unsure = policy(&allow);
    let Decision::Unknown(name, because) = unsure.decide(&publish(TOPIC)) else { panic!("guessed") };
    assert_eq!(name, StatementName { number: 1, sid: None, effect: Effect::Allow });
    assert_eq!(because.to_string(), "the variable ${iot:Certificate.Subject.CommonName}");
    assert_eq!(unsure.decide(&publish("pivitals/pi-7/other")), Decision::NotAllowed, "whatever its value");

    let everything = r#""Effect": "Allow", "Action": "iot:Publish", "Resource": "*""#;
    assert_eq!(policy_of(&[&allow, everything]).decide(&publish(TOPIC)), Decision::Allowed);
    let either = allow.replace(": \"arn", ": [\"arn").replace("/metrics\"", "/metrics\", \"*\"]");
    assert_eq!(policy(&either).decide(&publish(TOPIC)), Decision::Allowed);
    let twice = policy_of(&[&allow, &allow]);
    assert!(matches!(twice.decide(&publish(TOPIC)), Decision::Unknown(name, _) if name.number == 1));
    let deny = allow.replace("Allow", "Deny");
    let denied = policy_of(&[everything, &deny]);
    let Decision::Unknown(name, _) = denied.decide(&publish(TOPIC)) else { panic!("guessed") };
    assert_eq!(name, StatementName { number: 2, sid: None, effect: Effect::Deny });
    assert_eq!(policy(&deny).decide(&publish(TOPIC)), Decision::NotAllowed, "denied or not");
    let never_closed = "arn:aws:iot:*:*:topic/${iot:ClientId";
    let unclosed = policy(&format!(r#""Effect": "Allow", "Action": "*", "Resource": "{never_closed}""#));
    let Decision::Unknown(_, because) = unclosed.decide(&publish("pi-7")) else { panic!("guessed") };
    assert_eq!(because, Because::Variable("iot:ClientId"));
}

#[test]
fn a_thing_of_another_name_than_the_client_id_is_not_taken_for_certain() {
    let resource = "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}*";
    let policy = policy(&format!(r#""Effect": "Allow", "Action": "*", "Resource": "{resource}""#));
    let thing_name = Because::Variable("iot:Connection.Thing.ThingName");
    let because = |client_id, thing| match policy.decide(&connect(client_id, thing)) {
        Decision::Unknown(_, because) => because,
        other => panic!("{other:?}"),
    };
    assert_eq!(policy.decide(&connect("pi-7", Some("pi-7"))), Decision::Allowed);
    assert_eq!(because("pi-7-b", Some("pi-7")), thing_name);
    assert_eq!(because("pi-7", None), thing_name);
    assert_eq!(policy.decide(&connect("pi-8", Some("pi-7"))), Decision::NotAllowed);
}

#[test]
fn without_its_version_a_variable_is_text() {
    let document = |version: &str, resource: &str| {
        let statement = format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": "{resource}"}}"#);
        Policy::parse(&format!(r#"{{{version}"Statement": {statement}}}"#)).unwrap()
    };
    let variable = "arn:aws:iot:*:*:client/${iot:ClientId}";
    for version in ["", r#""Version": "2008-10-17", "#] {
        let policy = document(version, variable);
        assert!(policy.ignores_variables(), "{version}");
        assert_eq!(policy.decide(&connect("pi-7", None)), Decision::NotAllowed);
        assert_eq!(policy.decide(&connect("${iot:ClientId}", None)), Decision::Allowed);
        assert!(!document(version, "*").ignores_variables());
    }
    let policy = document(r#""Version": "2012-10-17", "#, variable);
    assert!(!policy.ignores_variables());
    assert_eq!(policy.decide(&connect("pi-7", None)), Decision::Allowed);
}

#[test]
fn a_condition_on_what_is_known_decides() {
    let attached = |value: &str| format!(r#""Bool": {{"iot:Connection.Thing.IsAttached": {value}}}"#);
    let client = |operator: &str, value: &str| format!(r#""{operator}": {{"iot:ClientId": {value}}}"#);
    let name = |value: &str| format!(r#""StringEquals": {{"iot:Connection.Thing.ThingName": {value}}}"#);
    for condition in [
        String::new(),
        attached(r#""true""#),
        attached("true"),
        attached(r#"["false", "true"]"#),
        attached(r#""true""#).replace("Bool", "BoolIfExists"),
        attached("true").replace("IsAttached", "isattached"),
        client("StringEquals", r#"["pi-8", "pi-7"]"#),
        client("StringEquals", r#"["${iot:DomainName}", "pi-7"]"#),
        client("StringEqualsIfExists", r#""pi-7""#),
        client("StringLike", r#""pi-?""#),
        client("StringLike", r#""${iot:Connection.Thing.ThingName}*""#),
        name(r#""${iot:ClientId}""#),
        format!("{}, {}", attached("true"), client("StringEquals", r#""pi-7""#)),
    ] {
        assert_eq!(under(&condition, Some("pi-7")), "Allowed", "{condition}");
    }
    for condition in [
        attached("false"),
        client("StringEquals", r#""pi-?""#),
        client("StringEquals", r#""PI-7""#),
        client("StringEquals", "[]"),
        client("StringLike", r#""pi-?0""#),
        client("StringLikeIfExists", r#""b*""#),
        name(r#""pi-70""#),
        format!("{}, {}", attached("true"), client("StringEquals", r#""pi-8""#)),
        format!("{}, {}", r#""IpAddress": {"aws:SourceIp": "192.0.2.0/24"}"#, attached("false")),
    ] {
        assert_eq!(under(&condition, Some("pi-7")), "NotAllowed", "{condition}");
    }
}

#[test]
fn a_condition_that_cannot_be_told_is_named_and_not_guessed() {
    for (condition, thing, because) in [
        (r#""IpAddress": {"aws:SourceIp": "192.0.2.0/24"}"#, Some("pi-7"), "IpAddress on aws:SourceIp"),
        (r#""StringNotEquals": {"iot:ClientId": []}"#, Some("pi-7"), "StringNotEquals on iot:ClientId"),
        (
            r#""ForAnyValue:StringEquals": {"iot:ClientId": "pi-7"}"#,
            Some("pi-7"),
            "ForAnyValue:StringEquals on iot:ClientId",
        ),
        (r#""Bool": {"iot:ClientId": "True"}"#, Some("pi-7"), "Bool on iot:ClientId"),
        (
            r#""StringEquals": {"iot:Connection.Thing.Attributes[room]": "cellar"}"#,
            Some("pi-7"),
            "StringEquals on iot:Connection.Thing.Attributes[room]",
        ),
        (
            r#""Bool": {"iot:Connection.Thing.IsAttached": "true"}"#,
            None,
            "Bool on iot:Connection.Thing.IsAttached",
        ),
        (
            r#""Bool": {"iot:Connection.Thing.IsAttached": "true"}"#,
            Some("pi-8"),
            "Bool on iot:Connection.Thing.IsAttached",
        ),
        (
            r#""StringLike": {"iot:Connection.Thing.ThingName": "pi-*"}"#,
            Some("pi-8"),
            "StringLike on iot:Connection.Thing.ThingName",
        ),
        (
            r#""StringLikeIfExists": {"iot:Connection.Thing.ThingName": "b-*"}"#,
            Some("pi-8"),
            "StringLikeIfExists on iot:Connection.Thing.ThingName",
        ),
    ] {
        let words = format!("statement 1: the condition {because}");
        assert_eq!(under(condition, thing), words, "{condition}");
    }
    let variable = r#""StringEquals": {"iot:ClientId": "${iot:DomainName}"}"#;
    assert_eq!(under(variable, Some("pi-7")), "statement 1: the variable ${iot:DomainName}");
    let other_thing = r#""StringLike": {"iot:Connection.Thing.ThingName": "b-*"}"#;
    assert_eq!(under(other_thing, Some("pi-8")), "NotAllowed", "whether the thing counts or not");
}

#[test]
fn an_element_that_is_not_understood_makes_its_statement_unknown() {
    let thing_else = r#""Effect": "Allow", "Action": "iot:Publish", "Resource": "*", "Conditon": {}"#;
    let not_action = r#""Effect": "Allow", "NotAction": "iot:Connect", "Resource": "*""#;
    let not_resource = r#""Effect": "Allow", "Action": "iot:Publish", "NotResource": "x""#;
    for (members, element) in
        [(thing_else, "Conditon"), (not_action, "NotAction"), (not_resource, "NotResource")]
    {
        let policy = policy(members);
        let Decision::Unknown(_, because) = policy.decide(&publish(TOPIC)) else { panic!("{members}") };
        assert_eq!(because, Because::Element(element));
        assert_eq!(because.to_string(), format!("the element {element}"));
    }
    assert_eq!(policy(thing_else).decide(&connect("pi-7", None)), Decision::NotAllowed);
}

#[test]
fn a_statement_may_stand_alone_and_other_members_of_the_document_are_passed_over() {
    let statement = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
    for text in [
        format!(r#"{{"Statement": {statement}}}"#),
        format!(r#"{{"Comment": {{"a": [null, 1e9, false]}}, "Statement": [{statement}]}}"#),
    ] {
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.decide(&publish(TOPIC)), Decision::Allowed, "{text}");
    }
    let empty = Policy::parse(r#"{"Statement": []}"#).unwrap();
    assert_eq!(empty.decide(&publish(TOPIC)), Decision::NotAllowed);
}

#[test]
fn what_the_aws_command_prints_is_read_as_well() {
    let printed = serde_json::json!({"policyName": "pivitals", "policyDocument": RECOMMENDED}).to_string();
    assert_eq!(Policy::parse(&printed), Policy::parse(RECOMMENDED));
    let nested = serde_json::json!({"policyDocument": printed}).to_string();
    assert_eq!(Policy::parse(&nested), Err(PolicyError::Missing(None, "Statement")));
}

#[test]
fn what_is_no_policy_is_told_with_its_place() {
    let statement = |members: &str| format!(r#"{{"Version": "2012-10-17", "Statement": [{{{members}}}]}}"#);
    let good = r#""Effect": "Allow", "Action": "*", "Resource": "*""#;
    for (text, words) in [
        (String::new(), "line 1, column 1: not JSON: the text ends too early"),
        ("Version: 2012-10-17".to_owned(), "line 1, column 1: not JSON: this cannot stand here"),
        ("{\n\t\"Version\": \0}".to_owned(), "line 2, column 13: not JSON: this cannot stand here"),
        (
            r#"{"Version": "\q"}"#.to_owned(),
            "line 1, column 14: not JSON: this escape stands for no character",
        ),
        ("\"\n\"".to_owned(), "line 1, column 2: not JSON: a control character in a string"),
        ("[".repeat(60_000), "line 1, column 17: not JSON: too many brackets in each other"),
        (
            statement(&format!("{good}, \"Effect\": \"Deny\"")),
            "line 1, column 93: not JSON: this name is given twice",
        ),
        ("[]".to_owned(), "the document: allowed: an object"),
        ("{}".to_owned(), "Statement is missing"),
        (r#"{"Version": "2012-10-18", "Statement": []}"#.to_owned(), "Version: allowed: \"2012-10-17\""),
        (r#"{"Version": 2012, "Statement": []}"#.to_owned(), "Version: allowed: \"2012-10-17\""),
        (r#"{"Statement": "x"}"#.to_owned(), "statement 1: Statement: allowed: an object, or a list of them"),
        (statement(r#""Action": "*", "Resource": "*""#), "statement 1: Effect is missing"),
        (
            format!(r#"{{"Statement": [{{{good}}}, {{"Effect": "allow"}}]}}"#),
            "statement 2: Effect: allowed: \"Allow\" or \"Deny\"",
        ),
        (statement(r#""Effect": "Allow", "Resource": "*""#), "statement 1: Action is missing"),
        (statement(r#""Effect": "Allow", "Action": "*""#), "statement 1: Resource is missing"),
        (
            statement(r#""Effect": "Allow", "Action": {}, "Resource": "*""#),
            "statement 1: Action: allowed: a string, or a list of them",
        ),
        (
            statement(r#""Effect": "Allow", "Action": "*", "Resource": ["*", 1]"#),
            "statement 1: Resource: allowed: a string, or a list of them",
        ),
        (statement(&format!("{good}, \"Sid\": 1")), "statement 1: Sid: allowed: a string"),
        (
            statement(&format!(r#"{good}, "Condition": {{"Bool": "x"}}"#)),
            "statement 1: Condition: allowed: {\"operator\": {\"key\": \"value\" or a list of them}}",
        ),
    ] {
        assert_eq!(Policy::parse(&text).unwrap_err().to_string(), words, "{text:.200}");
    }
}

#[test]
fn a_document_beyond_the_limit_is_not_read() {
    let padded = |len: usize| format!("{RECOMMENDED}{}", " ".repeat(len - RECOMMENDED.len()));
    assert_eq!(Policy::parse(&padded(TEXT_LEN_MAX)), Policy::parse(RECOMMENDED));
    for len in [TEXT_LEN_MAX + 1, 1_000_000] {
        assert_eq!(Policy::parse(&padded(len)), Err(PolicyError::TooLong));
    }
    assert_eq!(PolicyError::TooLong.to_string(), "longer than 65536 bytes");
}

#[test]
fn every_beginning_of_a_document_is_refused() {
    for (end, _) in RECOMMENDED.char_indices() {
        let error = Policy::parse(&RECOMMENDED[..end]).unwrap_err();
        assert!(
            matches!(error, PolicyError::Json(JsonError { fault: Fault::Truncated, .. })),
            "{end} {error}"
        );
    }
}

#[test]
fn a_request_says_what_it_needs() {
    assert_eq!(connect("pi-7", None).resource(), "client/pi-7");
    assert_eq!(publish("a/b").resource(), "topic/a/b");
    let names =
        [Action::Connect, Action::Publish("a"), Action::RetainPublish("a")].map(|action| action.name());
    assert_eq!(names, ["iot:Connect", "iot:Publish", "iot:RetainPublish"]);
}
