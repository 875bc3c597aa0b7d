//! The simulation as a picture, by hand: two panels of steps, one step a second.

use std::fmt::Write as _;

use crate::minute::{self, Boot};
use crate::outage::{BACK_AT, LOST_AT, OUTAGE, Recovery, Silence};
use crate::rate::{number, per_second};
use crate::{DEVICES, RECOVERY_PEAK_MAX, WORK_PEAK_MAX};

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 600.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = WIDTH - 20.0;

const AGENT: &str = "#1f6fb4";
const KERNEL: &str = "#8a5fb0";
const CRON: &str = "#c4561a";
const LIMIT: &str = "#b00020";
const QUIET: &str = "#555";

/// One panel: what lies where. `height` is a value's share of the panel's height.
struct Panel {
    top: f64,
    bottom: f64,
    seconds: usize,
    height: fn(f64) -> f64,
}

/// Above: from the loss on. The first wave is a hundred times the recovery, so the axis is logarithmic.
const OUTAGE_PANEL: Panel =
    Panel { top: 72.0, bottom: 296.0, seconds: 940, height: |rate| (rate.max(10.0) / 10.0).log10() / 4.0 };
/// Below: a minute. The axis is broken above what pivitals needs.
const MINUTE_PANEL: Panel = Panel {
    top: 384.0,
    bottom: 556.0,
    seconds: 60,
    height: |rate| if rate <= BREAK_FROM { rate / BREAK_FROM * 0.78 } else { 1.0 },
};
/// Where the broken axis ends; only cron's one value lies beyond.
const BREAK_FROM: f64 = 2_500.0;

impl Panel {
    fn x(&self, second: usize) -> f64 {
        LEFT + (RIGHT - LEFT) * number(second) / number(self.seconds)
    }

    fn y(&self, rate: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * (self.height)(rate)
    }

    /// The frame's left and lower side, a line and a number for each rate, a number for each time.
    fn axes(&self, rates: &[usize], every: usize, labels: [&str; 2]) -> String {
        let mut svg = String::new();
        for &rate in rates {
            let y = self.y(number(rate));
            svg += &line(&format!("M{LEFT} {y:.1}H{RIGHT}"), "#ddd", "");
            svg += &text([LEFT - 6.0, y + 4.0], "end", QUIET, &grouped(rate));
        }
        for second in (0..=self.seconds).step_by(every) {
            let x = self.x(second);
            svg += &line(&format!("M{x:.1} {}v4", self.bottom), QUIET, "");
            svg += &text([x, self.bottom + 16.0], "middle", QUIET, &grouped(second));
        }
        let (top, bottom) = (self.top, self.bottom);
        svg += &line(&format!("M{LEFT} {top}V{bottom}H{RIGHT}"), QUIET, "");
        let middle = f64::midpoint(top, bottom);
        let [upright, level] = labels;
        let upright = text([18.0, middle], "middle", "#222", upright);
        svg += &upright.replace("<text", &format!("<text transform=\"rotate(-90 18 {middle})\""));
        svg + &text([f64::midpoint(LEFT, RIGHT), bottom + 32.0], "middle", "#222", level)
    }

    /// One step a second, from `first` on.
    fn steps(&self, first: usize, rates: &[usize], colour: &str) -> String {
        let mut path = String::new();
        for (second, &rate) in (first..).zip(rates) {
            let y = self.y(number(rate));
            if path.is_empty() {
                let _ = write!(path, "M{:.1} {y:.1}", self.x(second)); // never fails on a String
            }
            let _ = write!(path, "V{y:.1}H{:.1}", self.x(second + 1));
        }
        line(&path, colour, "")
    }

    /// A level line over some seconds.
    fn level(&self, seconds: [usize; 2], rate: f64, colour: &str, dashes: &str) -> String {
        let [from, until] = seconds.map(|second| self.x(second));
        line(&format!("M{from:.1} {:.1}H{until:.1}", self.y(rate)), colour, dashes)
    }
}

/// The whole picture.
pub fn draw() -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>{} simulated devices: connects in an outage, publishes in a minute</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n",
        grouped(DEVICES)
    );
    svg += &outage_panel();
    svg += &minute_panel();
    svg + "</svg>\n"
}

fn outage_panel() -> String {
    let panel = OUTAGE_PANEL;
    let agent = Recovery::simulate(Silence::Lost);
    let kernel = Recovery::simulate(Silence::Repeated);
    let (peak, mean) = (agent.peak(), agent.mean());
    let lost = usize::try_from(OUTAGE / 1000).unwrap();
    let nearly = usize::try_from((agent.nearly_ended_at() - BACK_AT).div_ceil(1000)).unwrap();

    let heading = format!("{} devices lose their broker in one second, for ten minutes", grouped(DEVICES));
    let mut svg = title([LEFT, 22.0], &heading);
    let words = [
        format!(
            "Recovery: peak {peak:.0}/s in any one second = {:.1} × the mean of {mean:.0}/s.",
            peak / mean
        ),
        format!(
            "Mean: connects from the broker's return until 99 % of the fleet are back, {nearly} s later."
        ),
    ];
    for (words, y) in words.iter().zip([40.0, 56.0]) {
        svg += &text([LEFT, y], "start", "#222", words);
    }
    let (left, right) = (panel.x(0), panel.x(lost));
    svg += &filled(&format!("M{left:.1} {}H{right:.1}V{}H{left:.1}z", panel.top, panel.bottom), "#f3f3f3");
    svg += &panel.axes(
        &[10, 100, 1_000, 10_000, 100_000],
        60,
        ["connects per second (log)", "seconds since the loss"],
    );
    // Only where the two differ: until the last repetition of a SYN.
    svg += &panel.steps(lost, &kernel.connects.per_second(BACK_AT, 20), KERNEL);
    let seconds = u64::try_from(panel.seconds).unwrap();
    svg += &panel.steps(0, &agent.connects.per_second(LOST_AT, seconds), AGENT);
    svg += &panel.level([lost, panel.seconds], mean, "#222", "2 3");
    svg += &panel.level([lost, panel.seconds], RECOVERY_PEAK_MAX * mean, LIMIT, "6 3");

    let middle = f64::midpoint(left, right);
    svg += &text([middle, panel.top + 16.0], "middle", QUIET, "broker away");
    svg += &text([right + 8.0, panel.top + 16.0], "start", QUIET, "broker back");
    let first = grouped(agent.connects.peak(LOST_AT, BACK_AT));
    svg += &text(
        [left + 34.0, panel.top + 36.0],
        "start",
        AGENT,
        &format!("first attempts: up to {first} in one second"),
    );
    let above = |rate: f64| panel.y(rate) - 5.0;
    let limit = RECOVERY_PEAK_MAX * mean;
    svg += &text([RIGHT, above(limit)], "end", LIMIT, &format!("3 × mean, {}/s", rounded(limit)));
    svg += &text([RIGHT, above(mean)], "end", "#222", &format!("mean, {mean:.0}/s"));
    let note = [
        "and attempts already under way,".to_owned(),
        "met by Linux's next SYN:".to_owned(),
        format!("{}/s = {:.1} × mean", rounded(kernel.peak()), kernel.peak() / kernel.mean()),
    ];
    for (words, y) in note.iter().zip([38.0, 53.0, 68.0]) {
        svg += &text([right + 8.0, panel.top + y], "start", KERNEL, words);
    }
    svg
}

fn minute_panel() -> String {
    let panel = MINUTE_PANEL;
    let together = minute::publishes(Boot::Together);
    let cron = minute::publishes_by_cron();
    let mean = minute::mean();
    let [apart_peak, together_peak, cron_peak] =
        [&minute::publishes(Boot::AnyTime), &together, &cron].map(|published| minute::peak(published) / mean);

    let heading = format!("{} devices publish once a minute", grouped(DEVICES));
    let mut svg = title([LEFT, 354.0], &heading);
    svg += &text(
        [LEFT, 372.0],
        "start",
        "#222",
        &format!(
            "Peak in any second: {together_peak:.2} × the mean, all booted in one second (drawn); \
             {apart_peak:.2} ×, booted at any time; {cron_peak:.0} × by cron."
        ),
    );
    svg += &panel.axes(
        &[0, 500, 1_000, 1_500, 2_000, DEVICES],
        5,
        ["publishes per second", "seconds of the minute"],
    );
    let [left, right] = [0, 1].map(|second| panel.x(second));
    let (top, bottom) = (panel.y(number(DEVICES)), panel.bottom);
    svg += &filled(&format!("M{left:.1} {bottom}V{top}H{right:.1}V{bottom}z"), CRON);
    // The break, through the axis and the one bar that crosses it.
    let cut = panel.y(BREAK_FROM) - 8.0;
    let (from, until) = (left - 8.0, cut + 5.0);
    svg +=
        &filled(&format!("M{from:.1} {cut:.1}l8 -6l8 6l8 -6l8 6V{until:.1}l-8 -6l-8 6l-8 -6l-8 6z"), "#fff");
    svg += &panel.steps(0, &together.per_second(minute::FROM, 60), AGENT);
    let limit = WORK_PEAK_MAX * mean;
    svg += &panel.level([0, 60], mean, "#222", "2 3");
    svg += &panel.level([0, 60], limit, LIMIT, "6 3");
    svg += &text([right + 8.0, top + 14.0], "start", CRON, "cron: the whole fleet in second 0");
    svg += &text(
        [RIGHT, panel.y(limit) - 5.0],
        "end",
        LIMIT,
        &format!("{WORK_PEAK_MAX} × mean, {}/s", rounded(limit)),
    );
    let mean = format!("pivitals; mean {}/s", rounded(per_second(DEVICES, minute::MINUTE)));
    svg + &text([RIGHT, panel.y(1_250.0)], "end", AGENT, &mean)
}

fn line(path: &str, colour: &str, dashes: &str) -> String {
    let dashes = if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
    format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\"{dashes}/>\n")
}

fn filled(path: &str, colour: &str) -> String {
    format!("<path d=\"{path}\" fill=\"{colour}\"/>\n")
}

fn text([x, y]: [f64; 2], anchor: &str, colour: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{words}</text>\n")
}

fn title([x, y]: [f64; 2], words: &str) -> String {
    format!("<text x=\"{x}\" y=\"{y}\" font-size=\"15\" font-weight=\"bold\" fill=\"#222\">{words}</text>\n")
}

/// A rate without its fraction.
fn rounded(rate: f64) -> String {
    grouped(format!("{rate:.0}").parse().unwrap())
}

/// Thousands apart: `100,000`.
fn grouped(count: usize) -> String {
    match (count / 1000, count % 1000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{},{rest:03}", grouped(thousands)),
    }
}
