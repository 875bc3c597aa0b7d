//! A broker whose quota is below the pace: the backlog drains.

use std::collections::VecDeque;

use super::*;

/// Publishes that the broker takes in a second.
const QUOTA: usize = 10;
/// Messages that wait when the broker is back.
const BACKLOG: usize = 300;
/// Between two new messages: 1.5 a second.
const LOAD_MILLIS: u64 = 667;
/// From the end of a session to the next one.
const RECONNECT_MILLIS: u64 = 10_000;
/// 900 messages are added in ten minutes.
const END_MILLIS: u64 = 600_000;

/// The answer to a publish above the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    Refuse,
    Drop,
    Disconnect,
}

/// A broker that takes ten publishes in any second. What it does not take does not count.
struct Broker {
    excess: Excess,
    taken_at: VecDeque<u64>,
    refused: usize,
}

impl Broker {
    /// Answers everything in `sent`, which is whole packets.
    fn answer(&mut self, mut sent: &[u8], now: u64) -> Vec<u8> {
        let mut answers = Vec::new();
        while let [kind, length, rest @ ..] = sent {
            let (body, rest) = rest.split_at((*length).into());
            sent = rest;
            match (kind, body) {
                (0x10, _) => answers.extend(ACCEPTED_V5),
                (0x32, &[0, 1, _, high, low, ..]) => {
                    self.taken_at.retain(|&at| now - at < 1_000);
                    if self.taken_at.len() < QUOTA {
                        self.taken_at.push_back(now);
                        answers.extend([0x40, 2, high, low]);
                        continue;
                    }
                    self.refused += 1;
                    match self.excess {
                        Excess::Refuse => answers.extend([0x40, 3, high, low, 0x97]),
                        Excess::Drop => {}
                        Excess::Disconnect => {
                            answers.extend([0xe0, 1, 0x97]);
                            return answers;
                        }
                    }
                }
                _ => {
                    assert_eq!(*kind, 0xc0, "PINGREQ");
                    answers.extend([0xd0, 0]);
                }
            }
        }
        answers
    }
}

/// The owner of the sessions: messages that wait, those under way, and the pace between two sessions.
struct Owner {
    waiting: usize,
    session: Option<Session<()>>,
    pace: Pace,
    connect_at: u64,
    sessions: usize,
}

impl Owner {
    /// Serves the session for a moment; its end puts back what is not acknowledged.
    fn serve(&mut self, broker: &mut Broker, now: u64) {
        if self.session.is_none() && self.connect_at <= now {
            self.session = Some(Session::new(&settings(Version::V5), self.pace, at(now)));
            self.sessions += 1;
        }
        let Some(session) = &mut self.session else { return };
        if publish_and_read(session, &mut self.waiting, broker, now).is_err() {
            self.waiting += session.in_flight();
            self.pace = session.pace();
            self.connect_at = now + RECONNECT_MILLIS;
            self.session = None;
        }
    }

    fn backlog(&self) -> usize {
        self.waiting + self.session.as_ref().map_or(0, Session::in_flight)
    }
}

fn publish_and_read(
    session: &mut Session<()>,
    waiting: &mut usize,
    broker: &mut Broker,
    now: u64,
) -> Result<(), SessionError> {
    session.tick(at(now))?;
    while *waiting > 0 && session.has_room(1, at(now)) {
        session.publish(0, b"x", (), at(now))?;
        *waiting -= 1;
    }
    let bytes = sent(session, at(now));
    session.receive(&broker.answer(&bytes, now));
    while let Some(event) = session.next_event()? {
        *waiting += usize::from(matches!(event, Event::Refused(..)));
    }
    Ok(())
}

/// When the backlog was gone, in seconds; the publishes that were not taken; the sessions. The run goes on until
/// the pace has recovered and exceeds the quota again.
fn run(excess: Excess) -> (Option<u64>, usize, usize) {
    let mut broker = Broker { excess, taken_at: VecDeque::new(), refused: 0 };
    let mut owner =
        Owner { waiting: BACKLOG, session: None, pace: Pace::default(), connect_at: 1_000, sessions: 0 };
    let (mut drained_at, mut next_message_at) = (None, 1_000);
    for now in (1_000..END_MILLIS).step_by(10) {
        if next_message_at <= now {
            owner.waiting += 1;
            next_message_at += LOAD_MILLIS;
        }
        owner.serve(&mut broker, now);
        if owner.backlog() == 0 {
            drained_at = drained_at.or(Some(now / 1_000));
        }
    }
    assert!(drained_at.is_none() || owner.backlog() < 100, "{excess:?}: the backlog came back");
    (drained_at, broker.refused, owner.sessions)
}

/// Without the pace the first broker refuses 2,450 publishes, and the others never see the backlog drained.
#[test]
fn backlog_drains_with_a_quota_below_the_pace() {
    for (excess, secs_max, refused_max, sessions_max) in
        [(Excess::Refuse, 60, 30, 1), (Excess::Drop, 300, 100, 6), (Excess::Disconnect, 120, 10, 8)]
    {
        let (drained_at, refused, sessions) = run(excess);
        assert!(drained_at.is_some_and(|secs| secs < secs_max), "{excess:?}: {drained_at:?}");
        assert!(refused <= refused_max, "{excess:?}: {refused} publishes were not taken");
        assert!(sessions <= sessions_max, "{excess:?}: {sessions} sessions");
    }
}

/// A session with three messages in flight, published at once.
fn three_in_flight() -> Session<u32> {
    let mut session = connected(Version::V5);
    for ticket in 0..3 {
        session.publish(0, b"x", ticket, at(10_000)).unwrap();
    }
    session
}

#[test]
fn quota_answers_halve_the_pace_once_a_burst_and_the_next_session_keeps_it() {
    let mut session = three_in_flight();
    session.receive(&[0x40, 2, 0, 1, 0x40, 3, 0, 2, 0x97, 0x40, 3, 0, 3, 0x97, 0xe0, 1, 0x97]);
    assert_eq!(session.next_event(), Ok(Some(Event::Acknowledged(0))));
    assert_eq!(session.pace().per_second(), 80);
    for ticket in [1, 2] {
        assert_eq!(session.next_event(), Ok(Some(Event::Refused(ticket, 0x97))));
        assert_eq!(session.pace().per_second(), 40);
    }
    assert_eq!(session.next_event(), Err(SessionError::Disconnected(0x97)));
    let mut next = Session::<u32>::new(&settings(Version::V5), session.pace(), at(11_000));
    next.receive(ACCEPTED_V5);
    assert_eq!(next.next_event(), Ok(Some(Event::Connected)));
    assert_eq!((next.pace().per_second(), next.room_at()), (40, at(11_500)));
}

#[test]
fn disconnect_halves_the_pace_only_if_it_is_about_a_quota() {
    for (reason, per_second) in [(0x96, 40), (0x97, 40), (0x87, 80), (0x8b, 80), (0x9f, 80)] {
        let mut session = three_in_flight();
        session.receive(&[0xe0, 1, reason]);
        assert_eq!(session.next_event(), Err(SessionError::Disconnected(reason)));
        assert_eq!(session.pace().per_second(), per_second, "{reason:#x}");
    }
    let mut session = connected(Version::V5);
    session.receive(&[0xe0, 1, 0x97]);
    assert_eq!(session.next_event(), Err(SessionError::Disconnected(0x97)));
    assert_eq!(session.pace().per_second(), 80, "nothing was published");
}

#[test]
fn missing_acknowledgement_halves_the_pace_only_if_others_came() {
    for (answers, per_second) in [(&[][..], 80), (&[0x40, 2, 0, 2], 40)] {
        let mut session = three_in_flight();
        session.receive(answers);
        while session.next_event().unwrap().is_some() {}
        assert_eq!(session.tick(at(40_000)), Err(SessionError::Unanswered(Answer::PubAck)));
        assert_eq!(session.pace().per_second(), per_second);
    }
}
