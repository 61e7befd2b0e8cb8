//! A secret of an account, as it is shown.

use access::Caller;
use dialect::App;
use domain::Timestamp;
use engine::Id;
use ledger::{AccountIndex, CREDENTIALS_MAX, Credential, CredentialIndex, Ledger, Verifier};
use serde::Serialize;
use utoipa::ToSchema;

use super::scope::Scope;
use crate::accounts::view::string;
use crate::ids;
use crate::look::look_at;
use crate::problem::Problem;
use crate::values::Time;

/// A secret of an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct Secret {
    id: String,
    /// The secret itself, where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Somebody's own choice, not made here.
    chosen: bool,
    issued_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// The day of its last use, in UTC: `2025-03-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
}

/// What the state says of a secret.
pub(super) struct Seen {
    index: CredentialIndex,
    credential: Credential,
    now: Timestamp,
}

/// The live secrets of an account, newest first.
pub(super) async fn look_at_secrets(
    app: &App,
    caller: &Caller,
    account: AccountIndex,
) -> Result<Vec<Seen>, Problem> {
    look_at(app, caller, account, move |ledger, now| {
        let live = ledger.credentials_of(account, now).take(CREDENTIALS_MAX as usize);
        live.map(|(index, _)| Secret::seen(ledger, now, index)).collect()
    })
    .await
}

impl Secret {
    pub(super) fn seen(ledger: &Ledger, now: Timestamp, index: CredentialIndex) -> Seen {
        let credential = ledger.credential(index).clone();
        Seen { index, credential, now }
    }

    pub(super) fn print(app: &App, seen: Seen) -> Self {
        let Seen { index, credential, now } = seen;
        let seals = app.engine.seals();
        let used_on = app.access.last_use().day(index).max(credential.used_on);
        Self {
            id: ids::print(seals, Id::Credential(index)),
            secret: None,
            label: string(&credential.label),
            chosen: matches!(credential.verifier, Verifier::Password(_)),
            issued_at: credential.issued_at.into(),
            expires_at: (credential.expires_at != Timestamp::NEVER).then(|| credential.expires_at.into()),
            last_used_on: date(used_on),
            scope: Scope::of(seals, &credential, now),
        }
    }

    pub(super) fn with(self, secret: Option<String>) -> Self {
        Self { secret, ..self }
    }
}

/// `2025-03-01`; nothing for a day that never was.
pub(super) fn date(day: u32) -> Option<String> {
    const DATE_CHARACTERS: usize = 10;
    let midnight = Timestamp::from_secs(i64::from(day) * 24 * 3600);
    let text = dialect::print_instant(midnight, dialect::Fraction::None).ok().filter(|_| day > 0)?;
    text.get(..DATE_CHARACTERS).map(str::to_owned)
}
