//! The tables as they are where a journal begins whose oldest groups were removed.

use ledger::{Ledger, NewAccount};

use crate::ProjectionError;
use crate::batch::Batch;

/// Everything but entries and usage, which are gone.
pub(crate) fn seed(batch: &mut Batch<'_>, ledger: &Ledger) -> Result<(), ProjectionError> {
    for (index, it) in ledger.organizations() {
        batch.organization(index, &it.name, &it.time_zone, it.currency, it.created_at)?;
    }
    for (index, it) in ledger.names() {
        batch.name(index.slot(), it.organization, &it.text);
    }
    for (index, it) in ledger.accounts_from(0) {
        let new = NewAccount {
            organization: it.organization,
            parent: it.parent,
            currency: it.currency,
            funding: it.funding,
            managed: it.managed,
            may_open_children: it.may_open_children,
            allows_overruns: it.allows_overruns,
            name: it.name.clone(),
            credit: domain::Nanos::ZERO,
            credential: None,
        };
        batch.account(index, &new, it.root, it.opened_at, (it.status, it.restrictions));
        for (kind, text) in &it.handles {
            batch.handle(index, *kind, text);
        }
    }
    for (index, it) in ledger.credentials() {
        batch.credential(index, it);
    }
    for (index, it) in ledger.balances() {
        batch.balance(index, it.account, it.currency, it.entries, it.amounts);
    }
    Ok(())
}
