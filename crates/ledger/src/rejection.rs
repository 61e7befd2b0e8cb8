//! Why not. Closed and deterministic: every dialect says each of these in its own words.

use domain::{Currency, Nanos};

use crate::{AccountIndex, Limit, NameIndex};

/// Why not, of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeopleRejection {
    UserNotFound,
    MembershipNotFound,
    /// Unknown, used, revoked or expired: all the same answer.
    InvitationNotFound,
    SessionNotFound,
    PermissionSetNotFound,
    PermissionSetInUse,
    /// The caller's rights end at chosen accounts.
    LimitedToAccounts,
    /// People belong to families, and those are called by their root.
    NotARoot,
    AlreadyMember,
    /// The primary user's role is handed over, not given up.
    PrimaryStays,
    PrimaryExists,
    TooMany {
        max: u32,
    },
    LifeOutOfRange,
    /// Somebody new needs one.
    PasswordMissing,
    /// The password was set since the right to set it, or to sign in by it, was proven.
    LinkUsed,
    FactorMissing,
    FactorExists,
    /// A code of the second factor that was accepted before, or never.
    CodeUsed,
    ProviderNotFound,
    /// A provider that is new needs one.
    SecretMissing,
    /// The organization wants this user to come by its provider.
    PasswordRefused,
    /// It was settled already.
    LetterNotFound,
    /// The provider's word is not about this user, or no longer.
    NotVouched,
}

impl From<PeopleRejection> for Rejection {
    fn from(rejection: PeopleRejection) -> Self {
        Self::People(rejection)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    // who
    CredentialRevoked,
    /// The act belongs to the seller.
    SellerOnly,
    /// Unknown, another tenant's, or not managed by the one who asks: all the same answer.
    AccountNotFound,
    OrganizationNotFound,
    CredentialNotFound,
    /// The last credential of an account stays.
    LastCredential,
    TooManyCredentials {
        live_max: u32,
    },
    /// A credential that would end before it counts.
    CredentialExpiryPast,
    /// The credential is held to a scope that this lies outside of.
    OutOfScope,
    /// The credential has a limit, and this would pass it.
    ScopeExceeded {
        need: Nanos,
        have: Nanos,
        limit: Limit,
    },
    MayNotOpenChildren,
    TooDeep,
    /// No account is ever taken out of a book.
    TooManyAccounts {
        max: usize,
    },
    NameTaken,
    HandleTaken,
    UserExists,
    People(PeopleRejection),
    /// The name is there already, as this.
    AlreadyInterned {
        name: NameIndex,
    },
    /// Names are kept for ever, so there is an end to them.
    TooManyNames {
        max: u32,
    },

    // status
    AccountSuspended {
        account: AccountIndex,
    },
    AccountFrozen {
        account: AccountIndex,
    },
    AccountClosed {
        account: AccountIndex,
    },
    /// Holds, money or credit are left on it, or it has open children.
    AccountInUse {
        account: AccountIndex,
    },

    // amounts
    AmountNotPositive,
    AmountNegative,
    AmountOutOfRange,
    QuantityNegative,
    CurrencyUnknown {
        currency: Currency,
    },
    CurrencyExists {
        currency: Currency,
    },
    CurrencyMismatch {
        expected: Currency,
    },

    // funds
    /// `have` is what the payer's limit leaves.
    InsufficientFunds {
        account: AccountIndex,
        need: Nanos,
        have: Nanos,
        limit: Nanos,
    },
    /// Credit that nothing rests on.
    InsufficientCredit {
        account: AccountIndex,
        need: Nanos,
        have: Nanos,
    },
    /// The limit asked for is less than what was given on.
    CreditBelowGiven {
        given: Nanos,
    },
    /// Parent and child together owe more than their limit.
    MergeBelowZero {
        short: Nanos,
    },

    // relations
    SameAccount,
    /// It spends another's balance and has none of its own.
    FundingShared {
        account: AccountIndex,
    },
    AlreadyOwn,
    NotAChild,
    NotOneFamily,

    // holds and refunds
    HoldNotFound,
    HoldTooLong,
    HoldExpiryPast,
    CaptureAboveHold {
        held: Nanos,
    },
    ChargeNotFound,
    RefundAboveCharge {
        left: Nanos,
    },

    // reloads and numbers
    /// No rule that is on, or another word than its own.
    ReloadOff,
    ReloadUnderWay,
    NoReloadUnderWay,
    /// What approves everything is for sandboxes.
    SandboxOnly,
    /// Nobody's, or that of somebody whom the caller does not see.
    NumberNotFound,
    /// It is another account's of the family.
    NumberNotOwned,
    /// It is assigned already.
    NumberTaken,
    TooManyNumbers {
        max: u32,
    },

    /// No period boundary later than now is recorded.
    CalendarEnded,
}
