//! What was done, and to what.

use engine::Id;
use ledger::{About, BalanceIndex, Event, Holder, PeopleEvent, Within};

macro_rules! acts {
    ($($name:literal: $pattern:pat,)* people { $($person:literal: $event:pat,)* }) => {
        /// All names, for whoever filters by them.
        pub(crate) const ACTS: &[&str] = &[$($name,)* $($person,)*];

        /// What an event is called in the log; none is called otherwise, as it is never in it.
        pub(crate) fn act(event: &Event) -> &'static str {
            match event {
                $($pattern => $name,)*
                Event::People(event) => match &**event {
                    $($event => $person,)*
                },
                _ => "other",
            }
        }
    };
}

acts! {
    "found-organization": Event::OrganizationCreated { .. },
    "declare-currency": Event::CurrencyDeclared { .. },
    "issue-credential": Event::CredentialIssued { .. },
    "revoke-credential": Event::CredentialRevoked { .. },
    "open-account": Event::AccountOpened { .. },
    "change-account": Event::AccountChanged { .. },
    "set-handle": Event::HandleSet { .. },
    "set-credit-limit": Event::CreditSet { .. },
    "allocate": Event::Allocated { .. },
    "transfer": Event::Transferred { .. },
    "merge": Event::Merged { .. },
    "top-up": Event::ToppedUp(_),
    "withdraw": Event::Withdrawn(_),
    "adjust": Event::Adjusted { .. },
    "give-usage-credit": Event::UsageCredited(_),
    "refund": Event::Refunded { .. },
    "change-settings": Event::SettingsChanged { .. },
    "assign-number": Event::NumberAssigned { .. },
    "transfer-number": Event::NumberMoved { .. },
    "release-number": Event::NumberReleased { .. },
    "set-reload": Event::ReloadSet { .. } | Event::ReloadRuled { .. },
    "start-reload": Event::ReloadRequested { .. } | Event::ReloadStarted { .. },
    "settle-reload": Event::ReloadEnded { .. },
    "create-user": Event::UserCreated { .. },
    people {
        "add-user": PeopleEvent::UserAdded { .. },
        "remove-user": PeopleEvent::UserRemoved { .. },
        "grant-membership": PeopleEvent::Granted { .. },
        "change-membership": PeopleEvent::MembershipChanged { .. },
        "end-membership": PeopleEvent::MembershipEnded { .. },
        "hand-over": PeopleEvent::HandedOver { .. },
        "invite": PeopleEvent::Invited { .. },
        "revoke-invitation": PeopleEvent::InvitationRevoked { .. },
        "accept-invitation": PeopleEvent::InvitationAccepted { .. },
        "sign-in": PeopleEvent::SessionOpened { .. },
        "sign-in-by-provider": PeopleEvent::SessionVouched { .. },
        "link-subject": PeopleEvent::SubjectLinked { .. },
        "set-sign-in-provider": PeopleEvent::ProviderSet { .. },
        "fail-letter": PeopleEvent::LetterAsked { .. } | PeopleEvent::LetterSettled { .. },
        "remove-sign-in-provider": PeopleEvent::ProviderRemoved { .. },
        "sign-out": PeopleEvent::SessionEnded { .. },
        "sign-out-everywhere": PeopleEvent::SessionsEnded { .. },
        "set-password": PeopleEvent::PasswordSet { .. },
        "ask-password-reset": PeopleEvent::ResetAsked { .. },
        "begin-second-factor": PeopleEvent::FactorBegun { .. },
        "confirm-second-factor": PeopleEvent::FactorConfirmed { .. },
        "renew-recovery-codes": PeopleEvent::RecoveryRenewed { .. },
        "remove-second-factor": PeopleEvent::FactorRemoved { .. },
        "fail-sign-in": PeopleEvent::SignInsFailed { .. },
        "define-permissions": PeopleEvent::PermissionsDefined { .. },
        "remove-permissions": PeopleEvent::PermissionsRemoved { .. },
    }
}

/// What an act is about, the first thing first. Balances are for whoever knows their accounts.
pub(crate) fn objects(event: &Event) -> Vec<Id> {
    match event {
        Event::OrganizationCreated { organization, .. } | Event::CurrencyDeclared { organization, .. } => {
            vec![Id::Organization(*organization)]
        }
        Event::UserCreated { user, .. } => vec![Id::User(*user)],
        Event::CredentialIssued { index, credential } => {
            vec![Id::Credential(*index), of_holder(credential.holder)]
        }
        Event::CredentialRevoked { credential, .. } => vec![Id::Credential(*credential)],
        Event::AccountOpened { account, .. }
        | Event::AccountChanged { account, .. }
        | Event::HandleSet { account, .. }
        | Event::SettingsChanged { account, .. }
        | Event::NumberReleased { account, .. }
        | Event::ReloadSet { account, .. }
        | Event::ReloadRuled { account, .. } => vec![Id::Account(*account)],
        Event::NumberAssigned { number, .. } => vec![Id::Account(number.account)],
        Event::NumberMoved { number, from, .. } => vec![Id::Account(number.account), Id::Account(*from)],
        Event::ToppedUp(posting)
        | Event::Withdrawn(posting)
        | Event::UsageCredited(posting)
        | Event::Adjusted { posting, .. }
        | Event::Refunded { posting, .. } => vec![Id::Account(posting.account)],
        Event::People(event) => of_people(event),
        _ => Vec::new(),
    }
}

/// The balance that a reload is of, where the event has no entry there.
pub(super) fn reloaded(event: &Event) -> Option<BalanceIndex> {
    match event {
        Event::ReloadRequested { balance, .. }
        | Event::ReloadStarted { balance, .. }
        | Event::ReloadEnded { balance, .. } => Some(*balance),
        _ => None,
    }
}

fn of_holder(holder: Holder) -> Id {
    match holder {
        Holder::Organization(organization) => Id::Organization(organization),
        Holder::Account(account) => Id::Account(account),
        Holder::Member(membership) => Id::Membership(membership),
    }
}

fn of_within(within: Within) -> Id {
    match within {
        Within::Organization(organization) => Id::Organization(organization),
        Within::Family(root) => Id::Account(root),
    }
}

fn of_people(event: &PeopleEvent) -> Vec<Id> {
    match event {
        PeopleEvent::UserAdded { user, membership, granted, .. } => {
            vec![Id::User(*user), Id::Membership(*membership), of_within(granted.within)]
        }
        PeopleEvent::LetterAsked { about, .. } | PeopleEvent::LetterSettled { about, .. } => {
            vec![match about {
                About::Invitation(invitation) => Id::Invitation(*invitation),
                About::Reset(user) => Id::User(*user),
            }]
        }
        PeopleEvent::ProviderSet { organization, .. } | PeopleEvent::ProviderRemoved { organization } => {
            vec![Id::Organization(*organization)]
        }
        PeopleEvent::SessionOpened { session, .. } | PeopleEvent::SessionVouched { session, .. } => {
            vec![Id::User(session.user), Id::Membership(session.membership)]
        }
        PeopleEvent::Granted { membership, granted } => {
            vec![Id::Membership(*membership), Id::User(granted.user), of_within(granted.within)]
        }
        PeopleEvent::MembershipChanged { membership, .. }
        | PeopleEvent::MembershipEnded { membership, .. } => vec![Id::Membership(*membership)],
        PeopleEvent::HandedOver { root, from, to, .. } => {
            vec![Id::Account(*root), Id::Membership(*from), Id::Membership(*to)]
        }
        PeopleEvent::Invited { invitation, invited } => {
            vec![Id::Invitation(*invitation), of_within(invited.within)]
        }
        PeopleEvent::InvitationRevoked { invitation, .. } => vec![Id::Invitation(*invitation)],
        PeopleEvent::InvitationAccepted { invitation, user, membership, granted, .. } => vec![
            Id::Invitation(*invitation),
            Id::User(*user),
            Id::Membership(*membership),
            of_within(granted.within),
        ],
        PeopleEvent::PermissionsDefined { defined, .. } => vec![Id::Organization(defined.organization)],
        PeopleEvent::PermissionsRemoved { .. } => Vec::new(),
        of_user => of_user.user().into_iter().map(Id::User).collect(),
    }
}
