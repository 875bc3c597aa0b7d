use super::*;
use crate::metric::sample::Readings;
use crate::platform::clock::BootTime;

fn sample(number: u64) -> Sample {
    Sample { taken_at: BootTime::from_millis(number), readings: Readings::new() }
}

/// A ring of `capacity` with samples 0, 1, 2, … of `parts` each.
fn outbox(capacity: usize, samples: u64, parts: usize) -> Outbox {
    let mut outbox = Outbox::new(capacity);
    for number in 0..samples {
        outbox.push(&sample(number), Parts::of(0..parts));
    }
    outbox
}

/// Sends one sample's part, and gives the sample's number, the part and the ticket.
fn send(outbox: &mut Outbox) -> Option<(u64, usize, Ticket)> {
    let ticket = outbox.next_ticket(Parts::default())?;
    let number = outbox.waiting(ticket).next().unwrap().taken_at.as_millis();
    Some((number, ticket.part(), outbox.sent(ticket, 1)))
}

fn sent_in_order(outbox: &mut Outbox) -> Vec<(u64, usize)> {
    std::iter::from_fn(|| send(outbox)).map(|(number, part, _)| (number, part)).collect()
}

#[test]
fn parts_are_sent_in_order_oldest_sample_first() {
    let mut outbox = outbox(8, 2, 2);
    assert_eq!(sent_in_order(&mut outbox), [(0, 0), (0, 1), (1, 0), (1, 1)]);
    assert_eq!(outbox.len(), 2);
}

#[test]
fn sample_leaves_when_all_its_parts_are_acknowledged_in_any_order() {
    let mut outbox = outbox(8, 2, 2);
    let tickets: Vec<_> = std::iter::from_fn(|| send(&mut outbox)).map(|(.., ticket)| ticket).collect();
    outbox.acknowledge(tickets[3]);
    outbox.acknowledge(tickets[1]);
    outbox.acknowledge(tickets[2]);
    assert_eq!(outbox.len(), 2, "sample 1 is done, but sample 0 before it is not");
    outbox.acknowledge(tickets[0]);
    assert!(outbox.is_empty());
    assert_eq!(outbox.dropped(), 0);
}

#[test]
fn lost_connection_resends_only_what_was_not_acknowledged() {
    let mut outbox = outbox(8, 1, 3);
    let tickets: Vec<_> = std::iter::from_fn(|| send(&mut outbox)).map(|(.., ticket)| ticket).collect();
    outbox.acknowledge(tickets[1]);
    outbox.rewind();
    assert_eq!(sent_in_order(&mut outbox), [(0, 0), (0, 2)]);
}

#[test]
fn held_parts_are_passed_over_and_refused_parts_are_sent_again() {
    let mut outbox = outbox(8, 2, 3);
    let first = outbox.next_ticket(Parts::default()).unwrap();
    let first = outbox.sent(first, 1);
    outbox.refused(first);
    let held = Parts::of([0]).with(Parts::of([2]));
    let mut sent = Vec::new();
    while let Some(ticket) = outbox.next_ticket(held) {
        let number = outbox.waiting(ticket).next().unwrap().taken_at.as_millis();
        sent.push((number, ticket.part()));
        outbox.sent(ticket, 1);
    }
    assert_eq!(sent, [(0, 1), (1, 1)]);
    assert_eq!(sent_in_order(&mut outbox), [(0, 0), (0, 2), (1, 0), (1, 2)]);
}

#[test]
fn full_ring_drops_and_counts_the_oldest_sample() {
    let mut outbox = outbox(2, 5, 1);
    assert_eq!((outbox.len(), outbox.dropped()), (2, 3));
    assert_eq!(sent_in_order(&mut outbox), [(3, 0), (4, 0)]);
}

#[test]
fn acknowledgement_of_a_dropped_sample_changes_no_other() {
    let mut outbox = outbox(2, 2, 1);
    let (.., ticket) = send(&mut outbox).unwrap();
    outbox.push(&sample(2), Parts::of(0..1));
    outbox.acknowledge(ticket);
    assert_eq!((outbox.len(), outbox.dropped()), (2, 1));
    assert_eq!(sent_in_order(&mut outbox), [(1, 0), (2, 0)]);
}

#[test]
fn one_message_can_hold_several_samples() {
    let mut outbox = outbox(8, 5, 1);
    let ticket = outbox.next_ticket(Parts::default()).unwrap();
    assert_eq!(outbox.waiting(ticket).count(), 5);
    let ticket = outbox.sent(ticket, 3);
    assert_eq!(outbox.waiting(outbox.next_ticket(Parts::default()).unwrap()).count(), 2);
    outbox.acknowledge(ticket);
    assert_eq!(outbox.len(), 2);
}

#[test]
fn sample_without_parts_is_not_kept() {
    let mut outbox = outbox(1, 1, 1);
    outbox.push(&sample(1), Parts::default());
    assert_eq!(outbox.dropped(), 0, "no other sample is dropped for it");
    let (.., ticket) = send(&mut outbox).unwrap();
    outbox.acknowledge(ticket);
    outbox.push(&sample(2), Parts::default());
    assert!(outbox.is_empty());
    assert_eq!(outbox.dropped(), 0);
}

#[test]
fn smaller_ring_keeps_the_newest_samples() {
    let mut outbox = outbox(8, 5, 1);
    outbox.resize(2);
    assert_eq!((outbox.len(), outbox.dropped()), (2, 3));
    assert_eq!(sent_in_order(&mut outbox), [(3, 0), (4, 0)]);
    outbox.resize(8);
    assert_eq!((outbox.len(), outbox.dropped()), (2, 3));
}

#[test]
fn converted_sample_is_sent_again_in_its_new_parts() {
    let mut outbox = outbox(8, 2, 3);
    let (.., ticket) = send(&mut outbox).unwrap();
    outbox.acknowledge(ticket);
    let mut told = Vec::new();
    outbox.convert(|sample, unacknowledged| {
        told.push(unacknowledged);
        Parts::of(0..usize::from(sample.taken_at.as_millis() == 1))
    });
    assert_eq!(told, [Parts::of([1, 2]), Parts::of(0..3)]);
    assert_eq!(sent_in_order(&mut outbox), [(1, 0)]);
}

/// The readings of all unsent samples.
fn readings(outbox: &Outbox) -> Vec<Vec<f64>> {
    let ticket = outbox.next_ticket(Parts::default()).unwrap();
    outbox.waiting(ticket).map(|kept| kept.readings.iter().map(|value| value.unwrap()).collect()).collect()
}

#[test]
fn readings_stay_with_their_sample_while_others_come_and_go() {
    let mut outbox = Outbox::new(3);
    let mut next = 0.0;
    for round in 0..20 {
        for _ in 0..=round % 4 {
            let readings = Readings::from_slice(&[Ok(next), Ok(-next)]).unwrap();
            outbox.push(&Sample { taken_at: BootTime::default(), readings }, Parts::of([0]));
            next += 1.0;
        }
        let waiting = outbox.len();
        let mut expected: Vec<_> =
            std::iter::successors(Some(next - 1.0), |value| Some(value - 1.0)).take(waiting).collect();
        expected.reverse();
        assert_eq!(readings(&outbox), expected.iter().map(|&value| vec![value, -value]).collect::<Vec<_>>());
        for _ in 0..waiting - usize::from(round % 5 != 0) {
            let (.., ticket) = send(&mut outbox).unwrap();
            outbox.acknowledge(ticket);
        }
        outbox.resize(2 + round % 3);
    }
}

#[test]
fn converted_sample_may_have_more_readings() {
    let mut outbox = Outbox::new(4);
    for value in [1.0, 2.0] {
        let readings = Readings::from_slice(&[Ok(value)]).unwrap();
        outbox.push(&Sample { taken_at: BootTime::default(), readings }, Parts::of([0]));
    }
    outbox.convert(|sample, _| {
        sample.readings.push(Ok(7.0)).unwrap();
        Parts::of([0])
    });
    assert_eq!(readings(&outbox), [[1.0, 7.0], [2.0, 7.0]]);
}

#[test]
fn acknowledged_sample_stays_acknowledged_when_converted() {
    let mut outbox = outbox(8, 2, 1);
    send(&mut outbox).unwrap();
    let (.., ticket) = send(&mut outbox).unwrap();
    outbox.acknowledge(ticket);
    outbox.convert(|_, _| Parts::of([0]));
    assert_eq!(sent_in_order(&mut outbox), [(0, 0)]);
}
