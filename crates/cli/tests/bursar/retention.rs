//! Backups of a running server, and removing what is old.

use std::path::Path;

use domain::{Currency, Nanos};
use ledger::{Act, Actor, Admission, ChargeKind, Command, Event, Funding, NewAccount, Usage};
use serde_json::Value;
use server::{BookOptions, OpenBook};

use crate::served::TOKEN;
use crate::{output, run, serve};

/// What a command says that succeeds.
fn said(arguments: &[&str]) -> String {
    let output = output(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&said(&[arguments, &["--json"]].concat())).unwrap()
}

/// A directory with small segments that was charged over a week; the account.
fn lived(data: &Path) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = BookOptions { segment_bytes: Some(1 << 20), sandbox: true, ..BookOptions::default() };
        let book =
            OpenBook::open(data, &options, Some(access::Secret::given(TOKEN.to_owned()))).await.unwrap();
        let engine = book.engine.clone();
        let (organization, _) = engine.directory().organization(access::DEFAULT_ORGANIZATION).unwrap();
        let request = |act| engine::Request { command: Command { actor: Actor::System, act }, key: None };
        let open = Act::OpenAccount(Box::new(NewAccount {
            organization,
            parent: None,
            currency: Currency::EUR,
            funding: Funding::Own,
            managed: true,
            may_open_children: false,
            allows_overruns: false,
            name: None,
            credit: Nanos::from_units(100),
            credential: None,
        }));
        let engine::Outcome::Done(opened) = engine.submit(request(open)).await.unwrap() else {
            panic!("the account opens")
        };
        let Event::AccountOpened { account, .. } = opened.event else { panic!("it was opened") };
        let charge = request(Act::Charge {
            account,
            currency: None,
            amount: Nanos::new(1),
            kind: ChargeKind::Metered,
            admission: Admission::Strict,
            usage: Usage { reference: Some([b'x'; 500].as_slice().into()), ..Usage::default() },
        });
        for _ in 0..7 {
            engine.submit_all(vec![charge.clone(); 2_000]).await.unwrap();
            let clock = book.sandbox.as_ref().unwrap();
            clock.advance_to(engine::Clock::now(&**clock).plus_secs(24 * 3600)).unwrap();
        }
        let account = format!("{:08x}", engine.seals().account_key(account));
        drop(engine);
        book.close();
        account
    })
}

#[test]
fn what_is_old_is_removed_and_what_is_left_verifies() {
    let data = tempfile::tempdir().unwrap();
    let account = lived(data.path());
    let data = data.path().to_str().unwrap();
    let prune = ["journal", "prune", "--data", data, "--key-hours", "24", "--before"];
    let with = |date: &'static str, more: &[&'static str]| [&prune[..], &[date], more].concat();
    let whole = json(&["verify", "--data", data]);
    assert!(whole.get("removed_until").is_none());

    assert_eq!(said(&with("2025-01-01", &["--yes"])), "nothing to remove\n");
    let planned = json(&with("2100-01-01T00:00:00Z", &["--dry-run"]));
    assert_eq!(planned["removed"], false);
    assert!(planned["archives"].as_u64() > Some(2) && planned["bytes"].as_u64() > Some(1_000), "{planned}");
    assert_eq!(json(&["verify", "--data", data]), whole, "looking changes nothing");
    for (arguments, code, reason) in [
        (with("2100-01-01", &[]), 2, "nothing was removed: repeat with --yes"),
        (with("tomorrow", &[]), 2, "expected a date, such as 2025-03-01"),
        (with("2100-01-01", &["--yes", "--dry-run"]), 2, "cannot be used with"),
    ] {
        let refused = output(&arguments);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(reason), "{said}");
    }

    let done = said(&with("2100-01-01", &["--yes"]));
    assert!(done.starts_with("removed ") && done.contains(" archives of "), "{done}");
    let cut = json(&["verify", "--data", data]);
    assert_eq!((&cut["digest"], &cut["accounts"]), (&whole["digest"], &whole["accounts"]));
    assert_eq!(cut["removed_until"], planned["until"]);
    assert!(said(&["verify", "--data", data]).contains("behind the anchor the journal names"));
    assert!(said(&with("2100-01-01", &["--yes"])).starts_with("nothing to remove\n"), "once is enough");

    let served = serve(Path::new(data), &["--sandbox"]);
    let refused = output(&with("2100-01-01", &["--yes"]));
    let reason = String::from_utf8(refused.stderr).unwrap();
    assert!(reason.contains("a server is running on it; stop that server first"), "{reason}");
    assert_eq!(run(&served, &format!("charge {account} 1")).0, 0);
    served.stop();
    assert_eq!(json(&["verify", "--data", data])["holds"], true);
}

#[test]
fn a_running_server_is_backed_up() {
    let (data, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let served = serve(data.path(), &["--sandbox"]);
    let (_, opened, _) = run(&served, "account create --name a --credit-limit 10 --json");
    let account = serde_json::from_str::<Value>(&opened).unwrap()["account"].as_str().unwrap().to_owned();
    assert_eq!(run(&served, &format!("charge {account} 3")).0, 0);
    let copy = copies.path().join("copy");
    let copy = copy.to_str().unwrap();
    let backup = ["journal", "backup", "--data", data.path().to_str().unwrap(), "--to", copy];
    assert!(said(&backup).ends_with("; verify it\n"));
    assert_eq!(run(&served, &format!("charge {account} 4")).0, 0, "the server goes on");
    let again = String::from_utf8(output(&backup).stderr).unwrap();
    assert!(again.contains("there is a journal at the copy's place already"), "{again}");
    served.stop();

    assert_eq!(json(&["verify", "--data", copy])["accounts"], 1);
    let restored = serve(Path::new(copy), &["--sandbox"]);
    let (_, balance, _) = run(&restored, &format!("balance {account} --json"));
    assert!(balance.contains(r#""posted":"-3""#), "{balance}");
    restored.stop();
}
