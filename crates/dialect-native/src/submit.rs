//! One act, done.

use access::Caller;
use dialect::{App, Arrival};
use engine::{Content, Key, Outcome, Receipt, Request};
use ledger::{Act, Actor, Command};

use crate::problem::Problem;

/// What a client calls its intent, if it has a name for it, and what it asked under that name.
pub(crate) type Intent = Option<(Key, Content)>;

pub(crate) async fn submit(app: &App, caller: &Caller, act: Act, intent: Intent) -> Result<Receipt, Problem> {
    submit_as(app, caller.actor(), act, intent).await
}

pub(crate) async fn submit_as(app: &App, actor: Actor, act: Act, intent: Intent) -> Result<Receipt, Problem> {
    let request = Request { command: Command { actor, act }, key: intent };
    match app.engine.submit_from(request, Some(Arrival::current().into())).await? {
        Outcome::Done(receipt) => Ok(receipt),
        Outcome::Rejected(rejection) => Err(Problem::rejected(&rejection, app.engine.seals())),
        Outcome::Refused(refusal) => Err(refusal.into()),
        Outcome::Repeated(_) => Err(Problem::bug("a repeated request was not settled")),
    }
}
