use postgres_server::Server;

use crate::cluster::eventually;
use crate::database::run;
use crate::{output, serve};

#[test]
fn tables_follow_a_server_and_are_made_anew_on_request() {
    let (data, database) = (tempfile::tempdir().unwrap(), Server::shared().database());
    let url = database.url();
    let served = serve(data.path(), &["--reporting", &url]);
    let opened = run(&served.url, &["account", "create", "--name", "a", "--credit-limit", "10", "--json"]);
    let account = opened["account"].as_str().unwrap();
    let spent = "SELECT coalesce(sum(cost), 0) FROM reporting.usage WHERE account_name = 'a'";
    let is_shown = |cost: &'static str| eventually(|| (database.value(spent) == cost).then_some(()));
    // Nobody asks before there are tables.
    let made = "SELECT count(*) FROM pg_views WHERE schemaname = 'reporting' AND viewname = 'usage'";
    eventually(|| (database.value(made) == "1").then_some(()));
    for amount in ["1", "2.5", "0.000000001"] {
        run(&served.url, &["charge", account, amount, "--json"]);
    }
    is_shown("3.500000001");
    served.stop();

    let rebuild = output(&["reporting", "rebuild", "--reporting", &url]);
    assert!(rebuild.status.success(), "{}", String::from_utf8_lossy(&rebuild.stderr));
    assert_eq!(database.value(spent), "0");
    // A database that cannot be reached is no reason not to charge.
    let served = serve(data.path(), &["--reporting", "postgres://clerk@127.0.0.1:1/none"]);
    run(&served.url, &["charge", account, "1", "--json"]);
    served.stop();
    let served = serve(data.path(), &["--reporting", &url]);
    is_shown("4.500000001");
    served.stop();
}
