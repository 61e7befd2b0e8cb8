use journal::{Journal, conformance};
use journal_postgres::Options;
use postgres_server::Server;

use crate::fixture::{open, small_eras};

fn run(options: Options) {
    conformance::run(|| {
        let database = Server::shared().database();
        Box::new(move || Box::new(open(&database.url(), options)) as Box<dyn Journal>)
    });
}

#[test]
fn keeps_every_promise_of_a_journal() {
    run(Options::default());
}

#[test]
fn keeps_every_promise_over_many_small_eras() {
    run(small_eras());
}

#[test]
fn keeps_every_promise_without_memory() {
    run(Options { cache_bytes: 0, ..Options::default() });
}

#[test]
fn keeps_every_promise_of_a_vault() {
    let database = Server::shared().database();
    conformance::vault(move || open(&database.url(), Options::default()).vault());
}
