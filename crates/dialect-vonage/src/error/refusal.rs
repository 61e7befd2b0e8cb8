//! What the books, the journal and the door refuse, put into the vendor's words.

use access::AccessError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dialect::{BodyError, Fraction, print_instant};
use engine::{HistoryError, Refusal, Seals, Unavailable};
use ledger::{AccountIndex, Rejection};

use super::{
    INTERNAL, InvalidParameter, NUMBER_TRANSFER, PROVISIONING, SUSPENDED, TRANSFER, TRANSFER_AMOUNT,
    UNAUTHORIZED, UNPROVISIONED, VALIDATION, VonageError,
};
use crate::choices::INSUFFICIENT_BALANCE;
use crate::view::key_of;

impl VonageError {
    /// A refusal of the books. `about` is the key that the request was about, for refusals that name none.
    pub(crate) fn rejected(seals: &Seals, rejection: &Rejection, about: &str) -> Self {
        use Rejection as R;
        let amount = |reason| Self::invalid_one("amount", reason);
        let key = |account: &AccountIndex| key_of(seals, *account);
        match rejection {
            R::CredentialRevoked => AccessError::Unauthenticated.into(),
            R::SellerOnly => Self::forbidden(UNPROVISIONED, "Only the operator may do that"),
            R::AccountNotFound | R::OrganizationNotFound | R::CredentialNotFound => {
                Self::invalid_api_key(about)
            }
            R::OutOfScope => Self::out_of_scope(),
            R::ScopeExceeded { .. } => {
                Self::forbidden(UNPROVISIONED, "These credentials may not spend so much")
            }
            R::MayNotOpenChildren | R::TooDeep | R::TooManyAccounts { .. } => Self::unprovisioned(about),

            R::AccountSuspended { account } => Self::suspended(&key(account)),
            R::AccountFrozen { account } => {
                Self::forbidden(SUSPENDED, format!("Account {} is suspended by the operator", key(account)))
            }
            R::AccountClosed { account } => {
                Self::forbidden(SUSPENDED, format!("Account {} is closed", key(account)))
            }

            R::AmountNotPositive | R::AmountNegative => amount(crate::members::NOT_POSITIVE),
            R::AmountOutOfRange => amount("The amount is out of range"),
            R::CurrencyMismatch { .. } | R::CurrencyUnknown { .. } => {
                Self::forbidden(TRANSFER, "The accounts are kept in different currencies")
            }

            R::InsufficientFunds { .. } => Self::forbidden(TRANSFER_AMOUNT, INSUFFICIENT_BALANCE),
            R::InsufficientCredit { .. } => Self::forbidden(TRANSFER_AMOUNT, "Insufficient Credit"),

            R::SameAccount => Self::same_accounts(),
            R::FundingShared { account } => Self::shares_balance(&key(account)),
            R::NotAChild | R::NotOneFamily => Self::not_primary_and_subaccount(),
            R::TooManyNumbers { max } => Self::forbidden(
                NUMBER_TRANSFER,
                format!("Account {about} reached maximum number [{max}] of numbers"),
            ),
            R::TooManyCredentials { live_max } => Self::forbidden(
                PROVISIONING,
                format!("Account {about} reached maximum number [{live_max}] of allowed secrets"),
            ),

            // No operation of this API asks for anything that could be refused so.
            R::LastCredential
            | R::CredentialExpiryPast
            | R::NameTaken
            | R::HandleTaken
            | R::UserExists
            | R::People(_)
            | R::AlreadyInterned { .. }
            | R::TooManyNames { .. }
            | R::AccountInUse { .. }
            | R::QuantityNegative
            | R::CurrencyExists { .. }
            | R::CreditBelowGiven { .. }
            | R::MergeBelowZero { .. }
            | R::AlreadyOwn
            | R::HoldNotFound
            | R::HoldTooLong
            | R::HoldExpiryPast
            | R::CaptureAboveHold { .. }
            | R::ChargeNotFound
            | R::RefundAboveCharge { .. }
            | R::ReloadOff
            | R::ReloadUnderWay
            | R::NoReloadUnderWay
            | R::SandboxOnly
            | R::NumberNotFound
            | R::NumberNotOwned
            | R::NumberTaken
            | R::CalendarEnded => Self::internal(&format!("unexpected refusal: {rejection:?}")),
        }
    }

    /// Not judged at all.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unreadable => Unavailable::Unknown.into(),
            Refusal::NoRoom
            | Refusal::Clock(_)
            | Refusal::KeyConflict
            | Refusal::KeyTooOld
            | Refusal::KeyFromFuture => Self::internal(&format!("not judged: {refusal:?}")),
        }
    }
}

impl From<AccessError> for VonageError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unauthenticated => {
                let detail = "You did not provide correct credentials";
                Self::new(StatusCode::UNAUTHORIZED, UNAUTHORIZED, detail)
            }
            AccessError::Forbidden { operation } | AccessError::OutOfScope { operation } => {
                let detail = format!("These credentials may not {}", operation.text());
                Self::forbidden(UNPROVISIONED, detail)
            }
            AccessError::Busy => Self::busy(),
        }
    }
}

/// The answer to a request that did not reach the book.
pub fn unavailable(error: Unavailable) -> Response {
    VonageError::from(error).into_response()
}

impl From<Unavailable> for VonageError {
    fn from(error: Unavailable) -> Self {
        let undecided = match error {
            Unavailable::Overloaded => return Self::busy(),
            Unavailable::Unknown => {
                let detail = "The outcome is unknown. Look before sending the request again";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, detail)
            }
            Unavailable::Closing | Unavailable::Following | Unavailable::Stopped(_) => {
                Self::internal(&error.to_string())
            }
        };
        Self { undecided: true, ..undecided }
    }
}

impl From<BodyError> for VonageError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Json(_) | BodyError::Incomplete => Self::malformed_json(),
            BodyError::TooLarge { .. } | BodyError::TooSlow => {
                Self::new(error.status(), VALIDATION, error.to_string())
            }
        }
    }
}

impl From<HistoryError> for VonageError {
    fn from(error: HistoryError) -> Self {
        match error {
            // A list has no member that could say that it is not whole.
            HistoryError::Removed { until } => {
                let until = print_instant(until, Fraction::None).unwrap_or_default();
                let reason = format!("What happened up to {until} was removed: ask for a later time");
                Self::invalid(vec![InvalidParameter::new("start_date", reason)])
            }
            error => Self::internal(&error.to_string()),
        }
    }
}
