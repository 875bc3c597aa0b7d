//! AWS's list prices, in US dollars, in tiers of a month's amount.

/// So much, at this price each; the last tier has no end.
pub type Tier = (f64, f64);

/// When these were AWS's prices.
pub const DATE: &str = "2026";

/// What else stands behind the numbers, for whoever reads them.
pub const ASSUMED: [&str; 5] = [
    "AWS IoT Core, a million: minutes of connection 0.08; messages 1.00, above a billion 0.80, above five 0.70, of \
     which CONNECT is one; rules 0.15; actions 0.15; each message counts once for every 5 KB begun",
    "Basic Ingest: no message is billed, but rules and actions are",
    "CloudWatch: 1,000 calls of PutMetricData 0.01; a metric 0.30, above 10,000 metrics 0.10, above 250,000 0.05, \
     above a million 0.02; logs 0.50 a GB",
    "the device stays connected, and each connection of the script counts as a minute",
    "not in it: alarms (0.10 each), in emf and flat the metric of all devices for each limit (0.30), dashboards after \
     the third (3.00 each), what a look at them costs, logs that are kept (0.03 a GB, compressed), notifications, \
     samples that an alert takes",
];

const MILLION: f64 = 1e6;

pub const CONNECTION_MINUTES: [Tier; 1] = [(f64::INFINITY, 0.08 / MILLION)];
pub const MESSAGES: [Tier; 3] =
    [(1e9, 1.00 / MILLION), (4e9, 0.80 / MILLION), (f64::INFINITY, 0.70 / MILLION)];
pub const RULES: [Tier; 1] = [(f64::INFINITY, 0.15 / MILLION)];
pub const ACTIONS: [Tier; 1] = [(f64::INFINITY, 0.15 / MILLION)];
pub const METRIC_CALLS: [Tier; 1] = [(f64::INFINITY, 0.01 / 1000.0)];
pub const METRICS: [Tier; 4] = [(10e3, 0.30), (240e3, 0.10), (750e3, 0.05), (f64::INFINITY, 0.02)];
pub const LOG_BYTES: [Tier; 1] = [(f64::INFINITY, 0.50 / 1e9)];

/// What an amount costs.
pub fn of(amount: f64, tiers: &[Tier]) -> f64 {
    let mut rest = amount;
    let mut cost = 0.0;
    for &(size, price) in tiers {
        let part = rest.min(size);
        cost += part * price;
        rest -= part;
    }
    cost
}
