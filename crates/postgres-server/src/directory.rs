//! A private directory, and the sweeping of those that were left behind.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const PREFIX: &str = "bursar-postgres-";

static MADE: AtomicU32 = AtomicU32::new(0);

/// A fresh directory that only its owner may look into; named after this process.
pub(crate) fn make() -> PathBuf {
    sweep();
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("{PREFIX}{}-{number}", std::process::id()));
    // One of a dead process with our number.
    drop(fs::remove_dir_all(&path));
    fs::DirBuilder::new().mode(0o700).create(&path).expect("the temporary directory can be written");
    path
}

/// Removes what dead processes left: normally nothing, their shells have done it.
fn sweep() {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        let Some(owner): Option<u32> = owner else { continue };
        if !is_alive(owner) && !has_server(&entry.path()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Whether a server still runs there: its shell is about to stop it.
fn has_server(directory: &Path) -> bool {
    let pid = fs::read_to_string(directory.join("data/postmaster.pid")).ok();
    pid.and_then(|text| text.lines().next()?.trim().parse().ok()).is_some_and(is_alive)
}

fn is_alive(process: u32) -> bool {
    std::process::Command::new("kill")
        .args(["-0", &process.to_string()])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
