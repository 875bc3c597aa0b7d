//! CONNECT and its answer.

use std::time::{Duration, Instant};

use super::session::{Answer, Client, End, PACKET_LEN_MAX, Session};
use crate::event::{Connected, Event};
use crate::manners::{ConnackManner, DeniedConnect, Manners, Refusal, Silence, Versions};
use crate::packet::answer::{CONNACK_3_BAD_VERSION, GARBAGE, Grant, connack};
use crate::packet::properties::{AUTHENTICATION_METHOD, MAXIMUM_PACKET_SIZE, SESSION_EXPIRY};
use crate::packet::{Connect, Version};
use crate::policy::Caller;
use crate::shared::Shared;

/// Where nothing is said. `[5]` 3.2.2.3.3; 3.1.1 has no limit.
const RECEIVE_MAXIMUM_DEFAULT: u16 = u16::MAX;

/// The broker's mind about a CONNECT.
enum Verdict {
    Accept(Terms),
    /// By this CONNACK.
    Refuse(Vec<u8>),
    Close,
    Silence,
    Garbage,
}

/// What holds for an accepted client.
#[derive(Clone, Copy)]
struct Terms {
    /// What version 5 is told of it.
    grant: Grant,
    /// 0 is none.
    keep_alive_secs: u16,
}

/// A CONNECT and what else is known of its client.
struct Request<'a> {
    connect: &'a Connect,
    common_name: &'a str,
    conn: u64,
    at: Instant,
}

impl Session<'_> {
    pub(super) fn connect(&mut self, connect: &Connect) -> Result<(), End> {
        let (conn, at) = (self.conn, Instant::now());
        let common_name = self.wire.common_name(&self.shared.pki);
        let request = Request { connect, common_name: &common_name, conn, at };
        let (verdict, objection, silence) = self.shared.manners(|manners| {
            let (verdict, objection) = request.judge(manners, self.shared);
            (verdict, objection, manners.silence)
        });
        self.shared.log.push(Event::Connected(Connected {
            conn,
            at,
            accepted: matches!(verdict, Verdict::Accept(_)),
            client_id: connect.client_id.clone(),
            version: connect.version,
            keep_alive_secs: connect.keep_alive_secs,
            clean_start: connect.clean_start,
            maximum_packet_size: connect.properties.number(MAXIMUM_PACKET_SIZE),
            will: connect.will.clone(),
            alpn: self.hello.alpn.clone(),
            sni: self.hello.sni.clone(),
            certificate_cn: common_name.clone(),
        }));
        if let Some(objection) = objection {
            self.shared.log.push(objection);
        }
        match verdict {
            Verdict::Accept(terms) => {
                self.shared.take_over(conn, &connect.client_id);
                self.answers.push(Answer::plain(connack(connect.version, 0, terms.grant)));
                if silence == Silence::AfterConnack {
                    // Before there is a client: from then on nothing is sent any more.
                    self.send_answers()?;
                }
                self.client = Some(agree(connect, terms, common_name));
                Ok(())
            }
            Verdict::Refuse(bytes) => {
                self.answers.push(Answer::plain(bytes));
                Err(End::Dropped { close_notify: true })
            }
            Verdict::Close => Err(End::Dropped { close_notify: false }),
            Verdict::Silence => Err(End::Silent),
            Verdict::Garbage => {
                self.answers.push(Answer::plain(GARBAGE.to_vec()));
                self.send_answers()?;
                Err(End::Silent)
            }
        }
    }
}

impl Request<'_> {
    /// The verdict, and the event beside the CONNECT itself where a rate or the policy is against it.
    fn judge(&self, manners: &Manners, shared: &Shared) -> (Verdict, Option<Event>) {
        if let Some(verdict) = self.refuse_by_standard(manners) {
            return (verdict, None);
        }
        let Self { connect, conn, at, .. } = *self;
        let action = "iot:Connect";
        if let Some(per_second) = manners.connects_per_second
            && !shared.admit_connect(&connect.client_id, per_second, at)
        {
            // Quota exceeded.
            let verdict = match connect.version {
                Version::V3 => Verdict::Close,
                Version::V5 => self.refuse(0x97),
            };
            return (verdict, Some(Event::Throttled { conn, at, action }));
        }
        let caller = Caller {
            client_id: &connect.client_id,
            common_name: self.common_name,
            is_thing_attached: manners.is_thing_attached,
        };
        let resource = format!("client/{}", connect.client_id);
        if manners.policy.as_ref().is_some_and(|policy| !policy.allows(&caller, action, &resource)) {
            // Not authorized.
            let verdict = match (connect.version, manners.denied_connect) {
                (Version::V3, DeniedConnect::Close) => Verdict::Close,
                (Version::V3, DeniedConnect::Refuse(code)) => self.refuse(code),
                (Version::V5, _) => self.refuse(0x87),
            };
            return (verdict, Some(Event::Denied { conn, at, action, resource }));
        }
        let verdict = match manners.connack {
            ConnackManner::Accept => Verdict::Accept(self.terms(manners)),
            ConnackManner::Refuse(code) => self.refuse(code),
            ConnackManner::Close => Verdict::Close,
            ConnackManner::Silence => Verdict::Silence,
            ConnackManner::Garbage => Verdict::Garbage,
        };
        (verdict, None)
    }

    /// What any broker refuses that has its versions and no more than certificates to know clients by.
    fn refuse_by_standard(&self, manners: &Manners) -> Option<Verdict> {
        let version = self.connect.version;
        match (version, manners.versions) {
            (Version::V5, Versions::OnlyV3(Refusal::Short)) => {
                return Some(Verdict::Refuse(CONNACK_3_BAD_VERSION.to_vec()));
            }
            (Version::V5, Versions::OnlyV3(Refusal::Long)) => return Some(self.refuse(0x84)),
            (Version::V5, Versions::OnlyV3(Refusal::Close)) => return Some(Verdict::Close),
            (Version::V3, Versions::OnlyV5) => return Some(self.refuse(0x01)),
            _ => {}
        }
        if self.connect.client_id.is_empty() {
            // A broker need not give out client ids. [MQTT-3.1.3-8], [5] [MQTT-3.1.3-8]
            return Some(self.refuse(if version == Version::V3 { 0x02 } else { 0x85 }));
        }
        if version == Version::V5
            && manners.refuse_retain
            && self.connect.will.as_ref().is_some_and(|will| will.retain)
        {
            return Some(self.refuse(0x9a)); // [MQTT-3.2.2-13]
        }
        // Bad authentication method: the certificate is all. [MQTT-4.12.0-1]
        self.connect.properties.has(AUTHENTICATION_METHOD).then(|| self.refuse(0x8c))
    }

    fn refuse(&self, code: u8) -> Verdict {
        Verdict::Refuse(connack(self.connect.version, code, Grant::default()))
    }

    /// No session outlives its connection here, and a client that hoped so is told. `[5]` 3.2.2.3.2.
    /// 3.1.1 is told nothing.
    fn terms(&self, manners: &Manners) -> Terms {
        let asked = self.connect.keep_alive_secs;
        let taken = manners.keep_alive_range_secs.as_ref().map_or(asked, |range| match asked {
            0 => *range.end(),
            _ => asked.clamp(*range.start(), *range.end()),
        });
        if self.connect.version == Version::V3 {
            return Terms { grant: Grant::default(), keep_alive_secs: taken };
        }
        let hopes = self.connect.properties.number(SESSION_EXPIRY).unwrap_or(0) > 0;
        let imposed = manners.server_keep_alive_secs.or((taken != asked).then_some(taken));
        let grant = Grant {
            session_expiry_secs: hopes.then_some(0),
            receive_maximum: manners.receive_maximum,
            maximum_qos: Some(1),
            retain_available: manners.refuse_retain.then_some(0),
            maximum_packet_size: manners.maximum_packet_size,
            server_keep_alive_secs: imposed,
        };
        Terms { grant, keep_alive_secs: imposed.unwrap_or(asked) }
    }
}

fn agree(connect: &Connect, terms: Terms, common_name: String) -> Client {
    let Terms { grant, keep_alive_secs } = terms;
    let grace = Duration::from_secs(keep_alive_secs.into()) * 3 / 2;
    let packet_size = grant.maximum_packet_size;
    Client {
        version: connect.version,
        id: connect.client_id.clone(),
        common_name,
        grace: (keep_alive_secs > 0).then_some(grace),
        session_expiry_secs: connect.properties.number(SESSION_EXPIRY).unwrap_or(0),
        receive_maximum: grant.receive_maximum.unwrap_or(RECEIVE_MAXIMUM_DEFAULT).into(),
        maximum_packet_size: packet_size
            .map_or(PACKET_LEN_MAX, |len| len.try_into().expect("usize has 32 bits")),
        will: connect.will.clone(),
    }
}
