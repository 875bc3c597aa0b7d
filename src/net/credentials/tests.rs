use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use pivitals_broker::{DeviceFiles, Pki, Random, TestDir};

use super::*;
use crate::net::tls::Role;

/// A device's folder, and pairs of certificate and key that can be written into it.
struct Device {
    files: DeviceFiles,
    pairs: Vec<[String; 2]>,
    _dir: TestDir,
}

impl Device {
    /// Makes `pairs` pairs and writes the first.
    fn new(test: &str, pairs: usize) -> Self {
        let dir = TestDir::new(test);
        let pki = Pki::new(dir.path());
        let make = |_| {
            let files = pki.device("pi-7");
            [files.certificate, files.key].map(|path| fs::read_to_string(path).unwrap())
        };
        let device = Self { pairs: (0..pairs).map(make).collect(), files: pki.device("pi-7"), _dir: dir };
        device.put(0);
        device
    }

    fn put(&self, pair: usize) {
        self.put_parts(pair, pair);
    }

    fn put_parts(&self, certificate: usize, key: usize) {
        fs::write(&self.files.certificate, &self.pairs[certificate][0]).unwrap();
        fs::write(&self.files.key, &self.pairs[key][1]).unwrap();
    }

    fn mismatch(&self) -> Refresh {
        Refresh::Unusable(vec![CertificateProblem::KeyMismatch {
            certificate: self.files.certificate.clone(),
            key: self.files.key.clone(),
        }])
    }

    fn load(&self) -> Credentials {
        Credentials::load(paths(self.files.dir.clone()), false).unwrap()
    }

    /// Loads the files and has the broker accept them.
    fn serving(&self) -> Credentials {
        let mut credentials = self.load();
        credentials.accepted();
        credentials
    }

    /// Whether the next connection uses this pair. It is written to the files.
    fn is_next(&self, credentials: &Credentials, pair: usize) -> bool {
        self.put(pair);
        credentials.current().is_same(self.load().current())
    }
}

fn paths(folder: PathBuf) -> CertificatePaths {
    CertificatePaths { folder, ca: None, certificate: None, key: None }
}

#[test]
fn changed_files_are_next_and_reported_once() {
    let device = Device::new("changed", 2);
    let mut credentials = device.serving();
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    // The same content written again is no change.
    device.put(0);
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    device.put(1);
    assert_eq!(credentials.refresh(), Refresh::Changed);
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    assert!(device.is_next(&credentials, 1));
}

#[test]
fn unchanged_files_are_not_parsed() {
    let device = Device::new("unparsed", 3);
    let mut credentials = device.serving();
    let refresh_unparsed = |credentials: &mut Credentials| {
        let files = credentials.paths.find().unwrap();
        credentials.take(files.read().fingerprint(), || panic!("unchanged files are parsed"))
    };
    assert_eq!(refresh_unparsed(&mut credentials), Refresh::Unchanged);
    // A newer pair that was refused and is still in the files.
    device.put(1);
    assert_eq!(credentials.refresh(), Refresh::Changed);
    assert!(credentials.refused());
    assert_eq!(refresh_unparsed(&mut credentials), Refresh::Unchanged);
    credentials.accepted();
    assert_eq!(refresh_unparsed(&mut credentials), Refresh::Retried);
    // A pair that does not belong together.
    device.put_parts(2, 0);
    assert_eq!(credentials.refresh(), device.mismatch());
    assert_eq!(refresh_unparsed(&mut credentials), Refresh::Unchanged);
}

#[test]
fn half_copied_pair_is_reported_once_and_the_old_one_stays_current() {
    let device = Device::new("half", 2);
    let mut credentials = device.serving();
    device.put_parts(1, 0);
    assert_eq!(credentials.refresh(), device.mismatch());
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    assert!(device.is_next(&credentials, 0));
    device.put(1);
    assert_eq!(credentials.refresh(), Refresh::Changed);
    // The same mistake after a good state is reported again.
    device.put_parts(0, 1);
    assert_eq!(credentials.refresh(), device.mismatch());
    device.put(1);
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    device.put_parts(0, 1);
    assert_eq!(credentials.refresh(), device.mismatch());
}

#[test]
fn missing_files_are_reported_once_and_the_old_ones_stay_current() {
    let device = Device::new("gone", 1);
    let mut credentials = device.serving();
    fs::remove_file(&device.files.certificate).unwrap();
    let missing = CertificateProblem::Missing(Role::Certificate, device.files.dir.clone());
    assert_eq!(credentials.refresh(), Refresh::Unusable(vec![missing]));
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    assert!(device.is_next(&credentials, 0));
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
}

#[test]
fn problem_that_follows_another_one_is_reported_again() {
    let device = Device::new("again-and-again", 2);
    let mut credentials = device.serving();
    device.put_parts(1, 0);
    assert_eq!(credentials.refresh(), device.mismatch());
    fs::remove_file(&device.files.certificate).unwrap();
    assert!(matches!(credentials.refresh(), Refresh::Unusable(_)));
    device.put_parts(1, 0);
    assert_eq!(credentials.refresh(), device.mismatch());
}

#[test]
fn folder_that_is_a_link_may_change_its_target() {
    let device = Device::new("link", 2);
    let (first, link) = (device.files.dir.clone(), device.files.dir.with_extension("link"));
    let second = device.files.dir.with_extension("second");
    fs::create_dir(&second).unwrap();
    for (name, text) in ["x-certificate.pem.crt", "x-private.pem.key"].iter().zip(&device.pairs[1]) {
        fs::write(second.join(name), text).unwrap();
    }
    symlink(first, &link).unwrap();
    let mut credentials = Credentials::load(paths(link.clone()), false).unwrap();
    assert!(!credentials.current().has_built_in_roots());
    fs::remove_file(&link).unwrap();
    symlink(second, &link).unwrap();
    assert_eq!(credentials.refresh(), Refresh::Changed);
    assert_eq!(credentials.current().files.certificate, link.join("x-certificate.pem.crt"));
    assert!(credentials.current().has_built_in_roots());
}

#[test]
fn refused_new_pair_is_tried_once_after_each_connection_of_the_old_one() {
    let device = Device::new("refused", 2);
    let mut credentials = device.serving();
    device.put(1);
    assert_eq!(credentials.refresh(), Refresh::Changed);
    for _ in 0..3 {
        assert!(credentials.refused(), "the old pair is next");
        // Attempts that fail for other reasons change nothing.
        for _ in 0..3 {
            assert_eq!(credentials.refresh(), Refresh::Unchanged);
        }
        credentials.accepted();
        assert_eq!(credentials.refresh(), Refresh::Retried);
        assert_eq!(credentials.refresh(), Refresh::Unchanged);
    }
    assert!(device.is_next(&credentials, 1));
}

#[test]
fn accepted_new_pair_replaces_the_old_one() {
    let device = Device::new("accepted", 2);
    let mut credentials = device.serving();
    device.put(1);
    credentials.refresh();
    credentials.accepted();
    assert!(!credentials.refused(), "there is no other pair");
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    assert!(device.is_next(&credentials, 1));
}

#[test]
fn pairs_take_turns_while_both_are_refused() {
    let device = Device::new("turns", 2);
    let mut credentials = device.serving();
    device.put(1);
    credentials.refresh();
    for _ in 0..3 {
        assert!(credentials.refused());
        assert_eq!(credentials.refresh(), Refresh::Unchanged);
        assert!(!credentials.refused(), "the newer pair never served");
        assert_eq!(credentials.refresh(), Refresh::Unchanged);
    }
    credentials.accepted();
    assert!(device.is_next(&credentials, 1));
}

#[test]
fn each_connection_of_the_old_pair_allows_one_trial_of_the_new_one() {
    let device = Device::new("trial", 2);
    let mut credentials = device.serving();
    device.put(1);
    credentials.refresh();
    credentials.refused();
    credentials.accepted();
    // The broker now refuses the old pair, then the new one, too.
    assert!(!credentials.refused());
    assert!(credentials.refused());
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    assert!(device.is_next(&credentials, 0));
}

#[test]
fn only_pair_stays_next_however_often_it_is_refused() {
    let device = Device::new("only", 2);
    let mut credentials = device.load();
    assert!(!credentials.refused());
    assert!(device.is_next(&credentials, 0));
    // Nothing has served, so there is nothing to return to.
    device.put(1);
    assert_eq!(credentials.refresh(), Refresh::Changed);
    assert!(!credentials.refused());
    assert!(device.is_next(&credentials, 1));
}

#[test]
fn change_that_is_taken_back_is_not_tried_again() {
    let device = Device::new("back", 2);
    let mut credentials = device.serving();
    device.put(1);
    credentials.refresh();
    device.put(0);
    assert_eq!(credentials.refresh(), Refresh::Changed);
    assert!(!credentials.refused());
    // The same after the new pair was refused.
    device.put(1);
    credentials.refresh();
    assert!(credentials.refused());
    device.put(0);
    assert_eq!(credentials.refresh(), Refresh::Unchanged);
    assert!(!credentials.refused(), "the new pair is dropped");
    assert!(device.is_next(&credentials, 0));
}

#[test]
fn reloaded_configuration_keeps_the_pair_that_served_with_its_own_alpn() {
    let device = Device::new("again", 2);
    let mut credentials = device.serving();
    let on_443 = || Credentials::load(paths(device.files.dir.clone()), true).unwrap();
    device.put(1);
    credentials.replace(on_443());
    assert!(device.is_next(&credentials, 1));
    assert!(credentials.refused());
    assert!(device.is_next(&credentials, 0));
    assert_eq!(credentials.current().tls.alpn_protocols.len(), 1);
    // A refused pair is tried at once after the configuration is read again.
    device.put(1);
    credentials.replace(on_443());
    assert!(device.is_next(&credentials, 1));
    // The same files are no change, and have served.
    device.put(0);
    credentials.replace(on_443());
    assert!(!credentials.refused());
    device.put(1);
    assert_eq!(credentials.refresh(), Refresh::Changed);
    assert!(credentials.refused());
    assert!(device.is_next(&credentials, 0));
}

#[test]
fn pair_that_served_last_is_always_kept() {
    const PAIRS: usize = 4;
    let device = Device::new("walk", PAIRS);
    let mut credentials = device.load();
    let mut random = Random::new(7);
    let mut last = None;
    let (mut changes, mut told, mut retried, mut accepted) = (0, 0, 0, 0);
    for _ in 0..3_000 {
        match random.word() >> 61 {
            0 => {
                let [certificate, key] = [(); 2].map(|()| usize::try_from(random.word() >> 62).unwrap());
                let key = if random.word() >> 63 == 0 { certificate } else { key };
                device.put_parts(certificate % PAIRS, key % PAIRS);
                changes += 1;
            }
            1 => {
                credentials.accepted();
                accepted += 1;
                last = Some(credentials.current().clone());
            }
            2 => {
                let is_way_back = credentials.refused();
                assert!(!is_way_back || credentials.current.has_served);
            }
            _ => match credentials.refresh() {
                Refresh::Unchanged => {}
                Refresh::Retried => retried += 1,
                Refresh::Changed | Refresh::Unusable(_) => told += 1,
            },
        }
        if let Some(last) = &last {
            let pairs = [Some(&credentials.current), credentials.other.as_ref()].into_iter().flatten();
            let served: Vec<_> = pairs.filter(|pair| pair.has_served).collect();
            assert!(matches!(served.as_slice(), [pair] if pair.loaded.is_same(last)));
        }
    }
    assert!(told <= changes && retried <= accepted, "{told} of {changes}, {retried} of {accepted}");
    assert!(told > 100 && retried > 10, "{told} {retried}");
}
