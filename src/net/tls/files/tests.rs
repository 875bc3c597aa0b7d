use pivitals_broker::TestDir;

use super::super::roots;
use super::*;

#[test]
fn files_are_found_by_the_names_that_aws_gives() {
    for (role, name) in [
        (Role::Ca, "AmazonRootCA1.pem"),
        (Role::Ca, "root-CA.crt"),
        (Role::Ca, "my_root_ca.pem"),
        (Role::Certificate, "0a1b2c-certificate.pem.crt"),
        (Role::Certificate, "device.certificate.pem"),
        (Role::Key, "0a1b2c-private.pem.key"),
    ] {
        assert!(role.matches(name), "{name}");
        let others = [Role::Ca, Role::Certificate, Role::Key].into_iter().filter(|other| *other != role);
        assert!(others.into_iter().all(|other| !other.matches(name)), "{name}");
    }
    for name in ["0a1b2c-public.pem.key", "._AmazonRootCA1.pem", ".private.pem", "ca-root.pem", "README"] {
        assert!([Role::Ca, Role::Certificate, Role::Key].iter().all(|role| !role.matches(name)), "{name}");
    }
}

/// A folder with empty files of these names.
fn folder(test: &str, names: &[&str]) -> TestDir {
    let dir = TestDir::new(test);
    let folder = dir.path();
    for name in names {
        std::fs::write(folder.join(name), "").unwrap();
    }
    dir
}

#[test]
fn what_is_missing_and_what_is_there_twice_is_told_together() {
    let dir = folder("find", &["AmazonRootCA1.pem", "AmazonRootCA3.pem", "x-private.pem.key"]);
    let folder = dir.path();
    let problems = CertificateFiles::find(folder, None, None, None).unwrap_err();
    let both = vec![folder.join("AmazonRootCA1.pem"), folder.join("AmazonRootCA3.pem")];
    assert_eq!(
        problems,
        [
            CertificateProblem::Ambiguous(Role::Ca, both),
            CertificateProblem::Missing(Role::Certificate, folder.to_owned())
        ]
    );
    let given = CertificateFiles::find(folder, Some(Path::new("/ca")), Some(Path::new("/cert")), None);
    let key = folder.join("x-private.pem.key");
    assert_eq!(given, Ok(CertificateFiles { ca: Some("/ca".into()), certificate: "/cert".into(), key }));
}

#[test]
fn without_a_file_for_the_authorities_the_built_in_ones_are_trusted() {
    let dir = folder("roots", &["x-certificate.pem.crt", "x-private.pem.key"]);
    let folder = dir.path();
    let files = CertificateFiles::find(folder, None, None, None).unwrap();
    assert_eq!(files.ca, None);
    assert_eq!(files.roots().unwrap().roots, roots::BUILT_IN);
    assert_eq!(files.authorities(), Ok(vec![]));
}

#[test]
fn a_folder_that_is_not_there_is_told_once_and_not_missed_when_all_is_given() {
    let nowhere = Path::new("/not/there");
    assert_eq!(
        CertificateFiles::find(nowhere, None, None, None),
        Err(vec![CertificateProblem::Folder(nowhere.into(), io::ErrorKind::NotFound)])
    );
    assert!(CertificateFiles::find(nowhere, None, Some(Path::new("/a")), Some(Path::new("/b"))).is_ok());
}

#[test]
fn files_without_what_they_are_for_are_told() {
    let names = ["root-ca.pem", "x-certificate.pem.crt", "x-private.pem.key"];
    let dir = folder("load", &names);
    let folder = dir.path();
    let files = CertificateFiles::find(folder, None, None, None).unwrap();
    let [ca, certificate, key] = names.map(|name| folder.join(name));
    assert_eq!(
        files.load(false).unwrap_err(),
        [
            CertificateProblem::NotPem(Role::Ca, ca.clone()),
            CertificateProblem::NotPem(Role::Certificate, certificate.clone()),
            CertificateProblem::NotPem(Role::Key, key.clone())
        ]
    );
    let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    std::fs::write(&ca, pem("PUBLIC KEY")).unwrap();
    std::fs::write(&certificate, pem("CERTIFICATE").replace("-----END", "")).unwrap();
    std::fs::write(&key, pem("ENCRYPTED PRIVATE KEY")).unwrap();
    assert_eq!(
        files.load(false).unwrap_err(),
        [
            CertificateProblem::Empty(Role::Ca, ca),
            CertificateProblem::NotPem(Role::Certificate, certificate),
            CertificateProblem::Encrypted(key)
        ]
    );
}
