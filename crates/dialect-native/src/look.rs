//! Reading the state: only what the caller may see, and in the order of commands.

use access::Caller;
use dialect::App;
use domain::Timestamp;
use ledger::{AccountIndex, Actor, Ledger, OrganizationIndex, UserIndex};

use crate::problem::{Kind, Problem};
use crate::signed::account;

/// How far a caller sees.
#[derive(Clone, Copy)]
pub(crate) struct Sight {
    actor: Actor,
    organization: OrganizationIndex,
    account: Option<AccountIndex>,
}

impl Sight {
    pub(crate) fn of(caller: &Caller) -> Self {
        Self { actor: caller.actor(), organization: caller.organization(), account: caller.account() }
    }

    /// The seller sees its organization, an account itself and the descendants it manages, as far as the scope
    /// of its credential goes; a person who is limited to accounts no more than those.
    pub(crate) fn reaches(&self, ledger: &Ledger, account: AccountIndex) -> bool {
        let is_within = match self.account {
            None => ledger.account(account).organization == self.organization,
            Some(own) => own == account || ledger.manages(own, account),
        };
        is_within && ledger.is_open_to(self.actor, account)
    }

    /// Where what it reaches begins: at the accounts it is limited to, or at a buyer's own; None for a whole
    /// organization.
    pub(crate) fn tops(&self, ledger: &Ledger) -> Option<Vec<AccountIndex>> {
        let scope = ledger.scope(self.actor).map_or(&[][..], |scope| &scope.accounts);
        let chosen = if scope.is_empty() { ledger.chosen(self.actor) } else { scope };
        match self.account {
            None if chosen.is_empty() => None,
            Some(own) if chosen.is_empty() => Some(vec![own]),
            _ => Some(chosen.iter().copied().filter(|account| self.reaches(ledger, *account)).collect()),
        }
    }

    /// Whether it ends at chosen accounts.
    pub(crate) fn is_limited(&self, ledger: &Ledger) -> bool {
        ledger.is_limited(self.actor)
    }

    /// Whether what is about these accounts, or about none, is seen: by whoever is limited to chosen ones only if
    /// it touches one of those.
    pub(crate) fn sees_about(&self, ledger: &Ledger, accounts: &[AccountIndex]) -> bool {
        !self.is_limited(ledger) || accounts.iter().any(|account| self.reaches(ledger, *account))
    }

    /// Whether that user is who looks.
    pub(crate) fn is_user(&self, ledger: &Ledger, user: UserIndex) -> bool {
        ledger.member(self.actor).is_some_and(|own| ledger.membership(own).user == user)
    }

    /// Whether an actor that the journal names is who looks: the same credential, or the same person.
    pub(crate) fn is_actor(&self, ledger: &Ledger, actor: Actor) -> bool {
        let is_person = |membership| self.is_user(ledger, ledger.membership(membership).user);
        actor == self.actor || ledger.member(actor).is_some_and(is_person)
    }

    /// On the seller's side.
    pub(crate) fn is_of(&self, organization: OrganizationIndex) -> bool {
        self.organization == organization
    }

    fn is_live(&self, ledger: &Ledger, now: Timestamp) -> bool {
        ledger.counts(self.actor, now)
    }
}

/// Looks at the state, if the caller's credential still counts.
pub(crate) async fn look<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    look: impl FnOnce(&Ledger, Timestamp, Sight) -> Result<T, Kind> + Send + 'static,
) -> Result<T, Problem> {
    let sight = Sight::of(caller);
    let seen = app.engine.read(move |ledger, now| {
        if sight.is_live(ledger, now) { look(ledger, now, sight) } else { Err(Kind::Unauthenticated) }
    });
    seen.await?.map_err(Problem::new)
}

/// Looks at an account that the caller sees.
pub(crate) async fn look_at<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    account: AccountIndex,
    at: impl FnOnce(&Ledger, Timestamp) -> T + Send + 'static,
) -> Result<T, Problem> {
    look(app, caller, move |ledger, now, sight| {
        if sight.reaches(ledger, account) { Ok(at(ledger, now)) } else { Err(Kind::AccountNotFound) }
    })
    .await
}

/// The account that a member of the body names, if the caller sees it. Unknown and foreign are one answer,
/// whatever else is wrong.
pub(crate) async fn find_in_field(
    app: &App,
    caller: &Caller,
    field: &str,
    text: &str,
) -> Result<AccountIndex, Problem> {
    let found = async {
        let index = account(app, caller, text)?;
        look_at(app, caller, index, move |_, _| index).await
    };
    found.await.map_err(|problem| match problem.kind() {
        Kind::AccountNotFound | Kind::AmbiguousHandle => problem.with_field(field),
        _ => problem,
    })
}
