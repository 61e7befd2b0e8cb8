//! `POST /accounts/{api_key}/subaccounts`: a new subaccount and the only sight of its secret.

use std::sync::Arc;

use access::{Operation, Role, Secret, check_chosen_secret, secret_digest};
use axum::extract::State;
use dialect::{App, Body, BodyError};
use domain::Nanos;
use ledger::{AccountIndex, Act, Event, Funding, Ledger, NewAccount, Verifier};
use serde::{Deserialize, Serialize};

use crate::body::{Answer, Subaccount};
use crate::caller::{Primary, look};
use crate::error::VonageError;
use crate::members::{Member, Problems, read_object, text};
use crate::once;
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
        Some(secret) => {
            let hashed = app.access.passwords().hash(secret.expose()).await;
            let hashed = hashed.map_err(|error| VonageError::internal(&error.to_string()))?;
            (open(&app, &primary, new, Verifier::Password(hashed.into())).await?, secret)
        }
        None => {
            let secret = once::secret(&app);
            let verifier = Verifier::Digest(secret_digest(app.engine.seals(), secret.expose()));
            (open(&app, &primary, new, verifier).await?, secret)
        }
    };
    let view = app.engine.read(move |ledger, _| View::of(ledger, account)).await?;
    let subaccount = Subaccount::new(app.engine.seals(), &primary, view);
    Ok(Answer(Created { subaccount, secret: secret.expose().to_owned() }))
}

async fn open(
    app: &App,
    primary: &Primary,
    new: NewAccount,
    verifier: Verifier,
) -> Result<AccountIndex, VonageError> {
    let credential = Some((Role::Account.code(), verifier));
    let act = Act::OpenAccount(Box::new(NewAccount { credential, ..new }));
    match primary.submit(app, act, &primary.key).await?.event {
        Event::AccountOpened { account, .. } => Ok(account),
        _ => Err(VonageError::internal("opening an account was answered by another event")),
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
