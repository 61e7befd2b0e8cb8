//! Which path is which operation.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};
use dialect::App;

use crate::error::VonageError;
use crate::{
    create_secret, create_subaccount, get_balance, get_secret, get_subaccount, list_balance_transfers,
    list_credit_transfers, list_secrets, list_subaccounts, modify_subaccount, revoke_secret, settings,
    top_up, transfer_balance, transfer_credit, transfer_number,
};

/// All operations, for one book.
pub fn router(app: Arc<App>) -> Router {
    let subaccounts = get(list_subaccounts::handle).post(create_subaccount::handle);
    let subaccount = get(get_subaccount::handle).patch(modify_subaccount::handle);
    let credit = get(list_credit_transfers::handle).post(transfer_credit::handle);
    let balance = get(list_balance_transfers::handle).post(transfer_balance::handle);
    let secrets = get(list_secrets::handle).post(create_secret::handle);
    let secret = get(get_secret::handle).delete(revoke_secret::handle);
    let accounts = [
        ("/{api_key}/subaccounts", subaccounts),
        ("/{api_key}/subaccounts/{subaccount_key}", subaccount),
        ("/{api_key}/credit-transfers", credit),
        ("/{api_key}/balance-transfers", balance),
        ("/{api_key}/transfer-number", post(transfer_number::handle)),
        ("/{api_key}/secrets", secrets),
        ("/{api_key}/secrets/{secret_id}", secret),
    ];
    let accounts = accounts.into_iter().fold(Router::new(), |router, (path, methods)| {
        serve(router, path, methods.fallback(async |method: Method| VonageError::wrong_verb(&method)))
    });
    let account = [
        ("/get-balance", get(get_balance::handle)),
        ("/get-balance/{api_key}/{api_secret}", get(get_balance::handle)),
        ("/top-up", get(top_up::handle).post(top_up::handle)),
        ("/settings", post(settings::handle)),
    ];
    let account = account.into_iter().fold(Router::new(), |router, (path, methods)| {
        let methods = methods.fallback(async |method: Method| VonageError::wrong_verb(&method).with_codes());
        serve(router, path, methods)
    });
    Router::new()
        .nest("/accounts", accounts.fallback(async || VonageError::unknown_path()))
        .nest("/account", account.fallback(async || VonageError::unknown_path().with_codes()))
        .with_state(app)
}

/// A path with and without a slash at its end: clients send both.
fn serve(router: Router<Arc<App>>, path: &str, methods: MethodRouter<Arc<App>>) -> Router<Arc<App>> {
    router.route(path, methods.clone()).route(&format!("{path}/"), methods)
}
