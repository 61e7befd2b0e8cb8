//! `POST /accounts/{api_key}/subaccounts`: a new subaccount and the only sight of its secret.

use std::sync::Arc;

use access::{NO_EXPIRY, Operation, Role, Secret, check_chosen_secret, secret_digest};
use axum::extract::State;
use dialect::{App, Body, BodyError};
use domain::Nanos;
use ledger::{AccountIndex, Act, Event, Funding, Holder, Ledger, NewAccount, Verifier};
use serde::{Deserialize, Serialize};

use crate::body::{Answer, Subaccount};
use crate::caller::Primary;
use crate::choices::SECRETS_MAX;
use crate::error::VonageError;
use crate::members::{Member, Problems, read_object, text};
use crate::view::{View, key_of};

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    body: Result<Body, BodyError>,
) -> Result<Answer<Created>, VonageError> {
    primary.may(Operation::OpenSubaccount)?;
    let asked = Asked::read(&body?)?;
    // In a task of its own: what was begun is finished, though the client may have left.
    let opening = tokio::spawn(open(app, primary, asked));
    opening.await.map_err(|error| VonageError::internal(&error.to_string()))?.map(Answer)
}

async fn open(app: Arc<App>, primary: Primary, asked: Asked) -> Result<Created, VonageError> {
    let chosen = match &asked.secret {
        Some(secret) => Some(hash(&app, secret).await?),
        None => None,
    };
    let new = primary.new_subaccount(&app, &asked, chosen).await?;
    let opened = primary.submit(&app, Act::OpenAccount(Box::new(new)), &primary.key).await?;
    let Event::AccountOpened { account, .. } = opened.event else {
        return Err(VonageError::internal("opening an account was answered by another event"));
    };
    let secret = match asked.secret {
        Some(secret) => secret,
        None => issue(&app, &primary, account).await?,
    };
    let view = app.engine.read(move |ledger, _| View::of(ledger, account)).await?;
    let subaccount = Subaccount::new(app.engine.seals(), &primary, view);
    Ok(Created { subaccount, secret: secret.expose().to_owned() })
}

async fn hash(app: &App, secret: &Secret) -> Result<Verifier, VonageError> {
    let hashed = app.access.passwords().hash(secret.expose()).await;
    let hashed = hashed.map_err(|error| VonageError::internal(&error.to_string()))?;
    Ok(Verifier::Password(hashed.into()))
}

/// A secret of ours for an account that was just opened. The account stays if this fails, so the caller
/// is told which it is.
async fn issue(app: &App, primary: &Primary, account: AccountIndex) -> Result<Secret, VonageError> {
    let seals = app.engine.seals();
    let key = key_of(seals, account);
    let secret = Secret::new_secret(app.engine.entropy());
    let act = Act::IssueCredential {
        holder: Holder::Account(account),
        role: Role::Account.code(),
        verifier: Verifier::Digest(secret_digest(seals, &key, secret.expose())),
        label: None,
        expires_at: NO_EXPIRY,
        live_max: Some(SECRETS_MAX),
    };
    match primary.submit(app, act, &key).await {
        Ok(_) => Ok(secret),
        Err(_) => Err(VonageError::unfinished(format!(
            "Subaccount {key} was created, but its secret was not. Create a secret for it before it is used"
        ))),
    }
}

impl Primary {
    async fn new_subaccount(
        &self,
        app: &App,
        asked: &Asked,
        chosen: Option<Verifier>,
    ) -> Result<NewAccount, VonageError> {
        let primary = self.account;
        let home = move |ledger: &Ledger, _| ledger.account(primary).currency;
        Ok(NewAccount {
            organization: self.caller.organization(),
            parent: Some(self.account),
            currency: app.engine.read(home).await?,
            funding: if asked.shared { Funding::Shared } else { Funding::Own },
            managed: true,
            may_open_children: false,
            allows_overruns: false,
            name: Some(asked.name.as_bytes().into()),
            credit: Nanos::ZERO,
            credential: chosen.map(|verifier| (Role::Account.code(), verifier)),
        })
    }
}

struct Asked {
    name: String,
    secret: Option<Secret>,
    shared: bool,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    name: Member<'a>,
    #[serde(borrow)]
    secret: Member<'a>,
    #[serde(borrow)]
    use_primary_account_balance: Member<'a>,
}

impl Asked {
    fn read(body: &Body) -> Result<Self, VonageError> {
        let request: Request<'_> = read_object(&body.bytes)?;
        let mut problems = Problems::default();
        let name = problems.name(request.name);
        let secret = request.secret.map(|member| {
            let secret = text(member).filter(|secret| check_chosen_secret(secret).is_ok());
            if secret.is_none() {
                problems.add("secret", "Does not meet complexity requirements");
            }
            Secret::given(secret.unwrap_or_default())
        });
        let shared = problems.boolean("use_primary_account_balance", request.use_primary_account_balance);
        problems.none_or_refuse()?;
        Ok(Self { name, secret, shared: shared.unwrap_or(true) })
    }
}

#[derive(Serialize)]
pub(crate) struct Created {
    #[serde(flatten)]
    subaccount: Subaccount,
    secret: String,
}

#[cfg(test)]
mod tests;
