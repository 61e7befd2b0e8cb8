//! Tables of a journal that are archived and dropped, while nobody runs on it and while servers do.

use std::sync::Arc;

use access::{Secret, first_start};
use domain::{Currency, Nanos};
use engine::{Engine, Outcome, Parts, Request, SystemClock, SystemEntropy};
use journal_postgres::{Database, EraLimit, Options, Url};
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Funding, NewAccount, OrganizationIndex, Usage,
};
use postgres_server::Server;
use serde_json::Value;

use crate::cluster::eventually;
use crate::database::run as ask;
use crate::served::TOKEN;
use crate::{output, serve};

const GROUPS: u64 = 8;

/// A journal of two books, the first of which has filled several tables.
fn lived(url: &str) {
    let options = Options { era: EraLimit { groups: GROUPS, bytes: 1 << 40 }, ..Options::default() };
    let database = Database::connect(&Url::parse(url, |_| None).unwrap(), options).unwrap();
    database.init([7; 16], 2).unwrap();
    let journal = database.open(0).unwrap();
    let parts = Parts {
        vault: journal.vault(),
        journal: Box::new(journal),
        clock: Arc::new(SystemClock::default()),
        entropy: Arc::new(SystemEntropy),
        options: engine::Options::default(),
    };
    let (engine, running, _) = Engine::start(parts).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        first_start(&engine, Some(Secret::given(TOKEN.to_owned()))).await.unwrap();
        let act = |act| {
            let request = Request { command: Command { actor: Actor::System, act }, key: None };
            let engine = engine.clone();
            async move {
                let outcome = engine.submit(request).await.unwrap();
                assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
            }
        };
        act(open_account()).await;
        for _ in 0..5 * GROUPS {
            act(charge()).await;
        }
    });
    drop(running.stop());
}

fn open_account() -> Act {
    Act::OpenAccount(Box::new(NewAccount {
        organization: OrganizationIndex::new(0),
        parent: None,
        currency: Currency::EUR,
        funding: Funding::Own,
        managed: true,
        may_open_children: true,
        allows_overruns: false,
        name: None,
        credit: Nanos::from_units(1_000),
        credential: None,
    }))
}

fn charge() -> Act {
    Act::Charge {
        account: AccountIndex::new(0),
        currency: None,
        amount: Nanos::from_units(1),
        kind: ChargeKind::Metered,
        admission: Admission::Strict,
        usage: Usage::default(),
    }
}

fn journal(arguments: &[&str]) -> (i32, String, String) {
    let output = output(&[&["journal"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn verified(journal: &str) -> Value {
    let output = output(&["verify", "--json", "--journal", journal]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The only account's id, and what it owes.
fn account(url: &str) -> (String, String) {
    let accounts = ask(url, &["account", "list", "--json"]);
    let id = accounts["id"].as_str().unwrap_or_else(|| panic!("{accounts}")).to_owned();
    let balance = ask(url, &["balance", &id, "--json"]);
    (id, balance["posted"].as_str().unwrap().to_owned())
}

#[test]
fn old_tables_are_archived_and_dropped_behind_an_anchor_that_the_journal_names() {
    let database = Server::shared().database();
    let url = database.url();
    lived(&url);
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("archive");
    let archive = archive.to_str().unwrap();
    let dropping =
        ["drop", "--journal", &url, "--archive", archive, "--before", "2100-01-01", "--key-hours", "0"];

    // The other book still stands in the first table, until it is opened again.
    let (code, out, err) = journal(&[&dropping[..], &["--dry-run"]].concat());
    assert_eq!((code, out.as_str()), (0, "nothing to drop\n"), "{err}");
    let data = tempfile::tempdir().unwrap();
    let served = serve(data.path(), &["--journal", &url]);
    let before = account(&served.url);
    assert_eq!(before.1.split('.').next().unwrap(), format!("-{}", 5 * GROUPS));
    let entries = ask(&served.url, &["entries", &before.0, "--limit", "1", "--json"]);
    assert!(entries["id"].is_string(), "{entries}");

    // Opening the other book takes it along.
    let readiness =
        || ureq::get(format!("{}/readyz", served.url)).call().ok()?.body_mut().read_to_string().ok();
    eventually(|| readiness().filter(|text| text.contains("leading 0 1,")));

    // Nothing goes that is in no archive.
    let (code, _, err) = journal(&[&dropping[..], &["--yes"]].concat());
    assert_ne!(code, 0);
    assert!(err.contains("no data directory") || err.contains("journal archive"), "{err}");
    let (code, out, err) = journal(&["archive", "--journal", &url, "--to", archive]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("archived now"), "{out}");
    assert_ne!(journal(&dropping).0, 0, "it asks first");

    // Whoever leads names the anchor; it goes on without a stop.
    let whole = verified(&url);
    let (code, out, err) = journal(&[&dropping[..], &["--yes"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("dropped "), "{out}");
    assert_eq!(database.value("SELECT count(*) FROM pg_class WHERE relname = 'journal_1'"), "0");
    let cut = verified(&url);
    assert_eq!(cut["digest"], whole["digest"]);
    assert!(cut["removed_until"].is_string() && cut["groups"].as_u64() < whole["groups"].as_u64(), "{cut}");
    assert_eq!(account(&served.url), before);
    ask(&served.url, &["charge", &before.0, "1", "--json"]);
    served.stop();

    // A start begins at the anchor where it finds no snapshot.
    database.run("DELETE FROM snapshot");
    let served = serve(data.path(), &["--journal", &url]);
    assert_eq!(account(&served.url).1.split('.').next().unwrap(), format!("-{}", 5 * GROUPS + 1));
    served.stop();
    let archived = directory.path().join("archive/book-0");
    let output = output(&["verify", "--json", "--data", archived.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // An anchor that somebody edits is found.
    database.run("UPDATE anchor SET body = set_byte(body, 40, 7) WHERE chunks = 0");
    let broken = crate::output(&["verify", "--journal", &url]);
    assert!(!broken.status.success());
}
