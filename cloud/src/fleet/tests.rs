use super::*;

fn fleet(set: &[&str]) -> Result<Fleet, Vec<String>> {
    fleet_of(set, &Known::default())
}

fn fleet_of(set: &[&str], known: &Known) -> Result<Fleet, Vec<String>> {
    let set: Vec<_> = set.iter().map(|&set| set.to_owned()).collect();
    Fleet::load(Some(Path::new("/dev/null")), &set, known)
}

#[test]
fn what_differs_between_devices_is_the_things_name_in_a_policy_and_anything_in_a_rule() {
    let fleet = fleet(&[]).unwrap();
    assert_eq!(fleet.topics, ["pivitals/${iot:Connection.Thing.ThingName}/metrics"]);
    assert_eq!((fleet.filter.as_str(), fleet.rule.as_str()), ("pivitals/+/metrics", "PiVitals"));
    assert_eq!((fleet.devices.len(), fleet.attributes.len()), (0, 0));
}

#[test]
fn a_client_id_that_is_written_out_is_the_things_name_too() {
    for set in ["client_id=pi-7", "client_id = pi-7"] {
        let fleet = fleet(&[set, "topic=a/{client_id}/b"]).unwrap();
        assert_eq!(fleet.topics, ["a/${iot:Connection.Thing.ThingName}/b"]);
        assert_eq!(fleet.filter, "a/+/b");
    }
    let fleet = fleet(&["client_id=pi-7", "topic=a/pi-7"]).unwrap();
    assert_eq!((fleet.topics[0].as_str(), fleet.filter.as_str()), ("a/pi-7", "a/pi-7"));
}

#[test]
fn a_placeholder_is_the_things_name_where_the_client_id_is_made_of_it_and_an_attribute_elsewhere() {
    let same = fleet(&["client_id=pi-{serial}", "topic=a/pi-{serial}/b"]).unwrap();
    assert_eq!(same.topics, ["a/${iot:Connection.Thing.ThingName}/b"]);
    let other = fleet(&["client_id={hostname}", "topic=a/{serial}-{mac}/{client_id}"]).unwrap();
    let attributes = "${iot:Connection.Thing.Attributes[serial]}-${iot:Connection.Thing.Attributes[mac]}";
    assert_eq!(other.topics, [format!("a/{attributes}/{THING_NAME}")]);
    assert_eq!((other.filter.as_str(), other.attributes), ("a/+/+", vec!["serial", "mac"]));
}

#[test]
fn basic_ingest_names_the_rule_and_is_not_in_its_filter() {
    let fleet = fleet(&["rule=fleet_1", "topic={client_id}/{metric}", "metrics=cpu disk"]).unwrap();
    let topic = format!("$aws/rules/fleet_1/{THING_NAME}/");
    assert_eq!(fleet.topics, [format!("{topic}cpu"), format!("{topic}disk")]);
    assert_eq!((fleet.rule.as_str(), fleet.filter.as_str()), ("fleet_1", "+/+"));
    assert!(fleet.is_basic_ingest());
}

#[test]
fn interfaces_and_disks_have_their_usual_names_or_those_that_are_given() {
    let names = |known: &Known| -> Vec<String> {
        let fleet = fleet_of(&["metrics=network disk_io", "topic=x/{metric}"], known).unwrap();
        fleet.topics
    };
    let usual = ["x/network_eth0", "x/network_wlan0", "x/disk_io_mmcblk0"];
    assert_eq!(names(&Known::default()), usual);
    let known = Known { interfaces: vec!["end0".into()], drives: vec!["sda".into()], ..Known::default() };
    assert_eq!(names(&known), ["x/network_end0", "x/disk_io_sda"]);
}

#[test]
fn what_an_alert_names_is_published_beside_what_is_given() {
    let known = Known { interfaces: vec!["eth0".into()], ..Known::default() };
    let set = ["metrics=network", "topic=x/{metric}", "alert=network_sent_wlan0 > 1000", "format=rule"];
    let alert = "alert=temperature > 80";
    assert_eq!(fleet_of(&set, &known).unwrap().topics, ["x/network_eth0", "x/network_wlan0"]);
    let names =
        |set: &[&str]| fleet_of(set, &known).unwrap().series.iter().map(Fleet::flat_key).collect::<Vec<_>>();
    assert_eq!(names(&["metrics=cpu", alert]), ["cpu_percent", "temperature_celsius"]);
}

#[test]
fn a_name_that_is_given_twice_counts_once() {
    let twice = || vec!["a".to_owned(), "b".to_owned(), "a".to_owned()];
    let known = Known { devices: twice(), interfaces: twice(), drives: twice() };
    let fleet = fleet_of(&["metrics=network disk_io", "topic=x/{metric}"], &known).unwrap();
    assert_eq!(fleet.devices, ["a", "b"]);
    assert_eq!((fleet.series.len(), fleet.topics.len()), (8, 4));
}

#[test]
fn what_aws_would_not_take_is_an_error() {
    let error = |set: &[&str]| fleet(set).unwrap_err().join("\n");
    assert!(error(&["discovery=homeassistant", "format=flat"]).starts_with("discovery = homeassistant: "));
    assert!(error(&["format=flat", "namespace=a:b"]).starts_with("namespace = a:b: format = flat: "));
    assert!(fleet(&["format=emf", "namespace=a:b"]).is_ok());
    for long in [format!("namespace={}", "n".repeat(119)), format!("rule={}", "r".repeat(128))] {
        assert!(error(&[&long]).contains("have room for 118 of its letters"), "{long}");
    }
    assert!(fleet(&[&format!("rule={}", "r".repeat(118))]).is_ok());
    let known = Known { devices: vec!["d".repeat(128)], ..Known::default() };
    assert!(fleet_of(&[], &known).is_ok());
    let errors = fleet_of(&[&format!("rule={}", "r".repeat(118))], &known).unwrap_err();
    assert!(errors[0].contains("longer than 255"), "{errors:?}");
}

#[test]
fn a_label_that_all_share_is_a_device_that_is_known() {
    assert_eq!(fleet(&["label=pi-7"]).unwrap().devices, ["pi-7"]);
    assert_eq!(fleet(&["client_id=pi-7", "label={client_id}"]).unwrap().devices, ["pi-7"]);
    let known = Known { devices: vec!["a".into(), "b".into()], ..Known::default() };
    assert_eq!(fleet_of(&[], &known).unwrap().devices, ["a", "b"]);
}

#[test]
fn what_the_cloud_would_misunderstand_is_an_error() {
    let error = |set: &[&str]| fleet(set).unwrap_err().join("\n");
    assert!(error(&["topic=a/*/{hostname}"]).starts_with("topic = a/*/{hostname}: a policy takes"));
    assert!(error(&["format=flat", "disk=/a.b"]).contains("disk_percent_a.b"));
    assert!(error(&["interval=0", "colour=red"]).contains("no key colour"));
    assert_eq!(fleet(&["interval=0", "colour=red"]).unwrap_err().len(), 2);
}
