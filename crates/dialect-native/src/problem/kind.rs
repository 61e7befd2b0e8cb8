//! The kinds of problems: the one table of types, statuses and titles.

use axum::http::StatusCode;

macro_rules! kinds {
    ($($name:ident $status:literal $slug:literal $title:literal;)*) => {
        /// Why not, as a program tells it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind { $($name),* }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            /// Stable: clients compare it.
            pub(crate) fn uri(self) -> &'static str {
                match self { $(Self::$name => concat!("/problems/", $slug)),* }
            }

            pub(crate) fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }

            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            fn code(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }
        }
    };
}

kinds! {
    // what was sent
    MalformedJson 400 "malformed-json" "The body is not JSON";
    InvalidParameter 400 "invalid-parameter" "A parameter or header is not valid";
    MissingField 422 "missing-field" "A field is missing";
    UnknownField 422 "unknown-field" "A field is not known";
    DuplicateField 422 "duplicate-field" "A field is there twice";
    InvalidField 422 "invalid-field" "A field is not valid";
    AmountNotPositive 422 "amount-not-positive" "The amount must be greater than zero";
    AmountNegative 422 "amount-negative" "The amount must not be negative";
    AmountOutOfRange 422 "amount-out-of-range" "The amount, or what would come of it, is too large";
    CurrencyUnknown 422 "currency-unknown" "The organization does not use this currency";
    CurrencyMismatch 422 "currency-mismatch" "The currency is not the family's";
    SameAccount 422 "same-account" "From and to are the same account";
    BodyTooLarge 413 "body-too-large" "The body is too large";
    BatchTooLarge 413 "batch-too-large" "The batch has too many charges";
    UnsupportedMediaType 415 "unsupported-media-type" "The media type is not read here";
    BodyTooSlow 408 "body-too-slow" "The body did not arrive in time";

    // who
    Unauthenticated 401 "unauthenticated" "The credentials are missing or wrong";
    SignInFailed 401 "sign-in-failed" "The address or the password is wrong";
    SecondFactorNeeded 401 "second-factor-needed" "A code of the second factor is needed";
    SecondFactorWrong 401 "second-factor-wrong" "The code is wrong, or was used before";
    SignInElsewhere 403 "sign-in-elsewhere" "This user signs in by the company's own sign-in";
    NotVouched 403 "not-vouched" "Nobody here is known by what the sign-in provider says";
    CrossSite 403 "cross-site" "The request did not come from a page of this server";
    NoMembership 403 "no-membership" "The user belongs nowhere, or not there";
    Forbidden 403 "forbidden" "The credential may not do that";
    OutOfScope 403 "out-of-scope" "The credential is held to a scope that does not cover that";
    ScopeExceeded 403 "scope-exceeded" "A limit of the credential does not allow so much";

    // which
    NotFound 404 "not-found" "There is nothing here";
    AccountNotFound 404 "account-not-found" "There is no such account";
    OrganizationNotFound 404 "organization-not-found" "There is no such organization";
    HoldNotFound 404 "hold-not-found" "There is no such open hold";
    ChargeNotFound 404 "charge-not-found" "There is no such charge";
    CredentialNotFound 404 "credential-not-found" "There is no such live credential";
    UserNotFound 404 "user-not-found" "There is no such user";
    MembershipNotFound 404 "membership-not-found" "There is no such membership";
    InvitationNotFound 404 "invitation-not-found" "There is no such open invitation";
    SessionNotFound 404 "session-not-found" "There is no such session";
    PermissionSetNotFound 404 "permission-set-not-found" "There is no such set of permissions";
    ProviderNotFound 404 "sign-in-provider-not-found" "There is no sign-in provider";
    SignInNotBegun 400 "sign-in-not-begun" "This browser has not begun that sign-in, or too long ago";
    LinkNotValid 404 "link-not-valid" "The link has expired, was used, or was never made";
    NumberNotFound 404 "number-not-found" "There is no such number";
    HistoryRemoved 410 "history-removed" "What happened so long ago was removed";
    MethodNotAllowed 405 "method-not-allowed" "The method does not fit the path";
    AmbiguousHandle 409 "ambiguous-handle" "More than one account is called that";

    // funds
    InsufficientFunds 402 "insufficient-funds" "There is not enough available";
    InsufficientCredit 402 "insufficient-credit" "There is not enough unused credit";
    CreditBelowGiven 409 "credit-below-given" "The limit would be less than what was given on";
    MergeBelowZero 409 "merge-below-zero" "Together the accounts owe more than their limit";
    CaptureAboveHold 409 "capture-above-hold" "The capture is more than the hold";
    RefundAboveCharge 409 "refund-above-charge" "The refund is more than is left of the charge";

    // state
    AccountSuspended 409 "account-suspended" "The account is suspended";
    AccountFrozen 409 "account-frozen" "The account is frozen";
    AccountClosed 409 "account-closed" "The account is closed";
    AccountInUse 409 "account-in-use" "Holds or open children are left on the account";
    FundingShared 409 "funding-shared" "The account spends another's balance and has none of its own";
    AlreadyOwn 409 "already-own" "The account has its own balance already";
    NotAChild 409 "not-a-child" "The account has no parent";
    NotOneFamily 409 "not-one-family" "The accounts are not of one family";
    MayNotOpenChildren 409 "may-not-open-children" "The account may not open children";
    TooDeep 409 "too-deep" "The family has too many generations";
    TooManyAccounts 409 "too-many-accounts" "The book holds as many accounts as it may";
    HoldTooLong 422 "hold-too-long" "A hold lives 30 days at most";
    HoldExpiryPast 422 "hold-expiry-past" "The expiry is not in the future";
    ReloadOff 409 "reload-off" "No reload rule is on that this reference starts";
    ReloadUnderWay 409 "reload-under-way" "A reload is under way: it ends before the next begins";
    NoReloadUnderWay 409 "no-reload-under-way" "No reload is under way";
    NumberNotOwned 409 "number-not-owned" "The number is another account's of the family";
    NumberTaken 409 "number-taken" "The number is assigned already";
    TooManyNumbers 409 "too-many-numbers" "The account has as many numbers as it may have";
    LastCredential 409 "last-credential" "The last secret of an account stays";
    TooManyCredentials 409 "too-many-credentials" "The account has as many secrets as it may have";
    TooManyNames 409 "too-many-names" "The organization has used as many names as it may have";
    NameTaken 409 "name-taken" "The name is taken";
    HandleTaken 409 "handle-taken" "The handle is another account's";
    UserExists 409 "user-exists" "There is a user with that address";
    AlreadyMember 409 "already-a-member" "The user is a member there already";
    PrimaryStays 409 "primary-user-stays" "The primary user's role is handed over, not given up";
    PrimaryExists 409 "primary-user-exists" "The family has its primary user";
    NotARoot 409 "not-a-root" "People belong to families, and those are called by their root account";
    TooManyMembers 409 "too-many-members" "There are as many as there may be";
    PermissionSetInUse 409 "permission-set-in-use" "Somebody has these permissions";
    NoSecondFactor 409 "no-second-factor" "There is no second factor";
    SecondFactorExists 409 "second-factor-exists" "There is a second factor already";
    CurrencyExists 409 "currency-exists" "The organization has that currency already";
    KeyConflict 409 "idempotency-key-conflict" "The idempotency key was used for something else";
    KeyTooOld 422 "idempotency-key-too-old" "The idempotency key was made longer ago than keys are remembered";
    KeyFromFuture 422 "idempotency-key-from-future" "The idempotency key was made later than now";

    // the server
    ProviderFailed 502 "sign-in-provider-failed" "The sign-in provider gives no answer that can be trusted";
    TooManySignIns 429 "too-many-sign-ins" "Too many sign-ins at once";
    Overloaded 503 "overloaded" "Too many commands are waiting";
    Unavailable 503 "unavailable" "The book is not available";
    OutcomeUnknown 503 "outcome-unknown" "The outcome is unknown: repeat with the same key";
    NoRoom 503 "no-room" "There is no room to record more";
    ClockInDoubt 503 "clock-in-doubt" "The server's clock is in doubt";
    CalendarEnded 503 "calendar-ended" "No later period is known";
    Internal 500 "internal" "A bug in the server";
}

impl Kind {
    pub(crate) fn named(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }

    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from_u16(self.code()).expect("the table holds statuses")
    }
}
