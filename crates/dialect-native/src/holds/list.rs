//! `GET /accounts/{account}/holds`

use std::sync::Arc;

use access::Operation;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use dialect::{App, Page, PageBounds, PagingError};
use engine::Id;
use ledger::{AccountIndex, HoldId, Ledger};

use super::view::{Hold, View};
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Named, Paging, query};
use crate::look::look_at;
use crate::problem::Problem;
use crate::signed::{Signed, account};

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };
/// Holds looked at in one turn of the book, and turns for one page.
const SLICE: usize = 1000;
const SLICES_MAX: usize = 100;

/// List the open holds of an account
///
/// Oldest first. A page may be short though more follows: go on while there is a `next_cursor`.
#[utoipa::path(
    get, path = "/accounts/{account}/holds", tag = "holds", operation_id = "list_holds",
    params(("account" = String, Path, description = "Any handle of the account"), Paging),
    responses((status = 200, description = "A page of open holds", body = List<Hold>)),
    extensions(("x-operation" = json!(["ReadEntries"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn handle(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Hold>>, Problem> {
    caller.may(Operation::ReadEntries)?;
    let paging = query(paging)?;
    let page = Page::read(paging.limit.as_deref(), paging.cursor.as_deref(), BOUNDS)?;
    let index = account(&app, &caller.0, &name)?;
    let seals = app.engine.seals();
    let mut from = match page.after.as_ref().map(|cursor| ids::of_cursor(seals, cursor)).transpose()? {
        None => HoldId(0),
        Some(Id::Hold(after)) => HoldId(after.0 + 1),
        Some(_) => return Err(PagingError::Cursor.into()),
    };
    let mut data: Vec<Hold> = Vec::new();
    for _ in 0..SLICES_MAX {
        let room = page.limit - data.len();
        let slice = look_at(&app, &caller.0, index, move |ledger, _| Slice::of(ledger, index, from, room));
        let slice = slice.await?;
        data.extend(slice.views.iter().map(|view| view.print(seals)));
        let Some(last) = slice.last else { return Ok(Answer::ok(List { data, next_cursor: None })) };
        from = HoldId(last.0 + 1);
        if data.len() == page.limit {
            break;
        }
    }
    let last = Id::Hold(HoldId(from.0.saturating_sub(1)));
    Ok(Answer::ok(List { data, next_cursor: Some(ids::cursor(seals, last)) }))
}

struct Slice {
    views: Vec<View>,
    /// The last hold looked at; None when there are no more.
    last: Option<HoldId>,
}

impl Slice {
    fn of(ledger: &Ledger, account: AccountIndex, from: HoldId, room: usize) -> Self {
        let mut slice = Self { views: Vec::new(), last: None };
        if ledger.account(account).open_holds == 0 {
            return slice;
        }
        for (id, hold) in ledger.holds_from(from).take(SLICE) {
            if slice.views.len() == room {
                break;
            }
            slice.last = Some(id);
            if hold.account == account {
                slice.views.push(View::of(ledger, id, hold));
            }
        }
        slice
    }
}
