//! Tokens with scopes at a shell: issued, seen, used up and taken back.

use serde_json::Value;

use crate::serve;
use crate::served::{Served, TOKEN, bursar};

/// A command by whoever holds `token`.
fn by(served: &Served, token: &str, arguments: &[&str]) -> (i32, String, String) {
    let output =
        bursar(arguments).env("BURSAR_URL", &served.url).env("BURSAR_TOKEN", token).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(served: &Served, token: &str, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let (code, out, err) = by(served, token, &arguments);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_provisioning_key_is_issued_used_up_and_revoked() {
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &[]);
    let partner = ["account", "create", "--name", "Partner", "--currency", "EUR", "--credit-limit", "2000"];
    let partner = json(&served, TOKEN, &partner);
    let partner = partner["api_key"].as_str().unwrap();
    let issued = json(
        &served,
        TOKEN,
        &[
            "token",
            "issue",
            "--role",
            "finance",
            "--label",
            "provisioning",
            "--allow",
            "read",
            "--allow",
            "open-subaccount",
            "--allow",
            "allocate",
            "--account",
            partner,
            "--limit",
            "allocate 500 EUR total",
        ],
    );
    let (key, id) = (issued["token"].as_str().unwrap(), issued["id"].as_str().unwrap());
    let opened = json(&served, key, &["account", "create", "--name", "Sub", "--parent", partner]);
    let subaccount = opened["api_key"].as_str().unwrap();
    let exceeded = "bursar: A limit of the credential does not allow so much";
    let role = "bursar: The credential may not do that";
    let scope = "bursar: The credential is held to a scope that does not cover that";
    for (arguments, code, reason) in [
        (&["allocate", subaccount, "300"][..], 0, ""),
        (&["allocate", subaccount, "200.000000001"], 3, exceeded),
        (&["allocate", subaccount, "200"], 0, ""),
        (&["allocate", subaccount, "0.000000001"], 3, exceeded),
        (&["top-up", partner, "1"], 3, scope),
        (&["token", "issue", "--role", "read-only"], 3, role),
        (&["token", "revoke", id], 3, role),
    ] {
        let (found, _, err) = by(&served, key, arguments);
        assert_eq!((found, err.starts_with(reason)), (code, true), "{arguments:?}: {err}");
    }
    let (_, table, _) = by(&served, TOKEN, &["token", "list"]);
    assert!(table.contains("allocate 500 EUR total: 0 left"), "{table}");
    assert!(!table.contains(key), "a token is shown once");
    assert_eq!(by(&served, TOKEN, &["token", "revoke", id]).0, 0);
    assert_eq!(by(&served, key, &["balance", subaccount]).0, 1, "it proves nothing any more");
    served.stop();
}
