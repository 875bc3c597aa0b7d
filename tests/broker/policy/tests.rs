//! Documents as people write them, and what each of them grants.

use super::*;

const PI_7: Caller<'_> = Caller { client_id: "pi-7", common_name: "pi-7", is_thing_attached: true };
const UNATTACHED: Caller<'_> = Caller { is_thing_attached: false, ..PI_7 };
/// A client id that is not the name of the thing its certificate belongs to.
const MISNAMED: Caller<'_> = Caller { client_id: "pi-8", ..PI_7 };

/// What the documentation of AWS recommends for one device.
const LEAST: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": "arn:aws:iot:eu-central-1:123456789012:client/${iot:Connection.Thing.ThingName}",
            "Condition": { "Bool": { "iot:Connection.Thing.IsAttached": "true" } }
        },
        {
            "Effect": "Allow",
            "Action": ["iot:Publish"],
            "Resource": [
                "arn:aws:iot:eu-central-1:123456789012:topic/pivitals/${iot:ClientId}/metrics",
                "arn:aws:iot:eu-central-1:123456789012:topic/$aws/rules/pivitals/*"
            ]
        }
    ]
}"#;

fn policy(statements: &str) -> Policy {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    Policy::from_json(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// A policy that allows to publish to this resource.
fn publishing(resource: &str) -> Policy {
    policy(&format!(r#"{{"Effect": "Allow", "Action": "iot:Publish", "Resource": "{resource}"}}"#))
}

/// A policy that allows everything under this condition.
fn under(condition: &str) -> Policy {
    policy(&format!(r#"{{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {condition}}}"#))
}

#[track_caller]
fn refused(text: &str) -> String {
    match Policy::from_json(text) {
        Err(why) => why,
        Ok(policy) => panic!("expected a refusal, read {policy:?}"),
    }
}

#[test]
fn a_device_gets_its_own_client_id_and_its_own_topics_and_no_more() {
    let policy = Policy::from_json(LEAST).expect("AWS would take it");
    let allows = |action, resource| policy.allows(&PI_7, action, resource);
    assert!(allows("iot:Connect", "client/pi-7"));
    assert!(allows("iot:Publish", "topic/pivitals/pi-7/metrics"));
    assert!(allows("iot:Publish", "topic/$aws/rules/pivitals/a/b"));
    assert!(!allows("iot:Connect", "client/pi-8"));
    assert!(!allows("iot:Publish", "topic/pivitals/pi-8/metrics"));
    assert!(!allows("iot:Publish", "client/pi-7"));
    assert!(!allows("iot:RetainPublish", "topic/pivitals/pi-7/metrics"));
    assert!(!allows("iot:Subscribe", "topicfilter/pivitals/pi-7/metrics"));
}

#[test]
fn a_name_that_begins_with_an_allowed_one_is_another_name() {
    let policy = publishing("arn:aws:iot:us-east-1:1:topic/pivitals/pi-7/metrics");
    assert!(policy.allows(&PI_7, "iot:Publish", "topic/pivitals/pi-7/metrics"));
    for topic in ["pi-70/metrics", "pi-/metrics", "pi-7/metrics/", "pi-7/metric", "Pi-7/metrics", "pi-7"] {
        let resource = format!("topic/pivitals/{topic}");
        assert!(!policy.allows(&PI_7, "iot:Publish", &resource), "{resource}");
    }
    let trap = publishing("arn:aws:iot:us-east-1:1:topic/pivitals/pi-7*");
    assert!(trap.allows(&PI_7, "iot:Publish", "topic/pivitals/pi-70/metrics"));
}

#[test]
fn nothing_is_allowed_that_no_statement_allows() {
    assert!(!policy("").allows(&PI_7, "iot:Connect", "client/pi-7"));
}

#[test]
fn a_statement_that_denies_wins_wherever_it_stands() {
    const ALLOW: &str = r#"{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}"#;
    const DENY: &str = r#"{"Effect": "Deny", "Action": "iot:Publish",
        "Resource": "arn:aws:iot:us-east-1:1:topic/secret/*"}"#;
    for statements in [format!("{ALLOW},{DENY}"), format!("{DENY},{ALLOW}")] {
        let policy = policy(&statements);
        assert!(policy.allows(&PI_7, "iot:Publish", "topic/open"));
        assert!(policy.allows(&PI_7, "iot:Connect", "client/pi-7"));
        assert!(!policy.allows(&PI_7, "iot:Publish", "topic/secret/a/b"));
    }
}

#[test]
fn actions_may_be_written_in_any_case_and_with_wildcards() {
    for (action, is_allowed) in [
        ("iot:Publish", true),
        ("iot:publish", true),
        ("IOT:PUBLISH", true),
        ("iot:*", true),
        ("iot:Pub*", true),
        ("iot:?ublish", true),
        ("*", true),
        ("iot:RetainPublish", false),
        ("iot:Publis", false),
        ("s3:*", false),
    ] {
        let statement = format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#);
        let policy = policy(&statement);
        assert_eq!(policy.allows(&PI_7, "iot:Publish", "topic/a"), is_allowed, "{action}");
    }
}

#[test]
fn not_action_and_not_resource_cover_all_the_others() {
    let policy = policy(
        r#"{"Effect": "Allow", "NotAction": ["iot:Subscribe", "iot:Receive"], "Resource": "*"},
           {"Effect": "Deny", "Action": "iot:Publish",
            "NotResource": "arn:aws:iot:us-east-1:1:topic/pivitals/*"}"#,
    );
    assert!(policy.allows(&PI_7, "iot:Connect", "client/pi-7"));
    assert!(!policy.allows(&PI_7, "iot:Subscribe", "topicfilter/a"));
    assert!(policy.allows(&PI_7, "iot:Publish", "topic/pivitals/a"));
    assert!(!policy.allows(&PI_7, "iot:Publish", "topic/elsewhere"));
}

#[test]
fn thing_variables_need_an_attached_thing_of_the_same_name() {
    let by_thing = publishing("arn:aws:iot:us-east-1:1:topic/${iot:Connection.Thing.ThingName}");
    assert!(by_thing.allows(&PI_7, "iot:Publish", "topic/pi-7"));
    for caller in [UNATTACHED, MISNAMED] {
        for topic in ["topic/pi-7", "topic/pi-8", "topic/", "topic/${iot:Connection.Thing.ThingName}"] {
            assert!(!by_thing.allows(&caller, "iot:Publish", topic), "{caller:?} {topic}");
        }
    }
    let by_name = publishing("arn:aws:iot:us-east-1:1:topic/${iot:ClientId}");
    assert!(by_name.allows(&MISNAMED, "iot:Publish", "topic/pi-8"));
    let by_certificate = publishing("arn:aws:iot:us-east-1:1:topic/${iot:Certificate.Subject.CommonName}");
    assert!(by_certificate.allows(&MISNAMED, "iot:Publish", "topic/pi-7"));
}

#[test]
fn a_variable_without_a_value_takes_its_whole_statement_with_it() {
    let statement = |effect, name| {
        format!(
            r#"{{"Effect": "{effect}", "Action": "iot:Publish", "Resource": [
                "arn:aws:iot:us-east-1:1:topic/a", "arn:aws:iot:us-east-1:1:topic/${{{name}}}"]}}"#
        )
    };
    for name in ["iot:Connection.Thing.ThingName", "iot:Conection.Thing.ThingName", "aws:SourceIp"] {
        assert!(!policy(&statement("Allow", name)).allows(&UNATTACHED, "iot:Publish", "topic/a"), "{name}");
        let all = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
        let policy = policy(&format!("{all},{}", statement("Deny", name)));
        assert!(policy.allows(&UNATTACHED, "iot:Publish", "topic/a"), "{name}");
    }
}

#[test]
fn variables_are_plain_text_in_documents_of_the_old_version() {
    for version in [r#""Version": "2008-10-17","#, ""] {
        let text = format!(
            r#"{{{version} "Statement": {{"Effect": "Allow", "Action": "iot:Connect",
                "Resource": "arn:aws:iot:us-east-1:1:client/${{iot:ClientId}}"}}}}"#
        );
        let policy = Policy::from_json(&text).expect("AWS would take it");
        assert!(!policy.allows(&PI_7, "iot:Connect", "client/pi-7"));
        assert!(policy.allows(&PI_7, "iot:Connect", "client/${iot:ClientId}"));
    }
}

#[test]
fn attachment_is_asked_for_in_every_spelling() {
    for value in [r#""true""#, "true", r#"["true"]"#, r#""True""#] {
        let attached = under(&format!(r#"{{"Bool": {{"iot:Connection.Thing.IsAttached": {value}}}}}"#));
        assert!(attached.allows(&PI_7, "iot:Connect", "client/pi-7"), "{value}");
        assert!(!attached.allows(&UNATTACHED, "iot:Connect", "client/pi-7"), "{value}");
        assert!(!attached.allows(&MISNAMED, "iot:Connect", "client/pi-8"), "{value}");
    }
    let unattached = under(r#"{"Bool": {"iot:connection.thing.isattached": "false"}}"#);
    assert!(!unattached.allows(&PI_7, "iot:Connect", "client/pi-7"));
    assert!(unattached.allows(&UNATTACHED, "iot:Connect", "client/pi-7"));
}

#[test]
fn conditions_compare_as_their_operators_say() {
    for (condition, is_held) in [
        (r#"{"StringEquals": {"iot:ClientId": "pi-7"}}"#, true),
        (r#"{"StringEquals": {"iot:ClientId": ["pi-6", "pi-7"]}}"#, true),
        (r#"{"StringEquals": {"iot:ClientId": "PI-7"}}"#, false),
        (r#"{"StringEquals": {"iot:ClientId": "pi-*"}}"#, false),
        (r#"{"StringEquals": {"iot:ClientId": "${iot:Connection.Thing.ThingName}"}}"#, true),
        (r#"{"StringEqualsIgnoreCase": {"iot:ClientId": "PI-7"}}"#, true),
        (r#"{"StringLike": {"iot:ClientId": "pi-*"}}"#, true),
        (r#"{"StringLike": {"iot:ClientId": "pi-??"}}"#, false),
        (r#"{"StringNotEquals": {"iot:ClientId": ["pi-6", "pi-7"]}}"#, false),
        (r#"{"StringNotEquals": {"iot:ClientId": ["pi-6", "pi-8"]}}"#, true),
        (r#"{"StringNotEqualsIgnoreCase": {"iot:ClientId": "PI-7"}}"#, false),
        (r#"{"StringNotLike": {"iot:ClientId": "pi-*"}}"#, false),
        (r#"{"Null": {"iot:Connection.Thing.ThingName": "true"}}"#, false),
        (r#"{"Null": {"iot:Connection.Thing.ThingName": "false"}}"#, true),
        // All operators, and all keys of each, have to hold.
        (r#"{"StringLike": {"iot:ClientId": "pi-*"}, "StringEquals": {"iot:ClientId": "pi-8"}}"#, false),
        (r#"{"StringLike": {"iot:ClientId": "pi-*", "iot:Connection.Thing.ThingName": "x"}}"#, false),
        ("{}", true),
    ] {
        assert_eq!(under(condition).allows(&PI_7, "iot:Connect", "client/pi-7"), is_held, "{condition}");
    }
}

#[test]
fn a_key_without_a_value_holds_only_where_the_operator_lets_it() {
    for (operator, is_held) in [
        ("StringEquals", false),
        ("StringEqualsIfExists", true),
        ("StringLike", false),
        ("StringNotEquals", true),
        ("StringNotLikeIfExists", true),
    ] {
        let policy = under(&format!(r#"{{"{operator}": {{"iot:Connection.Thing.ThingName": "pi-7"}}}}"#));
        assert_eq!(policy.allows(&UNATTACHED, "iot:Connect", "client/pi-7"), is_held, "{operator}");
    }
    let absent = under(r#"{"Null": {"iot:Connection.Thing.ThingName": "true"}}"#);
    assert!(absent.allows(&UNATTACHED, "iot:Connect", "client/pi-7"));
}

#[test]
fn an_unknown_operator_or_key_never_holds() {
    for condition in [
        r#"{"NumericEquals": {"iot:ClientId": "7"}}"#,
        r#"{"NullIfExists": {"iot:ClientId": "false"}}"#,
        r#"{"StringEquals": {"iot:Client": "pi-7"}}"#,
        r#"{"StringNotEquals": {"iot:Client": "pi-7"}}"#,
        r#"{"StringEqualsIfExists": {"iot:Client": "pi-7"}}"#,
        r#"{"Null": {"iot:Client": "true"}}"#,
        r#"{"StringNotEquals": {"iot:ClientId": "${iot:Client}"}}"#,
    ] {
        assert!(!under(condition).allows(&PI_7, "iot:Connect", "client/pi-7"), "{condition}");
    }
}

#[test]
fn an_arn_counts_by_its_resource_in_every_region_and_account() {
    for arn in [
        "arn:aws:iot:eu-central-1:123456789012:topic/a",
        "arn:aws-cn:iot:REGION:ACCOUNT:topic/a",
        "arn:aws:iot:*:*:topic/a",
        "arn:aws:iot:us-east-1:1:*",
        "*",
    ] {
        assert!(publishing(arn).allows(&PI_7, "iot:Publish", "topic/a"), "{arn}");
    }
    assert!(publishing("arn:aws:iot:us-east-1:1:topic/a:b").allows(&PI_7, "iot:Publish", "topic/a:b"));
}

#[test]
fn what_aws_would_refuse_is_refused_and_the_reason_named() {
    let with = |elements: &str| format!(r#"{{"Version": "2012-10-17", "Statement": [{{{elements}}}]}}"#);
    let resource =
        |arn: &str| with(&format!(r#""Effect": "Allow", "Action": "iot:Publish", "Resource": "{arn}""#));
    for (text, named) in [
        ("{".to_owned(), "no JSON"),
        ("[]".to_owned(), "the policy is no object"),
        ("{}".to_owned(), "without a Statement"),
        (r#"{"Statement": [], "Version": "2012-10-18"}"#.to_owned(), "2012-10-18"),
        (r#"{"Statement": [], "Versoin": "2012-10-17"}"#.to_owned(), "Versoin"),
        (with(r#""Action": "iot:Publish", "Resource": "*""#), "Effect"),
        (with(r#""Effect": "allow", "Action": "iot:Publish", "Resource": "*""#), "Effect"),
        (with(r#""Effect": "Allow", "Resource": "*""#), "NotAction"),
        (with(r#""Effect": "Allow", "Action": "iot:Publish""#), "NotResource"),
        (with(r#""Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*""#), "NotAction"),
        (with(r#""Effect": "Allow", "Action": [], "Resource": "*""#), "empty list"),
        (with(r#""Effect": "Allow", "Action": [7], "Resource": "*""#), "Action is 7"),
        (with(r#""Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*""#), "Principal"),
        (with(r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": []"#), "Condition"),
        (resource("topic/a"), "`topic/a`"),
        (resource("arn:aws:iot:us-east-1:topic/a"), "us-east-1:topic/a"),
        (resource("arn:aws:s3:::bucket"), "bucket"),
        (resource("arn:aws:iot:${AWS::Region}:${AWS::AccountId}:topic/a"), "AWS::Region"),
        (resource("arn:aws:iot:us-east-1:1:topic/${iot:ClientId"), "without its end"),
    ] {
        let why = refused(&text);
        assert!(why.contains(named), "`{why}` does not name `{named}`");
    }
}
