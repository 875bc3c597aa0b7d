use std::collections::BTreeSet;

use super::*;
use crate::fleet::Known;

fn stack(set: &[&str]) -> Stack {
    let set: Vec<_> = set.iter().map(|&set| set.to_owned()).collect();
    Stack::new(&Fleet::load(Some("/dev/null".as_ref()), &set, &Known::default()).unwrap())
}

#[test]
fn each_resource_has_an_id_of_its_own() {
    for format in ["rule", "emf", "flat"] {
        let set = ["disk=/a-b /a/b", "metrics=disk cpu", "label=pi-7", &format!("format={format}")];
        let resources = stack(&set).resources;
        let ids: BTreeSet<_> = resources.iter().map(|resource| resource.id.as_str()).collect();
        assert_eq!(ids.len(), resources.len(), "{format}: {ids:?}");
        assert!(["RuleRole", "Errors", "Alarms", "Rule"].iter().all(|id| ids.contains(id)), "{ids:?}");
    }
}

#[test]
fn an_alert_sets_the_parameters_default() {
    let default = |set: &[&str], name: &str| {
        stack(set).parameters.into_iter().find(|parameter| parameter.name == name).unwrap().default
    };
    let set = ["format=emf", "alert=temperature > 72.5"];
    assert_eq!(default(&set, TEMPERATURE_LIMIT), 72.into());
    assert_eq!(default(&set, DISK_LIMIT), 90.into());
    assert_eq!(default(&set[..1], TEMPERATURE_LIMIT), 80.into());
}

#[test]
fn a_limit_that_cannot_be_watched_is_said() {
    let said = |set: &[&str], words: &str| stack(set).notes.iter().any(|note| note.starts_with(words));
    let none = "There is no limit of ";
    assert!(said(&["format=emf", "namespace=a:b"], &format!("{none}cpu temperature, disk usage /: ")));
    assert!(said(&["format=emf", "disk=/ /a.b"], &format!("{none}disk usage /a.b: ")));
    for set in [&["format=emf"][..], &["format=flat"], &["namespace=a:b"]] {
        assert!(!said(set, none), "{set:?}");
    }
}

#[test]
fn where_no_alarm_tells_of_silence_that_is_said() {
    let is_said = |set: &[&str]| stack(set).notes.iter().any(|note| note.contains("nothing arrives"));
    assert!(is_said(&["interval=2161"]));
    assert!(!is_said(&["interval=2160"]) && !is_said(&["interval=86400", "format=emf"]));
}

#[test]
fn logs_are_kept_for_longer_than_an_outage_and_it_is_told_where_that_matters() {
    for format in ["rule", "emf", "flat"] {
        let parameters = stack(&[&format!("format={format}")]).parameters;
        let days = parameters.iter().find(|parameter| parameter.name == RETENTION_DAYS).unwrap();
        assert!(days.allowed.iter().all(|&days| days > 1), "the queue's default is a day");
        assert_eq!(days.description.contains("outage"), format == "emf", "{format}");
    }
}
