//! Every table of business behaviour, against the rules alone and against books.

use testkit::scenario::{self, BookWorld, ReopenedWorld};

/// In this order: the rules alone may rewrite what the others are compared with.
#[tokio::test]
async fn every_table() {
    scenario::check_rules().await;
    scenario::check_in::<BookWorld>().await;
    scenario::check_in::<ReopenedWorld>().await;
}
