//! What the rules refuse, in the words of this API.

use engine::Seals;
use ledger::{PeopleRejection, Rejection};

use super::{Kind, Problem};
use crate::ids;
use crate::people::limit::in_words;

impl Problem {
    /// One arm for each reason: a new one does not compile before it has its words.
    pub(crate) fn rejected(rejection: &Rejection, seals: &Seals) -> Self {
        use Rejection as R;
        let at = |kind, account| Self::new(kind).with_account(ids::account(seals, account));
        match *rejection {
            R::CredentialRevoked => Self::new(Kind::Unauthenticated),
            R::SellerOnly => Self::new(Kind::Forbidden).with_detail("only the seller may do that"),
            R::AccountNotFound => Self::new(Kind::AccountNotFound),
            R::OrganizationNotFound => Self::new(Kind::OrganizationNotFound),
            R::CredentialNotFound => Self::new(Kind::CredentialNotFound),
            R::LastCredential => Self::new(Kind::LastCredential),
            R::TooManyCredentials { live_max } => {
                Self::new(Kind::TooManyCredentials).with_detail(format!("it has {live_max} already"))
            }
            R::CredentialExpiryPast => Self::field("expires_at", "is not in the future"),
            R::OutOfScope => Self::new(Kind::OutOfScope),
            R::ScopeExceeded { need, have, limit } => Self::new(Kind::ScopeExceeded)
                .with_detail(format!("need {need}, have {have} of {}", in_words(&limit)))
                .with_amounts(Some(need), Some(have), Some(limit.amount)),
            R::MayNotOpenChildren => Self::new(Kind::MayNotOpenChildren),
            R::TooDeep => Self::new(Kind::TooDeep),
            R::TooManyAccounts { max } => {
                Self::new(Kind::TooManyAccounts).with_detail(format!("{max} are the most"))
            }
            R::NameTaken => Self::new(Kind::NameTaken).with_field("name"),
            R::HandleTaken => Self::new(Kind::HandleTaken).with_field("value"),
            R::UserExists => Self::new(Kind::UserExists).with_field("email"),
            R::People(rejection) => Self::of_people(rejection),
            R::AlreadyInterned { .. } => Self::bug("a name was interned twice"),
            R::TooManyNames { max } => {
                Self::new(Kind::TooManyNames).with_detail(format!("{max} are the most"))
            }
            R::AccountSuspended { account } => at(Kind::AccountSuspended, account),
            R::AccountFrozen { account } => at(Kind::AccountFrozen, account),
            R::AccountClosed { account } => at(Kind::AccountClosed, account),
            R::AccountInUse { account } => at(Kind::AccountInUse, account),
            R::AmountNotPositive => Self::new(Kind::AmountNotPositive).with_field("amount"),
            R::AmountNegative => Self::new(Kind::AmountNegative).with_field("amount"),
            R::AmountOutOfRange => Self::new(Kind::AmountOutOfRange).with_field("amount"),
            R::QuantityNegative => Self::field("quantity", "must not be negative"),
            R::CurrencyUnknown { currency } => Self::new(Kind::CurrencyUnknown)
                .with_field("currency")
                .with_detail(format!("{currency} is not in ISO 4217 and was not declared")),
            R::CurrencyExists { currency } => Self::new(Kind::CurrencyExists)
                .with_field("currency")
                .with_detail(format!("{currency} is there already")),
            R::CurrencyMismatch { expected } => Self::new(Kind::CurrencyMismatch)
                .with_field("currency")
                .with_detail(format!("the parent is kept in {expected}")),
            R::InsufficientFunds { account, need, have, limit } => at(Kind::InsufficientFunds, account)
                .with_detail(format!("need {need}, have {have}"))
                .with_amounts(Some(need), Some(have), Some(limit)),
            R::InsufficientCredit { account, need, have } => at(Kind::InsufficientCredit, account)
                .with_detail(format!("need {need}, have {have}"))
                .with_amounts(Some(need), Some(have), None),
            R::CreditBelowGiven { given } => Self::new(Kind::CreditBelowGiven)
                .with_detail(format!("{given} was given to children"))
                .with_amounts(None, None, Some(given)),
            R::MergeBelowZero { short } => Self::new(Kind::MergeBelowZero)
                .with_detail(format!("{short} is missing"))
                .with_amounts(Some(short), None, None),
            R::SameAccount => Self::new(Kind::SameAccount).with_field("to"),
            R::FundingShared { account } => at(Kind::FundingShared, account),
            R::AlreadyOwn => Self::new(Kind::AlreadyOwn),
            R::NotAChild => Self::new(Kind::NotAChild),
            R::NotOneFamily => Self::new(Kind::NotOneFamily),
            R::HoldNotFound => Self::new(Kind::HoldNotFound),
            R::HoldTooLong => Self::new(Kind::HoldTooLong).with_field("expires_at"),
            R::HoldExpiryPast => Self::new(Kind::HoldExpiryPast).with_field("expires_at"),
            R::CaptureAboveHold { held } => Self::new(Kind::CaptureAboveHold)
                .with_detail(format!("{held} is held"))
                .with_amounts(None, Some(held), None),
            R::ChargeNotFound => Self::new(Kind::ChargeNotFound),
            R::RefundAboveCharge { left } => Self::new(Kind::RefundAboveCharge)
                .with_detail(format!("{left} is left of it"))
                .with_amounts(None, Some(left), None),
            R::ReloadOff => Self::new(Kind::ReloadOff).with_field("reference"),
            R::ReloadUnderWay => Self::new(Kind::ReloadUnderWay),
            R::NoReloadUnderWay => Self::new(Kind::NoReloadUnderWay),
            R::SandboxOnly => Self::field("provider", "test approves everything, and is for sandboxes"),
            R::NumberNotFound => Self::new(Kind::NumberNotFound).with_field("number"),
            R::NumberNotOwned => Self::new(Kind::NumberNotOwned).with_field("from"),
            R::NumberTaken => Self::new(Kind::NumberTaken).with_field("number"),
            R::TooManyNumbers { max } => {
                Self::new(Kind::TooManyNumbers).with_detail(format!("{max} are the most"))
            }
            R::CalendarEnded => Self::new(Kind::CalendarEnded),
        }
    }

    fn of_people(rejection: PeopleRejection) -> Self {
        use PeopleRejection as R;
        match rejection {
            R::UserNotFound => Self::new(Kind::UserNotFound),
            R::MembershipNotFound => Self::new(Kind::MembershipNotFound),
            R::InvitationNotFound => Self::new(Kind::InvitationNotFound),
            R::SessionNotFound => Self::new(Kind::SessionNotFound),
            R::PermissionSetNotFound => Self::new(Kind::PermissionSetNotFound),
            R::PermissionSetInUse => Self::new(Kind::PermissionSetInUse),
            R::LimitedToAccounts => {
                Self::new(Kind::Forbidden).with_detail("these rights are limited to chosen accounts")
            }
            R::NotARoot => Self::new(Kind::NotARoot),
            R::AlreadyMember => Self::new(Kind::AlreadyMember),
            R::PrimaryStays => Self::new(Kind::PrimaryStays),
            R::PrimaryExists => Self::new(Kind::PrimaryExists),
            R::TooMany { max } => Self::new(Kind::TooManyMembers).with_detail(format!("{max} are the most")),
            R::LifeOutOfRange => Self::field("expires_at", "expected an instant within the next 30 days"),
            R::PasswordMissing => Self::new(Kind::MissingField).with_field("password"),
            R::LinkUsed => Self::new(Kind::LinkNotValid),
            R::FactorMissing => Self::new(Kind::NoSecondFactor),
            R::FactorExists => Self::new(Kind::SecondFactorExists),
            R::CodeUsed => Self::new(Kind::SecondFactorWrong),
            R::ProviderNotFound => Self::new(Kind::ProviderNotFound),
            R::SecretMissing => Self::new(Kind::MissingField).with_field("client_secret"),
            R::PasswordRefused => Self::new(Kind::SignInElsewhere),
            R::LetterNotFound => Self::bug("a letter was settled twice"),
            R::NotVouched => Self::new(Kind::NotVouched),
        }
    }
}
