//! Somebody is asked to join: `POST` and `GET …/invitations`, `DELETE /invitations/{invitation}`.

use std::sync::Arc;

use access::{Operation, email_digest, invitation_link};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use dialect::App;
use domain::Timestamp;
use engine::{Id, Seals};
use ledger::{Act, Event, Invitation as Held, InvitationIndex, Ledger, PeopleAct, PeopleEvent, Text, Within};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::belonging::Belonging;
use super::letters;
use super::members::{actor_within, manages_people, root};
use super::page::{Listed, page};
use super::rights::{self, Wanted};
use super::roles::RoleName;
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

struct Seen {
    index: InvitationIndex,
    email: Text,
    belonging: Belonging,
    invited_at: Timestamp,
    expires_at: Timestamp,
}

impl Seen {
    fn of(ledger: &Ledger, index: InvitationIndex, it: &Held) -> Self {
        Self {
            index,
            email: it.email.clone(),
            belonging: Belonging::of(ledger, it.within, it.rights, &it.accounts),
            invited_at: it.invited_at,
            expires_at: it.expires_at,
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
        self.belonging.is_seen(ledger, sight)
    }

    fn view(&self, seals: &Seals) -> Invitation {
        Invitation {
            id: ids::print(seals, Id::Invitation(self.index)),
            email: string(&self.email),
            organization: self.belonging.organization.clone(),
            family: self.belonging.family(seals),
            role: self.belonging.role(),
            permissions: self.belonging.set.clone(),
            accounts: self.belonging.accounts(seals),
            invited_at: self.invited_at.into(),
            expires_at: self.expires_at.into(),
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
