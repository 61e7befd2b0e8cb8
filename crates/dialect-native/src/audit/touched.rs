//! Which accounts an act touches: whoever is limited to chosen ones sees what touches those, and what they did
//! themselves.

use engine::{AuditEntry, Id};
use ledger::{
    About, AccountIndex, Actor, CredentialIndex, Event, Holder, Ledger, MembershipIndex, PeopleEvent,
};

use super::facts;
use crate::look::Sight;
use crate::people::belonging::over;
use crate::people::tokens::held_to;

pub(super) fn sees(ledger: &Ledger, sight: Sight, entry: &AuditEntry) -> bool {
    sight.sees_about(ledger, &touched(ledger, &entry.event)) || is_own(ledger, sight, entry)
}

/// Done by whoever looks, or by the server at the moment they proved who they are.
fn is_own(ledger: &Ledger, sight: Sight, entry: &AuditEntry) -> bool {
    let proven = match (&entry.event, entry.actor) {
        (Event::People(event), Actor::System) => match &**event {
            PeopleEvent::InvitationAccepted { user, .. } => Some(*user),
            event => event.user(),
        },
        _ => None,
    };
    sight.is_actor(ledger, entry.actor) || proven.is_some_and(|user| sight.is_user(ledger, user))
}

fn touched(ledger: &Ledger, event: &Event) -> Vec<AccountIndex> {
    let balances = event.images().map(|image| image.balance).chain(facts::reloaded(event));
    let mut accounts: Vec<AccountIndex> = balances.map(|balance| ledger.balance(balance).account).collect();
    match event {
        Event::People(event) => accounts.extend(by_people(ledger, event)),
        Event::CredentialIssued { index: credential, .. } | Event::CredentialRevoked { credential, .. } => {
            accounts.extend(by_credential(ledger, *credential));
        }
        _ => accounts.extend(facts::objects(event).into_iter().filter_map(|object| match object {
            Id::Account(account) => Some(account),
            _ => None,
        })),
    }
    accounts
}

/// The accounts over which somebody has, gets or loses rights. What users do as themselves touches none.
fn by_people(ledger: &Ledger, event: &PeopleEvent) -> Vec<AccountIndex> {
    let of_membership = |index: MembershipIndex| {
        let membership = ledger.membership(index);
        over(membership.within, &membership.accounts)
    };
    let of_invitation = |index| {
        let invitation = ledger.invitation(index);
        invitation.map_or_else(Vec::new, |it| over(it.within, &it.accounts))
    };
    match event {
        PeopleEvent::UserAdded { granted, .. }
        | PeopleEvent::Granted { granted, .. }
        | PeopleEvent::InvitationAccepted { granted, .. } => over(granted.within, &granted.accounts),
        PeopleEvent::MembershipChanged { membership, accounts, accounts_before, .. } => {
            let within = ledger.membership(*membership).within;
            [over(within, accounts), over(within, accounts_before)].concat()
        }
        PeopleEvent::MembershipEnded { membership, .. } => of_membership(*membership),
        PeopleEvent::HandedOver { root, .. } => vec![*root],
        PeopleEvent::Invited { invited, .. } => over(invited.within, &invited.accounts),
        PeopleEvent::InvitationRevoked { invitation, .. }
        | PeopleEvent::LetterSettled { about: About::Invitation(invitation), .. } => {
            of_invitation(*invitation)
        }
        _ => Vec::new(),
    }
}

/// Whose secret it is, or the accounts that a token is held to.
fn by_credential(ledger: &Ledger, index: CredentialIndex) -> Vec<AccountIndex> {
    let credential = ledger.credential(index);
    match credential.holder {
        Holder::Account(account) => vec![account],
        Holder::Organization(_) | Holder::Member(_) => held_to(credential).to_vec(),
    }
}
