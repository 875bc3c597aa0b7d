use super::*;
use crate::fleet::Known;

fn bill(set: &[&str], devices: &[u32]) -> Bill {
    let set: Vec<_> = set.iter().map(|&set| set.to_owned()).collect();
    Bill::new(&Fleet::load(Some("/dev/null".as_ref()), &set, &Known::default()).unwrap(), devices)
}

/// Whether an amount is another one, but for what is lost when it is rounded to `digits` that count.
fn is_about(amount: f64, other: f64, tolerance: f64) -> bool {
    (amount - other).abs() <= tolerance
}

#[test]
fn the_known_bills_of_four_metrics_a_minute_come_out() {
    let bill = bill(&[], &[1, 1000, 100_000]);
    for (scheme, known) in [
        (Scheme::Script, [2.14, 2139.0, 204_258.0]),
        (Scheme::Rule, [1.96, 1956.0, 191_126.0]),
        (Scheme::RuleBasicIngest, [1.78, 1783.0, 178_330.0]),
    ] {
        let costs = bill.costs(scheme);
        let is_known = [0.005, 0.5, 0.5].iter().zip(known).zip(&costs);
        assert!(
            is_known.into_iter().all(|((tolerance, known), cost)| is_about(*cost, known, *tolerance)),
            "{costs:?}"
        );
    }
    assert_eq!(bill.metrics(), [1.2, 1200.0, 34_500.0]);
}

#[test]
fn a_batch_of_events_costs_what_its_bytes_and_its_message_cost() {
    let pace = Pace { interval_secs: 60.0, series: 4.0 };
    let sizes = bill(&[], &[1]).sizes;
    // 343 bytes of text and 26 beside it, 43,200 times at 0.50 a GB; as often a rule and an action at 0.15 a
    // million each; and 43,200 minutes at 0.08 a million.
    let emf = Message { length: 450, events: 343, samples: 1 };
    let cost = Scheme::EmfBasicIngest.usage(pace, &Sizes { emf, ..sizes }).cost(1000.0);
    assert!(is_about(cost, 7.970 + 12.960 + 3.456, 0.001), "{cost}");
    // Five in a message: a fifth of the rules and actions.
    let batch = Message { length: 2100, events: 5 * 343, samples: 5 };
    let cost = Scheme::EmfBatches.usage(pace, &Sizes { batch, ..sizes }).cost(1000.0);
    assert!(is_about(cost, 7.970 + 2.592 + 3.456, 0.001), "{cost}");
}

#[test]
fn sizes_are_those_of_messages_that_are_written() {
    let sizes = bill(&["label=pi-7", "client_id=pi-7", "topic=t"], &[1]).sizes;
    let flat = r#"{"label":"pi-7","timestamp":1800000000,"cpu_percent":42.5,"memory_used_megabytes":321.5,"disk_percent":42.5,"temperature_celsius":42.5}"#;
    assert_eq!(sizes.flat, Message { length: flat.len() + 1, events: flat.len(), samples: 1 });
    let rule = r#"{"name":"cpu temperature (pi-7)","unit":"None","value":42.5,"timestamp":1800000000}"#;
    let memory = r#"{"name":"memory usage (pi-7)","unit":"Megabytes","value":321.5,"timestamp":1800000000}"#;
    assert_eq!(sizes.rule, rule.len().max(memory.len()) + 1);
    assert!(sizes.batch.length <= UNIT_LEN && sizes.batch.samples > 5, "{:?}", sizes.batch);
    assert_eq!(sizes.batch.events, sizes.batch.samples * sizes.emf.events);
}

#[test]
fn a_message_of_more_than_five_kilobytes_counts_twice() {
    let pace = Pace { interval_secs: 60.0, series: 4.0 };
    let mut sizes = bill(&[], &[1]).sizes;
    let usage = |sizes: &Sizes| Scheme::Emf.usage(pace, sizes).messages;
    sizes.emf.length = UNIT_LEN;
    let one = usage(&sizes);
    sizes.emf.length = UNIT_LEN + 1;
    assert!(is_about(usage(&sizes), 2.0 * one, 0.0));
}

#[test]
fn quotas_are_told_where_they_are_exceeded() {
    let text = bill(&[], &[1, 7500, 7501]).to_string();
    assert_eq!(text.matches("PutMetricData as often").count(), 1, "{text}");
    assert!(text.contains("- 7,501 devices"));
}

#[test]
fn amounts_are_grouped_and_cents_told_where_they_matter() {
    assert_eq!([0.024, 999.0, 1000.4, 1_234_567.0].map(amount), ["0.02", "999.00", "1,000", "1,234,567"]);
}

#[test]
fn columns_stand_apart_however_wide_they_are() {
    let text = bill(&["interval=1", "metrics=all"], &[1, 1_000_000_000]).to_string();
    assert!(text.contains("1 device 1,000,000,000 devices\n"), "{text}");
    let alone = bill(&["interval=1", "metrics=all"], &[1_000_000_000]).to_string();
    let last = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with("format "));
        rows.filter_map(|row| row.split_whitespace().last()).map(str::to_owned).collect()
    };
    assert_eq!(last(&text), last(&alone));
}
