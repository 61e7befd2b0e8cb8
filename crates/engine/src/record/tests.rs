//! What a snapshot stores of the things that scenarios do not take snapshots of.

use domain::{Currency, Nanos, Timestamp};
use journal::VaultKey;
use ledger::{
    AccountIndex, Allowed, BalanceIndex, Credential, CredentialIndex, Event, EventRef, Flow, Flows,
    FormerScope, Forward, Holder, Limit, Number, Object, PerDay, Provider, Reload, ReloadLimits, ReloadPause,
    ReloadRequest, ReloadRule, ReloadTally, RoleCode, Scope, Settings, Span, Spent, Throughput, Verifier,
};

use super::codec::Field;
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
            allowed: Allowed::Operations(1 << 40),
            accounts: [account, AccountIndex::new(8)].into(),
            below: true,
            limits: [
                Limit {
                    flows: Flows::of([Flow::Charge, Flow::Credit]),
                    currency: Currency::EUR,
                    amount: Nanos::from_units(20),
                    span: Span::Month,
                },
                Limit {
                    flows: Flows::of([Flow::Pay]),
                    currency: Currency::USD,
                    amount: Nanos::from_units(500),
                    span: Span::Total,
                },
            ]
            .into(),
        })),
        spent: [
            Spent { span: 20_000, amount: Nanos::from_units(3) },
            Spent { span: 0, amount: Nanos::from_units(4) },
        ]
        .into(),
        used_on: 20_001,
        last,
    };
    let plain = Credential { scope: None, spent: Box::default(), used_on: 0, ..credential.clone() };
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

/// Byte for byte what was written before there were limits: it is read, and an object is written like that
/// again, so that digests of the state stay what they were.
#[test]
fn scopes_as_they_were_before_limits_are_read_and_kept() {
    const OBJECT: &str = "0d0107100003030303030303030303030303030303030303030303030303030303030303030040420f00\
        0000000080841e000000000000008480a002010502070801455552000000000080a0be819501a09c0180f882ad16a19c01";
    const SCOPED: &str = "08030502070801455552000000000080a0be819501";
    const SPENT: &str = "0903a09c0180f882ad16";
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    let credential = CredentialIndex::new(3);
    let (account, amount) = (AccountIndex::new(7), Nanos::from_units(20));
    let former = FormerScope {
        actions: 5,
        accounts: [account, AccountIndex::new(8)].into(),
        per_day: Some(PerDay { currency: Currency::EUR, amount }),
    };
    let spent = Spent { span: 20_000, amount: Nanos::from_units(3) };
    for (hex, event) in [
        (SCOPED, Event::CredentialScoped { credential, scope: Box::new(former.clone()) }),
        (SPENT, Event::CredentialSpent { credential, spent }),
    ] {
        let read = Event::take(&mut Reader { bytes: &bytes(hex), seal: None });
        assert_eq!(read, Ok(event));
    }
    let stored = bytes(OBJECT);
    let object = read_object(&mut Reader { bytes: &stored, seal: None }).unwrap();
    let Object::Credential(read) = &object else { panic!("{object:?}") };
    let limit = Limit {
        flows: Flows::of([Flow::Charge, Flow::Transfer, Flow::Allocate]),
        currency: Currency::EUR,
        amount,
        span: Span::Day,
    };
    assert_eq!(read.scope.as_deref(), Some(&Scope::from(former)));
    assert_eq!((&*read.scope.as_ref().unwrap().limits, &*read.spent), (&[limit][..], &[spent][..]));
    let mut again = Vec::new();
    write_object(&mut Writer { bytes: &mut again, seal: None }, &object);
    assert_eq!(again, stored);
}
