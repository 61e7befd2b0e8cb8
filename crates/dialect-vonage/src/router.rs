//! Which path is which operation.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use dialect::App;

use crate::error::VonageError;
use crate::{
    create_subaccount, get_balance, get_subaccount, list_balance_transfers, list_credit_transfers,
    list_subaccounts, modify_subaccount, transfer_balance, transfer_credit, transfer_number,
};

/// All operations, for one book.
pub fn router(app: Arc<App>) -> Router {
    let subaccounts = get(list_subaccounts::handle).post(create_subaccount::handle);
    let subaccount = get(get_subaccount::handle).patch(modify_subaccount::handle);
    let credit = get(list_credit_transfers::handle).post(transfer_credit::handle);
    let balance = get(list_balance_transfers::handle).post(transfer_balance::handle);
    let accounts = Router::new().fallback(unknown_path);
    let accounts = serve(accounts, "/{api_key}/subaccounts", subaccounts);
    let accounts = serve(accounts, "/{api_key}/subaccounts/{subaccount_key}", subaccount);
    let accounts = serve(accounts, "/{api_key}/credit-transfers", credit);
    let accounts = serve(accounts, "/{api_key}/balance-transfers", balance);
    let accounts = serve(accounts, "/{api_key}/transfer-number", post(transfer_number::handle));
    let account = Router::new().fallback(unknown_path);
    let account = serve(account, "/get-balance", get(get_balance::handle));
    Router::new().nest("/accounts", accounts).nest("/account", account).with_state(app)
}

/// A path with and without a slash at its end: clients send both.
fn serve(router: Router<Arc<App>>, path: &str, methods: MethodRouter<Arc<App>>) -> Router<Arc<App>> {
    let methods = methods.fallback(wrong_verb);
    router.route(path, methods.clone()).route(&format!("{path}/"), methods)
}

async fn wrong_verb(method: Method) -> VonageError {
    VonageError::wrong_verb(&method)
}

async fn unknown_path() -> VonageError {
    VonageError::unknown_path()
}
