//! An entry by its id.

use access::Caller;
use dialect::App;
use engine::{Entry, Head};

use crate::ids;
use crate::look::look;
use crate::problem::{Kind, Problem};

/// The entry, if the caller sees the account on whose balance it is; else `unknown`.
pub(crate) async fn find(app: &App, caller: &Caller, id: &str, unknown: Kind) -> Result<Entry, Problem> {
    let known = ids::entry(app.engine.seals(), id);
    // The book is asked whatever the id is: how long it takes says nothing of whose it is.
    let (head, number) = look(app, caller, move |ledger, _, sight| {
        let (balance, number) = known.ok_or(unknown)?;
        // An id of other books might happen to read like one of ours.
        if ledger.family_of(balance).is_none() {
            return Err(unknown);
        }
        let it = ledger.balance(balance);
        if sight.reaches(ledger, it.account) { Ok((Head::of(balance, it), number)) } else { Err(unknown) }
    })
    .await?;
    let history = app.engine.history().clone();
    let seek = tokio::task::spawn_blocking(move || history.entry_number(&head, number));
    let entry = seek.await.map_err(|_| Problem::bug("reading history panicked"))??;
    entry.ok_or_else(|| Problem::new(unknown))
}
