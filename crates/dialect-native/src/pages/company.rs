//! Where a company's sign-in sends the browser back to.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use dialect::{App, RequestId};
use serde::Serialize;

use super::page;
use crate::input::Named;
use crate::people::company::{Returned, finish, moved, ticket_cookie};
use crate::problem::Kind;

#[derive(Serialize)]
struct Failed<'a> {
    title: &'a str,
    advice: &'a str,
    organization: &'a str,
    request: String,
}

pub(super) async fn callback(
    State(app): State<Arc<App>>,
    Named(organization): Named,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Response {
    let problem = match finish(&app, &organization, &headers, &returned).await {
        Ok(back) => return moved(&app, &organization, &back),
        Err(problem) => problem,
    };
    let kind = problem.kind();
    let view = Failed {
        title: kind.title(),
        advice: advice(kind),
        organization: &organization,
        request: RequestId::current().map_or_else(String::new, |id| id.to_string()),
    };
    let mut response = page("failed.html", kind.status(), view);
    response.headers_mut().append(header::SET_COOKIE, ticket_cookie(&app, "", 0));
    response
}

fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::NotVouched | Kind::NoMembership => {
            "Your company’s sign-in worked, but whom it speaks of does not belong here. Ask for an invitation to \
             the address you have there."
        }
        Kind::SignInNotBegun => "Begin again, and finish in the same browser within ten minutes.",
        Kind::LinkNotValid => "Ask for another invitation.",
        _ => "Try again in a moment. If it goes on, tell whoever runs this server the request below.",
    }
}
