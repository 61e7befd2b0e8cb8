use std::path::Path;

use postgres_server::{Database, Server};

use crate::served::{TOKEN, bursar};
use crate::{output, serve};

/// Runs a command that succeeds; its JSON.
pub(crate) fn run(url: &str, arguments: &[&str]) -> serde_json::Value {
    let done = bursar(arguments).env("BURSAR_URL", url).env("BURSAR_TOKEN", TOKEN).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

/// Lives for a few charges over a database; the account that was charged.
fn lived(data: &Path, database: &Database) -> String {
    let served = serve(data, &["--journal", &database.url()]);
    let opened = run(&served.url, &["account", "create", "--name", "a", "--credit-limit", "10", "--json"]);
    let account = opened["account"].as_str().unwrap().to_owned();
    for amount in ["1", "2.5", "0.000000001"] {
        run(&served.url, &["charge", &account, amount, "--json"]);
    }
    served.stop();
    account
}

fn verified(arguments: &[&str]) -> serde_json::Value {
    let arguments = [&["verify", "--json"], arguments].concat();
    let found = run("", &arguments);
    assert_eq!(found["holds"], true, "{found}");
    found
}

fn refused(arguments: &[&str]) -> String {
    let output = output(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn fresh() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_server_over_a_database_keeps_nothing_but_what_is_local_in_its_directory() {
    let (data, database) = (fresh(), Server::shared().database());
    let account = lived(data.path(), &database);
    let entries = data.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let names = std::collections::BTreeSet::from_iter(entries.map(|name| name.into_string().unwrap()));
    assert_eq!(names, ["copy", "journal-incarnation"].map(str::to_owned).into());
    let found = verified(&["--journal", &database.url()]);
    assert_eq!((&found["accounts"], &found["eras"]), (&1.into(), &1.into()));
    assert_eq!(found, verified(&["--journal", &database.url()]), "verifying changes nothing");

    // Another directory, the same books.
    let elsewhere = fresh();
    let served = serve(elsewhere.path(), &["--journal", &database.url()]);
    let balance = run(&served.url, &["balance", &account, "--json"]);
    assert!(balance.to_string().contains("6.499999999"), "{balance}");
    served.stop();
}

#[test]
fn a_directory_and_a_database_that_do_not_belong_together_are_refused() {
    let (files, tables, database) = (fresh(), fresh(), Server::shared().database());
    serve(files.path(), &[]).stop();
    lived(tables.path(), &database);
    let start = |data: &Path, more: &[&str]| {
        refused(&[&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()], more].concat())
    };
    let error = start(files.path(), &["--journal", &database.url()]);
    assert!(error.contains("holds a journal in files: copy it into the database"), "{error}");
    let error = start(tables.path(), &[]);
    assert!(error.contains("is in a database: start with --journal"), "{error}");
    let error = start(tables.path(), &["--journal", &Server::shared().database().url()]);
    assert!(error.contains("belongs to another journal than the database holds"), "{error}");
    run("", &["adopt", "--journal", &database.url()]);
    let error = start(tables.path(), &["--journal", &database.url()]);
    assert!(error.contains("belongs to another journal than the database holds"), "{error}");
    let secret = "postgres://clerk:secret@127.0.0.1:1/x";
    for error in [start(fresh().path(), &["--journal", secret]), refused(&["verify", "--journal", secret])] {
        assert!(error.contains("no host of the database can be written (127.0.0.1:1: "), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn older_tables_are_migrated_when_asked_to() {
    let (data, database) = (fresh(), Server::shared().database());
    lived(data.path(), &database);
    let start = ["--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()];
    database.run("UPDATE schema_step SET step = 7");
    let error = refused(&[&["serve", "--journal", &database.url()], &start[..]].concat());
    assert!(error.contains("at step 7 of 14: run `bursar migrate`, or start with --migrate"), "{error}");
    serve(data.path(), &["--journal", &database.url(), "--migrate"]).stop();
    database.run("UPDATE schema_step SET step = 7");
    run("", &["migrate", "--journal", &database.url()]);
    serve(data.path(), &["--journal", &database.url()]).stop();
}

#[test]
fn a_journal_is_copied_there_and_back_and_stays_the_same() {
    let (first, back, database) = (fresh(), fresh(), Server::shared().database());
    let (first, back) = (first.path().to_str().unwrap(), back.path().join("new"));
    let (back, url) = (back.to_str().unwrap(), database.url());
    let copy = |from: &str, to: &str| {
        let output = output(&["journal", "copy", "--from", from, "--to", to]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let served = serve(Path::new(first), &[]);
    run(&served.url, &["account", "create", "--name", "a", "--credit-limit", "10", "--json"]);
    served.stop();
    let said = copy(first, &url);
    assert!(said.contains("copied now") && !said.contains(", 0 of them"), "{said}");
    assert!(copy(first, &url).contains(", 0 of them copied now"), "what is there is not copied again");
    copy(&url, back);
    let digest = |found: serde_json::Value| found["digest"].clone();
    let original = digest(verified(&["--data", first]));
    assert_eq!(digest(verified(&["--journal", &url])), original);
    assert_eq!(digest(verified(&["--data", back])), original);

    // The copy lives on: it is another journal than the original from then on, and takes no more of it.
    let data = fresh();
    lived(data.path(), &database);
    let error = refused(&["journal", "copy", "--from", first, "--to", &url]);
    assert!(error.contains("holds another journal than"), "{error}");
    assert!(!copy(&url, back).contains(", 0 of them"), "a copy takes what has come meanwhile");
}

#[test]
fn a_base_backup_taken_while_a_server_charges_is_restored_and_adopted() {
    let (data, database) = (fresh(), Server::shared().database());
    let served = serve(data.path(), &["--journal", &database.url()]);
    let opened = run(&served.url, &["account", "create", "--name", "a", "--credit-limit", "1000", "--json"]);
    let account = opened["account"].as_str().unwrap();
    let charge = || run(&served.url, &["charge", account, "1", "--json"]);
    charge();
    let is_taken = std::sync::atomic::AtomicBool::new(false);
    let (charged, backup) = std::thread::scope(|scope| {
        let charging = scope.spawn(|| {
            let charges = std::iter::repeat_with(charge);
            charges.take_while(|_| !is_taken.load(std::sync::atomic::Ordering::SeqCst)).count()
        });
        let backup = database.server().base_backup();
        is_taken.store(true, std::sync::atomic::Ordering::SeqCst);
        (charging.join().unwrap(), backup)
    });
    backup.resume();
    let copy = database.on(&backup);
    let found = verified(&["--journal", &copy.url()]);
    let lived = verified(&["--journal", &database.url()]);
    assert!(found["events"].as_u64() <= lived["events"].as_u64(), "{found} {lived}");

    // Until it is adopted the copy says that it is the original; then it lives a life of its own.
    run("", &["adopt", "--journal", &copy.url()]);
    let error = refused(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.path().to_str().unwrap(),
        "--journal",
        &copy.url(),
    ]);
    assert!(error.contains("belongs to another journal than the database holds"), "{error}");
    let elsewhere = fresh();
    let restored = serve(elsewhere.path(), &["--journal", &copy.url()]);
    let used = |url: &str| {
        let balance = run(url, &["balance", account, "--json"]);
        balance["used"].as_str().unwrap().parse::<usize>().unwrap()
    };
    let had = used(&restored.url);
    run(&restored.url, &["charge", account, "1", "--json"]);
    assert_eq!(used(&restored.url), had + 1);
    assert!((1..=used(&served.url)).contains(&had), "{had} of {charged}");
    restored.stop();
    served.stop();
}

#[test]
fn a_second_server_stands_by_and_takes_over_when_the_first_is_gone() {
    let (first, second, database) = (fresh(), fresh(), Server::shared().database());
    let old = serve(first.path(), &["--journal", &database.url()]);
    let opened = run(&old.url, &["account", "create", "--name", "a", "--credit-limit", "10", "--json"]);
    let account = opened["account"].as_str().unwrap();
    let new = serve(second.path(), &["--journal", &database.url()]);
    run(&old.url, &["charge", account, "1", "--json"]);
    old.stop();
    run(&new.url, &["charge", account, "1", "--json"]);
    new.stop();
    assert_eq!(verified(&["--journal", &database.url()])["accounts"], 1);
}
