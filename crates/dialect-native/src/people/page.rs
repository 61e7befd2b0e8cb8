//! Lists of people and of invitations, page by page.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use dialect::{App, Page, PageBounds, PagingError};
use domain::Timestamp;
use engine::{Id, Seals};
use ledger::Ledger;

use crate::answer::{Answer, List};
use crate::ids;
use crate::input::{Paging, query};
use crate::look::{Sight, look};
use crate::problem::Problem;
use crate::signed::Signed;

const BOUNDS: PageBounds = PageBounds { default: 50, max: 1000 };

/// What stands in such a list, as the state has it.
pub(super) trait Listed: Send + 'static {
    type Index: Copy + Send + 'static;
    type View;

    /// The place behind which a page begins, if the id is one of this list.
    fn place(id: Id) -> Option<Self::Index>;
    fn id(&self) -> Id;
    /// Whether somebody who is limited to chosen accounts may see it, too.
    fn is_seen(&self, ledger: &Ledger, sight: Sight) -> bool;
    fn view(&self, seals: &Seals) -> Self::View;
}

/// One page of what `find` takes from the state: at most so many, behind a place. What the caller may not see
/// is left out of it, so it may be short.
pub(super) async fn page<T: Listed>(
    app: &App,
    caller: &Signed,
    paging: Result<Query<Paging>, QueryRejection>,
    find: impl FnOnce(&Ledger, Timestamp, Option<T::Index>, usize) -> Vec<T> + Send + 'static,
) -> Result<Answer<List<T::View>>, Problem> {
    let paging = query(paging)?;
    let page = Page::read(paging.limit.as_deref(), paging.cursor.as_deref(), BOUNDS)?;
    let seals = app.engine.seals();
    let after = match page.after.as_ref().map(|cursor| ids::of_cursor(seals, cursor)).transpose()? {
        None => None,
        Some(id) => Some(T::place(id).ok_or(PagingError::Cursor)?),
    };
    let limit = page.limit;
    // One more than is shown says whether more follows.
    let (found, last) = look(app, &caller.0, move |ledger, now, sight| {
        let mut found = find(ledger, now, after, limit + 1);
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(T::id);
        found.retain(|it| it.is_seen(ledger, sight));
        Ok((found, last))
    })
    .await?;
    Ok(Answer::ok(List {
        data: found.iter().map(|it| it.view(seals)).collect(),
        next_cursor: last.map(|last| ids::cursor(seals, last)),
    }))
}
