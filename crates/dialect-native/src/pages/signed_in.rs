//! Who is signed in, and the way out.

use std::sync::Arc;

use access::Role;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dialect::App;
use engine::Id;
use ledger::{Ledger, Membership, MembershipIndex, Rights, Within};
use serde::Serialize;

use super::page;
use crate::accounts::view::string;
use crate::ids;
use crate::problem::Problem;
use crate::signed::Signed;
use crate::values::Time;

#[derive(Serialize)]
struct View {
    email: String,
    organization: String,
    place: String,
    role: String,
    until: Time,
    others: Vec<Other>,
}

#[derive(Serialize)]
struct Other {
    id: String,
    place: String,
    role: String,
}

pub(super) async fn show(State(app): State<Arc<App>>, caller: Result<Signed, Problem>) -> Response {
    let signed_in = caller.and_then(|caller| caller.in_session());
    let Ok((user, session)) = signed_in else {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, "/sign-in")]).into_response();
    };
    let seals = app.engine.seals().clone();
    let read = move |ledger: &Ledger, now| {
        let held = ledger.session(session).filter(|it| now < it.expires_at)?;
        let other = |(index, it): (MembershipIndex, &Membership)| Other {
            id: ids::print(&seals, Id::Membership(index)),
            place: place(ledger, it),
            role: rights(ledger, it),
        };
        let own = ledger.membership(held.membership);
        let known = ledger.user(user);
        Some(View {
            email: string(&known.email).unwrap_or_default(),
            organization: ledger.organization(known.organization).name.as_ref().to_owned(),
            place: place(ledger, own),
            role: rights(ledger, own),
            until: held.expires_at.into(),
            others: ledger.memberships_of(user).filter(|(it, _)| *it != held.membership).map(other).collect(),
        })
    };
    match app.engine.read(read).await {
        Ok(Some(view)) => page("signed-in.html", StatusCode::OK, view),
        Ok(None) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/sign-in")]).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// The seller's side, or the family by the name of its root.
fn place(ledger: &Ledger, membership: &Membership) -> String {
    match membership.within {
        Within::Organization(_) => "the seller’s side".to_owned(),
        Within::Family(root) => {
            string(&ledger.account(root).name).unwrap_or_else(|| "a family of accounts".to_owned())
        }
    }
}

fn rights(ledger: &Ledger, membership: &Membership) -> String {
    match membership.rights {
        Rights::Role(code) => Role::from_code(code).map_or("", Role::name).to_owned(),
        Rights::Set(set) => ledger.permission_set(set).name.as_ref().to_owned(),
    }
}
