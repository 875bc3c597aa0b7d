//! Each fault as it is made, seen to have its effect, and undone.

use pivitals_broker::{
    DeniedPublish, Issuer, Leaf, Policy, PubackManner, Random, Silence, Validity, Versions,
    manners::DisconnectAfter,
};

use crate::fault::Fault;
use crate::station::{Seen, Station};

/// Samples of two seconds in more than a minute, after which a connection has proved itself.
const PROOF_SAMPLES: u64 = 35;

/// One after the other, while the waits after them are still short.
const KILLS: usize = 4;

const NO_CONNECT: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:1:topic/*"}]}"#;
const NO_TEMPERATURE: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"iot:*","Resource":"*"},
    {"Effect":"Deny","Action":"iot:Publish","Resource":"arn:aws:iot:r:1:topic/soak/${iot:ClientId}/temperature"}]}"#;

/// Makes a fault, and waits until it is over and everything was delivered.
pub fn play(station: &mut Station, fault: &Fault, random: &mut Random) {
    station.begin(fault.clone());
    make(station, fault, random);
    station.until_delivered();
}

/// Brings the agent into the same state each time: it begins anew with its configuration, and so with
/// the memory of its queue, and has nothing to do but its work for a minute.
pub fn rest(station: &mut Station) {
    station.begin(Fault::Reloaded { is_away: false });
    station.configure(false);
    station.signal("HUP");
    station.until_line("the configuration was read again");
    station.until_delivered();
    station.until_samples(PROOF_SAMPLES);
    station.until_delivered();
}

fn make(station: &mut Station, fault: &Fault, random: &mut Random) {
    let before = station.seen;
    let some = 1 + random.word() % 8;
    match *fault {
        Fault::Kills => {
            station.until_samples(PROOF_SAMPLES);
            for _ in 0..KILLS {
                station.until_delivered();
                let before = station.seen;
                station.kill();
                until_ended(station, before, 1);
            }
        }
        Fault::Kill(reason) => {
            station.broker.close_connections(reason);
            until_ended(station, before, 1);
        }
        Fault::Answer(manner) => answer(station, manner, some),
        Fault::Silence(silence) => fall_silent(station, silence),
        Fault::Away => {
            station.broker.stop();
            station.until_samples(some);
            station.broker.restart();
        }
        Fault::DeniedPublish(answer) => deny(station, answer),
        Fault::Trickle | Fault::ReceiveMaximum => {
            station.broker.set_manners(|manners| {
                if matches!(fault, Fault::Trickle) {
                    manners.trickle = true;
                } else {
                    (manners.receive_maximum, manners.long_forms) = (Some(1), true);
                }
            });
            station.kill();
            until_accepted(station, before);
            station.until_delivered();
            station.until_samples(some);
            station.behave();
            let before = station.seen;
            station.kill();
            until_ended(station, before, 1);
        }
        Fault::Renewed { .. } | Fault::Mismatched | Fault::Unaccepted(..) => certify(station, fault),
        Fault::Reloaded { .. } | Fault::Broken => configure(station, fault, some),
        _ => {
            refuse(station, fault, some);
            station.behave();
        }
    }
}

/// The broker answers a publish in another way, or several.
fn answer(station: &mut Station, manner: PubackManner, some: u64) {
    use PubackManner::{Close, Disconnect, Garbage, Reason, Reset, Silence};
    let before = station.seen;
    let is_fatal = matches!(manner, Silence | Garbage | Reset | Close | Disconnect(_));
    let is_one = is_fatal || matches!(manner, Reason(_));
    // So many are answered well before, or so many answered so.
    let first = if is_one { PubackManner::Acknowledge } else { manner };
    station.desk.account().manners.extend((0..some).map(|_| first).chain([manner]));
    station.until("the answers", |station| station.desk.account().manners.is_empty());
    if is_fatal {
        until_ended(station, before, 1);
    }
}

fn fall_silent(station: &mut Station, silence: Silence) {
    let before = station.seen;
    station.broker.set_manners(|manners| manners.silence = silence);
    if silence == Silence::AfterConnack {
        station.desk.account().is_silent = true;
        until_ended(station, before, 1);
        // An answer that was kept back is not to go out after all: it was not counted.
        station.broker.stop();
        station.desk.account().is_silent = false;
        station.behave();
        station.broker.restart();
    } else {
        station.kill();
        until_ended(station, before, 2);
        station.behave();
    }
}

/// One topic is denied, while the others' messages arrive; twice, if the broker says so.
fn deny(station: &mut Station, answer: DeniedPublish) {
    let policy = Policy::from_json(NO_TEMPERATURE).expect("a policy");
    let before = station.seen;
    station.broker.set_manners(|manners| {
        (manners.policy, manners.denied_publish) = (Some(policy), answer);
    });
    station.until("denials", |station| station.seen.denied >= before.denied + 3);
    station.behave();
}

/// The broker takes no connection, or not as before.
fn refuse(station: &mut Station, fault: &Fault, some: u64) {
    let before = station.seen;
    station.broker.set_manners(|manners| match fault {
        Fault::Connack(connack) => manners.connack = *connack,
        Fault::DeniedConnect(denied) => {
            manners.policy = Some(Policy::from_json(NO_CONNECT).expect("a policy"));
            manners.denied_connect = *denied;
        }
        Fault::Versions(versions) => manners.versions = *versions,
        Fault::ConnectRate => manners.connects_per_second = Some(1),
        Fault::PublishRate => manners.publishes_per_second = Some(10),
        Fault::NoPings => (manners.ignore_pings, manners.server_keep_alive_secs) = (true, Some(1)),
        Fault::EndsAfter(reason) => {
            manners.disconnect_after = Some(DisconnectAfter { publishes: some, reason: *reason });
        }
        Fault::Server(leaf) => manners.certificate = Leaf::clone(leaf),
        other => panic!("{other:?} is made elsewhere"),
    });
    match fault {
        Fault::PublishRate => until_ended(station, before, 1),
        Fault::EndsAfter(_) => until_ended(station, before, 3),
        Fault::ConnectRate => {
            station.kill();
            until_accepted(station, before);
            station.until_delivered();
            station.kill();
            // If the agent waits for more than a second of true time, it is none too many.
            station.until("another CONNECT", |station| {
                let Seen { accepted, throttled, .. } = station.seen;
                throttled > before.throttled || accepted >= before.accepted + 2
            });
        }
        Fault::Versions(Versions::OnlyV3(_)) => {
            station.kill();
            // An agent with `auto` goes on with 3.1.1, or has done so before.
            station.until("another CONNECT", |station| {
                let Seen { accepted, refused, .. } = station.seen;
                refused > before.refused || accepted > before.accepted
            });
        }
        _ => {
            station.kill();
            until_ended(station, before, 2);
        }
    }
}

fn certify(station: &mut Station, fault: &Fault) {
    let before = station.seen;
    match *fault {
        Fault::Mismatched => {
            std::fs::copy(&station.stranger.key, &station.device.key).expect("a key can be copied");
            station.kill();
            until_accepted(station, before);
        }
        Fault::Unaccepted(validity, issuer) => {
            station.issue(validity, issuer);
            station.kill();
            station.until("a refusal", |station| station.seen.tls_failed > before.tls_failed);
        }
        _ => {}
    }
    station.issue(Validity::Current, Issuer::Ours);
    if matches!(fault, Fault::Renewed { is_told: true }) {
        station.signal("HUP");
        station.until_line("the configuration was read again");
    } else {
        station.until_delivered();
        let before = station.seen;
        station.kill();
        until_accepted(station, before);
    }
}

fn configure(station: &mut Station, fault: &Fault, some: u64) {
    if matches!(fault, Fault::Broken) {
        station.misconfigure();
        station.signal("HUP");
        station.until_line("the configuration was not changed");
        return station.configure(false);
    }
    let is_away = matches!(fault, Fault::Reloaded { is_away: true });
    if is_away {
        station.broker.stop();
        station.until_samples(some);
    }
    station.configure(some.is_multiple_of(2));
    station.signal("HUP");
    station.until_line("the configuration was read again");
    if is_away {
        station.broker.restart();
    }
}

fn until_ended(station: &mut Station, before: Seen, more: u64) {
    station.until("connections ended", |station| station.seen.ended >= before.ended + more);
}

fn until_accepted(station: &mut Station, before: Seen) {
    station.until("another connection", |station| station.seen.accepted > before.accepted);
}
