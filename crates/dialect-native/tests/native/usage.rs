//! Reports of usage: every sum against a tally of the test's own, however the report is cut.

use serde_json::{Value, json};
use testkit::{Client, TestBook, TestServer};

use crate::fixture::{Fixture, problem};

const DAY: i64 = 24 * 3600;

/// A partner whose children share its money, one with money of its own, and a stranger; four days of it.
struct Story {
    it: Fixture,
    partner: testkit::TestAccount,
    child: testkit::TestAccount,
    stranger: testkit::TestAccount,
}

impl Story {
    async fn new() -> Self {
        let it = Fixture::new().await;
        let (partner, stranger) = (it.funded("1000").await, it.funded("1000").await);
        let child = it.book.open_child(&partner, "Child", ledger::Funding::Shared).await;
        let story = Self { it, partner, child, stranger };
        let first =
            story.charge(&story.partner.key, r#"{"amount":"1.5","product":"tokens","quantity":"3"}"#).await;
        story.charge(&story.child.key, r#"{"amount":"2","product":"tokens"}"#).await;
        story.charge(&story.stranger.key, r#"{"amount":"4"}"#).await;
        story.it.book.clock.advance_secs(DAY);
        story.charge(&story.child.key, r#"{"amount":"0.000000001","product":"images"}"#).await;
        story.post(&format!("/charges/{first}/refunds"), r#"{"amount":"0.5"}"#).await;
        story.it.book.clock.advance_secs(2 * DAY);
        let hold = story
            .post(&format!("/accounts/{}/holds", story.child.key), r#"{"amount":"9","product":"images"}"#)
            .await;
        let hold = hold["id"].as_str().expect("a hold has an id");
        story.post(&format!("/holds/{hold}/capture"), r#"{"amount":"7"}"#).await;
        story
    }

    async fn post(&self, path: &str, body: &str) -> Value {
        let answer = self.it.owner().post(&format!("/api/v1{path}"), body).await;
        assert!(answer.status < 300, "{answer:?}");
        answer.json()
    }

    async fn charge(&self, account: &str, body: &str) -> String {
        self.post(&format!("/accounts/{account}/charges"), body).await["id"]
            .as_str()
            .expect("a charge has an id")
            .to_owned()
    }
}

/// The lines of a report as one row of words each; ids as names.
async fn report(client: &Client, query: &str) -> Vec<String> {
    let answer = client.get(&format!("/api/v1/usage{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    let word = |line: &Value, member: &str| line[member].as_str().map(str::to_owned);
    let told = |line: &Value| {
        let members = ["day", "account_name", "product", "quantity", "cost", "refunded"];
        let mut words: Vec<_> = members.iter().filter_map(|member| word(line, member)).collect();
        words.push(line["calls"].to_string());
        words.join(" ")
    };
    answer.json()["data"].as_array().expect("a report has lines").iter().map(told).collect()
}

#[tokio::test]
async fn reports_are_exact_whoever_asks_and_however_they_are_cut() {
    let story = Story::new().await;
    let (owner, partner, child) =
        (story.it.owner(), story.it.buyer(&story.partner), story.it.buyer(&story.child));
    let family = [
        "2025-03-01 Acme 3 1.5 0 1",
        "2025-03-01 Child 0 2 0 1",
        "2025-03-02 Acme 0 0 0.5 0",
        "2025-03-02 Child 0 0.000000001 0 1",
        "2025-03-04 Child 0 7 0 1",
    ];
    let all = [&family[..1], &["2025-03-01 Child 0 2 0 1", "2025-03-01 Acme 0 4 0 1"], &family[2..]].concat();
    assert_eq!(report(&partner, "").await, family, "its own and below it");
    assert_eq!(report(&owner, &format!("?account={}", story.partner.key)).await, family);
    let mut found = report(&owner, "").await;
    found[1..3].sort_unstable();
    let mut expected = all.clone();
    expected[1..3].sort_unstable();
    assert_eq!(found, expected, "read through, day by day");
    assert_eq!(report(&child, "?by=product").await, ["tokens 0 2 0 1", "images 0 7.000000001 0 2"]);
    assert_eq!(
        report(&owner, &format!("?by=product,day&account={}", story.partner.key)).await,
        [
            "2025-03-01 tokens 3 3.5 0 2",
            "2025-03-02 tokens 0 0 0.5 0",
            "2025-03-02 images 0 0.000000001 0 1",
            "2025-03-04 images 0 7 0 1",
        ]
    );
    assert_eq!(report(&owner, "?from=2025-03-02&to=2025-03-03&by=account").await.len(), 2);
    assert_eq!(report(&owner, "?from=2025-02-01&to=2025-02-28").await, [""; 0]);
    assert_eq!(report(&owner, "?by=credential&from=2025-03-01").await, ["3 14.500000001 0.5 5"]);
    let csv = owner.get("/api/v1/usage?format=csv&by=day&to=2025-03-02").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(
        csv.body,
        "day,account,account_name,currency,product,credential,credential_label,calls,quantity,cost,refunded,refused\r\n\
         2025-03-01,,,EUR,,,,3,3,7.5,0,0\r\n2025-03-02,,,EUR,,,,1,0,0.000000001,0.5,0\r\n"
    );
}

#[tokio::test]
async fn what_was_refused_stands_beside_what_was_used() {
    let story = Story::new().await;
    let (owner, child) = (story.it.owner(), story.it.buyer(&story.child));
    let refuse = async |client: &Client, account: &str, what: &str, body: &str, status: u16| {
        let answer = client.post(&format!("/api/v1/accounts/{account}/{what}"), body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    };
    let much = r#"{"amount":"5000","product":"tokens"}"#;
    for _ in 0..3 {
        refuse(&child, &story.child.key, "charges", much, 402).await;
    }
    refuse(&owner, &story.child.key, "holds", r#"{"amount":"5000"}"#, 402).await;
    // To somebody who does not see the account: nobody's.
    refuse(&story.it.buyer(&story.stranger), &story.child.key, "charges", much, 404).await;
    let refused = async |client: &Client, query: &str| {
        let report = client.get(&format!("/api/v1/usage{query}")).await.json();
        let lines = report["data"].as_array().unwrap().clone();
        let told = |line: &Value| {
            let of = line["product"].as_str().or(line["day"].as_str()).unwrap_or_default().to_owned();
            (of, line["calls"].as_u64().unwrap(), line["refused"].as_u64().unwrap())
        };
        lines.iter().map(told).filter(|(.., refused)| *refused > 0).collect::<Vec<_>>()
    };
    let day = |refused| ("2025-03-04".to_owned(), 1, refused);
    assert_eq!(refused(&owner, "?by=day").await, [day(4)]);
    assert_eq!(refused(&child, "?by=day").await, [day(4)]);
    assert_eq!(refused(&child, "?by=product").await, [(String::new(), 0, 1), ("tokens".to_owned(), 1, 3)]);
    // The owner's token captured and was refused a hold; the child's own secret was refused the charges.
    let own = ("2025-03-04".to_owned(), 0, 3);
    assert_eq!(refused(&child, "?by=credential,day").await, [day(1), own]);
    assert_eq!(refused(&story.it.buyer(&story.stranger), "?by=day").await, []);
    assert_eq!(refused(&owner, "?by=day&to=2025-03-03").await, []);
    let table = owner.get("/api/v1/usage?format=csv&by=day&from=2025-03-04").await;
    assert!(table.body.ends_with("2025-03-04,,,EUR,,,,1,0,7,0,4\r\n"), "{}", table.body);
    assert!(table.header("refusals-counted-since").is_some(), "{table:?}");
    let report = owner.get("/api/v1/usage").await.json();
    assert!(report["refusals_counted_since"].is_string() && report["refusals_uncounted"] == 0, "{report}");
}

#[tokio::test]
async fn names_of_customers_are_no_formulas() {
    let it = Fixture::new().await;
    let account = it.book.open_primary("=SUM(A1), \"x\"", 5).await;
    it.book.charge(&account, "1").await;
    let csv = it.owner().get("/api/v1/usage?format=csv&by=account").await;
    assert!(csv.body.contains(r#","'=SUM(A1), ""x""",EUR,"#), "{}", csv.body);
}

#[tokio::test]
async fn questions_that_make_no_sense_name_their_parameter() {
    let story = Story::new().await;
    let owner = story.it.owner();
    for (query, kind, field) in [
        ("?from=yesterday", "invalid-parameter", "from"),
        ("?to=2025-02-30", "invalid-parameter", "to"),
        ("?from=2025-03-02&to=2025-03-01", "invalid-parameter", "to"),
        ("?from=2020-01-01&to=2025-03-01", "invalid-parameter", "to"),
        ("?by=hour", "invalid-parameter", "by"),
        ("?by=", "invalid-parameter", "by"),
        ("?format=xml", "invalid-parameter", "format"),
        ("?days=3", "invalid-parameter", "days"),
    ] {
        let answer = owner.get(&format!("/api/v1/usage{query}")).await;
        assert_eq!(problem(&answer).1, kind, "{query}: {answer:?}");
        assert_eq!(answer.json()["field"], json!(field), "{query}: {answer:?}");
    }
    let foreign =
        story.it.buyer(&story.child).get(&format!("/api/v1/usage?account={}", story.partner.key)).await;
    assert_eq!(problem(&foreign), (404, "account-not-found".to_owned()));
}

#[tokio::test]
async fn what_was_removed_is_not_reported_as_nothing() {
    let book = TestBook::on_files().await;
    let busy = book.open_primary("Busy", 100).await;
    book.fill_segments(&busy, 8).await;
    let book = book.pruned(testkit::START.plus_secs(5 * 3600));
    book.clock.advance_secs(DAY);
    book.charge(&busy, "1").await;
    let server = TestServer::start(dialect_native::router(book.app())).await;
    let it = Fixture { book, server, post: None };
    for client in [it.owner(), it.buyer(&busy)] {
        let gone = client.get("/api/v1/usage").await;
        assert_eq!(problem(&gone), (410, "history-removed".to_owned()), "{gone:?}");
        assert_eq!(gone.json()["field"], json!("from"));
        assert_eq!(report(&client, "?from=2025-03-02").await, ["2025-03-02 Busy 0 1 0 1"]);
    }
}
