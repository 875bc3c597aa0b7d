use std::path::Path;

use super::*;
use crate::config::identity::Identity;
use crate::config::{Config, KEYS};
use crate::metric::SERIES_MAX;

fn read_with(text: &str, set: &[&str]) -> Result<Config, Vec<String>> {
    let board = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roots/pi-4");
    let set: Vec<_> = set.iter().map(|&option| option.to_owned()).collect();
    Config::read(Some(("f.conf", text)), &set, &Identity::read(&board))
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn read(text: &str) -> Result<Config, Vec<String>> {
    read_with(text, &[])
}

fn alerts(config: &Config) -> Vec<String> {
    let alerts = config.alerts.iter();
    alerts.map(|alert| format!("{} {:?} {} tenths", alert.series, alert.side, alert.threshold.0)).collect()
}

fn error(alert: &str) -> String {
    let errors = read(&format!("alert = {alert}")).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].clone()
}

#[test]
fn an_alert_may_stand_several_times_and_its_series_has_any_of_its_names() {
    let config = read(
        "disk = / /data\nalert = temperature > 80\nalert=cpu_temperature<-5.5\nport = 1\n\
         alert = throttled_now > 0\nalert = wifi_signal < -80\nalert = disk_percent_data > 90\n\
         alert = load_average_1>4\nalert = \"disk > 95\"\nalert = disk_usage_data > 95\n",
    )
    .unwrap();
    let told = [
        "cpu temperature Above 800 tenths",
        "cpu temperature Below -55 tenths",
        "throttled now Above 0 tenths",
        "wifi signal Below -800 tenths",
        "disk usage /data Above 900 tenths",
        "load average 1 min Above 40 tenths",
        "disk usage / Above 950 tenths",
        "disk usage /data Above 950 tenths",
    ];
    assert_eq!(alerts(&config), told);
    assert_eq!(config.alerts[5].text, "load_average_1>4", "the log has the user's own words");
}

#[test]
fn every_series_that_a_board_can_have_has_its_names_in_flat_and_emf() {
    let mounts = ["/".to_owned(), "/var/log".to_owned()];
    for expected in Inventory::Image.series(&Metric::ALL, &mounts) {
        let about = expected.metric.description();
        for head in [about.flat_key, about.emf_name] {
            let name = format!("{head}{}", expected.suffix());
            assert_eq!(series(&name, &mounts).as_ref(), Ok(&expected), "{name}");
        }
    }
    // Also one that is not there yet.
    let usb = Series::of(Metric::NetworkSent, "usb0.7");
    assert_eq!(series("network_sent_usb0.7", &mounts), Ok(usb));
}

#[test]
fn what_is_watched_is_measured_too_and_once() {
    let metrics = |text| {
        let config = read(text).unwrap();
        config.series.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let alerts = "alert = throttled_now > 0\nalert = temperature > 80\nalert = temperature > 85\n";
    let expected = ["cpu temperature", "cpu usage", "throttled now"];
    assert_eq!(metrics(&format!("metrics = temperature cpu\n{alerts}")), expected);
    let config = read(&format!("topic = {{metric}}\nmetrics = cpu\n{alerts}")).unwrap();
    assert_eq!(config.topics.names(), ["cpu", "throttled", "temperature"]);
    let all = read(&format!("metrics = all\n{alerts}alert = swap > 1")).unwrap();
    assert_eq!(all.series.iter().filter(|series| series.metric == Metric::Swap).count(), 1);
}

#[test]
fn a_thing_that_was_found_gives_way_to_one_that_is_named() {
    let of = |name: &str| Series::of(Metric::NetworkSent, name);
    let mut series = ["eth0", "wlan0", "wg0", "tun0"].map(of).to_vec();
    series.push(Series::new(Metric::Cpu));
    let alert = |name: &str| {
        let (text, series) = (name.to_owned(), of(name));
        Alert { text, series, side: Side::Above, threshold: Tenths(0) }
    };
    let alerts = ["tun0", "usb0", "usb1"].map(alert);
    for alert in &alerts {
        add(&mut series, &alert.series, &alerts);
    }
    let names: Vec<_> = series.iter().map(ToString::to_string).collect();
    let sent = ["eth0", "tun0", "usb0", "usb1"].map(|name| of(name).to_string());
    assert_eq!(names, [&sent[0], &sent[1], "cpu usage", &sent[2], &sent[3]]);
    // So a sample has room for all.
    let many = read(
        "metrics = all\nalert = disk_read_sdx > 1\nalert = disk_read_sdy > 1\nalert = disk_read_sdz > 1",
    );
    assert!(many.unwrap().series.len() <= SERIES_MAX);
}

#[test]
fn what_is_no_alert_is_told_with_what_is_allowed() {
    for wrong in [
        "",
        "temperature",
        "temperature 80",
        "temperature >",
        "> 80",
        "temperature >= 80",
        "temperature = 80",
        "temperature > 80 > 90",
        "temperature > 80.25",
        "temperature > 8e1",
        "temperature > hot",
        "temperature > 80 °C",
        "temperature > 1234567890123",
        "temperature > +80",
    ] {
        let told = format!("f.conf:1: alert = {wrong}: allowed: {}", ALERT.allowed);
        assert_eq!(error(wrong), told);
    }
    assert!(KEYS.contains(&ALERT));
    assert!(error("temperature > 80 # °C").ends_with("(a comment needs a line of its own)"));
    for example in ["temperature > 80", "wifi_signal < -67.5"] {
        assert!(ALERT.allowed.contains(example) && read(&format!("alert = {example}")).is_ok());
    }
}

#[test]
fn a_name_that_is_none_is_told_with_the_nearest() {
    for (wrong, told) in [
        ("temprature > 80", "there is no metric temprature; did you mean temperature?"),
        ("Throttled_Now > 0", "there is no metric Throttled_Now; did you mean throttled_now?"),
        ("trottled > 0", "there is no metric trottled; did you mean throttled?"),
        ("load_average_2 > 1", "there is no metric load_average_2; did you mean load_average_1?"),
        ("disk_percent_data > 90", "there is no metric disk_percent_data"),
        ("network_sent > 1", "there is no metric network_sent; did you mean network_sent_eth0?"),
        ("network_sent_a/b > 1", "there is no metric network_sent_a/b; did you mean network_sent_eth0?"),
        ("brightness > 1", "there is no metric brightness"),
    ] {
        let error = error(wrong);
        assert!(error.starts_with(&format!("f.conf:1: alert = {wrong}: {told}")), "{error}");
    }
}

#[test]
fn a_key_of_several_metrics_is_told_with_all_of_them() {
    assert_eq!(
        error("load > 1"),
        "f.conf:1: alert = load > 1: load is more than one: allowed: load_average_1, load_average_5, load_average_15"
    );
    assert!(
        error("throttled > 0").contains("allowed: under_voltage_now, frequency_capped_now, throttled_now, ")
    );
    let of_things = "network_received_eth0, network_received_wlan0, network_sent_eth0, network_sent_wlan0";
    assert!(error("network > 0").ends_with(of_things));
}

#[test]
fn the_same_twice_and_a_ninth_are_errors_and_all_errors_are_told_at_once() {
    let mut text = "alert = temperature > 80\nalert = cpu_temperature > 80.0\ninterval = 0\n".to_owned();
    text += &[1, 2, 3, 4, 5, 6, 7, 8].map(|threshold| format!("alert = cpu > {threshold}\n")).concat();
    text += "alert = cpux > 1\n";
    assert_eq!(
        read(&text).unwrap_err(),
        [
            "f.conf:2: alert = cpu_temperature > 80.0: it is the same as an earlier one",
            "f.conf:3: interval = 0: allowed: 1–86400 (seconds)",
            "f.conf:11: alert = cpu > 8: allowed: 8 alerts, for a metric on 4 interfaces or disks",
            "f.conf:12: alert = cpux > 1: there is no metric cpux; did you mean cpu?",
        ]
    );
    let lines = |numbers: std::ops::Range<u32>, threshold| {
        let line = |number| format!("alert = network_sent_eth{number} > {threshold}\n");
        numbers.map(line).collect::<Vec<_>>().concat()
    };
    let told =
        ["f.conf:5: alert = network_sent_eth4 > 1: allowed: 8 alerts, for a metric on 4 interfaces or disks"];
    assert_eq!(read(&lines(0..5, 1)).unwrap_err(), told);
    assert!(read(&(lines(0..4, 1) + &lines(0..4, 2))).is_ok());
}

#[test]
fn a_mount_point_that_is_wrong_is_told_and_not_its_alert() {
    let errors = read("disk = data\nalert = disk_data > 90\nalert = disc > 1").unwrap_err();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("f.conf:1: disk = data: allowed: "), "{errors:?}");
    assert!(errors[1].starts_with("f.conf:3: alert = disc > 1: there is no metric disc"), "{errors:?}");
}

#[test]
fn options_take_the_place_of_all_that_the_file_says() {
    let file = "alert = temperature > 80\nalert = temperature > 85\n";
    let config = read_with(file, &["alert=cpu > 90", "alert=swap>1"]).unwrap();
    assert_eq!(alerts(&config), ["cpu usage Above 900 tenths", "swap usage Above 10 tenths"]);
    let errors = read_with("alert = what", &["alert=cpu > 90%"]).unwrap_err();
    assert!(errors.len() == 1 && errors[0].starts_with("--set: alert = cpu > 90%: allowed: "), "{errors:?}");
}
