//! A month in a moment, on a marked test server.

use postgres_server::Server;
use serde_json::Value;

use crate::served::Served;
use crate::{output, run, serve};

fn json(served: &Served, command: &str) -> Value {
    let (code, said, reason) = run(served, &format!("{command} --json"));
    assert_eq!(code, 0, "{command}: {reason}");
    serde_json::from_str(&said).unwrap()
}

#[test]
fn time_passes_on_request_and_survives_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["--sandbox"]);
    let opened = json(&served, "account create --name a --credit-limit 100");
    let account = opened["account"].as_str().unwrap();
    json(&served, &format!("charge {account} 10"));
    json(&served, &format!("hold place {account} 40 --expires-in 86400"));
    let before = json(&served, "sandbox advance 0s")["now"].clone();
    let after = json(&served, "sandbox advance 32d")["now"].clone();
    assert!(after.as_str() > before.as_str(), "{before} {after}");
    let balance = json(&served, &format!("balance {account}"));
    assert_eq!([&balance["carried"], &balance["used"], &balance["held"]], ["-10", "0", "0"]);
    served.stop();

    let served = serve(data.path(), &["--sandbox"]);
    let again = json(&served, "sandbox advance 0s")["now"].clone();
    assert!(again.as_str() >= after.as_str(), "{after} {again}");
    let charged = json(&served, &format!("charge {account} 1"));
    assert!(charged["time"].as_str() >= again.as_str(), "{charged}");
    let (code, _, reason) = run(&served, "sandbox advance --json 2025-01-01T00:00:00Z");
    assert_eq!((code, reason.contains("the clock never goes back")), (3, true), "{reason}");
    assert_eq!(run(&served, "sandbox advance x7d").0, 2);
    served.stop();
    let data = data.path().to_str().unwrap();
    assert_eq!(output(&["serve", "--listen", "127.0.0.1:0", "--data", data]).status.code(), Some(1));
    assert_eq!(output(&["verify", "--data", data]).status.code(), Some(0));
}

#[test]
fn other_servers_have_no_clock_to_move() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let (code, _, reason) = run(&served, "sandbox advance 1d");
    assert_eq!((code, reason.as_str()), (2, "bursar: There is nothing here\n"));
    served.stop();
    let data = data.path().to_str().unwrap();
    let refused = output(&["serve", "--listen", "127.0.0.1:0", "--data", data, "--sandbox"]);
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn a_sandbox_over_a_database_has_one_server() {
    let database = Server::shared().database();
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = database.url();
    let served = serve(data.path(), &["--sandbox", "--journal", &journal]);
    let later = json(&served, "sandbox advance 32d")["now"].clone();
    let refused = |data: &std::path::Path, more: &[&str]| {
        let common = ["serve", "--listen", "127.0.0.1:0", "--journal", &journal, "--data"];
        let output = output(&[&common[..], &[data.to_str().unwrap()], more].concat());
        let reason = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), reason.lines().last().unwrap_or_default().to_owned())
    };
    for (data, more, code, reason) in [
        (other.path(), &["--sandbox"][..], 1, "was not begun as a sandbox from"),
        (other.path(), &[], 1, "the journal in the database is a sandbox's"),
        (other.path(), &["--node-listen", "127.0.0.1:0"], 1, "the journal in the database is a sandbox's"),
        (data.path(), &[], 1, "the journal in the database is a sandbox's"),
        (data.path(), &["--sandbox", "--node-listen", "127.0.0.1:0"], 2, "one clock, and one server"),
    ] {
        let (exit, said) = refused(data, more);
        assert_eq!((exit, said.contains(reason)), (Some(code), true), "{more:?}: {said}");
    }
    served.stop();
    let served = serve(data.path(), &["--sandbox", "--journal", &journal]);
    let again = json(&served, "sandbox advance 0s")["now"].clone();
    assert!(again.as_str() >= later.as_str(), "{later} {again}");
    served.stop();
}
