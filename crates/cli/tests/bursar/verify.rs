use std::path::Path;
use std::process::Output;

use crate::served::{TOKEN, bursar};
use crate::{output, serve};

fn verify(data: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["verify", "--data", data.to_str().unwrap()];
    arguments.extend(more);
    output(&arguments)
}

/// Lives for a few charges.
fn lived(data: &Path) {
    let served = serve(data, &[]);
    let run = |arguments: &[&str]| {
        let done =
            bursar(arguments).env("BURSAR_URL", &served.url).env("BURSAR_TOKEN", TOKEN).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice::<serde_json::Value>(&done.stdout).unwrap()
    };
    let opened = run(&["account", "create", "--name", "a", "--credit-limit", "10", "--json"]);
    let account = opened["account"].as_str().unwrap();
    for amount in ["1", "2.5", "0.000000001"] {
        run(&["charge", account, amount, "--json"]);
    }
    served.stop();
}

#[test]
fn what_is_whole_holds() {
    let data = tempfile::tempdir().unwrap();
    lived(data.path());
    let output = verify(data.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["holds"], &found["accounts"]), (&true.into(), &1.into()));
    assert_eq!(found["digest"].as_str().unwrap().len(), 64);
    let again: serde_json::Value = serde_json::from_slice(&verify(data.path(), &["--json"]).stdout).unwrap();
    assert_eq!(found, again, "verifying changes nothing");
    let text = String::from_utf8(verify(data.path(), &[]).stdout).unwrap();
    assert!(text.contains(" holds\n") && text.contains("each balance re-derived"), "{text}");
}

#[test]
fn damage_is_named_with_its_place() {
    let data = tempfile::tempdir().unwrap();
    lived(data.path());
    let segment = data.path().join("ring/0000.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[540] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let output = verify(data.path(), &[]);
    let reason = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{reason}");
    assert!(reason.starts_with("damaged: ring/0000.segment at byte 512: "), "{reason}");
    assert!(reason.ends_with(" does not hold: damaged in 2 places; restore it from a backup\n"), "{reason}");
    let found: serde_json::Value = serde_json::from_slice(&verify(data.path(), &["--json"]).stdout).unwrap();
    assert_eq!((&found["holds"], found["damage"].as_array().unwrap().len()), (&false.into(), 2));
}

#[test]
fn a_running_server_and_another_directory_are_told_apart() {
    let data = tempfile::tempdir().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let _served = serve(data.path(), &[]);
    for (directory, expected) in [
        (data.path(), "a server is running on it; stop that server first"),
        (empty.path(), "this is no data directory"),
        (&empty.path().join("nowhere"), "this is no data directory"),
    ] {
        let output = verify(directory, &[]);
        let reason = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{reason}");
        assert_eq!(reason, format!("bursar: cannot verify {}: {expected}\n", directory.display()));
    }
    assert!(std::fs::read_dir(empty.path()).unwrap().next().is_none(), "verifying makes nothing");
}
