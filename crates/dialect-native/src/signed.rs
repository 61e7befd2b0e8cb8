//! Who asks, and which account they mean.

use std::sync::Arc;

use access::{AccessError, Caller, Operation, UnknownHandle, find_account, is_own};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use cookie::Cookie;
use dialect::{App, Operator};
use ledger::{AccountIndex, SessionId, UserIndex};

use crate::problem::{Kind, Problem};

/// A request whose caller proved who they are.
#[derive(Clone, Copy)]
pub(crate) struct Signed(pub(crate) Caller);

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if parts.extensions.get::<Operator>().is_some() {
            return Ok(Self(Caller::operator()));
        }
        if parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self(app.caller(&parts.headers).await?));
        }
        let token = session_cookie(app, &parts.headers).ok_or(AccessError::Unauthenticated)?;
        let caller = app.access.session(token)?;
        if !is_same_site(app, &parts.method, &parts.headers) {
            return Err(Problem::new(Kind::CrossSite)
                .with_detail(format!("a request by cookie that changes something carries {FROM_PAGE}: 1")));
        }
        Ok(Self(caller))
    }
}

/// The prefix binds a cookie to this host and to TLS; browsers refuse it without.
const COOKIE_OVER_TLS: &str = "__Host-bursar";
const COOKIE: &str = "bursar";

pub(crate) fn cookie_name(app: &App) -> &'static str {
    if app.site.is_secure() { COOKIE_OVER_TLS } else { COOKIE }
}

fn session_cookie<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie_value(headers, cookie_name(app))
}

/// What a browser carries under that name.
pub(crate) fn cookie_value<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    let names = [name];
    let mut found = cookies(headers, &names);
    let token = found.next()?;
    // Two of one name: somebody planted one.
    if found.next().is_some() { None } else { Some(token) }
}

/// What stands in cookies of either name.
pub(crate) fn session_cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    cookies(headers, &[COOKIE_OVER_TLS, COOKIE])
}

fn cookies<'a>(headers: &'a HeaderMap, names: &[&'static str]) -> impl Iterator<Item = &'a str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let found = texts.flat_map(Cookie::split_parse).flatten();
    found.filter(|cookie| names.contains(&cookie.name())).filter_map(|cookie| cookie.value_raw())
}

/// Pages of other sites cannot send it without asking first, and are never answered.
const FROM_PAGE: HeaderName = HeaderName::from_static("x-bursar-page");

/// A browser sends cookies along whoever made the page: what changes something has to come from ours.
fn is_same_site(app: &App, method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return true;
    }
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = |origin: &str| {
        let host = text(&header::HOST).unwrap_or_default();
        let is_public = app.site.public_url.as_deref() == Some(origin);
        is_public || origin.split_once("://").is_some_and(|(_, authority)| authority == host)
    };
    let fetched = text(&HeaderName::from_static("sec-fetch-site"));
    headers.contains_key(FROM_PAGE)
        && fetched.is_none_or(|site| site == "same-origin")
        && headers.get(header::ORIGIN).is_none_or(|origin| origin.to_str().is_ok_and(is_ours))
}

impl Signed {
    /// Asked before anything else is looked at.
    pub(crate) fn may(&self, operation: Operation) -> Result<(), Problem> {
        Ok(self.0.may(operation)?)
    }

    /// The user, and the session, for what people do about themselves.
    pub(crate) fn in_session(&self) -> Result<(UserIndex, SessionId), Problem> {
        let person = self.0.person().and_then(|person| Some((person.user, person.session?)));
        person.ok_or_else(|| {
            Problem::new(Kind::Forbidden).with_detail("only a person who signed in may do that")
        })
    }
}

/// The account that a text means to the caller. Another tenant's is not there. Whether the caller may see one of
/// its own tenant is for the book to say, with the same answer.
pub(crate) fn account(app: &App, caller: &Caller, text: &str) -> Result<AccountIndex, Problem> {
    let found = find_account(&app.engine, caller.organization(), text);
    let own = found.and_then(|found| {
        if is_own(&app.engine, caller, found) { Ok(found) } else { Err(UnknownHandle::NotFound) }
    });
    own.map_err(|unknown| match unknown {
        UnknownHandle::NotFound => Problem::new(Kind::AccountNotFound),
        // Which kinds of handles others have is nothing for a buyer to know.
        UnknownHandle::Ambiguous(_) if caller.account().is_some() => Problem::new(Kind::AccountNotFound),
        UnknownHandle::Ambiguous(_) => Problem::new(Kind::AmbiguousHandle).with_detail(unknown.to_string()),
    })
}
