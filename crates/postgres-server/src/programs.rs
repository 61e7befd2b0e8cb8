//! Where the server programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the directory of `initdb` and `postgres`, before anything else is looked at.
const VARIABLE: &str = "BURSAR_POSTGRES_BIN";

/// Where distributions keep versions side by side: parent, and what is below the version.
const VERSIONED: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/pgsql", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/pgsql", "bin"),
];

const MISSING: &str = "no PostgreSQL server was found: install one (Debian and Ubuntu: apt-get install -y \
     postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql), or name the \
     directory of initdb and postgres in BURSAR_POSTGRES_BIN";

/// The directory of the server programs.
pub(crate) fn find() -> PathBuf {
    let chosen = std::env::var_os(VARIABLE).map(PathBuf::from);
    if let Some(chosen) = chosen {
        assert!(is_complete(&chosen), "{VARIABLE} names {}: no initdb and postgres there", chosen.display());
        return chosen;
    }
    let mut found: Vec<(u32, PathBuf)> = versioned().chain(configured()).collect();
    found.retain(|(_, path)| is_complete(path));
    found.sort();
    found.pop().map(|(_, path)| path).unwrap_or_else(|| panic!("{MISSING}"))
}

fn is_complete(path: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| path.join(program).is_file())
}

fn versioned() -> impl Iterator<Item = (u32, PathBuf)> {
    VERSIONED.into_iter().flat_map(|(parent, below)| {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        entries.map(move |entry| {
            let digits: String =
                entry.file_name().to_string_lossy().chars().filter(char::is_ascii_digit).collect();
            (digits.parse().unwrap_or(0), entry.path().join(below))
        })
    })
}

fn configured() -> impl Iterator<Item = (u32, PathBuf)> {
    let said = Command::new("pg_config").args(["--bindir"]).output().ok();
    let said = said.and_then(|output| String::from_utf8(output.stdout).ok());
    said.map(|path| (0, PathBuf::from(path.trim()))).into_iter()
}
