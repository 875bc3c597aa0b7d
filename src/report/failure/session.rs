//! MQTT in words.

use super::{Context, Words};
use crate::mqtt::{Answer, Refusal, SessionError, reason};
use crate::net::link::LinkError;

const OWN_CLIENT_ID: &str = "give each device its own `client_id`, for example {serial}";

pub fn words(error: SessionError, context: Context<'_>) -> Words {
    let Context { endpoint, client_id, topics, .. } = context;
    let topic = topics.pattern();
    match error {
        SessionError::Refused(refusal) => refused(refusal, context),
        SessionError::Disconnected(reason::NOT_AUTHORIZED) => Words::new(
            format!("MQTT: {endpoint} disconnected client id {client_id}: not authorized"),
            lacks("iot:Publish", &format!("topic/{topic}")),
        ),
        SessionError::Disconnected(reason::SESSION_TAKEN_OVER) => Words::new(
            format!(
                "MQTT: another device uses client id {client_id} (a cloned image?), and {endpoint} serves the one that \
                 came last"
            ),
            OWN_CLIENT_ID,
        ),
        SessionError::Disconnected(reason) => {
            let (cause, remedy) = reason_words(reason);
            Words::new(format!("MQTT: {endpoint} disconnected: {cause}"), remedy)
        }
        SessionError::Unanswered(Answer::ConnAck) => Words::new(
            format!("MQTT: {endpoint} does not answer CONNECT"),
            "check that `port` is that of MQTT over TLS",
        ),
        SessionError::Unanswered(Answer::PubAck) => Words::new(
            format!("MQTT: {endpoint} does not acknowledge a message on {topic}"),
            "the line is down, or the broker drops it: look at the broker's quotas",
        ),
        SessionError::Unanswered(Answer::PingResp) => Words::new(
            format!("MQTT: {endpoint} does not answer any more"),
            "the line is probably down: it is tried again",
        ),
        SessionError::QosUnsupported => Words::new(
            format!(
                "MQTT: {endpoint} does not take quality of service 1, so nothing could be known to have arrived"
            ),
            "use another broker",
        ),
        SessionError::PacketTooLong(length) => Words::new(
            format!("MQTT: {endpoint} does not take a message of {length} bytes"),
            "name fewer `metrics`, use format rule, or shorten `label` and `topic`",
        ),
        SessionError::InboundTooLong(length) => Words::new(
            format!(
                "MQTT: {endpoint} sent a packet of {length} bytes to a client that subscribes to nothing"
            ),
            "check that `port` is that of MQTT",
        ),
        SessionError::Unexpected(kind) => Words::new(
            format!("MQTT: {endpoint} sent a packet of kind {kind}, which a publisher does not get"),
            "check that `port` is that of MQTT",
        ),
        SessionError::Malformed => Words::new(
            format!("MQTT: {endpoint} sent something that is not MQTT"),
            "check that `port` is that of MQTT over TLS",
        ),
    }
}

pub fn closed(owed: Option<Answer>, error: &LinkError, context: Context<'_>) -> Words {
    let Context { endpoint, client_id, topics, .. } = context;
    let how = match error {
        LinkError::Broken(kind) => format!("broke off ({kind})"),
        _ => "closed the connection".to_owned(),
    };
    match owed {
        Some(Answer::ConnAck) => Words::new(
            format!("MQTT: {endpoint} {how} instead of accepting client id {client_id}"),
            format!(
                "probably {}, or the certificate has no policy",
                lacks("iot:Connect", &format!("client/{client_id}"))
            ),
        ),
        Some(Answer::PubAck) => Words::new(
            format!("MQTT: {endpoint} {how} before it acknowledged a message"),
            format!("if this repeats, {}", lacks("iot:Publish", &format!("topic/{}", topics.pattern()))),
        ),
        Some(Answer::PingResp) | None => Words::new(
            format!("MQTT: {endpoint} {how}"),
            format!("it is tried again; if this repeats, another device may use client id {client_id}"),
        ),
    }
}

pub fn publish_refused(topic: usize, reason: u8, context: Context<'_>) -> Words {
    let Context { endpoint, client_id, topics, .. } = context;
    let topic = topics.name(topic);
    if reason == reason::NOT_AUTHORIZED {
        return Words::new(
            format!("MQTT: {endpoint} does not let client id {client_id} publish on {topic}"),
            lacks("iot:Publish", &format!("topic/{topic}")),
        );
    }
    let (cause, remedy) = reason_words(reason);
    Words::new(format!("MQTT: {endpoint} refuses a message on {topic}: {cause}"), remedy)
}

pub fn probably_denied(topic: usize, is_certain: bool, context: Context<'_>) -> Words {
    let Context { endpoint, client_id, topics, .. } = context;
    let topic = topics.name(topic);
    let lacks = lacks("iot:Publish", &format!("topic/{topic}"));
    if is_certain {
        return Words::new(
            format!(
                "MQTT: {endpoint} closes the connection when client id {client_id} publishes on {topic}, which is how \
                 AWS IoT Core denies it where it does not say so"
            ),
            format!("probably {lacks}"),
        );
    }
    Words::new(
        format!(
            "MQTT: {endpoint} closed the connection three times in a row when client id {client_id} publishes on \
             {topic}, before it acknowledged the message; two causes are suspected, a policy that denies the topic or \
             another device with this client id"
        ),
        format!("`mqtt = 5` tells the two apart; for the first, {lacks}; for the second, {OWN_CLIENT_ID}"),
    )
}

pub fn probably_taken_over(context: Context<'_>) -> Words {
    let Context { endpoint, client_id, .. } = context;
    Words::new(
        format!(
            "MQTT: {endpoint} closed the connection of client id {client_id} soon after it accepted it, which is how AWS \
             IoT Core serves another device with that id in MQTT 3.1.1 (a cloned image?)"
        ),
        OWN_CLIENT_ID,
    )
}

fn refused(refusal: Refusal, context: Context<'_>) -> Words {
    let Context { endpoint, client_id, .. } = context;
    let (cause, remedy) = match refusal {
        Refusal::Version => {
            ("it does not speak this version".to_owned(), "with `mqtt = auto` both are tried".to_owned())
        }
        Refusal::ClientId => ("it does not like the id".to_owned(), "change `client_id`".to_owned()),
        Refusal::Credentials => (
            "it wants a user name and a password".to_owned(),
            "it must accept the certificate instead".to_owned(),
        ),
        Refusal::NotAuthorized => (
            "not authorized".to_owned(),
            format!(
                "{}, and the certificate needs that policy",
                lacks("iot:Connect", &format!("client/{client_id}"))
            ),
        ),
        Refusal::Unavailable => ("it cannot serve now".to_owned(), "it is tried again".to_owned()),
        Refusal::Other(reason::RETAIN_NOT_SUPPORTED) => (
            "it takes nothing to be retained".to_owned(),
            "have it allow that, or use no `discovery`".to_owned(),
        ),
        Refusal::Other(code) => (code_and_name(code), "look it up in MQTT 5, section 3.2.2.2".to_owned()),
    };
    Words::new(format!("MQTT: {endpoint} refuses client id {client_id}: {cause}"), remedy)
}

/// What the policy needs, and the statement to add to it.
#[must_use]
pub fn lacks(action: &str, resource: &str) -> String {
    format!(
        "the policy lacks {action} on {resource}: add \
         {{\"Effect\":\"Allow\",\"Action\":\"{action}\",\"Resource\":\"arn:aws:iot:REGION:ACCOUNT:{resource}\"}}"
    )
}

/// The cause that a reason code names, and the remedy.
fn reason_words(code: u8) -> (String, &'static str) {
    let (cause, remedy) = match code {
        reason::SUCCESS => ("without an error", "it is tried again"),
        reason::SERVER_SHUTTING_DOWN => ("it is shutting down", "it is tried again"),
        reason::KEEP_ALIVE_TIMEOUT => {
            ("it heard nothing within the keep-alive", "the line is probably bad: it is tried again")
        }
        reason::TOPIC_NAME_INVALID => ("the topic is not allowed", "check `topic` and `rule`"),
        reason::PACKET_TOO_LARGE => ("the message is too large", "shorten `label` and `topic`"),
        reason::MESSAGE_RATE_TOO_HIGH | reason::QUOTA_EXCEEDED => (
            "a quota is exceeded",
            "messages are sent more slowly; if this repeats, raise the account's limits",
        ),
        reason::ADMINISTRATIVE_ACTION => ("by an administrator", "ask who runs the broker"),
        code => return (code_and_name(code), "look it up in MQTT 5, section 2.4"),
    };
    (cause.to_owned(), remedy)
}

fn code_and_name(code: u8) -> String {
    match reason::name(code) {
        Some(name) => format!("reason code {code:#04x} ({name})"),
        None => format!("reason code {code:#04x}"),
    }
}
