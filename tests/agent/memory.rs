//! The private key in the memory of an agent that runs: rustls keeps it ready for signing, in ring's form; no
//! copy of the file's text or of its DER stays behind.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use pivitals_broker::{Manners, Program};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::house::{House, PATIENCE};

/// Every byte that the process can write.
fn memory(program: &Program) -> Vec<u8> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", program.id())).unwrap();
    let memory = File::open(format!("/proc/{}/mem", program.id())).unwrap();
    let mut bytes = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let range = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [from, to] = [range.0, range.1].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut part = vec![0; usize::try_from(to - from).unwrap()];
        memory.read_exact_at(&mut part, from).unwrap();
        bytes.append(&mut part);
    }
    bytes
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn no_copy_of_the_key_file_stays_in_memory() {
    let house = House::new("memory", Manners::default());
    let text = fs::read_to_string(&house.device.key).unwrap();
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).unwrap();
    // In PKCS#8 the private number of a P-256 key is an octet string of 32 bytes; ring keeps it without that
    // header.
    let start = der.secret_der().windows(4).position(|window| window == [2, 1, 1, 4]).unwrap() + 3;
    let number = &der.secret_der()[start..start + 34];
    assert_eq!(number[..2], [4, 32]);
    let mut agent = house.start("run", &[]);
    agent.wait_for_line("publishing to localhost", PATIENCE);
    house.published();
    let memory = memory(&agent);
    assert!(contains(&memory, house.device.key.as_os_str().as_encoded_bytes()), "the heap is searched");
    assert!(!contains(&memory, number), "the key's DER");
    for line in text.lines().filter(|line| !line.starts_with('-')) {
        assert!(!contains(&memory, line.as_bytes()), "the key's PEM");
    }
    house.end(agent);
}
