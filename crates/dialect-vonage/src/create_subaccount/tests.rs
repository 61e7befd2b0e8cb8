use axum::response::IntoResponse;
use testkit::TestBook;

use super::*;

#[tokio::test]
async fn an_account_left_without_its_secret_is_named() {
    let book = TestBook::new().await;
    let app = book.app();
    let partner = book.open_primary("Partner Ltd", 0).await;
    let child = book.open_child(&partner, "Tenant", Funding::Own).await;
    book.act(Act::SetClosed { account: child.index, closed: true }).await;
    let caller = app.access.account(&partner.key, &partner.secret).await.unwrap();
    let primary = Primary { caller, account: partner.index, key: partner.key };
    // What happens to the account between the two commands is out of our hands.
    let error = issue(&app, &primary, child.index).await.unwrap_err();
    assert!(format!("{error:?}").contains(&child.key), "{error:?}");
    assert_eq!(error.into_response().status(), 500);
}
