//! The rule: what is done with each message, in each format.

use pivitals::message::payload::Format;
use pivitals::metric::Series;

use crate::fleet::Fleet;
use crate::model::{Action, MetricFilter, Rule};

/// The rule for the fleet's messages.
pub fn rule(fleet: &Fleet) -> Rule {
    let namespace = fleet.config.namespace.clone();
    let (select, action) = match fleet.config.format {
        Format::Rule => ("*", Action::Metric { namespace }),
        Format::Emf => ("VALUE *.batch", Action::Log { is_batch: true }),
        Format::Flat => ("*", Action::Log { is_batch: false }),
    };
    Rule {
        name: fleet.rule.clone(),
        description: format!(
            "Metrics of devices that run pivitals, into CloudWatch's namespace {namespace}",
            namespace = fleet.config.namespace
        ),
        sql: format!("SELECT {select} FROM '{}'", fleet.filter),
        action,
    }
}

/// In format `flat`, which CloudWatch does not understand by itself: a filter a series.
pub fn filters(fleet: &Fleet) -> Vec<MetricFilter> {
    if fleet.config.format != Format::Flat {
        return Vec::new();
    }
    fleet.series.iter().map(|series| filter(fleet, series, Some("label"))).collect()
}

/// A filter that makes one metric of a series of all devices, which costs as little for many as for one;
/// none where there are no events, or the series cannot be selected in them. It has a namespace of its own,
/// so that nobody who adds up the devices counts them twice.
pub fn filter_of_all(fleet: &Fleet, series: &Series) -> Option<MetricFilter> {
    let of_each = filter(fleet, series, None);
    let (name, namespace) = (format!("{}_of_all", of_each.name), format!("{}/Fleet", of_each.namespace));
    let is_possible = fleet.config.format != Format::Rule
        && Fleet::is_selectable(&of_each.key)
        && Fleet::is_filterable(&namespace);
    is_possible.then_some(MetricFilter { name, namespace, ..of_each })
}

fn filter(fleet: &Fleet, series: &Series, device: Option<&'static str>) -> MetricFilter {
    let metric = Fleet::dimensional_name(series);
    MetricFilter {
        name: metric.clone(),
        key: if fleet.config.format == Format::Flat { Fleet::flat_key(series) } else { metric.clone() },
        metric,
        namespace: fleet.config.namespace.clone(),
        unit: series.metric.description().unit.as_str(),
        device,
    }
}

/// What is special about the format, for whoever reads the template.
pub fn why(format: Format) -> &'static str {
    match format {
        Format::Rule => {
            "One message is one metric, whose name, unit, value and time stand in it. The time is in \
             seconds; a message without one would fail. The device is part of the metric's name, because \
             this action knows no dimensions."
        }
        Format::Emf => {
            "A message is a batch of events in CloudWatch's embedded metric format, each with its own time \
             in milliseconds; CloudWatch makes the metrics of them, with the dimension device."
        }
        Format::Flat => {
            "A message becomes one event of the log group, as it is, and filters make the metrics of it. \
             CloudWatch dates those by the arrival: samples that waited on the device while it was offline \
             are dated too late. Format emf has no such fault."
        }
    }
}
