//! An image on a build host.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use pivitals_broker::{Pki, TestDir};

use crate::house::Examination;

/// The folder of an image.
struct Image {
    dir: TestDir,
}

impl Image {
    /// Its certificates are on a partition of their own, which an absolute link leads to.
    fn new(config: &str) -> Self {
        let dir = TestDir::new("image");
        let image = Self { dir };
        let device = Pki::new(&image.dir.path().join("pki")).device("pi-7");
        let etc = image.root().join("etc");
        fs::create_dir_all(etc.join("pivitals")).unwrap();
        fs::create_dir_all(image.root().join("data")).unwrap();
        fs::rename(&device.dir, image.root().join("data/certs")).unwrap();
        symlink("/data/certs", etc.join("pivitals/certs")).unwrap();
        fs::write(etc.join("hostname"), "pi-image\n").unwrap();
        fs::write(
            etc.join("pivitals.conf"),
            format!("endpoint = abc-ats.iot.eu-west-1.amazonaws.com\n{config}"),
        )
        .unwrap();
        image
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("target")
    }

    fn examine(&self, options: &[&str]) -> Examination {
        let mut program = Command::new(env!("CARGO_BIN_EXE_pivitals"));
        program.args(["doctor", "--offline", "--root"]).arg(self.root());
        Examination::of(program.args(options))
    }
}

#[test]
fn an_image_is_examined_with_its_own_configuration_and_certificates() {
    let image = Image::new("");
    let examination = image.examine(&[]);
    assert_eq!(examination.code, 0, "{}", examination.text);
    assert_eq!(examination.steps(), ["configuration", "files", "key", "dates", "ca", "clock"]);
    let root = image.root().display().to_string();
    assert_eq!(examination.is_ok("configuration").found, format!("{root}/etc/pivitals.conf"));
    assert!(examination.is_ok("files").found.starts_with(&format!("{root}/data/certs: ")));
    fs::remove_dir_all(image.root().join("data")).unwrap();
    image.examine(&[]).only("fail", "files", 78, &format!("{root}/data/certs: "), "`certs`");
}

#[test]
fn files_that_are_named_are_under_the_root_too() {
    let named = "ca_file = /data/certs/AmazonRootCA1.pem\ncert_file = /data/certs/pi-7-certificate.pem.crt\n\
                 key_file = /data/certs/pi-7-private.pem.key\n";
    let image = Image::new(named);
    let examination = image.examine(&[]);
    assert_eq!(examination.code, 0, "{}", examination.text);
    // A link in the folder is followed as the device would.
    let certs = image.root().join("data/certs");
    fs::rename(certs.join("pi-7-private.pem.key"), image.root().join("data/key")).unwrap();
    symlink("/data/key", certs.join("pi-7-private.pem.key")).unwrap();
    let examination = image.examine(&[]);
    assert_eq!(examination.code, 0, "{}", examination.text);
    assert!(examination.is_ok("files").found.contains("/target/data/key"), "{}", examination.text);
}

#[test]
fn what_only_the_device_knows_is_a_warning() {
    let image = Image::new("client_id = pi-{serial}\n");
    image.examine(&[]).only(
        "warn",
        "configuration",
        0,
        "{serial} is known on the device only",
        "on the device",
    );
    // What is not asked for is not missed, and what is too long is too long with any number.
    let examination = image.examine(&["--set", "client_id={hostname}"]);
    assert_eq!(examination.code, 0, "{}", examination.text);
    assert!(!examination.text.contains("warn"), "{}", examination.text);
    let long = format!("client_id={}{{machine-id}}", "x".repeat(100));
    image.examine(&["--set", &long]).only("fail", "configuration", 78, "MACHINE-ID", "1–128 bytes");
}
