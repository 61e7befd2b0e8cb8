//! `POST /accounts/{api_key}/subaccounts`: a new subaccount and the only sight of its secret.

use std::sync::Arc;

use access::{NotOpened, Operation, Role, Secret, check_chosen_secret};
use axum::extract::State;
use dialect::{App, Body, BodyError};
use domain::Nanos;
use engine::Seals;
use ledger::{AccountIndex, Act, Event, Funding, Ledger, NewAccount, Verifier};
use serde::{Deserialize, Serialize};

use crate::body::{Answer, Subaccount};
use crate::caller::{Primary, look};
use crate::error::VonageError;
use crate::members::{Member, Problems, read_object, text};
use crate::view::View;

pub(crate) async fn handle(
    primary: Primary,
    State(app): State<Arc<App>>,
    body: Result<Body, BodyError>,
) -> Result<Answer<Created>, VonageError> {
    primary.may(Operation::OpenSubaccount)?;
    let asked = Asked::read(&body?)?;
    let new = primary.new_subaccount(&app, &asked).await?;
    let (account, secret) = match asked.secret {
        Some(secret) => (open_with(&app, &primary, new, &secret).await?, secret),
        None => open_with_new(&app, &primary, new).await?,
    };
    let view = app.engine.read(move |ledger, _| View::of(ledger, account)).await?;
    let subaccount = Subaccount::new(app.engine.seals(), &primary, view);
    Ok(Answer(Created { subaccount, secret: secret.expose().to_owned() }))
}

/// With a secret that the caller chose.
async fn open_with(
    app: &App,
    primary: &Primary,
    new: NewAccount,
    secret: &Secret,
) -> Result<AccountIndex, VonageError> {
    let hashed = app.access.passwords().hash(secret.expose()).await;
    let hashed = hashed.map_err(|error| VonageError::internal(&error.to_string()))?;
    let credential = Some((Role::Account.code(), Verifier::Password(hashed.into())));
    let act = Act::OpenAccount(Box::new(NewAccount { credential, ..new }));
    match primary.submit(app, act, &primary.key).await?.event {
        Event::AccountOpened { account, .. } => Ok(account),
        _ => Err(VonageError::internal("opening an account was answered by another event")),
    }
}

/// With a secret of ours.
async fn open_with_new(
    app: &App,
    primary: &Primary,
    new: NewAccount,
) -> Result<(AccountIndex, Secret), VonageError> {
    let opened = access::open_account(&app.engine, primary.caller.actor(), new, None).await;
    let opened = opened.map_err(|error| not_opened(app.engine.seals(), error, &primary.key))?;
    match opened.secret {
        Some(secret) => Ok((opened.account, secret)),
        None => Err(VonageError::internal("a new account had a secret before its first")),
    }
}

fn not_opened(seals: &Seals, error: NotOpened, about: &str) -> VonageError {
    match error {
        NotOpened::Unavailable(unavailable) => unavailable.into(),
        NotOpened::Rejected(rejection) => VonageError::rejected(seals, &rejection, about),
        NotOpened::Refused(refusal) => VonageError::refused(refusal),
    }
}

impl Primary {
    async fn new_subaccount(&self, app: &App, asked: &Asked) -> Result<NewAccount, VonageError> {
        let primary = self.account;
        let home = move |ledger: &Ledger, _| ledger.account(primary).currency;
        Ok(NewAccount {
            organization: self.caller.organization(),
            parent: Some(self.account),
            currency: look(app, &self.caller, home).await?,
            funding: if asked.shared { Funding::Shared } else { Funding::Own },
            managed: true,
            may_open_children: false,
            allows_overruns: false,
            name: Some(asked.name.as_bytes().into()),
            credit: Nanos::ZERO,
            credential: None,
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
