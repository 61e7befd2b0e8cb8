//! What a charge of a batch costs outside the book: `cargo bench -p dialect-native`. Prints the best of
//! many rounds, in nanoseconds per charge.

use std::hint::black_box;
use std::time::Instant;

use dialect_native::stages::{build, print, read, submit};
use testkit::TestBook;

const CHARGES: usize = 1000;
const ROUNDS: usize = 300;

fn measure(what: &str, mut work: impl FnMut()) -> u128 {
    let round = |()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let best = std::iter::repeat_n((), ROUNDS).map(round).min().expect("there are rounds");
    let nanos = best.as_nanos() / CHARGES as u128;
    println!("{what:44} {nanos:>5} ns");
    nanos
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let book = TestBook::new().await;
        let app = book.app();
        let mut accounts = Vec::new();
        for _ in 0..100 {
            let account = book.open_primary("Acme", 1_000_000).await;
            accounts.push(account.key);
        }
        let caller = app.access.token(&book.token).expect("the operator's token");
        let charge = |index: usize, keyed: bool| {
            let account = &accounts[index % accounts.len()];
            let key = if keyed {
                format!(r#","key":"b6e5b6a0-5b0e-4b60-9e47-{index:012}""#)
            } else {
                String::new()
            };
            format!(
                r#"{{"account":"{account}","amount":"0.0012","product":"tokens-{}","quantity":"{}"{key}}}"#,
                index % 8,
                100 + index
            )
        };
        for (name, keyed) in [("with keys", true), ("without keys", false)] {
            let lines: Vec<String> = (0..CHARGES).map(|index| charge(index, keyed)).collect();
            let ndjson = lines.join("\n").into_bytes();
            let array = format!("[{}]", lines.join(",")).into_bytes();
            println!("{CHARGES} charges of {} bytes, {name}", ndjson.len() / CHARGES);
            measure("parse an array", || drop(black_box(read(&array, false).expect("a batch"))));
            let parse = measure("parse lines", || drop(black_box(read(&ndjson, true).expect("a batch"))));
            let asked = read(&ndjson, true).expect("a batch");
            let requests = build(&app, caller, &asked).await.expect("all are known");
            let built = measure("build commands", || {
                // Ready at once: all names are known.
                let mut building = std::pin::pin!(build(&app, caller, &asked));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(building.as_mut().poll(&mut context).is_ready());
            });
            let charges = submit(&app, requests).await.expect("the book runs");
            let printed = measure("print outcomes", || drop(black_box(print(&app, &asked, &charges, true))));
            println!("{:44} {:>5} ns", "together", parse + built + printed);
        }
    });
}
