//! Who acted, as far as it is still known.

use std::collections::BTreeMap;

use engine::{AuditEntry, Id, Seals};
use ledger::{
    AccountIndex, Actor, BalanceIndex, CredentialIndex, Event, Holder, Ledger, MembershipIndex, PeopleEvent,
    PermissionSetIndex, Rights, Scope, UserIndex,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::facts;
use crate::accounts::view::string;
use crate::ids;
use crate::look::Sight;

/// Whose acts are looked for.
#[derive(Default)]
pub(crate) struct Who {
    memberships: Vec<MembershipIndex>,
    credential: Option<CredentialIndex>,
}

impl Who {
    pub(crate) fn of(ledger: &Ledger, id: Id) -> Self {
        match id {
            Id::User(user) => {
                let own = ledger.memberships().filter(|(_, it)| it.user == user);
                Self { memberships: own.map(|(index, _)| index).collect(), credential: None }
            }
            Id::Membership(membership) => Self { memberships: vec![membership], credential: None },
            Id::Credential(credential) => Self { memberships: Vec::new(), credential: Some(credential) },
            _ => Self::default(),
        }
    }

    pub(crate) fn is(&self, actor: Actor) -> bool {
        match actor {
            Actor::Member(membership) => self.memberships.contains(&membership),
            Actor::Credential(credential) => self.credential == Some(credential),
            Actor::System | Actor::Session(_) => false,
        }
    }
}

/// Names for what the entries of a page only point to.
#[derive(Default)]
pub(crate) struct Known {
    holders: BTreeMap<CredentialIndex, Holder>,
    users: BTreeMap<MembershipIndex, (UserIndex, Option<String>)>,
    /// Those that whoever looks may see.
    balances: BTreeMap<BalanceIndex, AccountIndex>,
    sets: BTreeMap<PermissionSetIndex, String>,
    scopes: BTreeMap<CredentialIndex, Scope>,
}

impl Known {
    pub(crate) fn of(ledger: &Ledger, sight: Sight, entries: &[AuditEntry]) -> Self {
        let mut known = Self::default();
        for entry in entries {
            known.note_actor(ledger, entry.actor);
            let balances = entry.event.images().map(|image| image.balance);
            for balance in balances.chain(facts::reloaded(&entry.event)) {
                let account = ledger.balance(balance).account;
                if sight.sees_about(ledger, &[account]) {
                    known.balances.insert(balance, account);
                }
            }
            if let Event::CredentialIssued { index, .. } = entry.event
                && let Some(scope) = &ledger.credential(index).scope
            {
                known.scopes.insert(index, scope.as_ref().clone());
            }
            let Event::People(event) = &entry.event else { continue };
            let rights: &[Rights] = match &**event {
                PeopleEvent::UserAdded { granted, .. }
                | PeopleEvent::Granted { granted, .. }
                | PeopleEvent::InvitationAccepted { granted, .. } => &[granted.rights],
                PeopleEvent::Invited { invited, .. } => &[invited.rights],
                PeopleEvent::MembershipChanged { rights, rights_before, .. } => &[*rights, *rights_before],
                _ => &[],
            };
            for rights in rights {
                if let Rights::Set(set) = rights {
                    known.sets.insert(*set, ledger.permission_set(*set).name.as_ref().to_owned());
                }
            }
            if let PeopleEvent::PermissionsRemoved { set } = &**event {
                known.sets.insert(*set, ledger.permission_set(*set).name.as_ref().to_owned());
            }
        }
        known
    }

    fn note_actor(&mut self, ledger: &Ledger, actor: Actor) {
        if let Actor::Credential(credential) = actor {
            self.holders.insert(credential, ledger.credential(credential).holder);
        }
        if let Some(membership) = ledger.member(actor) {
            let user = ledger.membership(membership).user;
            self.users.insert(membership, (user, string(&ledger.user(user).email)));
        }
    }

    pub(crate) fn set(&self, set: PermissionSetIndex) -> Option<&str> {
        self.sets.get(&set).map(String::as_str)
    }

    pub(crate) fn sees(&self, balance: BalanceIndex) -> bool {
        self.balances.contains_key(&balance)
    }

    /// What a credential is held to: it never changes.
    pub(crate) fn scope(&self, credential: CredentialIndex) -> Option<&Scope> {
        self.scopes.get(&credential)
    }

    /// What an act is about.
    pub(crate) fn object(&self, event: &Event) -> Option<Id> {
        let of_balance = || {
            let reloaded = facts::reloaded(event).into_iter();
            let mut balances = reloaded.chain(event.images().map(|image| image.balance));
            balances.find_map(|balance| self.balances.get(&balance)).map(|account| Id::Account(*account))
        };
        facts::objects(event).into_iter().next().or_else(of_balance)
    }

    pub(crate) fn actor(&self, seals: &Seals, actor: Actor) -> AuditActor {
        let (kind, credential, membership) = match actor {
            Actor::System | Actor::Session(_) => ("server", None, None),
            Actor::Member(membership) => ("person", None, Some(membership)),
            Actor::Credential(credential) => match self.holders.get(&credential) {
                Some(Holder::Account(_)) => ("account", Some(credential), None),
                Some(Holder::Member(membership)) => ("person", Some(credential), Some(*membership)),
                Some(Holder::Organization(_)) | None => ("token", Some(credential), None),
            },
        };
        let person = membership.and_then(|membership| self.users.get(&membership));
        let print = |id| ids::print(seals, id);
        AuditActor {
            kind,
            user: person.map(|(user, _)| print(Id::User(*user))),
            email: person.and_then(|(_, email)| email.clone()),
            membership: membership.map(|membership| print(Id::Membership(membership))),
            credential: credential.map(|credential| print(Id::Credential(credential))),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AuditActor {
    /// `person`, `token` of the seller, `account` by its own secret, or the `server` for whoever proved
    /// something to it.
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) membership: Option<String>,
    /// The token or the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credential: Option<String>,
}
