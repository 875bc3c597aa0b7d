//! The faults: which there are, and the lines of the log that each may cause.

use std::time::Duration;

use pivitals_broker::{
    ConnackManner, DeniedConnect, DeniedPublish, Issuer, Leaf, PubackManner, Random, Refusal, Silence,
    Validity, Versions,
};

/// Something that happens to the agent.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing, for longer than it takes a connection to prove itself; then one after the other is ended
    /// abruptly.
    Kills,
    /// The connection is ended, with this reason (3.1.1: without a word) or abruptly.
    Kill(Option<u8>),
    /// Each connection is ended after a few publishes, with this reason.
    EndsAfter(u8),
    /// The broker answers no more.
    Silence(Silence),
    /// It answers no PINGREQ.
    NoPings,
    /// It answers a publish so, or several.
    Answer(PubackManner),
    /// It answers CONNECT so.
    Connack(ConnackManner),
    /// Its policy denies to connect.
    DeniedConnect(DeniedConnect),
    /// Its policy denies one metric's topic.
    DeniedPublish(DeniedPublish),
    /// It takes one version only.
    Versions(Versions),
    /// It takes one CONNECT a second.
    ConnectRate,
    /// It takes few publishes a second.
    PublishRate,
    /// It takes one publish at a time.
    ReceiveMaximum,
    /// It sends each byte by itself.
    Trickle,
    /// It is not there.
    Away,
    /// Its certificate is another one.
    Server(Leaf),
    /// The device's certificate and key are replaced by good ones; the agent is told or not.
    Renewed { is_told: bool },
    /// The key is replaced by that of another certificate.
    Mismatched,
    /// Certificate and key are replaced by some that the broker does not accept.
    Unaccepted(Validity, Issuer),
    /// The configuration is read again; the broker is away or not.
    Reloaded { is_away: bool },
    /// It has errors.
    Broken,
}

/// Every kind of fault that an agent with this setting of `mqtt` can meet, in random order, the more
/// usual ones more than once.
pub fn deck(mqtt: &str, random: &mut Random) -> Vec<Fault> {
    let mut pick = |most: u64| random.word() % most;
    let mut deck = of_any_version(&mut pick);
    deck.extend(of_version(mqtt, &mut pick));
    // Waits grow from failure to failure, and only a quiet minute makes them short again.
    deck.extend(vec![Fault::Kills; deck.len() / 4]);
    for last in (1..deck.len()).rev() {
        deck.swap(last, usize::try_from(pick(last as u64 + 1)).expect("it is below the length"));
    }
    deck
}

/// `pick` gives a random number below the given.
fn of_any_version(pick: &mut impl FnMut(u64) -> u64) -> Vec<Fault> {
    use Fault::{
        Answer, Away, Broken, Connack, ConnectRate, DeniedConnect, EndsAfter, Kill, Mismatched, PublishRate,
        Reloaded, Renewed, Server, Silence, Trickle, Unaccepted,
    };
    let late = Duration::from_millis(20 + pick(100));
    vec![
        Kill(None),
        Kill(None),
        Kill(None),
        Kill(Some(0x8b)),
        Kill(Some(0x8b)),
        Kill(Some(0x8e)),
        Kill(Some(0x98)),
        EndsAfter(0x8b),
        Silence(self::Silence::AfterTcp),
        Silence(self::Silence::AfterTls),
        Silence(self::Silence::AfterConnack),
        Answer(PubackManner::First),
        Answer(PubackManner::Twice),
        Answer(PubackManner::ForeignFirst),
        Answer(PubackManner::Late(late)),
        Answer(PubackManner::Silence),
        Answer(PubackManner::Garbage),
        Answer(PubackManner::Reset),
        Answer(PubackManner::Reset),
        Answer(PubackManner::Close),
        Answer(PubackManner::Close),
        Answer(PubackManner::Disconnect(0x97)),
        Connack(ConnackManner::Close),
        Connack(ConnackManner::Silence),
        Connack(ConnackManner::Garbage),
        DeniedConnect(if pick(2) == 0 { self::DeniedConnect::Close } else { self::DeniedConnect::Refuse(5) }),
        ConnectRate,
        PublishRate,
        Trickle,
        Away,
        Away,
        Server(server(pick(4))),
        Renewed { is_told: false },
        Renewed { is_told: true },
        Mismatched,
        match pick(3) {
            0 => Unaccepted(Validity::Expired, Issuer::Ours),
            1 => Unaccepted(Validity::NotYet, Issuer::Ours),
            _ => Unaccepted(Validity::Current, Issuer::Foreign),
        },
        Reloaded { is_away: false },
        Reloaded { is_away: true },
        Broken,
    ]
}

fn of_version(mqtt: &str, pick: &mut impl FnMut(u64) -> u64) -> Vec<Fault> {
    use Fault::{Answer, Connack, DeniedPublish, NoPings, ReceiveMaximum, Versions};
    let refusal = match pick(3) {
        0 => Refusal::Short,
        1 => Refusal::Long,
        _ => Refusal::Close,
    };
    match mqtt {
        "5" => vec![
            DeniedPublish(self::DeniedPublish::Puback),
            DeniedPublish(self::DeniedPublish::Disconnect),
            DeniedPublish(self::DeniedPublish::PubackThenDisconnect),
            Answer(PubackManner::Reason(0x97)),
            Connack(ConnackManner::Refuse(0x87)),
            Connack(ConnackManner::Refuse(0x97)),
            Versions(self::Versions::OnlyV3(refusal)),
            NoPings,
            ReceiveMaximum,
        ],
        "3.1.1" => vec![
            DeniedPublish(self::DeniedPublish::Puback),
            Connack(ConnackManner::Refuse(5)),
            Connack(ConnackManner::Refuse(3)),
            Versions(self::Versions::OnlyV5),
        ],
        _ => vec![
            DeniedPublish(self::DeniedPublish::Disconnect),
            Versions(self::Versions::OnlyV3(refusal)),
            ReceiveMaximum,
        ],
    }
}

fn server(which: u64) -> Leaf {
    match which {
        0 => Leaf { names: vec!["elsewhere".to_owned()], ..Leaf::default() },
        1 => Leaf { validity: Validity::Expired, ..Leaf::default() },
        2 => Leaf { validity: Validity::NotYet, ..Leaf::default() },
        _ => Leaf { issuer: Issuer::Foreign, ..Leaf::default() },
    }
}

/// A connection that is over, whatever was under way on it.
const CUT: &[&str] = &["closed the connection", "broke off (", "broke: "];
const NO_TLS: &str = "accepts connections and then says nothing";
const NO_CONNACK: &str = "does not answer CONNECT";
const NO_PUBACK: &str = "does not acknowledge a message";
const NO_BROKER: &str = "connection refused";
const CHANGED: &str = "the certificate files have changed: ";
const READ_AGAIN: &str = "the configuration was read again";

/// What follows every fault that ended a connection.
pub const RECOVERY: &[&str] = &["publishing to localhost:", "samples wait to be sent"];

/// What a machine that is too slow for a time that runs so fast may cause.
pub const SLOW: &[&str] = &[NO_TLS, NO_CONNACK, NO_PUBACK, "no resolver answers", "does not answer"];

impl Fault {
    /// Parts of the lines that it may cause, one of which each line has to have.
    pub fn lines(&self) -> Vec<&'static str> {
        let (own, is_cut): (&[&str], bool) = match self {
            Self::Kill(reason) => (reason.map_or(&[], said), true),
            Self::EndsAfter(reason) => (said(*reason), true),
            Self::Silence(Silence::AfterTcp) => (&[NO_TLS], true),
            Self::Silence(Silence::AfterTls) | Self::Connack(ConnackManner::Silence) => (&[NO_CONNACK], true),
            Self::Silence(_) => (&[NO_PUBACK, NO_BROKER], true),
            Self::NoPings => (&["does not answer any more"], true),
            Self::Answer(manner) => after(manner),
            Self::Connack(ConnackManner::Garbage) => (&["that is not MQTT", "sent a packet of "], true),
            Self::Connack(_) => (&["refuses client id pi-7: "], true),
            Self::DeniedConnect(_) => (&["refuses client id pi-7: not authorized"], true),
            Self::DeniedPublish(_) => (
                &[
                    "does not let client id pi-7 publish on soak/pi-7/temperature",
                    "closes the connection when client id pi-7 publishes on soak/pi-7/temperature",
                    "disconnected client id pi-7: not authorized",
                    "messages on soak/pi-7/temperature are taken again",
                ],
                true,
            ),
            Self::Versions(_) => (&["it does not speak this version"], true),
            Self::ConnectRate => (&["refuses client id pi-7: reason code 0x97"], true),
            Self::PublishRate => (&[NO_PUBACK], false),
            // Closes in a row at one topic's message look like a denial in 3.1.1.
            Self::Kills => {
                (&["closes the connection when client id pi-7 publishes on ", "messages on soak/pi-7/"], true)
            }
            Self::ReceiveMaximum => (&[], true),
            Self::Trickle => (&[NO_TLS, NO_CONNACK, NO_PUBACK], true),
            Self::Away => (&[NO_BROKER], true),
            Self::Server(_) => {
                (&["is for another name", "has expired", "is not valid yet", "that is not trusted"], true)
            }
            Self::Renewed { .. } => (&[CHANGED, READ_AGAIN], true),
            Self::Mismatched => {
                (&["does not belong to the certificate", "the former ones go on serving", CHANGED], true)
            }
            Self::Unaccepted(..) => (
                &[
                    CHANGED,
                    "refuses this device's certificate",
                    "as it was before goes on serving",
                    "has expired; put a new one and its key in its place",
                ],
                true,
            ),
            Self::Reloaded { is_away } => (&[READ_AGAIN, NO_BROKER], *is_away),
            Self::Broken => (&["did you mean interval?", "the configuration was not changed"], false),
        };
        own.iter().chain(if is_cut { CUT } else { &[] }).copied().collect()
    }
}

/// What the agent says of a reason.
fn said(reason: u8) -> &'static [&'static str] {
    match reason {
        0x8b => &["it is shutting down"],
        0x8e => &["another device uses client id pi-7"],
        0x97 => &["a quota is exceeded"],
        0x98 => &["by an administrator"],
        _ => panic!("no words for reason {reason:#04x}"),
    }
}

/// The lines after an answer to a publish, and whether the connection may end by it.
fn after(manner: &PubackManner) -> (&'static [&'static str], bool) {
    match manner {
        PubackManner::Twice | PubackManner::ForeignFirst => (&["which was not waiting for it"], false),
        PubackManner::Silence => (&[NO_PUBACK], false),
        PubackManner::Garbage => (&["that is not MQTT", "sent a packet of "], false),
        PubackManner::Reason(_) => (&["refuses a message on ", "messages on soak/pi-7/"], false),
        PubackManner::Disconnect(reason) => (said(*reason), true),
        PubackManner::Reset | PubackManner::Close => (&[], true),
        PubackManner::Acknowledge | PubackManner::First | PubackManner::Late(_) => (&[], false),
    }
}
