//! What whoever was invited does with the link: `POST /invitations/read` and `/invitations/accept`.

use std::sync::Arc;

use access::{check_password, read_invitation_link};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dialect::{App, Arrival};
use domain::Timestamp;
use ledger::{Act, Actor, Event, Invitation, Ledger, PeopleAct, PeopleEvent, Rights, RoleCode, Within};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::me::hash;
use super::sessions::opened;
use crate::accounts::view::string;
use crate::answer::Answer;
use crate::input::Input;
use crate::problem::{Kind, Problem};
use crate::submit::submit_as;
use crate::whose::bare;

/// Accept an invitation
///
/// By the word of the link. Somebody new chooses a password; who is known already keeps their own, and leaves
/// it out. Whoever accepts is signed in, unless a second factor is asked for.
#[utoipa::path(
    post, path = "/invitations/accept", tag = "sessions", operation_id = "accept_invitation",
    request_body = AcceptInvitation,
    responses(
        (status = 201, description = "They belong, and are signed in", body = super::sessions::Session),
        (status = 204, description = "They belong, and sign in as they always do"),
    ),
    extensions(("x-operation" = json!(["Anybody"])), ("x-problems" = json!([
        "link-not-valid", "already-a-member", "primary-user-exists", "too-many-sign-ins", "sign-in-elsewhere",
    ]))),
)]
pub(crate) async fn accept(State(app): State<Arc<App>>, input: Input) -> Result<Response, Problem> {
    let asked: AcceptInvitation = input.read()?;
    let link = bare(&asked.link);
    let not_valid = || Problem::new(Kind::LinkNotValid);
    let invitation = read_invitation_link(app.engine.seals(), link).ok_or_else(not_valid)?;
    let read = move |ledger: &Ledger, now: Timestamp| {
        let known = ledger.invitation(invitation).filter(|it| it.is_open(now))?;
        let organization = ledger.organization_within(known.within);
        let user = ledger.find_user(organization, known.email_digest);
        let email = string(&known.email).unwrap_or_default();
        let name = ledger.organization(organization).name.as_ref().to_owned();
        let provider = ledger.provider(organization);
        let elsewhere =
            provider.is_some_and(|it| !it.passwords && it.speaks_for(&email)) && !is_owners(known);
        Some((user, email, name, elsewhere))
    };
    let (known, email, organization, elsewhere) = app.engine.read(read).await?.ok_or_else(not_valid)?;
    if elsewhere && known.is_none() {
        return Err(Problem::new(Kind::SignInElsewhere));
    }
    let password = match (&asked.password, known) {
        (None, None) => return Err(Problem::new(Kind::MissingField).with_field("password")),
        (Some(_), Some(_)) => {
            return Err(Problem::field(
                "password",
                "leave it out: there is a user with that address already",
            ));
        }
        (None, Some(_)) => None,
        (Some(password), None) => {
            let checked = check_password(password, &[&email, &organization]);
            checked.map_err(|rule| Problem::field("password", rule))?;
            Some(hash(&app, password).await?)
        }
    };
    let act = PeopleAct::AcceptInvitation { invitation, password, subject: None };
    let receipt = submit_as(&app, Actor::System, Act::People(Box::new(act)), None).await;
    let receipt = receipt.map_err(|problem| match problem.kind() {
        Kind::InvitationNotFound => not_valid(),
        _ => problem,
    })?;
    let Event::People(event) = receipt.event else {
        return Err(Problem::bug("an invitation was answered by another event"));
    };
    let PeopleEvent::InvitationAccepted { user, membership, new, .. } = *event else {
        return Err(Problem::bug("an invitation was answered by another event"));
    };
    // The link proves the address, not the password or the second factor of somebody known.
    if new.is_none() {
        return Ok(axum::response::IntoResponse::into_response(StatusCode::NO_CONTENT));
    }
    let origin = Arrival::current().into();
    let signed_in = app.access.sign_in().proven(user, Some(membership), &origin).await?;
    opened(&app, &signed_in).await
}

/// Read an invitation
///
/// By the word of the link: what whoever has it is asked for.
#[utoipa::path(
    post, path = "/invitations/read", tag = "sessions", operation_id = "read_invitation",
    request_body = ReadInvitation,
    responses((status = 200, description = "It is open", body = ReadableInvitation)),
    extensions(("x-operation" = json!(["Anybody"])), ("x-problems" = json!(["link-not-valid"]))),
)]
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    input: Input,
) -> Result<Answer<ReadableInvitation>, Problem> {
    let asked: ReadInvitation = input.read()?;
    let link = bare(&asked.link);
    let not_valid = || Problem::new(Kind::LinkNotValid);
    let invitation = read_invitation_link(app.engine.seals(), link).ok_or_else(not_valid)?;
    let can_come_back = app.site.public_url.is_some();
    let read = move |ledger: &Ledger, now: Timestamp| {
        let open = ledger.invitation(invitation).filter(|it| it.is_open(now))?;
        let organization = ledger.organization_within(open.within);
        let email = string(&open.email).unwrap_or_default();
        let provider = ledger.provider(organization).filter(|it| it.speaks_for(&email));
        let is_new = ledger.find_user(organization, open.email_digest).is_none();
        let refused = provider.is_some_and(|it| !it.passwords) && !is_owners(open);
        Some(ReadableInvitation {
            organization: ledger.organization(organization).name.as_ref().to_owned(),
            email,
            known: !is_new,
            password: is_new && !refused,
            company: provider.is_some() && can_come_back,
        })
    };
    app.engine.read(read).await?.map(Answer::ok).ok_or_else(not_valid)
}

/// Into the organization itself, as its owner: they always have a password.
fn is_owners(invitation: &Invitation) -> bool {
    let is_sellers = matches!(invitation.within, Within::Organization(_));
    is_sellers && invitation.rights == Rights::Role(RoleCode::OWNER)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"link": "bsi_…", "password": "correct horse battery"}))]
pub(crate) struct AcceptInvitation {
    /// The link, or what stands behind its `#`.
    link: String,
    password: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"link": "bsi_…"}))]
pub(crate) struct ReadInvitation {
    /// The link, or what stands behind its `#`.
    link: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ReadableInvitation {
    organization: String,
    email: String,
    /// Whether there is a user with that address already, who keeps what they sign in with.
    known: bool,
    /// Whether to choose a password: not for who is known already, nor for who signs in at the company alone.
    password: bool,
    /// Whether it may be accepted by the company's own sign-in.
    company: bool,
}
