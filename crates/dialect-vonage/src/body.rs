//! What answers are made of. Members stand in the order in which the vendor sends them.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use dialect::{Instant, NumberAmount};
use domain::Nanos;
use engine::Seals;
use serde::Serialize;

use crate::caller::Primary;
use crate::error::VonageError;
use crate::view::{Own, View, key_of};

/// A success: JSON by exactly that name, because some clients read nothing else.
pub(crate) struct Answer<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let json = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, json)], body).into_response()
            }
            Err(error) => VonageError::internal(&error.to_string()).into_response(),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Subaccount {
    api_key: String,
    primary_account_api_key: String,
    use_primary_account_balance: bool,
    name: String,
    balance: Option<NumberAmount>,
    credit_limit: Option<NumberAmount>,
    suspended: bool,
    created_at: Instant<3>,
}

impl Subaccount {
    pub(crate) fn new(seals: &Seals, primary: &Primary, view: View) -> Self {
        Self {
            api_key: key_of(seals, view.account),
            primary_account_api_key: primary.key.clone(),
            use_primary_account_balance: view.is_shared(),
            name: view.name,
            balance: view.own.map(balance),
            credit_limit: view.own.map(credit_limit),
            suspended: view.suspended,
            created_at: Instant(view.opened_at),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct PrimaryAccount {
    api_key: String,
    name: String,
    balance: NumberAmount,
    credit_limit: NumberAmount,
    suspended: bool,
    created_at: Instant<3>,
}

impl PrimaryAccount {
    pub(crate) fn new(seals: &Seals, view: View) -> Self {
        let own = view.own.unwrap_or_default();
        Self {
            api_key: key_of(seals, view.account),
            name: view.name,
            balance: balance(own),
            credit_limit: credit_limit(own),
            suspended: view.suspended,
            created_at: Instant(view.opened_at),
        }
    }
}

pub(crate) fn balance(own: Own) -> NumberAmount {
    NumberAmount(own.posted)
}

/// The lowest value the balance may reach: theirs is zero or negative, ours zero or positive.
pub(crate) fn credit_limit(own: Own) -> NumberAmount {
    NumberAmount(Nanos::new(-own.credit.get()))
}

#[derive(Serialize)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    this: Link,
}

#[derive(Serialize)]
struct Link {
    href: String,
}

impl Links {
    pub(crate) fn to(href: String) -> Self {
        Self { this: Link { href } }
    }
}
