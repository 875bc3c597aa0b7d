//! The key `alert`, the only one that may stand several times: `temperature > 80`.
//!
//! What it names need not be there: an interface may come after the agent has begun.

use super::keys::{ALERT, nearest};
use super::text::{ConfigError, Place, Values};
use crate::alert::{ALERTS_MAX, Alert, Side, Tenths};
use crate::metric::{Metric, Scope, Series};
use crate::probe::{Inventory, is_device_name};

/// All alerts, with the errors among those of `values`. Without mount points, because those have an error
/// of their own, none of a disk is missed.
pub fn alerts(values: &mut Values, mounts: Option<&[String]>) -> Vec<Alert> {
    let mut found: Vec<(Alert, Place)> = Vec::new();
    for (place, text) in values.repeated() {
        let error = match parse(&text) {
            None => ConfigError::not_allowed(place, &ALERT, &text),
            Some((name, side, threshold)) => {
                let alert = series(name, mounts).map(|series| Alert { series, side, threshold });
                match alert.and_then(|alert| fits(alert, &found)) {
                    Ok(alert) => {
                        found.push((alert, place));
                        continue;
                    }
                    Err(why) => ConfigError::new(place, format_args!("{} = {text}: {why}", ALERT.name)),
                }
            }
        };
        values.errors.push(error);
    }
    found.into_iter().map(|(alert, _)| alert).collect()
}

/// Adds what is watched and not measured. Where there is no room for it, a thing that was only found gives
/// way to one that is named.
pub fn add(series: &mut Vec<Series>, alerts: &[Alert]) {
    for Alert { series: watched, .. } in alerts {
        if series.contains(watched) {
            continue;
        }
        let is_like = |series: &Series| series.metric == watched.metric;
        if series.iter().filter(|series| is_like(series)).count() >= things_max(watched.metric) {
            let is_found =
                |series: &Series| is_like(series) && !alerts.iter().any(|alert| alert.series == *series);
            if let Some(last) = series.iter().rposition(is_found) {
                series.remove(last);
            }
        }
        series.push(watched.clone());
    }
}

const fn things_max(metric: Metric) -> usize {
    metric.description().scope.things_max()
}

fn parse(text: &str) -> Option<(&str, Side, Tenths)> {
    let above = text.split_once('>').map(|parts| (parts, Side::Above));
    let ((name, number), side) = above.or_else(|| Some((text.split_once('<')?, Side::Below)))?;
    let name = name.trim_end();
    (!name.is_empty()).then_some((name, side, Tenths::parse(number.trim_start())?))
}

/// Whether there is room for one more, and it is another one.
fn fits(alert: Alert, found: &[(Alert, Place)]) -> Result<Alert, String> {
    if let Some((_, place)) = found.iter().find(|(earlier, _)| *earlier == alert) {
        return Err(format!("the same alert was given already, at {place}"));
    }
    if found.len() >= ALERTS_MAX {
        return Err(format!("allowed: {ALERTS_MAX} alerts"));
    }
    let metric = alert.series.metric;
    let mut things = vec![&alert.series];
    for (Alert { series, .. }, _) in found {
        if series.metric == metric && !things.contains(&series) {
            things.push(series);
        }
    }
    if things.len() > things_max(metric) {
        return Err(format!("allowed: {} different interfaces or disks", things_max(metric)));
    }
    Ok(alert)
}

/// The series that is called `name`: by the metric's key where that stands for no other, or as in `flat` or
/// in `emf`.
fn series(name: &str, mounts: Option<&[String]>) -> Result<Series, String> {
    let found = Metric::ALL.into_iter().find_map(|metric| {
        names(metric).find_map(|head| {
            let of = name.strip_prefix(head)?;
            match metric.description().scope {
                Scope::Board => of.is_empty().then(|| Series::new(metric)),
                Scope::Mount => match mounts {
                    Some(mounts) => {
                        let mut series = mounts.iter().map(|mount| Series::of(metric, mount));
                        series.find(|series| series.suffix().to_string() == of)
                    }
                    None => Some(Series::of(metric, name)),
                },
                Scope::Interface | Scope::Disk => {
                    let of = of.strip_prefix('_').filter(|of| is_device_name(of))?;
                    Some(Series::of(metric, of))
                }
            }
        })
    });
    found.ok_or_else(|| unknown(name, mounts.unwrap_or_default()))
}

/// What a metric's series begin with.
fn names(metric: Metric) -> impl Iterator<Item = &'static str> {
    let about = metric.description();
    let is_alone = Metric::of_key(about.key).count() == 1;
    [Some(about.flat_key), Some(about.emf_name), is_alone.then_some(about.key)].into_iter().flatten()
}

fn unknown(name: &str, mounts: &[String]) -> String {
    // Those of any board: the same words wherever the configuration is read.
    let known = Inventory::Image.series(&Metric::ALL, mounts);
    let of_key: Vec<_> = known
        .iter()
        .filter(|series| series.metric.description().key == name)
        .map(|series| format!("{}{}", series.metric.description().emf_name, series.suffix()))
        .collect();
    if !of_key.is_empty() {
        return format!("{name} is more than one: allowed: {}", of_key.join(", "));
    }
    let mut all: Vec<_> = known.iter().map(|series| series.metric.description().key.to_owned()).collect();
    for series in &known {
        all.extend(names(series.metric).map(|head| format!("{head}{}", series.suffix())));
    }
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let nearest = nearest(name, &all).map(|nearest| format!("; did you mean {nearest}?"));
    format!("there is no metric {name}{}", nearest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, KEYS};
    use crate::identity::Identity;
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
        config.alerts.iter().map(ToString::to_string).collect()
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
            "cpu temperature > 80.0",
            "cpu temperature < -5.5",
            "throttled now > 0.0",
            "wifi signal < -80.0",
            "disk usage /data > 90.0",
            "load average 1 min > 4.0",
            "disk usage / > 95.0",
            "disk usage /data > 95.0",
        ];
        assert_eq!(alerts(&config), told);
    }

    #[test]
    fn every_series_that_a_board_can_have_has_its_names_in_flat_and_emf() {
        let mounts = ["/".to_owned(), "/var/log".to_owned()];
        for expected in Inventory::Image.series(&Metric::ALL, &mounts) {
            for head in names(expected.metric) {
                let name = format!("{head}{}", expected.suffix());
                assert_eq!(series(&name, Some(&mounts)).as_ref(), Ok(&expected), "{name}");
            }
        }
        // Also one that is not there yet.
        let usb = Series::of(Metric::NetworkSent, "usb0.7");
        assert_eq!(series("network_sent_usb0.7", Some(&[])), Ok(usb));
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
        let alert = |name| Alert { series: of(name), side: Side::Above, threshold: Tenths(0) };
        add(&mut series, &[alert("tun0"), alert("usb0"), alert("usb1")]);
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
            error("throttled > 0")
                .contains("allowed: under_voltage_now, frequency_capped_now, throttled_now, ")
        );
        let of_things =
            "network_received_eth0, network_received_wlan0, network_sent_eth0, network_sent_wlan0";
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
                "f.conf:2: alert = cpu_temperature > 80.0: the same alert was given already, at f.conf:1",
                "f.conf:3: interval = 0: allowed: 1–86400 (seconds)",
                "f.conf:11: alert = cpu > 8: allowed: 8 alerts",
                "f.conf:12: alert = cpux > 1: there is no metric cpux; did you mean cpu?",
            ]
        );
        let lines = |numbers: std::ops::Range<u32>, threshold| {
            let line = |number| format!("alert = network_sent_eth{number} > {threshold}\n");
            numbers.map(line).collect::<Vec<_>>().concat()
        };
        let told = ["f.conf:5: alert = network_sent_eth4 > 1: allowed: 4 different interfaces or disks"];
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
        assert_eq!(alerts(&config), ["cpu usage > 90.0", "swap usage > 1.0"]);
        let errors = read_with("alert = what", &["alert=cpu > 90%"]).unwrap_err();
        assert!(
            errors.len() == 1 && errors[0].starts_with("--set: alert = cpu > 90%: allowed: "),
            "{errors:?}"
        );
    }
}
