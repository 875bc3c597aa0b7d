use super::*;

#[test]
fn no_two_metrics_share_a_name() {
    for (index, metric) in Metric::ALL.into_iter().enumerate() {
        for other in Metric::ALL.into_iter().skip(index + 1) {
            let (a, b) = (metric.description(), other.description());
            assert_ne!(a.rule_name, b.rule_name);
            assert_ne!(a.flat_key, b.flat_key);
            assert_ne!(a.emf_name, b.emf_name);
        }
    }
}

#[test]
fn a_metric_is_found_by_its_key_and_by_no_part_of_it() {
    for metric in Metric::ALL {
        assert!(Metric::of_key(metric.description().key).any(|found| found == metric));
    }
    assert_eq!(Metric::of_key("agent").count(), 4);
    assert_eq!(Metric::of_key("cp").count() + Metric::of_key("cpu ").count(), 0);
}

#[test]
fn the_metrics_of_a_key_follow_each_other() {
    let keys = Metric::ALL.map(|metric| metric.description().key);
    let mut groups: Vec<_> = keys.chunk_by(|a, b| a == b).map(|group| group[0]).collect();
    let number = groups.len();
    groups.sort_unstable();
    groups.dedup();
    assert_eq!(groups.len(), number);
}

#[test]
fn a_rate_says_since_when_it_is_taken() {
    for metric in Metric::ALL {
        let since = "since the last sample";
        let is_rate = match metric.description().meaning {
            "the same for all tasks that were not idle" => true,
            meaning => meaning.contains(since) && !metric.is_of_agent(),
        };
        assert_eq!(metric.is_rate(), is_rate, "{metric:?}");
    }
}

#[test]
fn a_mount_point_becomes_a_suffix() {
    for (mount, suffix) in [("/", ""), ("/data", "_data"), ("/var/log", "_var_log")] {
        assert_eq!(Series::of(Metric::Disk, mount).suffix().to_string(), suffix);
    }
}

#[test]
fn an_interface_and_a_disk_become_a_suffix_and_the_board_none() {
    assert_eq!(Series::of(Metric::NetworkSent, "eth0.7").suffix().to_string(), "_eth0.7");
    assert_eq!(Series::of(Metric::DiskRead, "sda").suffix().to_string(), "_sda");
    assert_eq!(Series::new(Metric::Cpu).suffix().to_string(), "");
    assert_eq!(Series::of(Metric::DiskRead, "sda").to_string(), "disk read sda");
}
