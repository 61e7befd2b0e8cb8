use axum::response::IntoResponse;
use engine::MasterKey;

use super::*;

#[test]
fn an_account_left_without_its_secret_is_named() {
    let seals = Seals::new(&MasterKey([0; 32]));
    let account = AccountIndex::new(7);
    let error = not_opened(&seals, NotOpened::WithoutSecret(account), "00000000");
    assert!(format!("{error:?}").contains(&key_of(&seals, account)), "{error:?}");
    assert_eq!(error.into_response().status(), 500);
}
