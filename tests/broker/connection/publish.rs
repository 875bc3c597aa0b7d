//! PUBLISH and its PUBACK.

use std::time::Instant;

use super::session::{Answer, End, Session};
use crate::event::{Event, Published};
use crate::manners::PubackManner;
use crate::packet::answer::puback;
use crate::packet::{Fault, Publish, Version};

impl Session<'_> {
    pub(super) fn publish(&mut self, publish: Publish) -> Result<(), End> {
        let version = self.client.as_ref().expect("CONNECT came first").version;
        self.check_in_flight(&publish)?;
        self.published += 1;
        let packet_id = publish.packet_id;
        let published = Published {
            conn: self.conn,
            at: Instant::now(),
            ordinal: self.shared.next_publish(),
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos,
            dup: publish.dup,
            retain: publish.retain,
            packet_id,
            record: self.record,
            first_record: self.first_record,
        };
        let (manner, long, last) = self
            .shared
            .manners(|manners| ((manners.publish)(&published), manners.long_forms, manners.disconnect_after));
        self.shared.log.push(Event::Published(published));
        match manner {
            PubackManner::Close => {
                return Err(End::Dropped { close_notify: false });
            }
            PubackManner::Disconnect(reason) => return Err(End::Dismissed(reason)),
            PubackManner::Silence => {}
            _ => {
                if let Some(id) = packet_id {
                    self.acknowledge(id, manner, |id, reason| puback(version, id, reason, long));
                }
            }
        }
        match last {
            Some(last) if self.published >= last.publishes => Err(End::Dismissed(last.reason)),
            _ => Ok(()),
        }
    }

    /// Puts the PUBACK in its place among the answers.
    fn acknowledge(&mut self, id: u16, manner: PubackManner, puback: impl Fn(u16, u8) -> Vec<u8>) {
        let reason = match manner {
            PubackManner::Reason(reason) => reason,
            _ => 0,
        };
        let answer = || Answer { bytes: puback(id, reason), settles: Some(id) };
        match manner {
            PubackManner::First => self.answers.insert(0, answer()),
            PubackManner::Twice => self.answers.extend([answer(), answer()]),
            PubackManner::ForeignFirst => {
                // From the end that clients are the last to come to.
                let foreign = (1..=u16::MAX)
                    .rev()
                    .find(|foreign| !self.unacknowledged.contains(foreign))
                    .expect("the Receive Maximum is below the number of packet ids");
                let foreign = Answer { bytes: puback(foreign, 0), settles: None };
                self.answers.extend([foreign, answer()]);
            }
            _ => self.answers.push(answer()),
        }
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
