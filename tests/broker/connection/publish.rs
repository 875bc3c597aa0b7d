//! PUBLISH and its PUBACK.

use std::time::Instant;

use super::session::{Answer, End, Session};
use crate::event::{Event, Published};
use crate::manners::{DeniedPublish, Manners, PubackManner, ThrottledPublish};
use crate::packet::answer::{GARBAGE, puback};
use crate::packet::{Fault, Publish, Version};
use crate::policy::Caller;

/// Not authorized. `[5]` tables 3-4 and 3-10.
const NOT_AUTHORIZED: u8 = 0x87;
/// Quota exceeded. `[5]` tables 3-4 and 3-10.
const QUOTA_EXCEEDED: u8 = 0x97;

/// The broker's mind about a PUBLISH.
enum Verdict {
    Allow(PubackManner),
    Deny {
        action: &'static str,
        resource: String,
        answer: DeniedPublish,
    },
    /// It is one too many in this second.
    Throttle(ThrottledPublish),
}

impl Session<'_> {
    pub(super) fn publish(&mut self, publish: Publish) -> Result<(), End> {
        self.check_in_flight(&publish)?;
        self.check_retain(&publish)?;
        self.published += 1;
        let mut published = Published {
            conn: self.conn,
            at: Instant::now(),
            ordinal: self.shared.next_publish(),
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos,
            dup: publish.dup,
            retain: publish.retain,
            allowed: true,
            packet_id: publish.packet_id,
            record: self.record,
            first_record: self.first_record,
        };
        let shared = self.shared;
        let (verdict, last) =
            shared.manners(|manners| (self.judge(&published, manners), manners.disconnect_after));
        let (conn, at, packet_id) = (self.conn, published.at, published.packet_id);
        published.allowed = matches!(verdict, Verdict::Allow(_));
        shared.log.push(Event::Published(published));
        match verdict {
            Verdict::Allow(manner) => self.answer(packet_id, manner)?,
            Verdict::Deny { action, resource, answer } => {
                shared.log.push(Event::Denied { conn, at, action, resource });
                self.deny(packet_id, answer)?;
            }
            Verdict::Throttle(answer) => {
                shared.log.push(Event::Throttled { conn, at, action: "iot:Publish" });
                self.throttle(packet_id, answer)?;
            }
        }
        match last {
            Some(last) if self.published >= last.publishes => Err(End::Dismissed(last.reason)),
            _ => Ok(()),
        }
    }

    fn judge(&mut self, published: &Published, manners: &mut Manners) -> Verdict {
        if let Some(per_second) = manners.publishes_per_second
            && !self.rate.admit(per_second, published.at)
        {
            return Verdict::Throttle(manners.throttled_publish);
        }
        let client = self.client.as_ref().expect("CONNECT came first");
        let caller = Caller {
            client_id: &client.id,
            common_name: &client.common_name,
            is_thing_attached: manners.is_thing_attached,
        };
        let resource = format!("topic/{}", published.topic);
        let needs: &[_] =
            if published.retain { &["iot:Publish", "iot:RetainPublish"] } else { &["iot:Publish"] };
        let policy = manners.policy.as_ref();
        let is_denied =
            |action: &str| policy.is_some_and(|policy| !policy.allows(&caller, action, &resource));
        if let Some(action) = needs.iter().copied().find(|action| is_denied(action)) {
            return Verdict::Deny { action, resource, answer: manners.denied_publish };
        }
        Verdict::Allow((manners.publish)(published))
    }

    /// Answers what the policy denies.
    fn deny(&mut self, packet_id: Option<u16>, answer: DeniedPublish) -> Result<(), End> {
        if self.version() == Some(Version::V3) {
            return Err(End::Dropped { close_notify: false });
        }
        if answer != DeniedPublish::Disconnect
            && let Some(id) = packet_id
        {
            self.acknowledge(id, PubackManner::Reason(NOT_AUTHORIZED));
        }
        match answer {
            DeniedPublish::Puback => Ok(()),
            DeniedPublish::Disconnect | DeniedPublish::PubackThenDisconnect => {
                Err(End::Dismissed(NOT_AUTHORIZED))
            }
        }
    }

    /// Answers what exceeds the rate.
    fn throttle(&mut self, packet_id: Option<u16>, answer: ThrottledPublish) -> Result<(), End> {
        match (answer, packet_id) {
            (ThrottledPublish::Puback, Some(id)) if self.version() == Some(Version::V5) => {
                self.acknowledge(id, PubackManner::Reason(QUOTA_EXCEEDED));
                Ok(())
            }
            (ThrottledPublish::Puback | ThrottledPublish::Silence, _) => Ok(()),
            (ThrottledPublish::Disconnect, _) => Err(End::Dismissed(QUOTA_EXCEEDED)),
        }
    }

    fn answer(&mut self, packet_id: Option<u16>, manner: PubackManner) -> Result<(), End> {
        match (manner, packet_id) {
            (PubackManner::Close, _) => Err(End::Dropped { close_notify: false }),
            (PubackManner::Disconnect(reason), _) => Err(End::Dismissed(reason)),
            (PubackManner::Reset, _) => {
                if let Some(id) = packet_id {
                    let whole = self.puback(id, 0).bytes;
                    self.answers.push(Answer::plain(whole[..whole.len() / 2].to_vec()));
                }
                Err(End::Reset)
            }
            (PubackManner::Garbage, _) => {
                self.answers.push(Answer::plain(GARBAGE.to_vec()));
                Ok(())
            }
            (PubackManner::Silence, _) | (_, None) => Ok(()),
            (_, Some(id)) => {
                self.acknowledge(id, manner);
                Ok(())
            }
        }
    }

    /// Puts the PUBACK in its place among the answers.
    fn acknowledge(&mut self, id: u16, manner: PubackManner) {
        let reason = match manner {
            PubackManner::Reason(reason) => reason,
            _ => 0,
        };
        let answer = self.puback(id, reason);
        match manner {
            PubackManner::First => self.answers.insert(0, answer),
            PubackManner::Twice => self.answers.extend([answer.clone(), answer]),
            PubackManner::ForeignFirst => {
                // From the end that clients are the last to come to.
                let foreign = (1..=u16::MAX)
                    .rev()
                    .find(|foreign| !self.unacknowledged.contains(foreign))
                    .expect("the Receive Maximum is below the number of packet ids");
                let foreign = Answer { settles: None, ..self.puback(foreign, 0) };
                self.answers.extend([foreign, answer]);
            }
            PubackManner::Late(delay) => self.late.push((Instant::now() + delay, answer)),
            _ => self.answers.push(answer),
        }
    }

    fn puback(&self, id: u16, reason: u8) -> Answer {
        let version = self.version().expect("CONNECT came first");
        let long = self.shared.manners(|manners| manners.long_forms);
        Answer { bytes: puback(version, id, reason, long), settles: Some(id) }
    }

    /// `[5]` `[MQTT-3.2.2-14]`. 3.1.1 knows no such refusal, and is dropped.
    fn check_retain(&self, publish: &Publish) -> Result<(), Fault> {
        if publish.retain && self.shared.manners(|manners| manners.refuse_retain) {
            return Err(Fault::new(0x9a, "PUBLISH with retain"));
        }
        Ok(())
    }

    /// The QoS granted, packet ids not in use, no more of them than allowed.
    fn check_in_flight(&mut self, publish: &Publish) -> Result<(), Fault> {
        if publish.qos > 1 {
            return Err(Fault::new(0x9b, "PUBLISH with QoS 2"));
        }
        let Some(id) = publish.packet_id else {
            return Ok(());
        };
        let client = self.client.as_ref().expect("CONNECT came first");
        if self.unacknowledged.contains(&id) {
            // 3.1.1 lets a client repeat itself at any time, version 5 only after a reconnect.
            // [MQTT-2.3.1-2], [5] [MQTT-4.4.0-1]
            return if publish.dup && client.version == Version::V3 {
                Ok(())
            } else {
                Err(Fault::protocol(format!("the packet id {id} while its PUBLISH is unacknowledged")))
            };
        }
        self.unacknowledged.push(id);
        if self.unacknowledged.len() > client.receive_maximum {
            // [5] [MQTT-3.3.4-7]
            return Err(Fault::new(
                0x93,
                format!("more than {} publishes in flight, the Receive Maximum", client.receive_maximum),
            ));
        }
        Ok(())
    }
}
