//! How it was before an act, and how it is after.

use engine::{Seals, Was};
use ledger::{
    Chosen, Credential, Event, Image, PeopleEvent, Posting, ReloadLimits, ReloadTerms, Rights, SecondFactor,
    SignInProvider, Text,
};
use serde_json::{Map, Value, json};

use super::actor::Known;
use crate::accounts::settings::ForwardName;
use crate::accounts::view::string;
use crate::ids;
use crate::money::reload::ProviderName;
use crate::people::belonging::role;
use crate::people::member::names;
use crate::people::scope::AskedScope;
use crate::values::{Amount, Time};

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
    // Of two accounts whoever looks may see one alone.
    let seen = |image: &Image, of: domain::Nanos| {
        if known.sees(image.balance) { amount(of) } else { Value::Null }
    };
    let posted = |posting: &Posting| {
        fields([
            ("amount", amount(posting.amount)),
            ("posted", seen(&posting.payer, posting.payer.amounts.posted())),
            ("reference", text(&posting.reference)),
        ])
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
