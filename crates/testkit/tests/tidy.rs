//! What a reader would stumble over, and what no compiler sees: rules of the tree, as a test.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}

/// Every Rust source below `crates`, by its path from there.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder is read") {
            let path = entry.expect("an entry is read").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let crates = root().join("crates");
    let mut found = Vec::new();
    walk(&crates, &mut found);
    assert!(found.len() > 100, "the sources were found");
    let name = |path: &PathBuf| path.strip_prefix(&crates).expect("it is below").display().to_string();
    found.iter().map(|path| (name(path), fs::read_to_string(path).expect("sources are text"))).collect()
}

fn is_test(path: &str) -> bool {
    path.contains("tests") || path.contains("benches") || path.contains("examples")
}

fn offenders(rule: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if rule(&path, line) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn domain_and_ledger_stand_on_the_standard_library() {
    for (name, allowed) in [("domain", &[][..]), ("ledger", &["domain.workspace = true"][..])] {
        let manifest =
            fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).expect("a manifest");
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        let named: Vec<&str> = dependencies.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(named, allowed, "{name}");
    }
}

#[test]
fn no_vendor_word_stands_below_the_dialects() {
    let below = ["domain/", "ledger/", "journal/", "journal-file/", "engine/", "access/", "simulation/"];
    // This very list is not below.
    let words = [
        "api_key",
        "billingaccount",
        "billing_account",
        "subaccount_key",
        "nexmo",
        "vonage",
        "apigee",
        "sensecore",
    ];
    let found = offenders(|path, line| {
        let line = line.to_lowercase();
        below.iter().any(|folder| path.starts_with(folder)) && words.iter().any(|word| line.contains(word))
    });
    assert_eq!(found, [""; 0], "vendor words belong to dialect-*");
}

#[test]
fn no_dialect_names_another() {
    let dialects = ["dialect-native", "dialect-vonage"];
    let found = offenders(|path, line| {
        dialects.iter().any(|dialect| {
            path.starts_with(dialect)
                && dialects.iter().any(|other| other != dialect && line.contains(&other.replace('-', "_")))
        })
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn nothing_is_left_unfinished() {
    let words = ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "TODO", "XXX", "#[ignore"];
    // A test that is run by a script says by which.
    let is_run = |line: &str| line.contains("#[ignore = ") && line.contains(": ci/");
    let found = offenders(|path, line| {
        !path.ends_with("tidy.rs") && !is_run(line) && words.iter().any(|word| line.contains(word))
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn money_never_meets_a_float() {
    let folders = ["domain/", "ledger/", "journal/", "journal-file/src", "dialect/src"];
    let found = offenders(|path, line| {
        let code = line.split("//").next().unwrap_or_default();
        folders.iter().any(|folder| path.starts_with(folder))
            && !is_test(path)
            && (code.contains("f64") || code.contains("f32"))
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_dependency_says_what_it_does_for_us() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let dependencies = manifest.split("[workspace.dependencies]").nth(1).expect("they are listed");
    let dependencies = dependencies.split("\n[").next().expect("a section ends");
    let mut explained = false;
    for line in dependencies.lines() {
        if line.starts_with('#') {
            explained = true;
        } else if line.is_empty() {
            explained = false;
        } else if !line.contains("path = ") {
            assert!(explained, "{line} has no line above it");
        }
    }
}
