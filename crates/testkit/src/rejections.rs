//! Every refusal once: what golden tables of dialects list.

use domain::{Currency, Nanos};
use ledger::{AccountIndex, Flow, Flows, Limit, NameIndex, PeopleRejection, Rejection, Span};

/// One of each kind, in the order they are declared.
pub fn rejections() -> Vec<Rejection> {
    std::iter::successors(Some(Rejection::CredentialRevoked), next).collect()
}

/// The kind after this one. A new kind does not compile before it has its place here.
fn next(rejection: &Rejection) -> Option<Rejection> {
    use Rejection as R;
    let account = AccountIndex::new(1);
    let (need, have) = (Nanos::from_units(40), Nanos::from_units(30));
    Some(match rejection {
        R::CredentialRevoked => R::SellerOnly,
        R::SellerOnly => R::AccountNotFound,
        R::AccountNotFound => R::OrganizationNotFound,
        R::OrganizationNotFound => R::CredentialNotFound,
        R::CredentialNotFound => R::LastCredential,
        R::LastCredential => R::TooManyCredentials { live_max: 2 },
        R::TooManyCredentials { .. } => R::CredentialExpiryPast,
        R::CredentialExpiryPast => R::OutOfScope,
        R::OutOfScope => {
            let (flows, currency) = (Flows::of([Flow::Allocate]), Currency::EUR);
            let limit = Limit { flows, currency, amount: Nanos::from_units(500), span: Span::Total };
            R::ScopeExceeded { need, have, limit }
        }
        R::ScopeExceeded { .. } => R::MayNotOpenChildren,
        R::MayNotOpenChildren => R::TooDeep,
        R::TooDeep => R::TooManyAccounts { max: 9 },
        R::TooManyAccounts { .. } => R::NameTaken,
        R::NameTaken => R::HandleTaken,
        R::HandleTaken => R::UserExists,
        R::UserExists => R::People(PeopleRejection::UserNotFound),
        R::People(rejection) => match next_of_people(*rejection) {
            Some(next) => R::People(next),
            None => R::AlreadyInterned { name: NameIndex::new(0) },
        },
        R::AlreadyInterned { .. } => R::TooManyNames { max: 9 },
        R::TooManyNames { .. } => R::AccountSuspended { account },
        R::AccountSuspended { .. } => R::AccountFrozen { account },
        R::AccountFrozen { .. } => R::AccountClosed { account },
        R::AccountClosed { .. } => R::AccountInUse { account },
        R::AccountInUse { .. } => R::AmountNotPositive,
        R::AmountNotPositive => R::AmountNegative,
        R::AmountNegative => R::AmountOutOfRange,
        R::AmountOutOfRange => R::QuantityNegative,
        R::QuantityNegative => R::CurrencyUnknown { currency: Currency::USD },
        R::CurrencyUnknown { .. } => R::CurrencyExists { currency: Currency::USD },
        R::CurrencyExists { .. } => R::CurrencyMismatch { expected: Currency::EUR },
        R::CurrencyMismatch { .. } => R::InsufficientFunds { account, need, have, limit: have },
        R::InsufficientFunds { .. } => R::InsufficientCredit { account, need, have },
        R::InsufficientCredit { .. } => R::CreditBelowGiven { given: need },
        R::CreditBelowGiven { .. } => R::MergeBelowZero { short: have },
        R::MergeBelowZero { .. } => R::SameAccount,
        R::SameAccount => R::FundingShared { account },
        R::FundingShared { .. } => R::AlreadyOwn,
        R::AlreadyOwn => R::NotAChild,
        R::NotAChild => R::NotOneFamily,
        R::NotOneFamily => R::HoldNotFound,
        R::HoldNotFound => R::HoldTooLong,
        R::HoldTooLong => R::HoldExpiryPast,
        R::HoldExpiryPast => R::CaptureAboveHold { held: need },
        R::CaptureAboveHold { .. } => R::ChargeNotFound,
        R::ChargeNotFound => R::RefundAboveCharge { left: have },
        R::RefundAboveCharge { .. } => R::ReloadOff,
        R::ReloadOff => R::ReloadUnderWay,
        R::ReloadUnderWay => R::NoReloadUnderWay,
        R::NoReloadUnderWay => R::SandboxOnly,
        R::SandboxOnly => R::NumberNotFound,
        R::NumberNotFound => R::NumberNotOwned,
        R::NumberNotOwned => R::NumberTaken,
        R::NumberTaken => R::TooManyNumbers { max: 9 },
        R::TooManyNumbers { .. } => R::CalendarEnded,
        R::CalendarEnded => return None,
    })
}

fn next_of_people(rejection: PeopleRejection) -> Option<PeopleRejection> {
    use PeopleRejection as R;
    Some(match rejection {
        R::UserNotFound => R::MembershipNotFound,
        R::MembershipNotFound => R::InvitationNotFound,
        R::InvitationNotFound => R::SessionNotFound,
        R::SessionNotFound => R::PermissionSetNotFound,
        R::PermissionSetNotFound => R::PermissionSetInUse,
        R::PermissionSetInUse => R::LimitedToAccounts,
        R::LimitedToAccounts => R::NotARoot,
        R::NotARoot => R::AlreadyMember,
        R::AlreadyMember => R::PrimaryStays,
        R::PrimaryStays => R::PrimaryExists,
        R::PrimaryExists => R::TooMany { max: 9 },
        R::TooMany { .. } => R::LifeOutOfRange,
        R::LifeOutOfRange => R::PasswordMissing,
        R::PasswordMissing => R::LinkUsed,
        R::LinkUsed => R::FactorMissing,
        R::FactorMissing => R::FactorExists,
        R::FactorExists => R::CodeUsed,
        R::CodeUsed => R::ProviderNotFound,
        R::ProviderNotFound => R::SecretMissing,
        R::SecretMissing => R::PasswordRefused,
        R::PasswordRefused => R::NotVouched,
        R::NotVouched => R::LetterNotFound,
        R::LetterNotFound => return None,
    })
}
