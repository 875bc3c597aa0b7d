//! How the broker behaves: well by default, as AWS does, and badly in chosen ways.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::event::Published;
use crate::pki::Leaf;
use crate::policy::Policy;

/// Of AWS IoT Core, "message broker and protocol limits and quotas".
const AWS_CONNECTS_PER_SECOND: u32 = 1;
const AWS_PUBLISHES_PER_SECOND: u32 = 100;
const AWS_KEEP_ALIVE_SECS: RangeInclusive<u16> = 30..=1200;
const AWS_RECEIVE_MAXIMUM: u16 = 100;
const AWS_PACKET_LEN_MAX: u32 = 128 * 1024;

/// The broker's behaviour. The default is that of a good broker; what is changed while it runs
/// holds from the next handshake, CONNECT, PUBLISH, answer on.
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own, and any may come with any")]
pub struct Manners {
    /// The certificate it presents.
    pub certificate: Leaf,
    /// It speaks TLS 1.2 and not 1.3.
    pub tls12_only: bool,
    /// It takes only clients that offer this protocol by ALPN, as AWS does on port 443.
    pub require_alpn: Option<Vec<u8>>,
    /// It takes only clients that ask for this host by SNI.
    pub require_sni: Option<String>,
    /// From where on it reads and never answers.
    pub silence: Silence,
    /// The versions it accepts, and how it refuses the other.
    pub versions: Versions,
    /// Who may do what: `iot:Connect` on `client/<client id>`, `iot:Publish` on `topic/<topic>`, and
    /// `iot:RetainPublish` on it too where the client asks to retain. `None`: everybody everything.
    pub policy: Option<Policy>,
    /// The certificate is attached to the thing that has its common name. For the policy.
    pub is_thing_attached: bool,
    /// The answer of 3.1.1 to a CONNECT that the policy denies; 5 answers CONNACK 0x87.
    pub denied_connect: DeniedConnect,
    /// The answer of version 5 to a PUBLISH that the policy denies; 3.1.1 just closes.
    pub denied_publish: DeniedPublish,
    /// How many CONNECTs of one client id it takes in a second. More are closed without an answer in
    /// 3.1.1 and get CONNACK 0x97 in 5: AWS states the limit and not the answer, so this is assumed.
    pub connects_per_second: Option<u32>,
    /// How many publishes of one connection it takes in a second.
    pub publishes_per_second: Option<u32>,
    /// The answer to publishes beyond that.
    pub throttled_publish: ThrottledPublish,
    /// A PUBLISH that asks to be retained is a violation, and version 5 is told so beforehand; a CONNECT
    /// of it whose will asks for that is refused with 0x9a.
    pub refuse_retain: bool,
    /// The answer to an acceptable CONNECT.
    pub connack: ConnackManner,
    /// The answer to each PUBLISH that the policy and the rate let pass. It may count and look; it
    /// must not block. With QoS 0 only [`PubackManner::Close`], [`PubackManner::Disconnect`],
    /// [`PubackManner::Reset`] and [`PubackManner::Garbage`] mean anything.
    pub publish: Box<dyn FnMut(&Published) -> PubackManner + Send>,
    /// PINGREQ gets no answer.
    pub ignore_pings: bool,
    /// Version 5: the keep-alive it imposes, seconds.
    pub server_keep_alive_secs: Option<u16>,
    /// The keep-alives it takes, seconds: others become the nearest of them, and none at all the
    /// longest. Version 5 is told, 3.1.1 is not.
    pub keep_alive_range_secs: Option<RangeInclusive<u16>>,
    /// Version 5: how many publishes may be unacknowledged. `None`: 65535, unsaid.
    pub receive_maximum: Option<u16>,
    /// Version 5: the largest packet it takes, bytes. `None`: unsaid.
    pub maximum_packet_size: Option<u32>,
    /// It ends each connection after so many publishes.
    pub disconnect_after: Option<DisconnectAfter>,
    /// Version 5: PUBACK and DISCONNECT with a reason and a properties' length where the standard
    /// allows to leave them out.
    pub long_forms: bool,
    /// Every byte is a TLS record of its own, and every byte of that a write of its own.
    pub trickle: bool,
}

/// Ends a connection after its `publishes`-th PUBLISH, which is still acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisconnectAfter {
    /// Counted on the connection, from 1.
    pub publishes: u64,
    /// The reason in the DISCONNECT; 3.1.1 just closes.
    pub reason: u8,
}

/// From where on the broker reads and never answers. It keeps the connection open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    /// It answers.
    #[default]
    Never,
    /// It accepts TCP and answers no ClientHello.
    AfterTcp,
    /// It completes the handshake and answers no packet.
    AfterTls,
    /// It accepts the client and answers no packet after that. It still tells what it sees.
    AfterConnack,
}

/// The answer of 3.1.1 to a CONNECT that the policy denies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeniedConnect {
    /// The end of the connection without a word, as AWS does.
    #[default]
    Close,
    /// CONNACK with this return code; other brokers send 5.
    Refuse(u8),
}

/// The answer of version 5 to a PUBLISH that the policy denies. The reason is 0x87 in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeniedPublish {
    /// PUBACK; nothing with QoS 0. The connection goes on.
    #[default]
    Puback,
    /// DISCONNECT, without this PUBACK.
    Disconnect,
    /// PUBACK, nothing with QoS 0; then DISCONNECT.
    PubackThenDisconnect,
}

/// The answer to a PUBLISH beyond the rate. What is not taken does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThrottledPublish {
    /// None, for ever, as AWS does. The connection goes on.
    #[default]
    Silence,
    /// PUBACK 0x97; 3.1.1 has no such answer, and gets none. The connection goes on.
    Puback,
    /// DISCONNECT 0x97, without this PUBACK; 3.1.1 just closes.
    Disconnect,
}

/// The versions of MQTT the broker accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// 3.1.1 and 5.
    #[default]
    Both,
    /// 3.1.1, and 5 is refused so.
    OnlyV3(Refusal),
    /// 5, and 3.1.1 is refused with return code 1.
    OnlyV5,
}

/// How a broker of 3.1.1 refuses version 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `20 02 00 01`, a CONNACK of 3.1.1.
    Short,
    /// `20 03 00 84 00`, a CONNACK of version 5.
    Long,
    /// It closes the connection.
    Close,
}

/// The answer to an acceptable CONNECT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnackManner {
    /// Success.
    #[default]
    Accept,
    /// This return code (3.1.1) or reason code (5), then the end of the connection.
    Refuse(u8),
    /// The end of the connection, without an answer.
    Close,
    /// None, and none to anything that follows. The connection stays.
    Silence,
    /// Bytes that are no MQTT, and no answer to anything that follows. The connection stays.
    Garbage,
}

/// The answer to a PUBLISH. Those to all that came in one TLS record go out in one write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PubackManner {
    /// PUBACK, success.
    #[default]
    Acknowledge,
    /// PUBACK with this reason code; a plain one in 3.1.1, as mosquitto does on a denied publish.
    Reason(u8),
    /// PUBACK, ahead of those to what came before in the same record.
    First,
    /// The same PUBACK twice.
    Twice,
    /// A PUBACK for a packet id that is not in flight, then the right one.
    ForeignFirst,
    /// PUBACK, so much later. Whatever else there is to answer does not wait for it.
    Late(Duration),
    /// None. The connection goes on.
    Silence,
    /// Bytes that are no MQTT, in its place. The connection goes on.
    Garbage,
    /// The first half of it, then a reset of the TCP connection.
    Reset,
    /// The end of the connection without this PUBACK, as AWS answers what a policy denies.
    Close,
    /// DISCONNECT with this reason without this PUBACK; 3.1.1 just closes.
    Disconnect(u8),
}

impl Manners {
    /// What AWS IoT Core does, all at once. SNI has to name `localhost`.
    pub fn aws(policy: Policy) -> Self {
        Self {
            require_sni: Some("localhost".to_owned()),
            policy: Some(policy),
            connects_per_second: Some(AWS_CONNECTS_PER_SECOND),
            publishes_per_second: Some(AWS_PUBLISHES_PER_SECOND),
            keep_alive_range_secs: Some(AWS_KEEP_ALIVE_SECS),
            receive_maximum: Some(AWS_RECEIVE_MAXIMUM),
            maximum_packet_size: Some(AWS_PACKET_LEN_MAX),
            ..Self::default()
        }
    }
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            certificate: Leaf::default(),
            tls12_only: false,
            require_alpn: None,
            require_sni: None,
            silence: Silence::default(),
            versions: Versions::default(),
            policy: None,
            is_thing_attached: true,
            denied_connect: DeniedConnect::default(),
            denied_publish: DeniedPublish::default(),
            connects_per_second: None,
            publishes_per_second: None,
            throttled_publish: ThrottledPublish::default(),
            refuse_retain: false,
            connack: ConnackManner::default(),
            publish: Box::new(|_| PubackManner::Acknowledge),
            ignore_pings: false,
            server_keep_alive_secs: None,
            keep_alive_range_secs: None,
            receive_maximum: None,
            maximum_packet_size: None,
            disconnect_after: None,
            long_forms: false,
            trickle: false,
        }
    }
}
