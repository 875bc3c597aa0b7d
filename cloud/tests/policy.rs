//! The generated policy, enforced by the test broker: a device may do exactly what it has to.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::thread;

use pivitals::agent::Agent;
use pivitals::config::setup::{Options, Setup};
use pivitals::doctor::{self, Checks};
use pivitals::report::failure::exit;
use pivitals_broker::policy::Caller;
use pivitals_broker::{Board, Broker, DeviceFiles, Event, Manners, Pki, Policy, TestDir};
use pivitals_cloud::fleet::{Fleet, Known};
use pivitals_cloud::policy::{self, Place};

/// What a device's own `client_id = {hostname}` becomes: this machine's name.
fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

/// A configuration, and the topics on which a device called `{}` publishes with it.
struct Case {
    name: &'static str,
    set: &'static [&'static str],
    topics: &'static [&'static str],
}

const CASES: [Case; 7] = [
    Case { name: "rule", set: &[], topics: &["pivitals/{}/metrics"] },
    Case {
        name: "rule, a topic a metric",
        set: &["topic=pivitals/{client_id}/{metric}", "disk=/ /sys"],
        topics: &[
            "pivitals/{}/cpu",
            "pivitals/{}/memory",
            "pivitals/{}/disk",
            "pivitals/{}/disk_sys",
            "pivitals/{}/temperature",
        ],
    },
    Case {
        name: "rule, Basic Ingest",
        set: &["rule=PiVitals"],
        topics: &["$aws/rules/PiVitals/pivitals/{}/metrics"],
    },
    Case {
        name: "rule, Basic Ingest, a topic a metric",
        set: &["rule=PiVitals", "topic={client_id}/{metric}", "metrics=cpu memory"],
        topics: &["$aws/rules/PiVitals/{}/cpu", "$aws/rules/PiVitals/{}/memory"],
    },
    Case { name: "emf", set: &["format=emf"], topics: &["pivitals/{}/metrics"] },
    Case {
        name: "emf, Basic Ingest",
        set: &["format=emf", "rule=fleet"],
        topics: &["$aws/rules/fleet/pivitals/{}/metrics"],
    },
    Case { name: "flat", set: &["format=flat", "topic=a/{hostname}"], topics: &["a/{}"] },
];

impl Case {
    fn topics_of(&self, device: &str) -> Vec<String> {
        self.topics.iter().map(|topic| topic.replace("{}", device)).collect()
    }

    /// The policy that is generated for this configuration.
    fn policy(&self) -> String {
        let set: Vec<_> = self.set.iter().map(|&set| set.to_owned()).collect();
        let fleet = Fleet::load(Some("/dev/null".as_ref()), &set, &Known::default()).unwrap();
        policy::text(&policy::device(&fleet.topics, &Place::of(None, None)))
    }
}

/// A device, and a broker that enforces a policy.
struct House {
    dir: TestDir,
    board: Board,
    device: DeviceFiles,
    broker: Broker,
}

impl House {
    fn new(policy: &str) -> Self {
        let dir = TestDir::new("cloud-policy");
        let board = Board::new(&dir.path().join("root")).unwrap();
        let pki = Pki::new(&board.root().join("pki"));
        let manners = Manners {
            policy: Some(Policy::from_json(policy).unwrap()),
            is_thing_attached: true,
            ..Manners::default()
        };
        let (broker, device) = (Broker::start(&pki, manners), pki.device(&hostname()));
        Self { dir, board, device, broker }
    }

    fn options(&self, set: &[&str], certs: &str) -> Options {
        let config = self.dir.path().join("pivitals.conf");
        let port = self.broker.port();
        fs::write(&config, format!("endpoint = localhost\nport = {port}\ncerts = {certs}\nlog = stderr\n"))
            .unwrap();
        let set = set.iter().map(|&set| set.to_owned()).collect();
        Options { config: Some(config), set, root: self.board.root().to_owned() }
    }

    /// One sample of the real agent; the exit code that the program would have.
    fn once(&self, set: &[&str]) -> u8 {
        let options = self.options(set, &self.device.dir.display().to_string());
        let setup = Setup::load(&options).unwrap();
        match Agent::new(setup, self.board.root()).once() {
            Ok(()) => exit::OK,
            Err(failures) => failures[0].exit_code(),
        }
    }

    fn published(&self) -> BTreeSet<String> {
        let published = self.broker.events_so_far().into_iter().filter_map(Event::published);
        published.filter(|message| message.allowed).map(|message| message.topic).collect()
    }

    /// What was denied so far.
    fn denied(&self) -> Vec<String> {
        let denied = |event| match event {
            Event::Denied { action, resource, .. } => Some(format!("{action} {resource}")),
            _ => None,
        };
        self.broker.events_so_far().into_iter().filter_map(denied).collect()
    }

    /// What `pivitals doctor --offline --policy` says of the policy, step by step.
    fn doctor(&self, set: &[&str], policy: &str) -> Vec<String> {
        let file: PathBuf = self.dir.path().join("policy.json");
        fs::write(&file, policy).unwrap();
        // Offline, paths are those of the image.
        let options = self.options(set, &format!("/pki/{}", hostname()));
        let checks = Checks { offline: true, json: false, policy: Some(file) };
        let mut said = String::new();
        let mut say = |text: &str| {
            said.push_str(text);
            Ok(())
        };
        doctor::examine(&options, &checks, &mut say).unwrap();
        let lines = said.lines().filter(|line| line.split_whitespace().nth(1) == Some("policy"));
        lines.map(str::to_owned).collect()
    }
}

/// All cases at the same time: a sample takes a second in which nothing is done.
fn for_each_case(test: impl Fn(&Case) + Sync) {
    let test = &test;
    thread::scope(|scope| {
        for case in &CASES {
            scope.spawn(move || test(case));
        }
    });
}

#[test]
fn a_device_publishes_on_its_own_topics_with_the_generated_policy() {
    for_each_case(|case| {
        let house = House::new(&case.policy());
        assert_eq!((house.once(case.set), house.denied()), (exit::OK, vec![]), "{}", case.name);
        let expected: BTreeSet<_> = case.topics_of(&hostname()).into_iter().collect();
        assert_eq!(house.published(), expected, "{}", case.name);
        assert_eq!(house.broker.violations(), Vec::<String>::new());
    });
}

#[test]
fn another_things_topic_a_topic_below_and_another_client_id_are_denied() {
    let own = hostname();
    for_each_case(|case| {
        let house = House::new(&case.policy());
        // As a sample of its own device has it, but elsewhere.
        let metric = case.topics[0].ends_with("cpu");
        let plain = |topic: &str| topic.replace("$aws/rules/PiVitals/", "").replace("$aws/rules/fleet/", "");
        let elsewhere = |device: &str, below: &str| {
            let topic = plain(&case.topics[0].replace("{}", device));
            format!("topic={}{below}", if metric { topic.replace("cpu", "{metric}") } else { topic })
        };
        let with = |more: &str| -> Vec<String> {
            let key = more.split('=').next().unwrap();
            let kept = case.set.iter().filter(|set| !set.starts_with(&format!("{key}=")));
            kept.map(|&set| set.to_owned()).chain([more.to_owned()]).collect()
        };
        for wrong in [elsewhere("pi-8", ""), elsewhere(&own, "/x")] {
            let set = with(&wrong);
            let set: Vec<_> = set.iter().map(String::as_str).collect();
            assert_eq!(house.once(&set), exit::NOPERM, "{}: {wrong}", case.name);
        }
        assert!(house.denied().iter().all(|denied| denied.starts_with("iot:Publish topic/")));
        let set = with("client_id=pi-8");
        let set: Vec<_> = set.iter().map(String::as_str).collect();
        assert_eq!(house.once(&set), exit::NOPERM, "{}", case.name);
        assert_eq!(house.denied().last().unwrap(), "iot:Connect client/pi-8", "{}", case.name);
        assert!(house.published().is_empty(), "{}: {:?}", case.name, house.published());
    });
}

#[test]
fn nothing_but_connecting_and_publishing_is_allowed() {
    for case in &CASES {
        let policy = Policy::from_json(&case.policy()).unwrap();
        let caller = Caller { client_id: "pi-7", common_name: "pi-7", is_thing_attached: true };
        let allows = |action: &str, resource: &str| policy.allows(&caller, action, resource);
        assert!(allows("iot:Connect", "client/pi-7") && !allows("iot:Connect", "client/pi-70"));
        for topic in case.topics_of("pi-7") {
            assert!(allows("iot:Publish", &format!("topic/{topic}")), "{topic}");
            assert!(!allows("iot:RetainPublish", &format!("topic/{topic}")));
            assert!(!allows("iot:Subscribe", &format!("topicfilter/{topic}")));
            assert!(!allows("iot:Receive", &format!("topic/{topic}")));
            let parent = topic.rsplit_once('/').unwrap().0;
            assert!(!allows("iot:Publish", &format!("topic/{parent}")));
        }
        let detached = Caller { is_thing_attached: false, ..caller };
        assert!(!policy.allows(&detached, "iot:Connect", "client/pi-7"), "no thing, no connection");
    }
}

#[test]
fn the_doctor_agrees() {
    for case in &CASES {
        let policy = case.policy();
        let house = House::new(&policy);
        let said = house.doctor(case.set, &policy);
        assert_eq!(said.len(), 1 + case.topics.len(), "{}: {said:#?}", case.name);
        assert!(said.iter().all(|line| line.starts_with("ok ")), "{}: {said:#?}", case.name);
        let elsewhere = house.doctor(&["topic=elsewhere"], &policy);
        assert!(elsewhere[1].starts_with("fail "), "{}: {elsewhere:#?}", case.name);
    }
}
