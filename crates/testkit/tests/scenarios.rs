//! Every table of business behaviour, against the rules alone and against a book.

use std::path::Path;

use testkit::scenario;

async fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios").join(name);
    scenario::check(&path).await;
}

#[tokio::test]
async fn partner_month() {
    check("partner_month.txt").await;
}

#[tokio::test]
async fn prepaid_partner() {
    check("prepaid_partner.txt").await;
}

#[tokio::test]
async fn family() {
    check("family.txt").await;
}
