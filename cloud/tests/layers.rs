//! The order of the modules: a file imports only what stands above it in the list in `lib.rs`, and no files
//! import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files by their path below `src`, such as `alarms/limit.rs`, with the files that each imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of the library by their path below `src`, without comments and unit tests.
fn files() -> BTreeMap<String, String> {
    fn visit(folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
                continue;
            }
            let name = path.strip_prefix(source()).unwrap().display().to_string();
            // The program imports the library by its name and may use all of it.
            if name.ends_with(".rs") && !name.ends_with("tests.rs") && name != "main.rs" {
                found.insert(name, code(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    visit(&source(), &mut found);
    found
}

/// A text without comments and without the unit tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The path of a file's module: `alarms/limit.rs` is `[alarms, limit]`.
fn module(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap().split('/').map(str::to_owned);
    path.filter(|name| name != "lib" && name != "mod").collect()
}

/// The first part of a module's path; empty for `lib.rs`.
fn top(file: &str) -> String {
    module(file).first().cloned().unwrap_or_default()
}

/// The paths that begin at each `crate::`, `super::`, `self::` and `child::`, groups in braces spread out.
fn paths(code: &str, children: &[String]) -> Vec<Vec<String>> {
    let roots = ["crate", "super", "self"].into_iter().chain(children.iter().map(String::as_str));
    let is_in_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for root in roots {
        for (at, _) in code.match_indices(&format!("{root}::")) {
            if !code[..at].ends_with(is_in_name) {
                path(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Reads one path or group behind `prefix`; gives the rest of the text.
fn path<'a>(text: &'a str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = path(rest, prefix, found).trim_start();
            match rest.strip_prefix(',') {
                Some(after) if !after.trim_start().starts_with('}') => rest = after,
                Some(after) => return &after.trim_start()[1..],
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let whole = [prefix, &[name.to_owned()]].concat();
    match rest.strip_prefix("::") {
        Some(rest) if !rest.starts_with('<') => path(rest, &whole, found),
        _ => {
            found.push(whole);
            rest
        }
    }
}

/// The module path that a path stands for in a file of the module `own`.
fn absolute(own: &[String], path: Vec<String>) -> Vec<String> {
    let mut absolute = if path[0] == "crate" { Vec::new() } else { own.to_vec() };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => drop(absolute.pop()),
            _ => absolute.push(name),
        }
    }
    absolute
}

fn graph(files: &BTreeMap<String, String>) -> Graph {
    let by_module: BTreeMap<_, _> = files.keys().map(|file| (module(file), file.clone())).collect();
    let imports = |(file, code): (&String, &String)| {
        let own = module(file);
        let is_child = |other: &&Vec<String>| other.len() == own.len() + 1 && other.starts_with(&own);
        let children = by_module.keys().filter(is_child).map(|child| child[own.len()].clone());
        // What follows the longest module in a path is an item of it.
        let target = |path: Vec<String>| {
            let path = absolute(&own, path);
            (0..=path.len()).rev().find_map(|len| by_module.get(&path[..len])).cloned()
        };
        let targets = paths(code, &children.collect::<Vec<_>>()).into_iter().filter_map(target);
        (file.clone(), targets.filter(|target| target != file).collect())
    };
    files.iter().map(imports).collect()
}

/// Files that import each other in a circle, the first one again at the end.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    fn visit(graph: &Graph, file: &str, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        if let Some(start) = way.iter().position(|earlier| earlier == file) {
            way.drain(..start);
            way.push(file.to_owned());
            return true;
        }
        if !done.insert(file.to_owned()) {
            return false;
        }
        way.push(file.to_owned());
        if graph[file].iter().any(|next| visit(graph, next, way, done)) {
            return true;
        }
        way.pop();
        false
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|file| {
        let mut way = Vec::new();
        visit(graph, file, &mut way, &mut done).then_some(way)
    })
}

/// The modules in the order of the numbered list in `lib.rs`.
fn listed() -> Vec<String> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once(". "));
    let rows = rows.filter_map(|(number, rest)| Some((number.parse::<usize>().ok()?, rest)));
    let rows: Vec<_> = rows.map(|(number, rest)| (number, rest.split('`').nth(1).unwrap())).collect();
    let numbers: Vec<_> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=rows.len()).collect::<Vec<_>>());
    rows.into_iter().map(|(_, name)| name.to_owned()).collect()
}

#[test]
fn lib_lists_every_module_once() {
    let files = files();
    let modules: BTreeSet<_> = files.keys().map(|file| top(file)).filter(|name| !name.is_empty()).collect();
    let listed = listed();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), modules);
    assert_eq!(listed.len(), modules.len(), "{listed:?}");
}

#[test]
fn files_import_only_from_modules_above_them_in_the_list() {
    let listed = listed();
    let place = |file: &str| listed.iter().position(|name| *name == top(file));
    for (file, imports) in graph(&files()) {
        for imported in imports {
            assert!(place(&imported) <= place(&file), "{file} imports {imported}, which stands below it");
        }
    }
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    assert_eq!(circle(&graph(&files())), None);
}

#[test]
fn imports_are_found_in_groups_in_expressions_and_in_parents() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\npub mod c;"),
        ("a.rs", "use crate::{b::{self, B}, c};\nmod x;\nuse x::X;"),
        ("a/x.rs", "use std::fmt;\nuse super::y::{Y,\n Z,};\n"),
        ("a/y.rs", "fn f() { crate::c::g::<u8>(not_a::super_thing) }"),
        ("b.rs", "// use crate::a;\n"),
        ("c.rs", "use super::a::x::X;"),
    ];
    let files = files.into_iter().map(|(file, text)| (file.to_owned(), code(text))).collect();
    let graph = graph(&files);
    let imports = |file: &str| graph[file].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(imports("a.rs"), ["a/x.rs", "b.rs", "c.rs"]);
    assert_eq!(imports("a/x.rs"), ["a/y.rs"]);
    assert_eq!((imports("a/y.rs"), imports("b.rs"), imports("c.rs")), (vec!["c.rs"], vec![], vec!["a/x.rs"]));
    let way = circle(&graph).unwrap();
    assert_eq!((way.first(), way.len()), (way.last(), 4), "{way:?}");
}
