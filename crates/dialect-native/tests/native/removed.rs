//! What an operator had removed: pages end there and say so, and questions about it name their field.

use engine::Id;
use ledger::Event;
use serde_json::json;
use testkit::{TestBook, TestServer};

use crate::fixture::{Fixture, problem};

/// The beginning of test time, and the hours behind it.
fn hour(hours: i64) -> String {
    format!("2025-03-01T{:02}:30:00Z", 9 + hours)
}

fn printed(id: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(id));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[tokio::test]
async fn what_was_removed_is_told_from_what_never_was() {
    let book = TestBook::on_files().await;
    let (busy, quiet) = (book.open_primary("Busy", 0).await, book.open_primary("Quiet", 0).await);
    book.top_up(&busy, "100").await;
    book.top_up(&quiet, "7").await;
    let Event::Charged(charged) = book.charge(&busy, "1").await.event else { panic!("it was a charge") };
    let id = Id::Entry { balance: charged.payer.balance, entry: charged.payer.entry };
    let charge = printed(book.seals().seal(id));
    book.fill_segments(&busy, 8).await;
    let before = book.digest().await;
    let book = book.pruned(testkit::START.plus_secs(5 * 3600));
    assert_eq!(book.digest().await, before);
    let server = TestServer::start(dialect_native::router(book.app())).await;
    let it = Fixture { book, server, post: None };
    let owner = it.owner();
    let at = |account: &str, rest: &str| format!("/api/v1/accounts/{account}{rest}");

    let get = async |path: &str| owner.get(&format!("/api/v1{path}")).await;
    let until = get(&format!("/accounts/{}/entries", quiet.key)).await.json()["removed_until"].clone();
    let until = until.as_str().unwrap().to_owned();
    assert!(*until > *hour(2) && *until < *hour(5), "{until}");
    for (account, query, data, is_cut) in [
        (&quiet, "", 0, true),
        (&quiet, "?movements=true", 0, true),
        (&quiet, &format!("?to={}", hour(1)), 0, true),
        (&quiet, &format!("?from={}", hour(6)), 0, false),
        (&busy, "?movements=true", 0, true),
        (&busy, "?limit=10", 10, false),
        (&busy, &format!("?from={}&limit=10", hour(6)), 10, false),
        (&busy, &format!("?to={}", hour(1)), 0, true),
    ] {
        let page = owner.get(&at(&account.key, &format!("/entries{query}"))).await.json();
        let found = (page["data"].as_array().unwrap().len(), page.get("removed_until").is_some());
        assert_eq!(found, (data, is_cut), "{query}: {page}");
    }

    for (account, hours, posted) in
        [(&quiet, 5, "7"), (&quiet, 7, "7"), (&busy, 8, "98.999992"), (&busy, 7, "98.999993")]
    {
        let path = at(&account.key, &format!("/balance?as_of={}", hour(hours)));
        assert_eq!(owner.get(&path).await.json()["posted"], json!(posted), "after {hours} hours");
    }
    let early = owner.get(&at(&quiet.key, &format!("/balance?as_of={}", hour(1)))).await;
    assert_eq!(problem(&early), (410, "history-removed".to_owned()));
    assert_eq!(early.json()["field"], "as_of");
    assert_eq!(early.json()["detail"], format!("what happened up to {until} was removed"));

    let gone = get(&format!("/entries/{charge}")).await;
    assert_eq!(problem(&gone), (410, "history-removed".to_owned()));
    let refund = owner.post(&format!("/api/v1/charges/{charge}/refunds"), "{}").await;
    assert_eq!(problem(&refund), (410, "history-removed".to_owned()));
    assert_eq!(refund.json()["field"], "charge");
    assert!(refund.json()["detail"].as_str().unwrap().contains("as a usage credit"), "{refund:?}");
}
