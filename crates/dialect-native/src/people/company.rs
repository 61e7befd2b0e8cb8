//! Signing in by the company's own provider: `POST /sessions/company` sends the browser there, the page at
//! `/sign-in/callback/{organization}` takes it back, and `POST /sessions/company/code` asks whoever has a
//! second factor here for its code: a provider's word stands for the password and for nothing else.

use std::sync::Arc;

use access::{SignInError, SignedIn, email_digest, invitation_link, read_invitation_link, subject_digest};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cookie::{Cookie, SameSite};
use dialect::{App, Arrival};
use ledger::{
    Act, Actor, Event, Ledger, MembershipIndex, OrganizationIndex, PeopleAct, PeopleEvent, SignInProvider,
    UserIndex,
};
use serde::{Deserialize, Serialize};
use sign_in_provider::{Failure, TICKET_SECS, Ticket, Tickets, Vouched};
use utoipa::ToSchema;

use super::provider::find;
use super::sessions::opened;
use crate::answer::json;
use crate::input::Input;
use crate::problem::{Kind, Problem};
use crate::signed::cookie_value;
use crate::submit::submit_as;
use crate::values::Name;
use crate::whose::bare;

/// Sign in at the company
///
/// The answer says where the browser goes on; what it has to bring back besides is in a cookie, and counts for
/// ten minutes. Whoever was invited accepts by it: the provider has to say the address that was invited.
#[utoipa::path(
    post, path = "/sessions/company", tag = "sessions", operation_id = "sign_in_at_company",
    request_body = AtCompany,
    responses((status = 200, description = "Where to go on", body = GoOn)),
    extensions(("x-operation" = json!(["Anybody"])), ("x-problems" = json!([
        "sign-in-provider-not-found", "link-not-valid", "sign-in-provider-failed",
    ]))),
)]
pub(crate) async fn begin(State(app): State<Arc<App>>, input: Input) -> Result<Response, Problem> {
    let asked: AtCompany = input.read()?;
    let name = asked.organization.as_ref().map_or(access::DEFAULT_ORGANIZATION, Name::as_str);
    let seals = app.engine.seals();
    let invitation = match asked.link.as_deref() {
        None => None,
        Some(link) => {
            let found = read_invitation_link(seals, bare(link));
            let found = found.ok_or_else(|| Problem::new(Kind::LinkNotValid))?;
            Some(invitation_link(seals, found).expose().to_owned())
        }
    };
    let (_, _, provider) = find(&app, name).await?;
    let tickets = tickets(&app);
    let begun = app.providers.begin(&provider, &tickets).await.map_err(failed)?;
    let begun_here = Begun { organization: name.to_owned(), invitation, ticket: begun.ticket };
    let ticket = tickets.seal(BEGUN, &begun_here).ok_or_else(|| Problem::bug("a ticket is too long"))?;
    let body = serde_json::to_vec(&GoOn { location: begun.location });
    let body = body.map_err(|_| Problem::bug("an address cannot be printed"))?;
    let mut response = json(StatusCode::OK, body);
    response.headers_mut().append(header::SET_COOKIE, ticket_cookie(&app, &ticket, TICKET_SECS));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// How a browser that came back goes on.
pub(crate) enum Back {
    SignedIn(Box<SignedIn>),
    /// The ticket with which it may say a code.
    CodeNeeded(String),
}

/// What the provider sends the browser back with.
#[derive(Deserialize)]
pub(crate) struct Returned {
    state: Option<String>,
    code: Option<String>,
    /// RFC 9207.
    iss: Option<String>,
    error: Option<String>,
}

/// The second half, by whoever brings the ticket of the first.
pub(crate) async fn finish(
    app: &App,
    organization: &str,
    headers: &HeaderMap,
    returned: &Returned,
) -> Result<Back, Problem> {
    let not_begun = || Problem::new(Kind::SignInNotBegun);
    let ticket = cookie_value(headers, ticket_name(app)).ok_or_else(not_begun)?;
    let begun: Begun = tickets(app).open(BEGUN, ticket).ok_or_else(not_begun)?;
    if begun.organization != organization {
        return Err(not_begun());
    }
    let (Some(state), code) = (&returned.state, returned.code.as_deref().unwrap_or_default()) else {
        return Err(not_begun());
    };
    if returned.error.is_some() {
        return Err(failed(Failure::Refused));
    }
    let (organization, held, provider) = find(app, organization).await?;
    let vouched = app.providers.finish(&provider, begun.ticket, state, code, returned.iss.as_deref());
    let vouched = vouched.await.map_err(failed)?;
    let subject = subject_digest(app.engine.seals(), &provider.issuer, &vouched.subject);
    let asked = Asked { organization, held: &held, vouched: &vouched, subject };
    let (user, membership) = match &begun.invitation {
        Some(link) => accept(app, &asked, link).await?,
        None => (known(app, &asked).await?.ok_or_else(|| Problem::new(Kind::NotVouched))?, None),
    };
    let origin = Arrival::current().into();
    match app.access.sign_in().vouched(user, subject, membership, None, &origin).await {
        Ok(signed_in) => Ok(Back::SignedIn(Box::new(signed_in))),
        Err(SignInError::CodeNeeded) => {
            let expires_at_micros = app.providers.now().plus_secs(CODE_SECS).as_micros();
            let membership = membership.map(MembershipIndex::slot);
            let pending = Pending { user: user.slot(), subject, membership, expires_at_micros };
            let ticket = tickets(app).seal(PENDING, &pending);
            ticket.map(Back::CodeNeeded).ok_or_else(|| Problem::bug("a ticket is too long"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Say the code of one's second factor
///
/// After the company's own sign-in, within five minutes and in the same browser.
#[utoipa::path(
    post, path = "/sessions/company/code", tag = "sessions", operation_id = "say_code",
    request_body = SayCode,
    responses((status = 201, description = "Signed in", body = super::sessions::Session)),
    extensions(("x-operation" = json!(["Anybody"])), ("x-problems" = json!([
        "sign-in-not-begun", "second-factor-wrong", "not-vouched", "no-membership", "too-many-sign-ins",
    ]))),
)]
pub(crate) async fn code(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    input: Input,
) -> Result<Response, Problem> {
    let asked: SayCode = input.read()?;
    let ticket = cookie_value(&headers, ticket_name(&app));
    let pending: Option<Pending> = ticket.and_then(|ticket| tickets(&app).open(PENDING, ticket));
    let pending = pending.filter(|it| app.providers.now().as_micros() < it.expires_at_micros);
    let pending = pending.ok_or_else(|| Problem::new(Kind::SignInNotBegun))?;
    let (user, membership) = (UserIndex::new(pending.user), pending.membership.map(MembershipIndex::new));
    let origin = Arrival::current().into();
    let sign_in = app.access.sign_in();
    let signed_in = sign_in.vouched(user, pending.subject, membership, Some(&asked.code), &origin).await?;
    let mut response = opened(&app, &signed_in).await?;
    response.headers_mut().append(header::SET_COOKIE, ticket_cookie(&app, "", 0));
    Ok(response)
}

struct Asked<'a> {
    organization: OrganizationIndex,
    held: &'a SignInProvider,
    vouched: &'a Vouched,
    subject: u128,
}

impl Asked<'_> {
    /// The address, if the provider has verified it and may speak for it.
    fn email(&self) -> Option<&str> {
        self.vouched.email.as_deref().filter(|email| self.held.speaks_for(email))
    }
}

/// By the subject, if it is known; else the first time by the address, which links the two.
async fn known(app: &App, asked: &Asked<'_>) -> Result<Option<UserIndex>, Problem> {
    let (organization, subject) = (asked.organization, asked.subject);
    let email = asked.email().map(|email| email_digest(app.engine.seals(), email));
    let read = move |ledger: &Ledger, _| {
        let linked = ledger.find_subject(organization, subject);
        let by_address = || ledger.find_user(organization, email?);
        (linked, linked.or_else(by_address))
    };
    let (linked, found) = app.engine.read(read).await?;
    if let (None, Some(user)) = (linked, found) {
        let act = Act::People(Box::new(PeopleAct::LinkSubject { user, subject }));
        submit_as(app, Actor::System, act, None).await?;
    }
    Ok(found)
}

/// Whoever was invited, and nobody else who has the link: the provider knows the address.
async fn accept(
    app: &App,
    asked: &Asked<'_>,
    link: &str,
) -> Result<(UserIndex, Option<MembershipIndex>), Problem> {
    let not_valid = || Problem::new(Kind::LinkNotValid);
    let invitation = read_invitation_link(app.engine.seals(), link).ok_or_else(not_valid)?;
    let organization = asked.organization;
    let read = move |ledger: &Ledger, now| {
        let open = ledger.invitation(invitation).filter(|it| it.is_open(now))?;
        (ledger.organization_within(open.within) == organization).then_some(open.email_digest)
    };
    let invited = app.engine.read(read).await?.ok_or_else(not_valid)?;
    let known = known(app, asked).await?;
    let is_invited = match known {
        Some(user) => app.engine.read(move |ledger, _| ledger.user(user).email_digest).await? == invited,
        None => asked.email().is_some_and(|email| email_digest(app.engine.seals(), email) == invited),
    };
    if !is_invited {
        return Err(Problem::new(Kind::NotVouched));
    }
    let subject = known.is_none().then_some(asked.subject);
    let act = PeopleAct::AcceptInvitation { invitation, password: None, subject };
    let receipt = submit_as(app, Actor::System, Act::People(Box::new(act)), None).await?;
    let Event::People(event) = receipt.event else {
        return Err(Problem::bug("an invitation was answered by another event"));
    };
    match *event {
        PeopleEvent::InvitationAccepted { user, membership, .. } => Ok((user, Some(membership))),
        _ => Err(Problem::bug("an invitation was answered by another event")),
    }
}

/// Why, is for the log: whoever signs in learns that it did not work.
fn failed(failure: Failure) -> Problem {
    if failure == Failure::NotBegun {
        return Problem::new(Kind::SignInNotBegun);
    }
    tracing::warn!(%failure, "a sign-in at a company's provider failed");
    Problem::new(Kind::ProviderFailed)
}

/// Purposes of tickets.
const BEGUN: &str = "begun";
const PENDING: &str = "pending";
/// To say the code of the second factor.
const CODE_SECS: i64 = 300;

#[derive(Serialize, Deserialize)]
struct Begun {
    organization: String,
    invitation: Option<String>,
    ticket: Ticket,
}

/// The provider has spoken; a second factor is still to come.
#[derive(Serialize, Deserialize)]
struct Pending {
    user: usize,
    subject: u128,
    membership: Option<usize>,
    expires_at_micros: i64,
}

fn tickets(app: &App) -> Tickets<'_> {
    Tickets::new(app.engine.seals(), app.engine.entropy())
}

fn ticket_name(app: &App) -> &'static str {
    if app.site.is_secure() { "__Host-bursar-ticket" } else { "bursar-ticket" }
}

/// `Lax`: the provider's answer is a link that the browser follows.
pub(crate) fn ticket_cookie(app: &App, ticket: &str, age_secs: i64) -> HeaderValue {
    let cookie = Cookie::build((ticket_name(app), ticket))
        .path("/")
        .http_only(true)
        .secure(app.site.is_secure())
        .same_site(SameSite::Lax)
        .build();
    HeaderValue::from_str(&format!("{cookie}; Max-Age={age_secs}"))
        .expect("names and tickets of ours may stand in a header")
}

/// The browser was sent back, and goes on here.
pub(crate) fn moved(app: &App, organization: &str, back: &Back) -> Response {
    let (place, cookies) = match back {
        Back::SignedIn(signed_in) => {
            let session = super::sessions::cookie(app, signed_in.token.expose(), None);
            ("/signed-in".to_owned(), vec![session, ticket_cookie(app, "", 0)])
        }
        Back::CodeNeeded(ticket) => {
            // A name that was found in the book is one of letters, digits, hyphens, dots and underscores.
            (
                format!("/sign-in/code?organization={organization}"),
                vec![ticket_cookie(app, ticket, CODE_SECS)],
            )
        }
    };
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"organization": "acme"}))]
pub(crate) struct AtCompany {
    /// The seller whose user it is; `default` when absent.
    organization: Option<Name>,
    /// The link of an invitation that is to be accepted, or what stands behind its `#`.
    link: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct GoOn {
    /// The provider's page.
    location: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "123456"}))]
pub(crate) struct SayCode {
    /// The seller whose user it is; `default` when absent.
    #[serde(rename = "organization")]
    _organization: Option<Name>,
    /// Of the second factor, or a recovery code.
    code: String,
}
