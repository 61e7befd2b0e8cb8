//! Somebody is asked to join: `POST` and `GET …/invitations`, `DELETE /invitations/{invitation}`, and the
//! answer of whoever was invited, `POST /invitations/accept`.

use std::sync::Arc;

use access::{Operation, check_password, email_digest, invitation_link, read_invitation_link};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use dialect::{App, Arrival};
use domain::Timestamp;
use engine::{Id, Seals};
use ledger::{
    Act, Actor, Event, Invitation as Held, InvitationIndex, Ledger, OrganizationIndex, PeopleAct,
    PeopleEvent, Rights, RoleCode, Within,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::letters;
use super::me::hash;
use super::member::{accounts, family, role, set_name};
use super::members::{actor_within, manages_people, root};
use super::page::{Listed, page};
use super::rights::{self, Wanted};
use super::roles::RoleName;
use super::sessions::opened;
use super::users::is_address;
use crate::accounts::view::string;
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Input, Named, Paging};
use crate::look::{Sight, look};
use crate::operator::administer;
use crate::problem::{Kind, Problem};
use crate::signed::Signed;
use crate::submit::{submit, submit_as};
use crate::values::{Name, Time};
use crate::whose::bare;

/// Without another word an invitation counts for a week.
const LIFE_SECS: i64 = 7 * 24 * 3600;

/// Invite somebody to an organization
///
/// On the seller's side. They get a link by mail; on a server without mail the answer holds it. Whoever
/// follows it chooses a password.
#[utoipa::path(
    post, path = "/organizations/{organization}/invitations", tag = "people", operation_id = "invite",
    params(("organization" = String, Path, description = "The organization's name")),
    request_body = Invite,
    responses((status = 201, description = "They are invited", body = Invitation)),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!([
        "organization-not-found", "too-many-members", "permission-set-not-found", "account-not-found",
    ]))),
)]
pub(crate) async fn to_organization(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    input: Input,
) -> Result<Answer<Invitation>, Problem> {
    let (organization, _) = administer(&app, &caller.0, Operation::ManageUsers, &name)?;
    invite(&app, &caller, Within::Organization(organization), &input.read()?).await
}

/// Invite somebody to a family
///
/// The first owner of a family is its primary user; everybody else is a team member.
#[utoipa::path(
    post, path = "/accounts/{account}/invitations", tag = "people", operation_id = "invite_to_family",
    params(("account" = String, Path, description = "Any handle of the root account")),
    request_body = Invite,
    responses((status = 201, description = "They are invited", body = Invitation)),
    extensions(("x-operation" = json!(["ManageMembers"])), ("x-problems" = json!([
        "account-not-found", "not-a-root", "primary-user-exists", "primary-user-stays", "too-many-members",
        "permission-set-not-found",
    ]))),
)]
pub(crate) async fn to_family(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    input: Input,
) -> Result<Answer<Invitation>, Problem> {
    caller.may(Operation::ManageMembers)?;
    let root = root(&app, &caller.0, &name).await?;
    invite(&app, &caller, Within::Family(root), &input.read()?).await
}

async fn invite(
    app: &App,
    caller: &Signed,
    within: Within,
    asked: &Invite,
) -> Result<Answer<Invitation>, Problem> {
    if !is_address(asked.email.as_str()) {
        return Err(Problem::field("email", "expected an e-mail address"));
    }
    if app.mailer.is_on() {
        letters::check(app, asked.email.as_str()).map_err(|error| Problem::field("email", error))?;
    }
    let wanted = Wanted {
        role: asked.role,
        permissions: asked.permissions.as_ref(),
        accounts: asked.accounts.as_deref(),
    };
    let (rights, accounts) = rights::read(app, &caller.0, within, &wanted).await?;
    let now = app.engine.read(|_, now| now).await?;
    let act = PeopleAct::Invite {
        within,
        rights,
        accounts,
        email_digest: email_digest(app.engine.seals(), asked.email.as_str()),
        email: asked.email.text(),
        expires_at: asked.expires_at.map_or(now.plus_secs(LIFE_SECS), Time::timestamp),
        by_mail: app.mailer.is_on(),
    };
    let actor = actor_within(app, &caller.0, within);
    let receipt = submit_as(app, actor, Act::People(Box::new(act)), None).await?;
    let Event::People(event) = receipt.event else {
        return Err(Problem::bug("an invitation was answered by another event"));
    };
    let PeopleEvent::Invited { invitation, invited } = *event else {
        return Err(Problem::bug("an invitation was answered by another event"));
    };
    let seen = app.engine.read(move |ledger, _| Seen::of(ledger, invitation, &invited)).await?;
    let mut view = seen.view(app.engine.seals());
    if app.mailer.is_on() {
        app.mailer.asked();
    } else {
        let link = invitation_link(app.engine.seals(), invitation);
        view.link = Some(app.site.link("accept", link.expose()));
    }
    Ok(Answer::created(view))
}

/// List the open invitations of an organization
#[utoipa::path(
    get, path = "/organizations/{organization}/invitations", tag = "people",
    operation_id = "list_invitations",
    params(("organization" = String, Path, description = "The organization's name"), Paging),
    responses((status = 200, description = "A page of invitations", body = List<Invitation>)),
    extensions(("x-operation" = json!(["ManageUsers"])), ("x-problems" = json!(["organization-not-found"]))),
)]
pub(crate) async fn of_organization(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Invitation>>, Problem> {
    let (organization, _) = administer(&app, &caller.0, Operation::ManageUsers, &name)?;
    list(&app, &caller, Within::Organization(organization), paging).await
}

/// List the open invitations of a family
#[utoipa::path(
    get, path = "/accounts/{account}/invitations", tag = "people", operation_id = "list_family_invitations",
    params(("account" = String, Path, description = "Any handle of the root account"), Paging),
    responses((status = 200, description = "A page of invitations", body = List<Invitation>)),
    extensions(("x-operation" = json!(["ManageMembers"])), ("x-problems" = json!([
        "account-not-found", "not-a-root",
    ]))),
)]
pub(crate) async fn of_family(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Invitation>>, Problem> {
    caller.may(Operation::ManageMembers)?;
    let root = root(&app, &caller.0, &name).await?;
    list(&app, &caller, Within::Family(root), paging).await
}

async fn list(
    app: &App,
    caller: &Signed,
    within: Within,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Invitation>>, Problem> {
    page(app, caller, paging, move |ledger, now, after, room| {
        let open = ledger.invitations(within, after).filter(|(_, it)| it.is_open(now)).take(room);
        open.map(|(index, it)| Seen::of(ledger, index, it)).collect()
    })
    .await
}

/// Revoke an invitation
#[utoipa::path(
    delete, path = "/invitations/{invitation}", tag = "people", operation_id = "revoke_invitation",
    params(("invitation" = String, Path, description = "The id of the invitation")),
    responses((status = 204, description = "Its link no longer counts")),
    extensions(("x-operation" = json!(["ManageMembers", "ManageUsers"])), ("x-problems" = json!([
        "invitation-not-found",
    ]))),
)]
pub(crate) async fn revoke(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    manages_people(&caller)?;
    let Some(Id::Invitation(invitation)) = ids::parse(app.engine.seals(), &name) else {
        return Err(Problem::new(Kind::InvitationNotFound));
    };
    let own = caller.0.account();
    let within = look(&app, &caller.0, move |ledger, now, sight| {
        let known = ledger.invitation(invitation).filter(|it| it.is_open(now));
        let within = known.ok_or(Kind::InvitationNotFound)?.within;
        let is_reached = match within {
            Within::Organization(organization) => own.is_none() && sight.is_of(organization),
            Within::Family(root) => sight.reaches(ledger, root),
        };
        if is_reached { Ok(within) } else { Err(Kind::InvitationNotFound) }
    });
    caller.may(rights::operation(within.await?))?;
    let act = Act::People(Box::new(PeopleAct::RevokeInvitation { invitation }));
    submit(&app, &caller.0, act, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

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
fn is_owners(invitation: &Held) -> bool {
    let is_sellers = matches!(invitation.within, Within::Organization(_));
    is_sellers && invitation.rights == Rights::Role(RoleCode::OWNER)
}

#[derive(Clone)]
struct Seen {
    index: InvitationIndex,
    held: Held,
    organization: String,
    set: Option<String>,
}

impl Seen {
    fn of(ledger: &Ledger, index: InvitationIndex, held: &Held) -> Self {
        let organization: OrganizationIndex = ledger.organization_within(held.within);
        Self {
            index,
            held: held.clone(),
            organization: ledger.organization(organization).name.as_ref().to_owned(),
            set: set_name(ledger, held.rights),
        }
    }
}

impl Listed for Seen {
    type Index = InvitationIndex;
    type View = Invitation;

    fn place(id: Id) -> Option<InvitationIndex> {
        match id {
            Id::Invitation(place) => Some(place),
            _ => None,
        }
    }

    fn id(&self) -> Id {
        Id::Invitation(self.index)
    }

    fn is_seen(&self, ledger: &Ledger, sight: Sight) -> bool {
        sight.sees_about(ledger, &rights::over(self.held.within, &self.held.accounts))
    }

    fn view(&self, seals: &Seals) -> Invitation {
        let it = &self.held;
        Invitation {
            id: ids::print(seals, Id::Invitation(self.index)),
            email: string(&it.email),
            organization: self.organization.clone(),
            family: family(seals, it.within),
            role: role(it.rights),
            permissions: self.set.clone(),
            accounts: accounts(seals, &it.accounts),
            invited_at: it.invited_at.into(),
            expires_at: it.expires_at.into(),
            link: None,
        }
    }
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "bob@customer.example", "role": "owner"}))]
pub(crate) struct Invite {
    email: Name,
    role: Option<RoleName>,
    /// A set of permissions by its name, in place of a role.
    permissions: Option<Name>,
    /// Any handles of the accounts it is limited to, 100 at most; absent: all.
    accounts: Option<Vec<String>>,
    /// At most 30 days ahead; in a week when absent.
    expires_at: Option<Time>,
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

#[derive(Serialize, ToSchema)]
pub(crate) struct Invitation {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    organization: String,
    /// The root account; absent on the seller's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<RoleName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<String>>,
    invited_at: Time,
    expires_at: Time,
    /// On a server that sends no mail, where it was just made: hand it over yourself.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}
