//! References as CloudFormation's functions: with short tags for readers, or in the long form.

use crate::json;
use crate::model::{Part, Text, Value};
use crate::yaml::Tagged;

/// What stands for a part within `${…}`.
pub fn reference(part: &Part) -> String {
    match part {
        Part::Literal(text) => text.replace("${", "${!"),
        Part::Partition => "${AWS::Partition}".to_owned(),
        Part::Region => "${AWS::Region}".to_owned(),
        Part::Account => "${AWS::AccountId}".to_owned(),
        Part::Parameter(name) | Part::LogGroup(name) => format!("${{{name}}}"),
        Part::RoleArn(role) => format!("${{{role}.Arn}}"),
        Part::TopicArn => "${Alarms}".to_owned(),
    }
}

/// The function of CloudFormation that gives a text, and its argument; none for a text that is what it is.
fn function(text: &Text) -> (Option<&'static str>, String) {
    match text.0.as_slice() {
        [Part::Literal(text)] => (None, text.clone()),
        [Part::RoleArn(role)] => (Some("GetAtt"), format!("{role}.Arn")),
        [part] => (Some("Ref"), reference(part).trim_matches(['$', '{', '}']).to_owned()),
        parts if parts.iter().all(|part| matches!(part, Part::Literal(_))) => {
            let texts = parts.iter().map(|part| if let Part::Literal(text) = part { text } else { "" });
            (None, texts.collect())
        }
        parts => (Some("Sub"), parts.iter().map(reference).collect()),
    }
}

pub fn tagged(value: &Value) -> Option<Tagged> {
    match value {
        Value::Text(text) => {
            let (function, text) = function(text);
            let tag = match function {
                Some("GetAtt") => "!GetAtt",
                Some("Ref") => "!Ref",
                Some(_) => "!Sub",
                None => "",
            };
            Some(Tagged { tag, text })
        }
        Value::Json(inner) => Some(Tagged { tag: "!Sub", text: json::pretty(inner, &reference) }),
        _ => None,
    }
}

/// Functions in the long form, which needs no tags.
pub fn long(value: &Value) -> Value {
    match value {
        Value::Text(text) => match function(text) {
            (None, text) => text.into(),
            (Some("Ref"), name) => Value::map([("Ref", name.into())]),
            (Some("GetAtt"), name) => {
                Value::map([("Fn::GetAtt", Value::list(name.split('.').map(str::to_owned)))])
            }
            (Some(_), text) => Value::map([("Fn::Sub", text.into())]),
        },
        Value::Json(inner) => Value::map([("Fn::Sub", json::pretty(inner, &reference).into())]),
        Value::List(values) => Value::List(values.iter().map(long).collect()),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), long(value))).collect())
        }
        Value::Number(_) | Value::Bool(_) => value.clone(),
    }
}
