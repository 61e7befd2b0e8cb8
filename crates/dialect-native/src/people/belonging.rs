//! Where somebody belongs, or is asked to, and with which rights: what members and invitations have in common.

use access::Role;
use engine::Seals;
use ledger::{AccountIndex, Chosen, Ledger, Rights, Within};

use super::roles::RoleName;
use crate::ids;
use crate::look::Sight;

/// As the state has it.
#[derive(Clone)]
pub(crate) struct Belonging {
    within: Within,
    rights: Rights,
    accounts: Chosen,
    /// By its name.
    pub(crate) organization: String,
    /// The set of permissions by its name, where it is no role.
    pub(crate) set: Option<String>,
}

impl Belonging {
    pub(crate) fn of(ledger: &Ledger, within: Within, rights: Rights, accounts: &Chosen) -> Self {
        let organization = ledger.organization_within(within);
        let set = match rights {
            Rights::Role(_) => None,
            Rights::Set(set) => Some(ledger.permission_set(set).name.as_ref().to_owned()),
        };
        Self {
            within,
            rights,
            accounts: accounts.clone(),
            organization: ledger.organization(organization).name.as_ref().to_owned(),
            set,
        }
    }

    /// The root account of a family.
    pub(crate) fn family(&self, seals: &Seals) -> Option<String> {
        match self.within {
            Within::Organization(_) => None,
            Within::Family(root) => Some(ids::account(seals, root)),
        }
    }

    pub(crate) fn role(&self) -> Option<RoleName> {
        role(self.rights)
    }

    /// Those it is limited to.
    pub(crate) fn accounts(&self, seals: &Seals) -> Option<Vec<String>> {
        let all = || self.accounts.iter().map(|account| ids::account(seals, *account)).collect();
        (!self.accounts.is_empty()).then(all)
    }

    pub(crate) fn is_seen(&self, ledger: &Ledger, sight: Sight) -> bool {
        sight.sees_about(ledger, &over(self.within, &self.accounts))
    }
}

/// The accounts that rights are over; none, where they are over a whole organization.
pub(crate) fn over(within: Within, chosen: &Chosen) -> Vec<AccountIndex> {
    match within {
        _ if !chosen.is_empty() => chosen.to_vec(),
        Within::Family(root) => vec![root],
        Within::Organization(_) => Vec::new(),
    }
}

pub(crate) fn role(rights: Rights) -> Option<RoleName> {
    match rights {
        Rights::Role(code) => Role::from_code(code).and_then(RoleName::of),
        Rights::Set(_) => None,
    }
}
