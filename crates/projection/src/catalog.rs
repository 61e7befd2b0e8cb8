//! What a batch has to know of what came before it: read from the tables once, then kept up.

use domain::{Currency, Nanos};
use engine::Zone;
use ledger::{AccountIndex, BalanceIndex, OrganizationIndex};
use tokio_postgres::Client;

use crate::ProjectionError;

#[derive(Default)]
pub(crate) struct Catalog {
    zones: Vec<Zone>,
    /// Of each account.
    organizations: Vec<OrganizationIndex>,
    balances: Vec<Known>,
}

#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(crate) account: AccountIndex,
    pub(crate) currency: Currency,
    pub(crate) posted: Nanos,
}

const PAGE: i64 = 50_000;

impl Catalog {
    /// As the tables have it.
    pub(crate) async fn load(client: &Client) -> Result<Self, ProjectionError> {
        let mut catalog = Self::default();
        for row in
            client.query("SELECT time_zone FROM reporting.organization ORDER BY organization", &[]).await?
        {
            catalog.add_organization(row.get(0))?;
        }
        let accounts = "SELECT organization FROM reporting.account \
            WHERE account > $1 ORDER BY account LIMIT $2";
        let mut done = 0;
        loop {
            let rows = client.query(accounts, &[&done, &PAGE]).await?;
            for row in &rows {
                let organization: i32 = row.get(0);
                catalog.add_account(OrganizationIndex::new(organization as usize - 1));
            }
            done += rows.len() as i64;
            if rows.len() < PAGE as usize {
                break;
            }
        }
        let balances = "SELECT account, currency, carried_units + funded_units - used_units, \
            carried_nanos::int8 + funded_nanos - used_nanos FROM reporting.balance \
            WHERE balance > $1 ORDER BY balance LIMIT $2";
        let mut done = 0;
        loop {
            let rows = client.query(balances, &[&done, &PAGE]).await?;
            for row in &rows {
                let (account, units, nanos): (i64, i64, i64) = (row.get(0), row.get(2), row.get(3));
                catalog.balances.push(Known {
                    account: AccountIndex::new(account as usize - 1),
                    currency: Currency::parse(row.get(1)).expect("the tables hold codes that were read"),
                    posted: Nanos::new(i128::from(units) * 1_000_000_000 + i128::from(nanos)),
                });
            }
            done += rows.len() as i64;
            if rows.len() < PAGE as usize {
                return Ok(catalog);
            }
        }
    }

    pub(crate) fn add_organization(&mut self, time_zone: &str) -> Result<(), ProjectionError> {
        self.zones.push(Zone::named(time_zone)?);
        Ok(())
    }

    pub(crate) fn add_account(&mut self, organization: OrganizationIndex) {
        self.organizations.push(organization);
    }

    pub(crate) fn add_balance(&mut self, known: Known) {
        self.balances.push(known);
    }

    /// The account's own zone: that of its organization.
    pub(crate) fn zone(&self, account: AccountIndex) -> &Zone {
        &self.zones[self.organizations[account.slot()].slot()]
    }

    pub(crate) fn balance(&mut self, index: BalanceIndex) -> &mut Known {
        &mut self.balances[index.slot()]
    }
}
