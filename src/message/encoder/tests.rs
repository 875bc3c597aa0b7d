use super::*;
use crate::metric::sample::{NoData, Readings};
use crate::metric::{MOUNT_LEN_MAX, Metric};
use crate::platform::clock::BootTime;

const TIME: Utc = Utc::from_millis(1_767_225_600_000);

fn series(metric: Metric, mount: Option<&str>) -> Series {
    Series { metric, of: mount.map(Into::into) }
}

fn default_series() -> Vec<Series> {
    Metric::DEFAULT.map(|metric| series(metric, (metric == Metric::Disk).then_some("/"))).into()
}

fn sample(readings: &[Reading]) -> Sample {
    Sample { taken_at: BootTime::default(), readings: Readings::from_slice(readings).unwrap() }
}

fn encode(encoder: &mut Encoder, part: usize, sample: &Sample) -> String {
    let message = encoder.encode(part, LEN_MAX, [(sample, TIME)].into_iter()).unwrap();
    String::from_utf8(message.payload.to_vec()).unwrap()
}

const READINGS: [Reading; 4] = [Ok(12.34), Ok(321.449), Ok(41.0), Ok(48.312)];

#[test]
fn rule_is_one_message_a_reading_with_the_names_of_the_script_it_replaces() {
    let mut encoder = Encoder::new(Format::Rule, default_series(), "pi-7", "PiVitals");
    let sample = sample(&READINGS);
    assert_eq!(encoder.parts(&sample), Parts::of(0..4));
    let messages: Vec<_> = (0..4).map(|part| encode(&mut encoder, part, &sample)).collect();
    assert_eq!(
        messages,
        [
            r#"{"name":"cpu usage (pi-7)","unit":"Percent","value":12.3,"timestamp":1767225600}"#,
            r#"{"name":"memory usage (pi-7)","unit":"Megabytes","value":321.4,"timestamp":1767225600}"#,
            r#"{"name":"disk usage / (pi-7)","unit":"Percent","value":41.0,"timestamp":1767225600}"#,
            r#"{"name":"cpu temperature (pi-7)","unit":"None","value":48.3,"timestamp":1767225600}"#,
        ]
    );
}

#[test]
fn flat_is_one_message_a_sample() {
    let mut encoder = Encoder::new(Format::Flat, default_series(), "pi-7", "PiVitals");
    let sample = sample(&READINGS);
    assert_eq!(encoder.parts(&sample), Parts::of([0]));
    assert_eq!(
        encode(&mut encoder, 0, &sample),
        concat!(
            r#"{"label":"pi-7","timestamp":1767225600,"cpu_percent":12.3,"memory_used_megabytes":321.4,"#,
            r#""disk_percent":41.0,"temperature_celsius":48.3}"#
        )
    );
}

#[test]
fn emf_is_a_batch_of_documents_as_text() {
    let series = vec![series(Metric::Cpu, None), series(Metric::Temperature, None)];
    let mut encoder = Encoder::new(Format::Emf, series, "pi-7", "PiVitals");
    let sample = sample(&[Ok(12.34), Ok(48.312)]);
    assert_eq!(
        encode(&mut encoder, 0, &sample),
        concat!(
            r#"{"batch":[{"timestamp":1767225600000,"message":"{\"_aws\":{\"Timestamp\":1767225600000,"#,
            r#"\"CloudWatchMetrics\":[{\"Namespace\":\"PiVitals\",\"Dimensions\":[[\"device\"]],\"Metrics\":["#,
            r#"{\"Name\":\"cpu_usage\",\"Unit\":\"Percent\"},{\"Name\":\"cpu_temperature\",\"Unit\":\"None\"}]}]},"#,
            r#"\"device\":\"pi-7\",\"cpu_usage\":12.3,\"cpu_temperature\":48.3}"}]}"#
        )
    );
}

#[test]
fn a_reading_that_is_not_to_be_had_is_never_a_zero() {
    let sample = sample(&[Ok(0.0), Err(NoData::NotPresent), Err(NoData::Denied), Err(NoData::NotYet)]);
    let encoder = |format| Encoder::new(format, default_series(), "pi-7", "PiVitals");
    assert_eq!(encoder(Format::Rule).parts(&sample), Parts::of([0]));
    assert!(encoder(Format::Rule).encode(1, LEN_MAX, [(&sample, TIME)].into_iter()).is_none());
    assert_eq!(
        encode(&mut encoder(Format::Flat), 0, &sample),
        concat!(
            r#"{"label":"pi-7","timestamp":1767225600,"cpu_percent":0.0,"memory_used_megabytes":null,"#,
            r#""disk_percent":null,"temperature_celsius":null}"#
        )
    );
    let emf = encode(&mut encoder(Format::Emf), 0, &sample);
    assert!(emf.contains("cpu_usage") && !emf.contains("memory_used"), "{emf}");
}

#[test]
fn a_sample_without_any_reading_is_sent_in_flat_only() {
    let sample = sample(&[Err(NoData::NotPresent); 4]);
    let parts = |format| Encoder::new(format, default_series(), "pi-7", "PiVitals").parts(&sample);
    assert!(parts(Format::Rule).is_empty());
    assert!(parts(Format::Emf).is_empty());
    assert_eq!(parts(Format::Flat), Parts::of([0]));
}

#[test]
fn a_reading_that_is_no_number_is_not_sent_as_one() {
    let sample = sample(&[Ok(f64::NAN), Ok(1.0), Ok(f64::INFINITY), Ok(f64::NEG_INFINITY)]);
    let encoder = |format| Encoder::new(format, default_series(), "pi-7", "PiVitals");
    assert_eq!(encoder(Format::Rule).parts(&sample), Parts::of([1]));
    assert!(encoder(Format::Rule).encode(0, LEN_MAX, [(&sample, TIME)].into_iter()).is_none());
    let flat = encode(&mut encoder(Format::Flat), 0, &sample);
    assert!(flat.contains(r#""cpu_percent":null,"memory_used_megabytes":1.0,"disk_percent":null"#), "{flat}");
    let emf = encode(&mut encoder(Format::Emf), 0, &sample);
    assert!(emf.contains("memory_used") && !emf.contains("cpu_usage"), "{emf}");
}

#[test]
fn mount_points_are_told_apart_in_every_format() {
    let series = vec![series(Metric::Disk, Some("/")), series(Metric::Disk, Some("/var/log"))];
    let sample = sample(&[Ok(1.0), Ok(2.0)]);
    let mut encoder = Encoder::new(Format::Rule, series.clone(), "pi-7", "PiVitals");
    assert!(encode(&mut encoder, 1, &sample).contains(r#""disk usage /var/log (pi-7)""#));
    let mut encoder = Encoder::new(Format::Flat, series.clone(), "pi-7", "PiVitals");
    assert!(encode(&mut encoder, 0, &sample).contains(r#""disk_percent":1.0,"disk_percent_var_log":2.0"#));
    let mut encoder = Encoder::new(Format::Emf, series, "pi-7", "PiVitals");
    assert!(encode(&mut encoder, 0, &sample).contains(r#"\"disk_usage\":1.0,\"disk_usage_var_log\":2.0"#));
}

#[test]
fn strings_are_escaped() {
    let label = r#"a "b\c" é"#;
    for format in [Format::Rule, Format::Flat, Format::Emf] {
        let mut encoder = Encoder::new(format, default_series(), label, "PiVitals");
        let text = encode(&mut encoder, 0, &sample(&READINGS));
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        if format == Format::Emf {
            value = serde_json::from_str(value["batch"][0]["message"].as_str().unwrap()).unwrap();
        }
        let found = ["name", "label", "device"].iter().find_map(|key| value[key].as_str()).unwrap();
        assert!(found.contains(label), "{text}");
    }
}

#[test]
fn the_longest_of_everything_fits() {
    let label = "\"".repeat(LABEL_LEN_MAX);
    let namespace = "n".repeat(NAMESPACE_LEN_MAX);
    let name = |scope: Scope, index: usize| match scope {
        Scope::Board => None,
        Scope::Mount => Some(format!("/{}{index}", "\"".repeat(MOUNT_LEN_MAX - 2))),
        Scope::Interface | Scope::Disk => Some(format!("{}{index}", "x".repeat(scope.name_len_max() - 1))),
    };
    let mut longest = Vec::new();
    for metric in Metric::ALL {
        let scope = metric.description().scope;
        longest.extend((0..scope.things_max()).map(|index| series(metric, name(scope, index).as_deref())));
    }
    assert_eq!(longest.len(), SERIES_MAX);
    let sample = sample(&[Ok(-1.234_567_890_123_456_7e300); SERIES_MAX]);
    let time = Utc::from_millis(u64::MAX);
    for (format, limit) in
        [(Format::Rule, rule::LEN_MAX), (Format::Flat, flat::LEN_MAX), (Format::Emf, emf::LEN_MAX)]
    {
        let mut encoder = Encoder::new(format, longest.clone(), &label, &namespace);
        for part in 0..if format == Format::Rule { SERIES_MAX } else { 1 } {
            let message = encoder.encode(part, LEN_MAX, [(&sample, time)].into_iter()).unwrap();
            let length = message.payload.len();
            assert!(length <= limit, "{format:?}: {length} > {limit}");
            // A limit far above what there can be would be memory for nothing.
            assert!(part > 0 || format == Format::Rule || length + 250 > limit, "{format:?}: {length}");
            serde_json::from_slice::<serde_json::Value>(message.payload).unwrap();
        }
    }
}

#[test]
fn a_batch_takes_as_many_samples_as_fit() {
    let mut encoder = Encoder::new(Format::Emf, default_series(), "pi-7", "PiVitals");
    let sample = sample(&READINGS);
    let times = (0..100).map(|minute| Utc::from_millis(TIME.as_millis() + minute * 60_000));
    let message = encoder.encode(0, LEN_MAX, times.map(|time| (&sample, time))).unwrap();
    assert!((8..100).contains(&message.samples), "{}", message.samples);
    assert!(message.payload.len() <= BATCH_LEN_MAX);
    let batch: serde_json::Value = serde_json::from_slice(message.payload).unwrap();
    let times: Vec<_> =
        batch["batch"].as_array().unwrap().iter().map(|event| event["timestamp"].as_u64().unwrap()).collect();
    assert_eq!(times.len(), message.samples);
    assert!(times.is_sorted());
}

#[test]
fn a_batch_is_no_longer_than_the_broker_takes_but_has_one_sample_at_least() {
    let mut encoder = Encoder::new(Format::Emf, default_series(), "pi-7", "PiVitals");
    let sample = sample(&READINGS);
    for (len_max, range) in [(2000, 1201..=2000), (100, 400..=700)] {
        let times = (0..100).map(|minute| Utc::from_millis(TIME.as_millis() + minute * 60_000));
        let message = encoder.encode(0, len_max, times.map(|time| (&sample, time))).unwrap();
        assert!(range.contains(&message.payload.len()), "{}", message.payload.len());
        serde_json::from_slice::<serde_json::Value>(message.payload).unwrap();
    }
}

#[test]
fn a_batch_spans_less_than_a_day() {
    let mut encoder = Encoder::new(Format::Emf, default_series(), "pi-7", "PiVitals");
    let sample = sample(&READINGS);
    let times = (0..4).map(|half| Utc::from_millis(TIME.as_millis() + half * 12 * 3_600_000));
    let message = encoder.encode(0, LEN_MAX, times.map(|time| (&sample, time))).unwrap();
    assert_eq!(message.samples, 2);
}
