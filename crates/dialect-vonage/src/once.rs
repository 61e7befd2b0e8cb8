//! One act of a request. Clients of this API send no key of their own: a request sent twice is done twice. Only what a
//! node may have to send again to another has a name, and is done once by it.

use access::{Caller, Secret};
use axum::http::Method;
use dialect::{App, Arrival, Once};
use engine::{Outcome, Request, Unavailable};
use ledger::{Act, Command};

/// Whether a request may be sent again under the same name: all that change something, but what is done to
/// secrets, which are told apart from others before they are changed.
pub fn is_done_once(method: &Method, path: &str) -> bool {
    let is_reload = path.trim_end_matches('/') == "/account/top-up";
    let is_ours = path.starts_with("/accounts/") || path.starts_with("/account/");
    is_reload || (is_ours && !method.is_safe() && !path.contains("/secrets"))
}

pub(crate) async fn submit(app: &App, caller: &Caller, act: Act) -> Result<Outcome, Unavailable> {
    let arrival = Arrival::current();
    let key = arrival.once.as_ref().map(|Once(name)| {
        // Nobody else has this name, so it stands for one content.
        (caller.key(&app.engine, name), access::content(&app.engine, &[b"once"]))
    });
    let request = Request { command: Command { actor: caller.actor(), act }, key };
    app.engine.submit_from(request, Some(arrival.into())).await
}

/// The secret that the request makes, the same however often it is sent.
pub(crate) fn secret(app: &App) -> Secret {
    match Arrival::current().once {
        Some(Once(name)) => Secret::derived(app.engine.seals(), &name),
        None => Secret::new_secret(app.engine.entropy()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_once_may_be_sent_again() {
        let cases = [
            ("POST", "/accounts/a/subaccounts", true),
            ("PATCH", "/accounts/a/subaccounts/b", true),
            ("POST", "/accounts/a/balance-transfers/", true),
            ("GET", "/accounts/a/balance-transfers", false),
            ("GET", "/account/top-up", true),
            ("POST", "/account/settings", true),
            ("GET", "/account/get-balance", false),
            ("POST", "/accounts/a/secrets", false),
            ("DELETE", "/accounts/a/secrets/1", false),
            ("POST", "/api/v1/accounts", false),
        ];
        for (method, path, expected) in cases {
            assert_eq!(is_done_once(&method.parse().unwrap(), path), expected, "{method} {path}");
        }
    }
}
