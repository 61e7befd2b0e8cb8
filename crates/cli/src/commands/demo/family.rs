//! The buyer of the demo: a partner with a credit limit, and its subaccounts.

use domain::Nanos;
use serde::Deserialize;
use serde_json::json;

use super::plan::{MEMBERS, Plan, Terms};
use crate::client::Client;
use crate::failure::Failure;
use crate::native::{self, Way};

pub(super) struct Family {
    /// API keys.
    pub(super) partner: String,
    pub(super) members: Vec<String>,
}

/// The numbers of a balance that the demo holds against its own.
#[derive(Debug, Deserialize)]
pub(super) struct Balance {
    pub(super) posted: Amount,
    pub(super) held: Amount,
    pub(super) granted: Amount,
    pub(super) received: Amount,
    pub(super) given: Amount,
    pub(super) credit_limit: Amount,
    pub(super) available: Amount,
    pub(super) usage: Amount,
}

/// Money as the server prints it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Amount(pub(super) Nanos);

impl TryFrom<String> for Amount {
    type Error = domain::MoneyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Nanos::parse(&text).map(Self)
    }
}

#[derive(Deserialize)]
struct Opened {
    api_key: String,
}

impl Family {
    pub(super) fn open(
        client: &Client,
        name: &str,
        currency: &str,
        plan: &Plan<'_>,
    ) -> Result<Self, Failure> {
        let open = |body: serde_json::Value| -> Result<String, Failure> {
            let opened: Opened = client.post(native::ACCOUNTS, &body, None)?;
            Ok(opened.api_key)
        };
        let limit = plan.granted.to_string();
        let partner = open(json!({"name": name, "currency": currency, "credit_limit": limit}))?;
        let mut members = Vec::with_capacity(MEMBERS.len());
        for member in &MEMBERS {
            let shared = matches!(member.terms, Terms::Shared | Terms::Suspended);
            let account = open(json!({"name": member.name, "parent": partner, "shared": shared}))?;
            match member.terms {
                Terms::OwnCredit => _ = native::allocate(client, &account, Way::Give, plan.allocated, None)?,
                Terms::Prepaid => _ = native::top_up(client, &account, plan.prepaid, None)?,
                Terms::Shared | Terms::Suspended => {}
            }
            members.push(account);
        }
        Ok(Self { partner, members })
    }

    /// The partner's, then the members'.
    pub(super) fn balances(&self, client: &Client) -> Result<(Balance, Vec<Balance>), Failure> {
        let balance = |account: &String| client.get(&native::balance(account));
        let members = self.members.iter().map(balance).collect::<Result<_, _>>()?;
        Ok((balance(&self.partner)?, members))
    }
}
