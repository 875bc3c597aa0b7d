//! The key `alert`, the only one that may stand several times: `temperature > 80`.
//!
//! What it names need not be there: an interface may come after the agent has begun.

use std::fmt::Write as _;

use super::keys::{ALERT, Nearest};
use super::text::{ConfigError, Values};
use crate::measure::alert::{ALERTS_MAX, Alert, Side, Tenths};
use crate::measure::inventory::Inventory;
use crate::measure::probe::is_device_name;
use crate::metric::{DISKS_MAX, INTERFACES_MAX, Metric, Scope, Series};

/// All alerts, with the errors among those of `values`. Without mount points, because those have an error
/// of their own, none of a disk is missed.
pub fn alerts(values: &mut Values, mounts: &[String]) -> Vec<Alert> {
    let (mut alerts, mut named) = (Vec::new(), Vec::new());
    for (place, text) in std::mem::take(&mut values.repeated) {
        let Some((name, side, threshold)) = parse(&text) else {
            values.errors.push(ConfigError::not_allowed(place, &ALERT, &text));
            continue;
        };
        let words;
        let why = match series(name, mounts) {
            Ok(series) => {
                let alert = Alert { text: text.clone(), series, side, threshold };
                if alerts.iter().any(|earlier| alert.is_like(earlier)) {
                    "it is the same as an earlier one"
                } else if alerts.len() >= ALERTS_MAX || !add(&mut named, &alert.series, &[]) {
                    "allowed: 8 alerts, for a metric on 4 interfaces or disks"
                } else {
                    alerts.push(alert);
                    continue;
                }
            }
            Err(why) => {
                words = why;
                &words
            }
        };
        values.errors.push(ConfigError::new(place, format_args!("{} = {text}: {why}", ALERT.name)));
    }
    alerts
}

const _: () = assert!(ALERTS_MAX == 8 && INTERFACES_MAX == 4 && DISKS_MAX == 4, "as is told above");

/// Adds what is watched, if it is not measured yet. Where there is no room for it, a thing that was only
/// found gives way to one of the `alerts`; without them, nothing does. False if there is none that does.
pub fn add(series: &mut Vec<Series>, watched: &Series, alerts: &[Alert]) -> bool {
    let mut room = watched.metric.description().scope.things_max();
    let mut found = None;
    for (index, other) in series.iter().enumerate() {
        if other == watched {
            return true;
        }
        if other.metric == watched.metric {
            room = room.saturating_sub(1);
            if !alerts.is_empty() && !alerts.iter().any(|alert| alert.series == *other) {
                found = Some(index);
            }
        }
    }
    match found {
        _ if room > 0 => {}
        Some(last) => drop(series.remove(last)),
        None => return false,
    }
    series.push(watched.clone());
    true
}

fn parse(text: &str) -> Option<(&str, Side, Tenths)> {
    let at = text.bytes().position(|byte| byte == b'>' || byte == b'<')?;
    let (name, number) = (text.get(..at)?.trim(), text.get(at + 1..)?.trim());
    let side = if text.as_bytes().get(at) == Some(&b'>') { Side::Above } else { Side::Below };
    (!name.is_empty()).then_some((name, side, Tenths::parse(number)?))
}

/// The series that is called `name`: by the metric's key where that stands for no other, or as in `flat` or
/// in `emf`.
///
/// # Errors
/// What could be meant.
fn series(name: &str, mounts: &[String]) -> Result<Series, String> {
    // Those of any board: the same words wherever the configuration is read.
    let known = Inventory::Image.series(&Metric::ALL, mounts);
    let (mut nearest, mut of_key) = (Nearest::default(), String::new());
    for series in known {
        let about = series.metric.description();
        let suffix = series.suffix().to_string();
        let is_alone = Metric::of_key(about.key).count() == 1;
        if about.key == name && !is_alone {
            let separator = if of_key.is_empty() { "" } else { ", " };
            // A string takes all.
            let _ = write!(of_key, "{separator}{}{suffix}", about.emf_name);
        }
        if !is_alone {
            nearest.offer(name, about.key);
        }
        let key = if is_alone { about.key } else { about.emf_name };
        for head in &[about.flat_key, about.emf_name, key] {
            nearest.offer(name, &format!("{head}{suffix}"));
            let Some(rest) = name.strip_prefix(*head) else { continue };
            match about.scope {
                Scope::Interface | Scope::Disk => {
                    if let Some(of) = rest.strip_prefix('_').filter(|of| is_device_name(of)) {
                        return Ok(Series::of(series.metric, of));
                    }
                }
                Scope::Mount if mounts.is_empty() => return Ok(series),
                Scope::Board | Scope::Mount => {
                    if rest == suffix {
                        return Ok(series);
                    }
                }
            }
        }
    }
    if !of_key.is_empty() {
        return Err(format!("{name} is more than one: allowed: {of_key}"));
    }
    Err(format!("there is no metric {name}{nearest}"))
}

#[cfg(test)]
mod tests;
