use pivitals_broker::Random;
use serde_json::Value as Read;

use super::*;

fn written(members: impl FnOnce(&mut Object<'_>)) -> String {
    let mut text = String::new();
    object(&mut text, members).unwrap();
    text
}

fn number(value: f64) -> String {
    let text = written(|object| object.key("n").number(value));
    text.strip_prefix("{\"n\":").unwrap().strip_suffix('}').unwrap().to_owned()
}

#[test]
fn objects_and_lists_stand_in_each_other_without_a_blank() {
    let text = written(|document| {
        document.key("empty").object(|_| ());
        document.key("none").list(|_| ());
        document.key("device").object(|device| {
            device.key("ids").list(|ids| {
                ids.item().text("pi-7");
                ids.item().list(|inner| inner.item().integer(u64::MAX));
                ids.item().object(|inner| inner.key("a").null());
            });
            device.key_of(&format_args!("{}_{}", "disk", 1)).text_of(&12);
        });
        document.key("some").optional(Some("x"), Value::text);
        document.key("other").optional(None, Value::text);
    });
    assert_eq!(
        text,
        concat!(
            r#"{"empty":{},"none":[],"device":{"ids":["pi-7",[18446744073709551615],{"a":null}],"#,
            r#""disk_1":"12"},"some":"x","other":null}"#
        )
    );
}

#[test]
fn what_stands_in_a_string_is_escaped_in_names_too_and_where_it_is_put_together() {
    let text = written(|object| {
        object.key("\"\n").text("\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/\u{7f}é\u{2028}😀");
        object.key("a").text_of(&format_args!("{}{}", '"', "\\"));
    });
    assert_eq!(
        text,
        "{\"\\\"\\n\":\"\\u0000\\b\\t\\n\\u000B\\f\\r\\u001F \\\"\\\\/\u{7f}é\u{2028}😀\",\"a\":\"\\\"\\\\\"}"
    );
}

#[test]
fn a_document_is_a_string_and_its_strings_are_escaped_twice() {
    let text = written(|event| {
        event.key("message").document(|message| {
            message.key("a\\").text("\"\n");
            message.key("again").document(|inner| inner.key("b").number(0.5));
        });
    });
    assert_eq!(text, r#"{"message":"{\"a\\\\\":\"\\\"\\n\",\"again\":\"{\\\"b\\\":0.5}\"}"}"#);
    let event: Read = serde_json::from_str(&text).unwrap();
    let message: Read = serde_json::from_str(event["message"].as_str().unwrap()).unwrap();
    assert_eq!(message["a\\"], "\"\n");
}

#[test]
fn numbers_have_one_decimal() {
    for (value, expected) in [
        (25.0, "25.0"),
        (12.34, "12.3"),
        (48.25, "48.3"),
        (48.249, "48.2"),
        (54.35, "54.4"),
        (1.15, "1.2"),
        (3884.65, "3884.7"),
        (99.99, "100.0"),
        (0.04, "0.0"),
        (0.05, "0.1"),
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (-0.04, "0.0"),
        (-0.05, "-0.1"),
        (-12.34, "-12.3"),
        (f64::MIN_POSITIVE, "0.0"),
    ] {
        assert_eq!(number(value), expected, "{value}");
    }
}

#[test]
fn great_numbers_are_digits_too_and_what_is_no_number_is_null() {
    for (value, expected) in [
        (TENTHS_END - 0.125, "562949953421311.9"),
        (TENTHS_END, "562949953421312.0"),
        (-9_007_199_254_740_992.0, "-9007199254740992.0"),
        (1e16, "10000000000000000.0"),
        (18_446_744_073_709_551_615.0, "18446744073709551615.0"),
        (-1e300, "-18446744073709551615.0"),
        (f64::MAX, "18446744073709551615.0"),
        (f64::INFINITY, "null"),
        (f64::NEG_INFINITY, "null"),
        (f64::NAN, "null"),
    ] {
        assert_eq!(number(value), expected, "{value}");
    }
    assert_eq!(number(f64::MIN).len(), NUMBER_LEN_MAX);
    assert_eq!(u64::MAX.to_string().len(), INTEGER_LEN_MAX);
}

/// Numbers of every size up to that from where on there are no tenths.
#[expect(clippy::cast_precision_loss, reason = "any number will do")]
fn any_number(random: &mut Random) -> f64 {
    let word = random.word();
    let size = (word >> 15) as f64 / (1_u64 << (word % 50)) as f64;
    // What is read has few decimals, and a five in the second is where rounding shows.
    let value = match word >> 8 & 3 {
        0 => size,
        1 => (size * 100.0).trunc() / 100.0,
        2 => (size * 10.0).trunc() / 10.0 + 0.05,
        _ => size.trunc(),
    };
    if word >> 10 & 1 == 0 { value } else { -value }
}

#[test]
fn a_number_is_what_another_writer_makes_of_it_when_it_is_rounded() {
    let mut random = Random::new(49);
    for _ in 0..200_000 {
        let value = any_number(&mut random);
        let rounded = (value * 10.0).round() / 10.0 + 0.0;
        assert_eq!(number(value), serde_json::to_string(&rounded).unwrap(), "{value:e}");
    }
}

fn any_text(random: &mut Random) -> String {
    const TELLING: [char; 16] = [
        'a', '"', '\\', '/', '\0', '\u{1}', '\u{8}', '\t', '\n', '\u{c}', '\r', '\u{1f}', '\u{7f}', 'é',
        '\u{ffff}', '😀',
    ];
    let length = random.word() >> 32 & 7;
    (0..length).map(|_| TELLING[usize::try_from(random.word() >> 32 & 15).unwrap()]).collect()
}

fn any_value(random: &mut Random, depth: usize) -> Read {
    let length = if depth == 0 { 0 } else { random.word() >> 32 & 3 };
    match random.word() >> 32 & 7 {
        0 => Read::Null,
        1 => (random.word() >> (random.word() >> 32 & 63)).into(),
        2 => ((any_number(random) * 10.0).round() / 10.0 + 0.0).into(),
        3 | 4 => any_text(random).into(),
        5 => (0..length).map(|_| any_value(random, depth - 1)).collect(),
        _ => (0..length).map(|_| (any_text(random), any_value(random, depth - 1))).collect(),
    }
}

fn write(value: Value<'_>, what: &Read) {
    match what {
        Read::Null => value.null(),
        Read::Number(number) => match number.as_u64() {
            Some(integer) => value.integer(integer),
            None => value.number(number.as_f64().unwrap()),
        },
        Read::String(text) => value.text(text),
        Read::Array(items) => value.list(|list| items.iter().for_each(|item| write(list.item(), item))),
        Read::Object(members) => value.object(|object| {
            for (name, member) in members {
                write(object.key(name), member);
            }
        }),
        Read::Bool(_) => unreachable!("none is made"),
    }
}

#[test]
fn another_reader_reads_what_was_written_also_out_of_a_string() {
    let mut random = Random::new(8259);
    for _ in 0..5_000 {
        let what = any_value(&mut random, 4);
        let plain = written(|object| write(object.key("plain"), &what));
        let document: Read = serde_json::from_str(&plain).expect(&plain);
        assert_eq!(document["plain"], what);
        let nested = written(|object| object.key("m").document(|message| write(message.key("plain"), &what)));
        let event: Read = serde_json::from_str(&nested).expect(&nested);
        assert_eq!(event["m"], plain);
    }
}

#[test]
fn what_has_no_room_is_told_and_nothing_is_written_beyond() {
    let mut random = Random::new(1);
    for _ in 0..200 {
        let what = any_value(&mut random, 4);
        let members = |object: &mut Object<'_>| {
            write(object.key("a"), &what);
            object.key("b").document(|inner| write(inner.key("c"), &what));
        };
        let whole = written(members);
        for room in 0..=whole.len() + 1 {
            let mut buffer = vec![0xa5; room];
            let length = to_slice(&mut buffer, members);
            assert_eq!(length, (room >= whole.len()).then_some(whole.len()));
            let begun = length.unwrap_or_else(|| buffer.iter().position(|&b| b == 0xa5).unwrap_or(room));
            assert_eq!(&buffer[..begun], &whole.as_bytes()[..begun]);
            assert!(buffer[begun..].iter().all(|&byte| byte == 0xa5));
        }
    }
}
