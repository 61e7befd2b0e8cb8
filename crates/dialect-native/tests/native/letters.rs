//! Letters wait in the book until it is known what became of them.

use std::path::Path;
use std::sync::atomic::Ordering;

use dialect_native::Postman;
use serde_json::{Value, json};

use crate::fixture::Fixture;

const INVITATIONS: &str = "/api/v1/organizations/default/invitations";

async fn invite(it: &Fixture, email: &str) -> Value {
    let body = json!({"email": email, "role": "developer"}).to_string();
    let invited = it.owner().post(INVITATIONS, &body).await;
    assert_eq!((invited.status, invited.json().get("link")), (201, None), "{invited:?}");
    invited.json()
}

fn sent_to(folder: &Path) -> Vec<String> {
    let letters = std::fs::read_dir(folder).unwrap();
    let letters = letters.map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap());
    let mut to: Vec<_> = letters
        .map(|text| text.lines().find_map(|line| line.strip_prefix("To: ").map(str::to_owned)).unwrap())
        .collect();
    to.sort();
    to
}

/// Sent, tried again, given up, waiting.
fn counted(app: &dialect::App) -> [u64; 4] {
    let it = app.mailer.counters();
    let [sent, retried, failed] =
        [&it.sent, &it.retried, &it.failed].map(|counter| counter.load(Ordering::Relaxed));
    [sent, retried, failed, app.mailer.waiting().letters]
}

#[tokio::test]
async fn a_letter_that_one_node_did_not_get_to_is_sent_by_the_next() {
    let (gone, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let it = Fixture::with_mail(gone.path()).await;
    std::fs::remove_dir_all(gone.path()).unwrap();
    invite(&it, "ann@acme.example").await;
    it.post().await;
    invite(&it, "bob@acme.example").await;
    let Fixture { book, server, post } = it;
    assert_eq!(counted(&post.unwrap()), [0, 1, 0, 1]);
    let digest = book.digest().await;
    drop(server);
    let book = book.reopened();
    assert_eq!(book.digest().await, digest);
    let app = Fixture::app_with_mail(&book, folder.path());
    let mut postman = Postman::default();
    assert_eq!(postman.round(&app).await.unwrap(), None, "nothing waits");
    let both = ["ann@acme.example", "bob@acme.example"];
    assert_eq!(sent_to(folder.path()), both);
    postman.round(&app).await.unwrap();
    Postman::default().round(&app).await.unwrap();
    assert_eq!((sent_to(folder.path()), counted(&app)), (both.map(str::to_owned).to_vec(), [2, 0, 0, 0]));
}

#[tokio::test]
async fn a_letter_that_nobody_takes_is_tried_for_a_day_and_then_seen_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let it = Fixture::with_mail(folder.path()).await;
    let app = it.post.clone().unwrap();
    std::fs::remove_dir_all(folder.path()).unwrap();
    let invited = invite(&it, "ann@acme.example").await;
    let revoked = invite(&it, "eve@acme.example").await;
    let path = format!("/api/v1/invitations/{}", revoked["id"].as_str().unwrap());
    assert_eq!(it.owner().send("DELETE", &path, "").await.status, 204);
    let mut postman = Postman::default();
    let mut tries = 0;
    while let Some(secs) = postman.round(&app).await.unwrap() {
        assert!((1..=900).contains(&secs), "{secs}");
        // Nothing is tried before it is due.
        assert_eq!(postman.round(&app).await.unwrap(), Some(secs));
        it.book.clock.advance_secs(secs as i64);
        tries += 1;
        assert!(tries < 200, "it ends");
    }
    assert!(tries > 90, "{tries}");
    assert_eq!(counted(&app), [0, tries, 1, 0]);
    let log = it.owner().get("/api/v1/organizations/default/audit?acts=fail-letter").await.json();
    let entries = log["data"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{log}");
    assert!(entries[0].to_string().contains(invited["id"].as_str().unwrap()), "{log}");
    // What is asked for later is not held up by it.
    std::fs::create_dir_all(folder.path()).unwrap();
    invite(&it, "bob@acme.example").await;
    it.post().await;
    assert_eq!(sent_to(folder.path()), ["bob@acme.example"]);
}
