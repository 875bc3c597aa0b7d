//! The house rules that can be checked by reading: who imports whom, and who may name what.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of the library and the program, by its path below `src`, without comments and without
/// its unit tests.
fn files() -> BTreeMap<String, String> {
    fn visit(folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                let name = path.strip_prefix(source()).unwrap().display().to_string();
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                found.insert(name, code.collect::<Vec<_>>().join("\n"));
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(&source(), &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The top-level module that a file belongs to.
fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The modules in the order of the list in `lib.rs`.
fn layers() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once(". [`"));
    let layers: Vec<_> = rows
        .filter(|(number, _)| number.parse::<u32>().is_ok())
        .map(|(_, rest)| rest.split('`').next().unwrap().to_owned())
        .collect();
    assert!(layers.len() > 10, "{layers:?}");
    layers
}

#[test]
fn every_module_stands_in_the_list_of_layers_and_is_there() {
    let layers = layers();
    let mut modules: Vec<_> = files()
        .keys()
        .map(|file| module(file).to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    modules.dedup();
    for name in &modules {
        assert!(layers.contains(name), "{name} is not in the list in lib.rs");
    }
    for name in &layers {
        assert!(modules.contains(name), "{name} is in the list in lib.rs, but not in src");
    }
}

#[test]
fn no_file_imports_what_stands_above_it() {
    let layers = layers();
    let height = |name: &str| layers.iter().position(|layer| layer == name);
    for (file, code) in files() {
        let Some(own) = height(module(&file)) else { continue };
        for (_, rest) in code.match_indices("crate::").map(|(at, prefix)| code[at..].split_at(prefix.len())) {
            let imported: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(other) = height(&imported) else { panic!("{file} imports crate::{imported}") };
            assert!(other <= own, "{file} imports {imported}, which stands above it");
        }
    }
}

/// The files, by module, that have `word` in them.
fn modules_that_say(word: &str) -> Vec<String> {
    let mut modules: Vec<_> = files()
        .iter()
        .filter(|(_, code)| code.contains(word))
        .map(|(file, _)| module(file).to_owned())
        .collect();
    modules.dedup();
    modules
}

#[test]
fn each_library_is_named_in_its_own_place_only() {
    for (word, places) in [
        ("rustls", &["net"][..]),
        ("webpki_roots", &["net"]),
        ("libc::", &["platform"]),
        ("unsafe {", &["platform"]),
        ("unsafe fn", &["platform"]), // those of the trait GlobalAlloc
        ("std::thread::spawn", &[]),
        ("process::exit", &[]),
        ("ExitCode", &["main"]),
    ] {
        assert_eq!(modules_that_say(word), places, "{word}");
    }
}

#[test]
fn only_the_top_asks_what_time_it_is() {
    assert_eq!(modules_that_say("clock::boot_time()"), ["agent", "doctor"]);
    assert_eq!(modules_that_say("clock::utc()"), ["agent", "doctor", "net"]);
    assert_eq!(modules_that_say("SystemTime::now"), ["platform"]);
    assert!(modules_that_say("Instant::now").is_empty());
}

#[test]
fn nothing_is_written_to_storage() {
    for word in ["File::create", "OpenOptions", "create_dir", "fs::copy"] {
        assert!(modules_that_say(word).is_empty(), "{word}");
    }
    // But for what the user asks for.
    for word in ["fs::write", "fs::rename"] {
        assert_eq!(modules_that_say(word), ["report"], "{word}");
    }
}

#[test]
fn a_session_knows_no_sample_and_an_outbox_no_metric() {
    for (file, code) in files() {
        for (place, word) in [
            ("mqtt", "Sample"),
            ("mqtt", "TcpStream"),
            ("queue", "Metric"),
            ("queue", "mqtt"),
            ("measure", "message::"),
            ("message", "std::fs"),
        ] {
            assert!(module(&file) != place || !code.contains(word), "{file} names {word}");
        }
    }
}
