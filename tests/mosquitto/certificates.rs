//! Certificate files that are of no use are told by their paths, before anything is connected.

use std::fs;
use std::path::Path;

use pivitals_broker::TestDir;

use crate::device::Device;
use crate::mosquitto::free_port;
use crate::pki::{Authority, KeyKind};
use crate::tools::{openssl, openssl_pem};
use crate::{PATIENCE, tools};

const WRONG_CONFIGURATION: i32 = 78;

#[test]
fn a_missing_file_is_told_with_its_folder_and_the_key_to_set() {
    for (file, words) in [
        (Device::certificate as fn(&Device) -> _, ["no certificate here", "`cert_file`"]),
        (Device::key, ["no private key here", "`key_file`"]),
    ] {
        assert_refused(|device| {
            fs::remove_file(file(device)).expect("it was there");
            [&[text(&device.certs())], &words.map(str::to_owned)[..]].concat()
        });
    }
}

#[test]
fn a_missing_folder_is_told() {
    assert_refused(|device| {
        fs::remove_dir_all(device.certs()).expect("it was there");
        vec![text(&device.certs()), "cannot be read".to_owned(), "`certs`".to_owned()]
    });
}

#[test]
fn several_files_of_a_kind_are_all_listed() {
    for (file, other, key) in [
        (Device::ca as fn(&Device) -> _, "Amazon-root-CA-3.pem", "`ca_file`"),
        (Device::certificate, "old-certificate.pem.crt", "`cert_file`"),
        (Device::key, "old-private.pem.key", "`key_file`"),
    ] {
        assert_refused(|device| {
            let (file, other) = (file(device), device.certs().join(other));
            fs::copy(&file, &other).expect("a new file");
            vec!["more than one".to_owned(), text(&file), text(&other), key.to_owned()]
        });
    }
}

#[test]
fn an_encrypted_key_is_told_in_both_of_its_forms() {
    for arguments in [
        &["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:secret"][..],
        &["rsa", "-aes256", "-traditional", "-passout", "pass:secret"][..],
    ] {
        assert_refused(|device| {
            let encrypted = openssl_pem(arguments, &KeyKind::RsaPkcs1.key());
            assert!(encrypted.contains("ENCRYPTED"), "{encrypted}");
            fs::write(device.key(), encrypted).expect("a file");
            vec![text(&device.key()), "the private key is encrypted".to_owned(), "openssl pkey".to_owned()]
        });
    }
}

#[test]
fn a_file_that_is_not_pem_is_told() {
    for (file, kind, name) in [
        (Device::ca as fn(&Device) -> _, "x509", "CA"),
        (Device::certificate, "x509", "certificate"),
        (Device::key, "rsa", "private key"),
    ] {
        assert_refused(|device| {
            let file = file(device);
            let pem = fs::read_to_string(&file).expect("it is there");
            fs::write(&file, openssl(&[kind, "-outform", "DER"], &pem)).expect("a file");
            vec![text(&file), format!("the {name} is not PEM")]
        });
    }
}

#[test]
fn a_key_of_another_certificate_is_told_with_both_files() {
    for other in [KeyKind::EcSec1, KeyKind::EcPkcs8] {
        assert_refused(|device| {
            fs::write(device.key(), other.key()).expect("a file");
            vec![text(&device.key()), "does not belong".to_owned(), text(&device.certificate())]
        });
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_told() {
    assert_refused(|device| {
        fs::copy(device.key(), device.ca()).expect("a file");
        vec![text(&device.ca()), "there is no CA in this PEM file".to_owned()]
    });
}

/// Whatever `spoil` has done, `once` and `run` end with one line that has all its words.
fn assert_refused(spoil: impl Fn(&Device) -> Vec<String>) {
    if !tools::are_here() {
        return;
    }
    let folder = TestDir::new("certificates");
    let authority = Authority::ours(folder.path());
    let device = Device::new(folder.path(), &authority, &authority, KeyKind::RsaPkcs1);
    let words = spoil(&device);
    for command in ["once", "run"] {
        let (status, lines) = device.start(command, free_port(), &[]).wait(PATIENCE);
        assert_eq!(status.code(), Some(WRONG_CONFIGURATION), "{command}: {lines:#?}");
        let [line] = &lines[..] else { panic!("{command}: not one line: {lines:#?}") };
        for word in &words {
            assert!(line.contains(word), "{command}: {word:?} is not in {line:?}");
        }
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}
