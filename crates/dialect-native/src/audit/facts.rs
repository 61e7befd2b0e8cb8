//! What was done, to what, and how it was before and is after.

use engine::{Id, Seals, Was};
use ledger::{
    About, BalanceIndex, Chosen, Credential, Event, Holder, Image, PeopleEvent, Posting, ReloadLimits,
    ReloadTerms, Rights, SecondFactor, SignInProvider, Text, Within,
};
use serde_json::{Map, Value, json};

use super::actor::Known;
use crate::accounts::settings::ForwardName;
use crate::accounts::view::string;
use crate::ids;
use crate::money::reload::ProviderName;
use crate::people::member::{names, role};
use crate::people::scope::AskedScope;
use crate::values::{Amount, Time};

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

/// The fields of one side; absent ones leave no trace.
fn fields<const N: usize>(fields: [(&str, Value); N]) -> Option<Value> {
    let given = fields.into_iter().filter(|(_, value)| !value.is_null());
    let map: Map<String, Value> = given.map(|(name, value)| (name.to_owned(), value)).collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

fn text(text: &Text) -> Value {
    string(text).into()
}

fn amount(amount: domain::Nanos) -> Value {
    json!(Amount::from(amount))
}

pub(crate) fn before_and_after(
    seals: &Seals,
    known: &Known,
    event: &Event,
    was: &Was,
) -> (Option<Value>, Option<Value>) {
    let accounts = |chosen: &Chosen| -> Value {
        let ids = chosen.iter().map(|account| ids::account(seals, *account).into());
        if chosen.is_empty() { Value::Null } else { Value::Array(ids.collect()) }
    };
    let rights = |rights: Rights, chosen: &Chosen| {
        let set = match rights {
            Rights::Role(_) => None,
            Rights::Set(set) => known.set(set),
        };
        fields([("role", json!(role(rights))), ("permissions", json!(set)), ("accounts", accounts(chosen))])
    };
    let posted = |posting: &Posting| {
        fields([
            ("amount", amount(posting.amount)),
            ("posted", amount(posting.payer.amounts.posted())),
            ("reference", text(&posting.reference)),
        ])
    };
    // Of two accounts the caller may see one.
    let seen = |image: &Image, of: domain::Nanos| {
        if known.sees(image.balance) { amount(of) } else { Value::Null }
    };
    match event {
        Event::OrganizationCreated { name, time_zone, currency, .. } => {
            let after = [
                ("name", json!(&**name)),
                ("time_zone", json!(&**time_zone)),
                ("currency", json!(currency.as_str())),
            ];
            (None, fields(after))
        }
        Event::CurrencyDeclared { currency, exponent, .. } => {
            (None, fields([("code", json!(currency.as_str())), ("exponent", json!(exponent))]))
        }
        Event::CredentialIssued { index, credential } => {
            let scope = known.scope(*index).map(|scope| AskedScope::of(seals, scope));
            (None, issued(credential, scope.as_ref()))
        }
        Event::CredentialRevoked { revoked_at, .. } => {
            (None, fields([("revoked_at", json!(Time::from(*revoked_at)))]))
        }
        Event::AccountOpened { new, .. } => {
            let parent = new.parent.map(|parent| ids::account(seals, parent));
            let after = [
                ("name", text(&new.name)),
                ("currency", json!(new.currency.as_str())),
                ("parent", json!(parent)),
                ("shared", json!(new.funding.is_shared())),
                ("credit_limit", amount(new.credit)),
            ];
            (None, fields(after))
        }
        Event::AccountChanged { name, status, restrictions, funding, reason, .. } => {
            let side = |name: Value,
                        status: &ledger::Status,
                        restrictions: &ledger::Restrictions,
                        funding: &ledger::Funding| {
                [
                    ("name", name),
                    ("closed", json!(*status == ledger::Status::Closed)),
                    ("suspended", json!(restrictions.suspended)),
                    ("frozen", json!(restrictions.frozen)),
                    ("shared", json!(funding.is_shared())),
                ]
            };
            let after = side(text(name), status, restrictions, funding);
            let Was::Account { name: name_was, status, restrictions, funding } = was else {
                return (None, fields(after));
            };
            let before = side(text(name_was), status, restrictions, funding);
            changed(before, after, ("reason", text(reason)))
        }
        Event::HandleSet { kind, text: value, .. } => {
            let kinds = access::HandleKind::ALL;
            let kind = kinds.into_iter().find(|known| known.code() == *kind).map(|known| known.prefix());
            (None, fields([("kind", json!(kind)), ("value", text(value))]))
        }
        Event::CreditSet { image, reference, .. } => {
            let before = match was {
                Was::Credit { credit } => fields([("credit_limit", amount(*credit))]),
                _ => None,
            };
            let after = [("credit_limit", amount(image.amounts.credit())), ("reference", text(reference))];
            (before, fields(after))
        }
        Event::Allocated { way, from, to, amount: moved, reference } => {
            let way = match way {
                ledger::AllocationWay::Give => "give",
                ledger::AllocationWay::Return => "return",
            };
            let after = [
                ("way", json!(way)),
                ("amount", amount(*moved)),
                ("from_credit_limit", seen(from, from.amounts.credit())),
                ("to_credit_limit", seen(to, to.amounts.credit())),
                ("reference", text(reference)),
            ];
            (None, fields(after))
        }
        Event::Transferred { from, to, amount: moved, reference } => {
            let after = [
                ("amount", amount(*moved)),
                ("from_posted", seen(from, from.amounts.posted())),
                ("to_posted", seen(to, to.amounts.posted())),
                ("reference", text(reference)),
            ];
            (None, fields(after))
        }
        Event::Merged { posted, .. } => (None, fields([("posted", amount(*posted))])),
        Event::ToppedUp(posting) | Event::Withdrawn(posting) | Event::UsageCredited(posting) => {
            (None, posted(posting))
        }
        Event::Adjusted { posting, .. } | Event::Refunded { posting, .. } => (None, posted(posting)),
        Event::SettingsChanged { settings, .. } => {
            let side = |settings: &ledger::Settings| {
                [
                    ("inbound_url", text(&settings.inbound_url)),
                    ("receipt_url", text(&settings.receipt_url)),
                    ("forward", json!(ForwardName::of(settings.forward))),
                    ("outbound", json!(settings.throughput.outbound)),
                    ("inbound", json!(settings.throughput.inbound)),
                    ("calls", json!(settings.throughput.calls)),
                ]
            };
            match was {
                Was::Settings(before) => changed(side(before), side(settings), ("reason", Value::Null)),
                _ => (None, fields(side(settings))),
            }
        }
        Event::NumberAssigned { number, .. } | Event::NumberMoved { number, .. } => {
            (None, fields([("number", text(&number.digits))]))
        }
        Event::ReloadSet { rule, .. } => {
            (None, fields(reload(&rule.as_ref().into(), ReloadLimits::default(), &rule.reference)))
        }
        Event::ReloadRuled { rule, limits, .. } => {
            let before = match was {
                Was::Reload { rule, limits, reference } => fields(reload(rule, *limits, reference)),
                _ => None,
            };
            (before, fields(reload(&rule.as_ref().into(), *limits, &rule.reference)))
        }
        Event::ReloadRequested { request, .. } => (None, fields([("amount", amount(request.amount))])),
        Event::ReloadStarted { request, started, .. } => {
            let after = [
                ("amount", amount(request.amount)),
                ("started_this_month", json!(started.count)),
                ("amount_this_month", amount(started.amount)),
            ];
            (None, fields(after))
        }
        Event::ReloadEnded { approved, .. } => (None, fields([("approved", json!(approved))])),
        Event::People(event) => people(event, rights),
        _ => (None, None),
    }
}

fn reload(rule: &ReloadTerms, limits: ReloadLimits, reference: &Text) -> [(&'static str, Value); 7] {
    [
        ("provider", json!(ProviderName::of(rule.provider))),
        ("enabled", json!(rule.enabled)),
        ("amount", amount(rule.amount)),
        ("threshold", rule.threshold.map_or(Value::Null, amount)),
        ("count_limit", json!(limits.count)),
        ("amount_limit", limits.amount.map_or(Value::Null, amount)),
        ("reference", text(reference)),
    ]
}

/// Only what differs, and why.
fn changed<const N: usize>(
    before: [(&str, Value); N],
    after: [(&str, Value); N],
    why: (&str, Value),
) -> (Option<Value>, Option<Value>) {
    let (mut one, mut other) = (Map::new(), Map::new());
    for ((name, before), (_, after)) in before.into_iter().zip(after) {
        // A name that stayed is not written twice: it reads as nothing before.
        let is_unchanged_name = name == "name" && before.is_null();
        if before != after && !is_unchanged_name {
            one.insert(name.to_owned(), before);
            other.insert(name.to_owned(), after);
        }
    }
    if !why.1.is_null() {
        other.insert(why.0.to_owned(), why.1);
    }
    let given = |map: Map<String, Value>| (!map.is_empty()).then_some(Value::Object(map));
    (given(one), given(other))
}

fn issued(credential: &Credential, scope: Option<&AskedScope>) -> Option<Value> {
    let role = access::Role::from_code(credential.role).map(access::Role::name);
    let expires_at = (credential.expires_at != access::NO_EXPIRY).then(|| Time::from(credential.expires_at));
    fields([
        ("role", json!(role)),
        ("label", text(&credential.label)),
        ("expires_at", json!(expires_at)),
        ("scope", json!(scope)),
    ])
}

fn people(
    event: &PeopleEvent,
    rights: impl Fn(Rights, &Chosen) -> Option<Value>,
) -> (Option<Value>, Option<Value>) {
    let operations = |bits: u64| fields([("operations", json!(names(access::Permissions::from_bits(bits))))]);
    match event {
        PeopleEvent::UserAdded { granted, .. }
        | PeopleEvent::Granted { granted, .. }
        | PeopleEvent::InvitationAccepted { granted, .. } => {
            (None, rights(granted.rights, &granted.accounts))
        }
        PeopleEvent::MembershipChanged { rights: now, accounts, rights_before, accounts_before, .. } => {
            (rights(*rights_before, accounts_before), rights(*now, accounts))
        }
        PeopleEvent::HandedOver { former, .. } => (None, fields([("former_role", json!(role(*former)))])),
        PeopleEvent::Invited { invited, .. } => (None, rights(invited.rights, &invited.accounts)),
        PeopleEvent::SessionOpened { session, factor, .. }
        | PeopleEvent::SessionVouched { session, factor, .. } => {
            let factor = match factor {
                SecondFactor::None => None,
                SecondFactor::Step(_) => Some("code"),
                SecondFactor::Recovery(_) => Some("recovery-code"),
            };
            let expires_at = json!(Time::from(session.expires_at));
            (None, fields([("second_factor", json!(factor)), ("expires_at", expires_at)]))
        }
        PeopleEvent::SignInsFailed { count, since, .. } => {
            (None, fields([("count", json!(count)), ("since", json!(Time::from(*since)))]))
        }
        PeopleEvent::PermissionsDefined { defined, before, .. } => {
            let mut after = operations(defined.operations);
            if let Some(Value::Object(after)) = &mut after {
                after.insert("name".to_owned(), json!(&*defined.name));
            }
            (before.and_then(operations), after)
        }
        PeopleEvent::ProviderSet { provider: after, before, .. } => {
            (before.as_deref().and_then(provider), provider(after))
        }
        PeopleEvent::LetterSettled { tries, .. } => (None, fields([("tries", json!(tries))])),
        PeopleEvent::PermissionsRemoved { .. }
        | PeopleEvent::LetterAsked { .. }
        | PeopleEvent::ProviderRemoved { .. }
        | PeopleEvent::SubjectLinked { .. }
        | PeopleEvent::UserRemoved { .. }
        | PeopleEvent::MembershipEnded { .. }
        | PeopleEvent::InvitationRevoked { .. }
        | PeopleEvent::SessionEnded { .. }
        | PeopleEvent::SessionsEnded { .. }
        | PeopleEvent::PasswordSet { .. }
        | PeopleEvent::ResetAsked { .. }
        | PeopleEvent::FactorBegun { .. }
        | PeopleEvent::FactorConfirmed { .. }
        | PeopleEvent::RecoveryRenewed { .. }
        | PeopleEvent::FactorRemoved { .. } => (None, None),
    }
}

/// All but its secret.
fn provider(it: &SignInProvider) -> Option<Value> {
    fields([
        ("issuer", json!(&*it.issuer)),
        ("client_id", json!(&*it.client_id)),
        ("domains", json!(it.domains.iter().map(|domain| &**domain).collect::<Vec<_>>())),
        ("passwords", json!(it.passwords)),
    ])
}
