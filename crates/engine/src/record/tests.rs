//! What a snapshot stores of the things that scenarios do not take snapshots of.

use domain::{Currency, Nanos, Timestamp};
use journal::VaultKey;
use ledger::{
    AccountIndex, BalanceIndex, Credential, EventRef, Forward, Holder, Number, Object, PerDay, Provider,
    Reload, ReloadLimits, ReloadPause, ReloadRequest, ReloadRule, ReloadTally, RoleCode, Scope, Settings,
    Spent, Throughput, Verifier,
};

use super::{Reader, Writer, read_object, write_object};
use crate::seal::TextSeal;

fn text(text: &str) -> ledger::Text {
    Some(text.as_bytes().into())
}

#[test]
fn objects_come_back_as_they_were_and_their_texts_are_sealed() {
    let (account, last) = (AccountIndex::new(7), EventRef::new(9, 4));
    let credential = Credential {
        holder: Holder::Account(account),
        role: RoleCode(16),
        verifier: Verifier::Digest([3; 32]),
        label: text("a label in the clear"),
        issued_at: Timestamp::from_secs(1),
        expires_at: Timestamp::from_secs(2),
        revoked_at: None,
        previous: None,
        scope: Some(Box::new(Scope {
            actions: 5,
            accounts: [account, AccountIndex::new(8)].into(),
            per_day: Some(PerDay { currency: Currency::EUR, amount: Nanos::from_units(20) }),
        })),
        spent: Spent { day: 20_000, amount: Nanos::from_units(3) },
        used_on: 20_001,
        last,
    };
    let plain = Credential { scope: None, spent: Spent::default(), used_on: 0, ..credential.clone() };
    let rule = ReloadRule {
        provider: Provider::Test,
        enabled: true,
        amount: Nanos::from_units(10),
        threshold: Some(Nanos::ZERO),
        digest: 11,
        reference: text("a reference in the clear"),
    };
    let requested =
        Some(ReloadRequest { amount: Nanos::from_units(9), requested_at: Timestamp::from_secs(3) });
    let reload = Reload {
        account,
        rule,
        requested,
        limits: ReloadLimits::default(),
        started: ReloadTally::default(),
        pause: None,
        last,
    };
    let failed = Reload {
        limits: ReloadLimits { count: Some(3), amount: None },
        started: ReloadTally { period: 24_303, count: 2, amount: Nanos::from_units(20) },
        pause: Some(ReloadPause { failures: 5, until: Timestamp::NEVER }),
        ..reload.clone()
    };
    let settings = Settings {
        inbound_url: text("https://in.the.clear"),
        receipt_url: None,
        forward: Forward::PostJson,
        throughput: Throughput { outbound: 1, inbound: 2, calls: 3 },
        last,
    };
    let number = Number { account, country: *b"GB", digits: text("447700900123"), last };
    for object in [
        Object::Credential(credential),
        Object::Credential(plain),
        Object::Settings(account, settings),
        Object::Number(12, number),
        Object::Reload(BalanceIndex::new(2), reload),
        Object::Reload(BalanceIndex::new(3), failed),
    ] {
        let seal = || Some(TextSeal::object(&VaultKey([1; 32]), last, 1));
        let mut bytes = Vec::new();
        write_object(&mut Writer { bytes: &mut bytes, seal: seal() }, &object);
        for clear in [&b"clear"[..], b"447700900123"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear), "{object:?}");
        }
        let mut reader = Reader { bytes: &bytes, seal: seal() };
        assert_eq!(read_object(&mut reader), Ok(object));
        reader.finished().unwrap();
    }
}
