//! A company's own place to sign in: `PUT`, `GET` and `DELETE …/sign-in-provider`.

use std::sync::Arc;

use access::Operation;
use axum::extract::State;
use axum::http::StatusCode;
use dialect::App;
use ledger::{
    Act, Event, EventRef, Ledger, OrganizationIndex, PROVIDER_DOMAINS_MAX, PeopleAct, PeopleEvent,
    SignInProvider as Held,
};
use serde::{Deserialize, Serialize};
use sign_in_provider::{Provider, check_address};
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::input::{Input, Named};
use crate::look::look;
use crate::operator::administer;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::submit_as;
use crate::values::Words;

/// Set the sign-in provider
///
/// Where the organization's people sign in themselves, by OpenID Connect: register the `redirect_uri` of the
/// answer there. It speaks for addresses of its domains alone. Where `passwords` is false those people come by
/// it and by nothing else, but for the organization's owners, whom a provider that is gone must not lock out.
/// Another issuer or client is another provider: whom the one before knew is linked anew, by address.
#[utoipa::path(
    put, path = "/organizations/{organization}/sign-in-provider", tag = "people",
    operation_id = "set_sign_in_provider",
    params(("organization" = String, Path, description = "The organization's name")),
    request_body = SetProvider,
    responses((status = 200, description = "It counts from now on", body = SignInProvider)),
    extensions(("x-operation" = json!(["ManageSignIn"])), ("x-problems" = json!(["organization-not-found"]))),
)]
pub(crate) async fn set(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    input: Input,
) -> Result<Answer<SignInProvider>, Problem> {
    let (organization, actor) = administer(&app, &caller.0, Operation::ManageSignIn, &name)?;
    let asked: SetProvider = input.read()?;
    let provider = Box::new(asked.check(app.providers.speaks_to_loopback())?);
    let act = PeopleAct::SetProvider { organization, provider };
    let receipt = submit_as(&app, actor, Act::People(Box::new(act)), None).await?;
    let Event::People(event) = receipt.event else {
        return Err(Problem::bug("a provider was answered by another event"));
    };
    match *event {
        PeopleEvent::ProviderSet { provider, .. } => {
            Ok(Answer::ok(SignInProvider::of(&app, &name, &provider)))
        }
        _ => Err(Problem::bug("a provider was answered by another event")),
    }
}

/// Show the sign-in provider
#[utoipa::path(
    get, path = "/organizations/{organization}/sign-in-provider", tag = "people",
    operation_id = "show_sign_in_provider",
    params(("organization" = String, Path, description = "The organization's name")),
    responses((status = 200, description = "All but its secret", body = SignInProvider)),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!([
        "organization-not-found", "sign-in-provider-not-found",
    ]))),
)]
pub(crate) async fn show(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Answer<SignInProvider>, Problem> {
    let (organization, _) = administer(&app, &caller.0, Operation::ManageUsers, &name)?;
    let held = look(&app, &caller.0, move |ledger, _, _| {
        ledger.provider(organization).cloned().ok_or(Kind::ProviderNotFound)
    });
    Ok(Answer::ok(SignInProvider::of(&app, &name, &held.await?)))
}

/// Remove the sign-in provider
///
/// People sign in by password again; who has none is sent a link to set one.
#[utoipa::path(
    delete, path = "/organizations/{organization}/sign-in-provider", tag = "people",
    operation_id = "remove_sign_in_provider",
    params(("organization" = String, Path, description = "The organization's name")),
    responses((status = 204, description = "It is gone")),
    extensions(("x-operation" = json!(["ManageSignIn"])), ("x-problems" = json!([
        "organization-not-found", "sign-in-provider-not-found",
    ]))),
)]
pub(crate) async fn remove(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    let (organization, actor) = administer(&app, &caller.0, Operation::ManageSignIn, &name)?;
    let act = Act::People(Box::new(PeopleAct::RemoveProvider { organization }));
    submit_as(&app, actor, act, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The organization of this name and its provider, if people can come back from there.
pub(crate) async fn find(app: &App, name: &str) -> Result<(OrganizationIndex, Held, Provider), Problem> {
    let unknown = || Problem::new(Kind::ProviderNotFound);
    let (organization, _) = app.engine.directory().organization(name).ok_or_else(unknown)?;
    let read = move |ledger: &Ledger, _| ledger.provider(organization).cloned();
    let held = app.engine.read(read).await?.ok_or_else(unknown)?;
    let secret = held.client_secret.as_deref().and_then(|secret| String::from_utf8(secret.to_vec()).ok());
    let provider = Provider {
        issuer: held.issuer.as_ref().to_owned(),
        client_id: held.client_id.as_ref().to_owned(),
        client_secret: secret.ok_or_else(unknown)?,
        redirect_uri: redirect_uri(app, name).ok_or_else(unknown)?,
    };
    Ok((organization, held, provider))
}

/// One per organization: a provider answers for its own alone.
fn redirect_uri(app: &App, organization: &str) -> Option<String> {
    let url = app.site.public_url.as_deref()?;
    Some(format!("{url}/sign-in/callback/{organization}"))
}

const DOMAIN_BYTES_MAX: usize = 253;

impl SetProvider {
    fn check(self, loopback: bool) -> Result<Held, Problem> {
        check_address(&self.issuer, loopback).map_err(|error| Problem::field("issuer", error))?;
        if !(1..=PROVIDER_DOMAINS_MAX).contains(&self.domains.len()) {
            return Err(Problem::field("domains", format!("expected 1 to {PROVIDER_DOMAINS_MAX} domains")));
        }
        let is_of_domains = |it: char| it.is_alphanumeric() || ".-".contains(it);
        let is_domain = |it: &str| {
            (1..=DOMAIN_BYTES_MAX).contains(&it.len())
                && it.chars().all(is_of_domains)
                && !it.starts_with('.')
        };
        if !self.domains.iter().all(|domain| is_domain(domain)) {
            return Err(Problem::field("domains", "expected domains of e-mail addresses: customer.example"));
        }
        Ok(Held {
            issuer: self.issuer.into(),
            client_id: self.client_id.as_str().into(),
            client_secret: self.client_secret.as_ref().and_then(Words::text),
            domains: self.domains.iter().map(|domain| domain.to_lowercase().into()).collect(),
            passwords: self.passwords,
            last: EventRef::NONE,
        })
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "issuer": "https://login.acme.example", "client_id": "bursar", "client_secret": "of the registration there",
    "domains": ["acme.example"],
}))]
pub(crate) struct SetProvider {
    /// Its address, as it names itself: https.
    issuer: String,
    client_id: Words<256>,
    /// Never shown again; may be left out where the issuer and the client stay the same.
    client_secret: Option<Words<1024>>,
    /// The domains of e-mail addresses that it may speak for, 20 at most.
    domains: Vec<String>,
    /// Whether those people may sign in by password as well.
    #[serde(default = "yes")]
    #[schema(default = true)]
    passwords: bool,
}

fn yes() -> bool {
    true
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignInProvider {
    issuer: String,
    client_id: String,
    domains: Vec<String>,
    passwords: bool,
    /// To be registered with the provider; absent where the server has no public URL, and nobody can come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
}

impl SignInProvider {
    fn of(app: &App, organization: &str, held: &Held) -> Self {
        Self {
            issuer: held.issuer.as_ref().to_owned(),
            client_id: held.client_id.as_ref().to_owned(),
            domains: held.domains.iter().map(|domain| domain.as_ref().to_owned()).collect(),
            passwords: held.passwords,
            redirect_uri: redirect_uri(app, organization),
        }
    }
}
