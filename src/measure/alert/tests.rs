use super::*;
use crate::message::json::Number;
use crate::metric::Metric;
use crate::metric::sample::NoData;

fn alert(side: Side, threshold: &str) -> Alert {
    let series = Series::new(Metric::Temperature);
    Alert { text: String::new(), series, side, threshold: Tenths::parse(threshold).unwrap() }
}

#[test]
fn a_threshold_is_a_number_with_at_most_one_decimal() {
    for (text, tenths) in [
        ("80", 800),
        ("-67.5", -675),
        ("0", 0),
        ("-0", 0),
        ("0.1", 1),
        ("007", 70),
        ("999999999999.9", 9_999_999_999_999),
    ] {
        assert_eq!(Tenths::parse(text), Some(Tenths(tenths)), "{text}");
    }
    for wrong in [
        "",
        "-",
        "--1",
        "+1",
        ".5",
        "5.",
        "1.25",
        "1e3",
        "1 ",
        " 1",
        "0x1",
        "1,5",
        "١",
        "1.-",
        "1.x",
        "=80",
        "1000000000000",
        "nan",
    ] {
        assert_eq!(Tenths::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_value_has_the_tenths_that_it_is_published_with() {
    for (value, tenths) in [(81.249, 812), (-67.45, -675), (-0.04, 0), (0.05, 1), (80.0, 800)] {
        assert_eq!(Tenths::of(value), Tenths(tenths));
        assert_eq!(Tenths::parse(&Number(value).to_string()), Some(Tenths(tenths)));
    }
}

#[test]
fn a_value_is_back_when_it_is_on_the_other_side_by_a_twentieth_of_the_threshold() {
    const CROSSED: Option<bool> = Some(true);
    const BACK: Option<bool> = Some(false);
    for (side, threshold, values) in [
        (Side::Above, "80", [(80.1, CROSSED), (80.0, None), (76.1, None), (76.0, BACK), (-90.0, BACK)]),
        (Side::Below, "-80", [(-80.1, CROSSED), (-80.0, None), (-76.1, None), (-76.0, BACK), (0.0, BACK)]),
        (Side::Above, "-10", [(-9.9, CROSSED), (-10.0, None), (-10.4, None), (-10.5, BACK), (-99.0, BACK)]),
        (Side::Below, "14", [(13.9, CROSSED), (14.0, None), (14.6, None), (14.7, BACK), (99.0, BACK)]),
        // A flag: without hysteresis, there is nothing of it.
        (Side::Above, "0", [(1.0, CROSSED), (0.1, CROSSED), (0.0, BACK), (-0.0, BACK), (-0.1, BACK)]),
        (Side::Below, "1", [(0.0, CROSSED), (0.9, CROSSED), (1.0, BACK), (1.1, BACK), (2.0, BACK)]),
        (Side::Above, "1.9", [(2.0, CROSSED), (1.9, BACK), (1.8, BACK), (0.0, BACK), (-2.0, BACK)]),
        (Side::Above, "80.5", [(80.6, CROSSED), (80.5, None), (76.6, None), (76.5, BACK), (0.0, BACK)]),
        // As they are published, so that what arrives is beyond the threshold.
        (
            Side::Above,
            "80",
            [(80.049, None), (80.051, CROSSED), (76.049, BACK), (f64::MAX, CROSSED), (f64::MIN, BACK)],
        ),
    ] {
        for (value, judged) in values {
            assert_eq!(alert(side, threshold).judge(value), judged, "{value} at {side:?} {threshold}");
        }
    }
}

#[test]
fn what_crosses_is_told_once_and_what_is_back_too() {
    let (alert, mut watched) = (alert(Side::Above, "80"), Watched::default());
    let mut told = Vec::new();
    for reading in [Ok(79.0), Ok(81.2), Ok(90.0), Ok(78.0), Ok(75.9), Ok(79.9), Ok(80.1)] {
        watched.take(&alert, reading);
        told.extend(watched.tell());
        assert_eq!(watched.tell(), None);
    }
    assert_eq!(told, [(true, 81.2), (false, 75.9), (true, 80.1)]);
}

#[test]
fn a_value_that_is_beyond_it_from_the_first_crosses_it_at_once() {
    let (alert, mut watched) = (alert(Side::Below, "-80"), Watched::default());
    assert!(!watched.is_news());
    watched.take(&alert, Ok(-85.0));
    assert_eq!(watched.tell(), Some((true, -85.0)));
}

#[test]
fn an_unknown_reading_changes_nothing_and_nothing_is_told_with_it() {
    let (alert, mut watched) = (alert(Side::Above, "80"), Watched::default());
    watched.take(&alert, Ok(81.0));
    watched.take(&alert, Err(NoData::Unreadable));
    assert_eq!((watched.is_news(), watched.tell()), (false, None));
    watched.take(&alert, Ok(78.0));
    assert_eq!(watched.tell(), Some((true, 78.0)), "it is told when it is known again");
    watched.take(&alert, Err(NoData::NotPresent));
    watched.take(&alert, Ok(78.0));
    assert!(!watched.is_news());
}

#[test]
fn what_came_and_went_untold_is_no_news() {
    let (alert, mut watched) = (alert(Side::Above, "0"), Watched::default());
    watched.take(&alert, Ok(1.0));
    assert!(watched.is_news());
    watched.take(&alert, Ok(0.0));
    assert!(!watched.is_news());
}

/// A random walk in tenths, with gaps, against the sentence of the documentation in plain numbers.
#[test]
fn a_random_walk_is_told_as_a_simple_model_tells_it() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64; // xorshift64: the same walks each time
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state % below).unwrap()
    };
    let mut changes = 0;
    for _ in 0..400 {
        let side = [Side::Above, Side::Below][usize::try_from(random(2)).unwrap()];
        let threshold = random(4001) - 2000;
        let series = Series::new(Metric::Temperature);
        let (alert, mut watched) =
            (Alert { text: String::new(), series, side, threshold: Tenths(threshold) }, Watched::default());
        let (mut value, mut is_crossed, mut is_told) = (threshold, false, false);
        for _ in 0..200 {
            value += random(61) - 30 - (value - threshold) / 8;
            let is_known = random(5) > 0;
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            watched.take(&alert, if is_known { Ok(value as f64 / 10.0) } else { Err(NoData::Malformed) });
            let beyond = if side == Side::Above { value - threshold } else { threshold - value };
            if is_known && beyond > 0 {
                is_crossed = true;
            } else if is_known && -beyond >= threshold.abs() * 5 / 100 {
                is_crossed = false;
            }
            // Now and then there is no room for a sample.
            if random(3) > 0 {
                let expected = (is_known && is_crossed != is_told).then_some(is_crossed);
                assert_eq!(watched.tell().map(|(is_crossed, _)| is_crossed), expected);
                is_told = expected.unwrap_or(is_told);
                changes += usize::from(expected.is_some());
            }
        }
    }
    assert!(changes > 1000, "the walks cross their thresholds: {changes}");
}

#[test]
fn twenty_samples_may_follow_each_other_and_then_one_every_three_minutes() {
    let at = |secs: u64| BootTime::from_millis(1000 * secs);
    let mut limit = Limit::default();
    for second in 0..20 {
        assert!(limit.take(at(second)), "{second}");
    }
    assert!(!limit.take(at(20)) && limit.is_news());
    assert!(!limit.take(at(179)) && !limit.is_news(), "once");
    assert!(limit.take(at(180)) && !limit.take(at(181)) && !limit.is_news());
    assert!(limit.take(at(360)));
    // An hour of calm, and all is as it was.
    assert!((0..20).all(|second| limit.take(at(10_000 + second))));
    assert!(!limit.take(at(10_020)) && limit.is_news());
}

#[test]
fn time_that_stands_still_or_never_was_gives_no_more() {
    let mut limit = Limit::default();
    assert_eq!((0..100).filter(|_| limit.take(BootTime::default())).count(), 20);
}
