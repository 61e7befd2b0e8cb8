//! Errors in the vendor's words. `type`, `title` and `detail` are constants of their protocol.
//!
//! What the books refuse is put into these words in `refusal.rs`.

mod refusal;

pub use refusal::unavailable;

use std::borrow::Cow;

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::{RequestId, Undecided};
use serde::Serialize;

macro_rules! kinds {
    ($($name:ident $path:literal $title:literal;)*) => {$(
        const $name: Kind = Kind {
            uri: concat!("https://developer.nexmo.com/api-errors", $path),
            title: $title,
        };
    )*};
}

/// A `type`, and the title that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    uri: &'static str,
    title: &'static str,
}

kinds! {
    INVALID_JSON "#invalid-json" "Malformed JSON";
    UNAUTHORIZED "#unauthorized" "Invalid credentials supplied";
    UNPROVISIONED "#unprovisioned" "Authorisation error";
    TRANSFER_AMOUNT "/subaccounts#valid-transfers" "Transfer amount is invalid";
    TRANSFER "/subaccounts#valid-transfers" "Invalid Transfer";
    PROVISIONING "/subaccounts#provisioning" "Provisioning Error";
    SUSPENDED "#account-suspended" "Account Suspended";
    NUMBER_TRANSFER "/subaccounts#invalid-number-transfer" "Invalid Number Transfer";
    MISSING_NUMBER "/subaccounts#missing-number-transfer" "Invalid Number Transfer";
    NUMBER_CONFLICT "/subaccounts#transfer-conflict" "Transfer Conflict";
    INVALID_API_KEY "#invalid-api-key" "Invalid API Key";
    NOT_FOUND "#not-found" "Not Found";
    WRONG_VERB "#wrong-verb" "Request method not allowed";
    VALIDATION "/subaccounts#validation" "Bad Request";
    SECRET_VALIDATION "/account/secret-management#validation" "Bad Request";
    EXCESS_SECRET "/account/secret-management#add-excess-secret" "Secret Addition Forbidden";
    LAST_SECRET "/account/secret-management#delete-last-secret" "Secret Deletion Forbidden";
    INVALID_ID "#invalid-id" "Invalid ID";
    RATE_LIMITED "#rate-limited" "Rate Limited";
    INTERNAL "#internal-error" "Internal Error";
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VonageError {
    status: StatusCode,
    kind: Kind,
    detail: Cow<'static, str>,
    invalid_parameters: Vec<InvalidParameter>,
    /// Another node may be asked.
    undecided: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct InvalidParameter {
    name: &'static str,
    reason: Cow<'static, str>,
}

impl InvalidParameter {
    pub(crate) fn new(name: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { name, reason: reason.into() }
    }
}

impl VonageError {
    fn new(status: StatusCode, kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let (detail, invalid_parameters) = (detail.into(), Vec::new());
        Self { status, kind, detail, invalid_parameters, undecided: false }
    }

    fn forbidden(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, kind, detail)
    }

    pub(crate) fn malformed_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_JSON, "Malformed JSON payload.")
    }

    pub(crate) fn invalid(invalid_parameters: Vec<InvalidParameter>) -> Self {
        let detail = "The request failed due to validation errors";
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, VALIDATION, detail);
        Self { invalid_parameters, ..error }
    }

    pub(crate) fn invalid_one(name: &'static str, reason: &'static str) -> Self {
        Self::invalid(vec![InvalidParameter::new(name, reason)])
    }

    pub(crate) fn same_accounts() -> Self {
        Self::invalid_one("from", "Invalid accounts. From and To accounts should be different")
    }

    pub(crate) fn invalid_api_key(key: &str) -> Self {
        let detail = format!("API key '{key}' does not exist, or you do not have access");
        Self::new(StatusCode::NOT_FOUND, INVALID_API_KEY, detail)
    }

    pub(crate) fn unprovisioned(caller: &str) -> Self {
        let detail = format!("Account {caller} is not provisioned to access Subaccount Provisioning API");
        Self::forbidden(UNPROVISIONED, detail)
    }

    pub(crate) fn out_of_scope() -> Self {
        Self::forbidden(UNPROVISIONED, "These credentials may not do that")
    }

    pub(crate) fn not_primary_and_subaccount() -> Self {
        let detail = "Transfers are only allowed between a primary account and its subaccount";
        Self::forbidden(TRANSFER, detail)
    }

    pub(crate) fn shares_balance(key: &str) -> Self {
        let detail = format!(
            "Account {key} shares the balance of its primary account: give it an individual balance first"
        );
        Self::forbidden(TRANSFER, detail)
    }

    pub(crate) fn suspended(key: &str) -> Self {
        Self::forbidden(SUSPENDED, format!("Account {key} is suspended"))
    }

    pub(crate) fn unrelated_for_number(number: &str, from: &str, to: &str) -> Self {
        let detail = format!(
            "Failed to perform transfer number {number} from account {from} to {to} - The relationship \
             between these two accounts does not allow for number transfer"
        );
        Self::forbidden(NUMBER_TRANSFER, detail)
    }

    pub(crate) fn banned_for_number() -> Self {
        Self::forbidden(NUMBER_TRANSFER, "One of the accounts involved in the transfer is banned")
    }

    pub(crate) fn missing_number(number: &str, from: &str, to: &str) -> Self {
        let detail =
            format!("Could not transfer number {number} from account {from} to {to} - ShortCode not found");
        Self::new(StatusCode::NOT_FOUND, MISSING_NUMBER, detail)
    }

    pub(crate) fn number_not_owned(number: &str, from: &str, to: &str) -> Self {
        let detail = format!(
            "Could not transfer number {number} from account {from} to {to} - ShortCode is not owned by from \
             account"
        );
        Self::forbidden(NUMBER_TRANSFER, detail)
    }

    pub(crate) fn number_owned_already(number: &str, from: &str, to: &str) -> Self {
        let detail = format!(
            "Could not transfer number {number} from account {from} to {to} - ShortCode is already owned by \
             requesting account"
        );
        Self::new(StatusCode::CONFLICT, NUMBER_CONFLICT, detail)
    }

    pub(crate) fn bad_secret(reason: &'static str) -> Self {
        let detail = "The request failed due to validation errors";
        let error = Self::new(StatusCode::BAD_REQUEST, SECRET_VALIDATION, detail);
        Self { invalid_parameters: vec![InvalidParameter::new("secret", reason)], ..error }
    }

    pub(crate) fn too_many_secrets(max: u32) -> Self {
        let detail = format!("Account reached maximum number [{max}] of allowed secrets");
        Self::forbidden(EXCESS_SECRET, detail)
    }

    pub(crate) fn last_secret() -> Self {
        let detail = "Can not delete the last secret. The account must always have at least 1 secret active \
                      at any time";
        Self::forbidden(LAST_SECRET, detail)
    }

    pub(crate) fn unknown_secret(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, INVALID_ID, format!("ID '{id}' could not be found"))
    }

    pub(crate) fn wrong_verb(method: &Method) -> Self {
        let detail = format!("Request method '{method}' not supported");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, WRONG_VERB, detail)
    }

    pub(crate) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, "There is nothing at this path")
    }

    /// Ours to repair, never the caller's. `cause` is for the log alone.
    pub(crate) fn internal(cause: &str) -> Self {
        tracing::error!(cause, "a request of the Subaccounts API failed");
        let detail = "An internal error occurred. Please try again shortly";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, detail)
    }

    fn busy() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, RATE_LIMITED, "Too many requests are waiting")
    }

    /// The same refusal as the Account API says it: with a pair of codes besides.
    pub(crate) fn with_codes(&self) -> Response {
        let label = match self.status {
            StatusCode::UNAUTHORIZED => "authentication failed",
            _ => &self.detail,
        };
        let codes = Codes { code: self.status.as_str(), label };
        self.answer(Some(codes))
    }

    /// The same refusal as the Secrets API says it.
    pub(crate) fn of_secrets(mut self) -> Response {
        if self.kind == UNAUTHORIZED {
            // There it ends in a full stop.
            self.detail.to_mut().push('.');
        }
        let mut response = self.answer(None);
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }

    fn answer(&self, codes: Option<Codes<'_>>) -> Response {
        let body = Wire {
            kind: self.kind.uri,
            title: self.kind.title,
            detail: &self.detail,
            instance: RequestId::current().unwrap_or_else(RequestId::random),
            invalid_parameters: &self.invalid_parameters,
            codes,
        };
        let body = serde_json::to_vec(&body).expect("an error is texts");
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.undecided {
            response.extensions_mut().insert(Undecided);
        }
        response
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    detail: &'a str,
    instance: RequestId,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    invalid_parameters: &'a [InvalidParameter],
    #[serde(flatten)]
    codes: Option<Codes<'a>>,
}

#[derive(Serialize)]
struct Codes<'a> {
    #[serde(rename = "error-code")]
    code: &'a str,
    #[serde(rename = "error-code-label")]
    label: &'a str,
}

impl IntoResponse for VonageError {
    fn into_response(self) -> Response {
        self.answer(None)
    }
}

#[cfg(test)]
mod tests;
