//! The bill, by formula: what a fleet costs a month in each of the ways from a device into CloudWatch.
//!
//! Sizes are those of messages that the device's own encoder writes; prices are in `prices`.

use std::fmt;

use crate::fleet::Fleet;
use crate::words::item;

mod prices;
mod sizes;

#[cfg(test)]
mod tests;

pub use sizes::{Message, Sizes};

/// Seconds of the month that is billed: thirty days.
const MONTH_SECS: f64 = 30.0 * 24.0 * 60.0 * 60.0;
/// AWS IoT Core bills messages, rules and actions in units of so many bytes.
const UNIT_LEN: usize = 5 * 1024;
/// What CloudWatch Logs counts of an event beside its text, in bytes.
const EVENT_OVERHEAD: usize = 26;
/// What an account may do in a second before somebody asks for more: connect, and `PutMetricData`.
const QUOTA_PER_SECOND: f64 = 500.0;
/// What a connection counts at least, however short it is.
const CONNECTION_MINUTES: f64 = 1.0;

/// A way from a device into CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// What `mosquitto_pub` in a cron job does: a connection and a message a metric.
    Script,
    /// Format `rule` on one connection.
    Rule,
    /// The same without the message broker.
    RuleBasicIngest,
    /// Format `flat`.
    Flat,
    /// Format `emf`.
    Emf,
    /// The same without the message broker.
    EmfBasicIngest,
    /// The same with several samples a message, as after an outage.
    EmfBatches,
}

impl Scheme {
    /// All of them, dearest first.
    pub const ALL: [Self; 7] = [
        Self::Script,
        Self::Rule,
        Self::RuleBasicIngest,
        Self::Flat,
        Self::Emf,
        Self::EmfBasicIngest,
        Self::EmfBatches,
    ];

    fn name(self, sizes: &Sizes) -> String {
        match self {
            Self::Script => "shell script, a connection and a message a metric".to_owned(),
            Self::Rule => "format rule".to_owned(),
            Self::RuleBasicIngest => "format rule, Basic Ingest".to_owned(),
            Self::Flat => "format flat".to_owned(),
            Self::Emf => "format emf".to_owned(),
            Self::EmfBasicIngest => "format emf, Basic Ingest".to_owned(),
            Self::EmfBatches => {
                format!("the same after an outage, {} samples a message", sizes.batch.samples)
            }
        }
    }

    /// What one device uses in a month.
    fn usage(self, fleet: Pace, sizes: &Sizes) -> Usage {
        let samples = MONTH_SECS / fleet.interval_secs;
        let readings = samples * fleet.series;
        let units = |length: usize| length.div_ceil(UNIT_LEN).max(1);
        let one_connection = MONTH_SECS / 60.0;
        let rule = |is_basic_ingest: bool| {
            let executions = readings * as_f64(units(sizes.rule));
            Usage {
                connection_minutes: one_connection,
                messages: if is_basic_ingest { 0.0 } else { executions },
                executions,
                metric_calls: readings,
                log_bytes: 0.0,
            }
        };
        let log = |is_basic_ingest: bool, size: Message| {
            let messages = samples / as_f64(size.samples);
            let executions = messages * as_f64(units(size.length));
            Usage {
                connection_minutes: one_connection,
                messages: if is_basic_ingest { 0.0 } else { executions },
                executions,
                metric_calls: 0.0,
                log_bytes: messages * as_f64(size.events + size.samples * EVENT_OVERHEAD),
            }
        };
        match self {
            Self::Script => {
                let rule = rule(false);
                // Each CONNECT is a message, too.
                let messages = rule.messages + readings;
                Usage { connection_minutes: readings * CONNECTION_MINUTES, messages, ..rule }
            }
            Self::Rule => rule(false),
            Self::RuleBasicIngest => rule(true),
            Self::Flat => log(false, sizes.flat),
            Self::Emf => log(false, sizes.emf),
            Self::EmfBasicIngest => log(true, sizes.emf),
            Self::EmfBatches => log(true, sizes.batch),
        }
    }
}

/// How much is measured how often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Between samples.
    pub interval_secs: f64,
    /// In each sample.
    pub series: f64,
}

/// What is billed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Usage {
    connection_minutes: f64,
    /// In units of 5 KB.
    messages: f64,
    /// Of the rule, with one action each; in units of 5 KB.
    executions: f64,
    metric_calls: f64,
    log_bytes: f64,
}

impl Usage {
    fn cost(self, devices: f64) -> f64 {
        let price = |amount: f64, tiers: &[prices::Tier]| prices::of(amount * devices, tiers);
        price(self.connection_minutes, &prices::CONNECTION_MINUTES)
            + price(self.messages, &prices::MESSAGES)
            + price(self.executions, &prices::RULES)
            + price(self.executions, &prices::ACTIONS)
            + price(self.metric_calls, &prices::METRIC_CALLS)
            + price(self.log_bytes, &prices::LOG_BYTES)
    }
}

/// The bills of fleets of several sizes.
#[derive(Debug, Clone)]
pub struct Bill {
    pace: Pace,
    sizes: Sizes,
    devices: Vec<u32>,
}

impl Bill {
    /// The bills of fleets of so many devices with this configuration.
    #[must_use]
    pub fn new(fleet: &Fleet, devices: &[u32]) -> Self {
        let pace =
            Pace { interval_secs: fleet.config.interval.as_secs_f64(), series: as_f64(fleet.series.len()) };
        Self { pace, sizes: Sizes::new(fleet), devices: devices.to_vec() }
    }

    fn costs(&self, scheme: Scheme) -> Vec<f64> {
        let usage = scheme.usage(self.pace, &self.sizes);
        self.devices.iter().map(|&devices| usage.cost(f64::from(devices))).collect()
    }

    /// What the metrics themselves cost, in whichever way they arrive.
    fn metrics(&self) -> Vec<f64> {
        let metrics = |&devices: &u32| prices::of(f64::from(devices) * self.pace.series, &prices::METRICS);
        self.devices.iter().map(metrics).collect()
    }

    fn row(f: &mut fmt::Formatter<'_>, name: &str, cells: impl Iterator<Item = String>) -> fmt::Result {
        write!(f, "{name:<50}")?;
        for cell in cells {
            write!(f, " {cell:>16}")?;
        }
        writeln!(f)
    }

    /// What stands behind the numbers, and where a fleet does more in a second than an account may.
    fn assumed(&self) -> Vec<String> {
        let Sizes { rule, flat, emf, .. } = self.sizes;
        let mut lines = vec![format!(
            "list prices of {}, US East (N. Virginia), no free tier; a month is 30 days",
            prices::DATE
        )];
        lines.extend(prices::ASSUMED.map(str::to_owned));
        lines.push(format!(
            "bytes, as the encoder writes them, with the topic: a message in rule {rule}, in flat {}, in emf {}; an \
             event of emf {} and {EVENT_OVERHEAD}",
            flat.length, emf.length, emf.events
        ));
        let rate = |devices: u32| f64::from(devices) * self.pace.series / self.pace.interval_secs;
        let too_many = self.devices.iter().filter(|&&devices| rate(devices) > QUOTA_PER_SECOND);
        lines.extend(too_many.map(|&devices| {
            format!(
                "{} devices: the script would connect {} times a second, and it and format rule would call \
                 PutMetricData as often; the default quota of each is {QUOTA_PER_SECOND} a second",
                grouped(f64::from(devices)),
                grouped(rate(devices)),
            )
        }));
        lines
    }
}

impl fmt::Display for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pace { interval_secs, series } = self.pace;
        writeln!(f, "US dollars a month, {series} metrics a device every {interval_secs} s\n")?;
        let heads = self.devices.iter().map(|&devices| {
            let noun = if devices == 1 { "device" } else { "devices" };
            format!("{} {noun}", grouped(f64::from(devices)))
        });
        Self::row(f, "way into CloudWatch", heads)?;
        let shown = Scheme::ALL
            .iter()
            .filter(|&&scheme| scheme != Scheme::EmfBatches || self.sizes.batch.samples > 1);
        for &scheme in shown {
            Self::row(f, &scheme.name(&self.sizes), self.costs(scheme).into_iter().map(amount))?;
        }
        Self::row(
            f,
            "and with each of them, the metrics themselves",
            self.metrics().into_iter().map(amount),
        )?;
        let mut assumed = String::from("\nAssumed:\n");
        for line in self.assumed() {
            item(&mut assumed, &line);
        }
        f.write_str(&assumed)
    }
}

/// An amount of money: cents where they matter.
fn amount(dollars: f64) -> String {
    if dollars < 1000.0 { format!("{dollars:.2}") } else { grouped(dollars) }
}

/// A whole number, with commas between thousands.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[expect(clippy::cast_precision_loss, reason = "lengths and counts are small")]
const fn as_f64(number: usize) -> f64 {
    number as f64
}
