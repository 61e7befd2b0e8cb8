use std::path::Path;

use domain::{Currency, Nanos};
use engine::{BookNumber, MasterKey, Seals};
use ledger::AccountIndex;

use super::*;

/// Every reason once, in the words of this API.
#[test]
fn every_rejection_has_its_problem() {
    let seals = Seals::new(&MasterKey([7; 32]), BookNumber::FIRST);
    let mut table = String::from("rejection | status | type | members\n---|---|---|---\n");
    for rejection in testkit::rejections() {
        let problem = Problem::rejected(&rejection, &seals);
        let name = format!("{rejection:?}");
        let name = name.split([' ', '{']).next().unwrap_or_default();
        let mut body = Vec::new();
        problem.push(&mut body);
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let members = body
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "type" | "title" | "status" | "pointer"));
        let mut members: Vec<String> = members.map(|(name, value)| format!("{name}={value}")).collect();
        members.sort();
        let status = problem.kind().status().as_u16();
        let members = if members.is_empty() { "–".to_owned() } else { members.join(" ") };
        table.push_str(&format!("{name} | {status} | {} | {members}\n", problem.kind().slug()));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("refusals.txt");
    testkit::expect_text(&path, &table);
}

#[test]
fn kinds_are_told_apart_by_their_types() {
    for (place, kind) in Kind::ALL.iter().enumerate() {
        assert_eq!(Kind::named(kind.slug()), Some(*kind));
        assert_eq!(*kind as usize, place);
        assert!(kind.status().is_client_error() || kind.status().is_server_error());
    }
}

#[test]
fn amounts_are_exact_and_accounts_are_sealed() {
    let seals = Seals::new(&MasterKey([7; 32]), BookNumber::FIRST);
    let short = ledger::Rejection::InsufficientFunds {
        account: AccountIndex::new(0),
        need: Nanos::new(37_500_000_000),
        have: Nanos::new(-1),
        limit: Nanos::ZERO,
    };
    let mut body = Vec::new();
    Problem::rejected(&short, &seals).push(&mut body);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["need"], "37.5");
    assert_eq!(body["have"], "-0.000000001");
    assert_eq!(body["account"], crate::ids::account(&seals, AccountIndex::new(0)));
    let unknown = ledger::Rejection::CurrencyUnknown { currency: Currency::USD };
    assert_eq!(Problem::rejected(&unknown, &seals).kind(), Kind::CurrencyUnknown);
}

#[test]
fn bodies_are_refused_by_what_is_wrong_with_them() {
    let kind = |error: BodyError| Problem::from(error).kind();
    assert_eq!(kind(BodyError::TooLarge { bytes_max: 1 }), Kind::BodyTooLarge);
    assert_eq!(kind(BodyError::TooSlow), Kind::BodyTooSlow);
    assert_eq!(kind(BodyError::Incomplete), Kind::MalformedJson);
}
