//! `GET /accounts`: the roots of an organization, and `GET /accounts/{account}/children`.

use std::sync::Arc;

use access::Operation;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use dialect::{App, Page, PageBounds, PagingError};
use engine::{Id, Seals};
use ledger::{AccountIndex, Ledger};

use super::view::{Account, View};
use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Named, Paging, query};
use crate::look::{Sight, look};
use crate::problem::{Kind, Problem};
use crate::signed::{Signed, account};

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };
/// Accounts looked at in one turn of the book, so that lists hold up no charge; and turns for one page.
const SLICE: usize = 1000;
const SLICES_MAX: usize = 100;

/// List accounts
///
/// The seller sees the roots of its organization, an account itself; oldest first. A page may be short
/// though more follows: go on while there is a `next_cursor`.
#[utoipa::path(
    get, path = "/accounts", tag = "accounts", operation_id = "list_accounts",
    params(Paging),
    responses((status = 200, description = "A page of accounts", body = List<Account>)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!([]))),
)]
pub(crate) async fn roots(
    caller: Signed,
    State(app): State<Arc<App>>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Account>>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let page = read(paging)?;
    // Those that the caller is limited to are few.
    let tops = look(&app, &caller.0, |ledger, _, sight| {
        let views = |tops: Vec<_>| tops.into_iter().map(|index| View::of(ledger, index)).collect::<Vec<_>>();
        Ok(sight.tops(ledger).map(views))
    });
    let Some(tops) = tops.await? else { return list(&app, &caller, page, Slice::of_roots).await };
    let seals = app.engine.seals();
    let data = tops.into_iter().map(|view| view.print(seals)).collect();
    Ok(Answer::ok(List { data, next_cursor: None }))
}

/// List the children of an account
#[utoipa::path(
    get, path = "/accounts/{account}/children", tag = "accounts", operation_id = "list_children",
    params(("account" = String, Path, description = "Any handle of the parent"), Paging),
    responses((status = 200, description = "A page of accounts", body = List<Account>)),
    extensions(("x-operation" = json!(["ReadAccounts"])), ("x-problems" = json!(["account-not-found"]))),
)]
pub(crate) async fn children(
    caller: Signed,
    State(app): State<Arc<App>>,
    Named(name): Named,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Answer<List<Account>>, Problem> {
    caller.may(Operation::ReadAccounts)?;
    let page = read(paging)?;
    let parent = account(&app, &caller.0, &name)?;
    list(&app, &caller, page, move |ledger, sight, after, room| {
        Slice::of_children(ledger, sight, parent, after, room)
    })
    .await
}

fn read(paging: Result<Query<Paging>, QueryRejection>) -> Result<Page, Problem> {
    let paging = query(paging)?;
    Ok(Page::read(paging.limit.as_deref(), paging.cursor.as_deref(), BOUNDS)?)
}

async fn list(
    app: &App,
    caller: &Signed,
    page: Page,
    slice: impl Fn(&Ledger, Sight, Option<AccountIndex>, usize) -> Result<Slice, Kind> + Copy + Send + 'static,
) -> Result<Answer<List<Account>>, Problem> {
    let seals = app.engine.seals();
    let mut after = page.after.as_ref().map(|cursor| account_of(seals, cursor)).transpose()?;
    if after.is_some_and(|after| !app.engine.directory().has_account(after)) {
        return Err(PagingError::Cursor.into());
    }
    let mut data = Vec::new();
    for _ in 0..SLICES_MAX {
        let room = page.limit - data.len();
        let seen = look(app, &caller.0, move |ledger, _, sight| slice(ledger, sight, after, room)).await;
        let seen = seen.map_err(|problem| match problem.kind() {
            // A cursor of another list.
            Kind::InvalidParameter => PagingError::Cursor.into(),
            _ => problem,
        })?;
        data.extend(seen.views.into_iter().map(|view| view.print(seals)));
        if !seen.more {
            return Ok(Answer::ok(List { data, next_cursor: None }));
        }
        after = seen.last;
        if data.len() == page.limit {
            break;
        }
    }
    let next_cursor = after.map(|after| ids::cursor(seals, Id::Account(after)));
    Ok(Answer::ok(List { data, next_cursor }))
}

fn account_of(seals: &Seals, cursor: &dialect::Cursor) -> Result<AccountIndex, Problem> {
    match ids::of_cursor(seals, cursor)? {
        Id::Account(account) => Ok(account),
        _ => Err(PagingError::Cursor.into()),
    }
}

struct Slice {
    views: Vec<View>,
    last: Option<AccountIndex>,
    more: bool,
}

impl Slice {
    fn of_roots(
        ledger: &Ledger,
        sight: Sight,
        after: Option<AccountIndex>,
        room: usize,
    ) -> Result<Self, Kind> {
        let from = after.map_or(0, |after| after.slot() + 1);
        let wanted = |index| ledger.account(index).parent.is_none() && sight.reaches(ledger, index);
        Ok(Self::take(ledger, ledger.accounts_from(from).map(|(index, _)| index), wanted, after, room))
    }

    fn of_children(
        ledger: &Ledger,
        sight: Sight,
        parent: AccountIndex,
        after: Option<AccountIndex>,
        room: usize,
    ) -> Result<Self, Kind> {
        if !sight.reaches(ledger, parent) {
            return Err(Kind::AccountNotFound);
        }
        if after.is_some_and(|after| ledger.account(after).parent != Some(parent)) {
            return Err(Kind::InvalidParameter);
        }
        let wanted = |index| sight.reaches(ledger, index);
        Ok(Self::take(ledger, ledger.children(parent, after).map(|(index, _)| index), wanted, after, room))
    }

    fn take(
        ledger: &Ledger,
        mut accounts: impl Iterator<Item = AccountIndex>,
        wanted: impl Fn(AccountIndex) -> bool,
        after: Option<AccountIndex>,
        room: usize,
    ) -> Self {
        let mut slice = Self { views: Vec::new(), last: after, more: true };
        for _ in 0..SLICE {
            let Some(index) = accounts.next() else {
                slice.more = false;
                return slice;
            };
            slice.last = Some(index);
            if wanted(index) {
                slice.views.push(View::of(ledger, index));
                if slice.views.len() == room {
                    break;
                }
            }
        }
        // Known now, so that the last page says that it is.
        slice.more = accounts.next().is_some();
        slice
    }
}
