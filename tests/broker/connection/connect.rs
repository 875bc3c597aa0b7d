//! CONNECT and its answer.

use std::time::{Duration, Instant};

use super::session::{Answer, Client, End, PACKET_LEN_MAX, Session};
use crate::event::{Connected, Event};
use crate::manners::{ConnackManner, Manners, Refusal, Versions};
use crate::packet::answer::{CONNACK_3_BAD_VERSION, Grant, connack};
use crate::packet::properties::{AUTHENTICATION_METHOD, MAXIMUM_PACKET_SIZE, SESSION_EXPIRY};
use crate::packet::{Connect, Version};

/// Where nothing is said. `[5]` 3.2.2.3.3; 3.1.1 has no limit.
const RECEIVE_MAXIMUM_DEFAULT: u16 = u16::MAX;

/// The broker's mind about a CONNECT.
enum Verdict {
    Accept(Grant),
    /// By this CONNACK.
    Refuse(Vec<u8>),
    Close,
    Silence,
}

impl Session<'_> {
    pub(super) fn connect(&mut self, connect: &Connect) -> Result<(), End> {
        let verdict = self.shared.manners(|manners| judge(connect, manners));
        let version = connect.version;
        self.shared.log.push(Event::Connected(Connected {
            conn: self.conn,
            at: Instant::now(),
            accepted: matches!(verdict, Verdict::Accept(_)),
            client_id: connect.client_id.clone(),
            version,
            keep_alive_secs: connect.keep_alive_secs,
            clean_start: connect.clean_start,
            maximum_packet_size: connect.properties.number(MAXIMUM_PACKET_SIZE),
            alpn: self.hello.alpn.clone(),
            sni: self.hello.sni.clone(),
            certificate_cn: self.wire.common_name(&self.shared.pki),
        }));
        let bytes = match verdict {
            Verdict::Accept(grant) => {
                self.shared.take_over(self.conn, &connect.client_id);
                self.client = Some(agree(connect, grant));
                connack(version, 0, grant)
            }
            Verdict::Refuse(bytes) => {
                self.answers.push(Answer { bytes, settles: None });
                return Err(End::Dropped { close_notify: true });
            }
            Verdict::Close => {
                return Err(End::Dropped { close_notify: false });
            }
            Verdict::Silence => return Err(End::Silent),
        };
        self.answers.push(Answer { bytes, settles: None });
        Ok(())
    }
}

fn judge(connect: &Connect, manners: &Manners) -> Verdict {
    let version = connect.version;
    let refuse = |code| Verdict::Refuse(connack(version, code, Grant::default()));
    match (version, manners.versions) {
        (Version::V5, Versions::OnlyV3(Refusal::Short)) => {
            return Verdict::Refuse(CONNACK_3_BAD_VERSION.to_vec());
        }
        (Version::V5, Versions::OnlyV3(Refusal::Long)) => return refuse(0x84),
        (Version::V5, Versions::OnlyV3(Refusal::Close)) => return Verdict::Close,
        (Version::V3, Versions::OnlyV5) => return refuse(0x01),
        _ => {}
    }
    if connect.client_id.is_empty() {
        // A broker need not give out client ids. [MQTT-3.1.3-8], [5] [MQTT-3.1.3-8]
        return refuse(if version == Version::V3 { 0x02 } else { 0x85 });
    }
    if connect.properties.has(AUTHENTICATION_METHOD) {
        // Bad authentication method: the certificate is all. [MQTT-4.12.0-1]
        return refuse(0x8c);
    }
    match manners.connack {
        ConnackManner::Accept => Verdict::Accept(grant(connect, manners)),
        ConnackManner::Refuse(code) => refuse(code),
        ConnackManner::Close => Verdict::Close,
        ConnackManner::Silence => Verdict::Silence,
    }
}

/// Version 5: what the CONNACK says. No session outlives its connection here, and a client that
/// hoped so is told. `[5]` 3.2.2.3.2. Nothing of it holds in 3.1.1.
fn grant(connect: &Connect, manners: &Manners) -> Grant {
    if connect.version == Version::V3 {
        return Grant::default();
    }
    let hopes = connect.properties.number(SESSION_EXPIRY).unwrap_or(0) > 0;
    Grant {
        session_expiry_secs: hopes.then_some(0),
        receive_maximum: manners.receive_maximum,
        maximum_qos: Some(1),
        maximum_packet_size: manners.maximum_packet_size,
        server_keep_alive_secs: manners.server_keep_alive_secs,
    }
}

fn agree(connect: &Connect, grant: Grant) -> Client {
    let keep_alive_secs = grant.server_keep_alive_secs.unwrap_or(connect.keep_alive_secs);
    let grace = Duration::from_secs(keep_alive_secs.into()) * 3 / 2;
    let packet_size = grant.maximum_packet_size;
    Client {
        version: connect.version,
        grace: (keep_alive_secs > 0).then_some(grace),
        session_expiry_secs: connect.properties.number(SESSION_EXPIRY).unwrap_or(0),
        receive_maximum: grant.receive_maximum.unwrap_or(RECEIVE_MAXIMUM_DEFAULT).into(),
        maximum_packet_size: packet_size
            .map_or(PACKET_LEN_MAX, |len| len.try_into().expect("usize has 32 bits")),
    }
}
