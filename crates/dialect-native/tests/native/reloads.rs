//! Reloads that start by themselves, as the seller sees them.

use ledger::{Act, Provider, Rejection, ReloadLimits, ReloadRule};
use serde_json::{Value, json};
use testkit::TestAccount;

use crate::fixture::{Fixture, pick};

const RULE: &str = r#"{"provider":"manual","amount":"50","threshold":"10","reference":"x","limits":{"count":2,"amount":"120"}}"#;

async fn ruled(it: &Fixture) -> (TestAccount, String) {
    let account = it.funded("20").await;
    let at = format!("/api/v1/accounts/{}", account.key);
    let set = it.owner().send("PUT", &format!("{at}/reload-rule"), RULE).await;
    assert_eq!(set.status, 200, "{set:?}");
    (account, at)
}

#[tokio::test]
async fn what_waits_is_listed_whoever_started_it() {
    let it = Fixture::new().await;
    let owner = it.owner();
    let mut ids: Vec<Value> = Vec::new();
    let mut buyer = None;
    for _ in 0..3 {
        let (account, at) = ruled(&it).await;
        assert_eq!(owner.post(&format!("{at}/charges"), r#"{"amount":"15"}"#).await.status, 201);
        ids.push(owner.get(&at).await.json()["id"].clone());
        buyer = Some(it.buyer(&account));
    }
    let all = owner.get("/api/v1/reloads?status=requested").await.json();
    let whose: Vec<Value> = all["data"].as_array().unwrap().iter().map(|it| it["account"].clone()).collect();
    assert_eq!(whose, ids);
    assert_eq!(
        pick(&all["data"][0], &["provider", "status", "amount", "currency"]),
        json!({"provider": "manual", "status": "requested", "amount": "50", "currency": "EUR"})
    );
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("/api/v1/reloads?limit=1{cursor}")).await.json();
        paged.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, *all["data"].as_array().unwrap());
    let own = buyer.unwrap().get("/api/v1/reloads").await.json();
    assert_eq!(own["data"], json!([all["data"][2]]));
    owner.post("/api/v1/organizations", r#"{"name":"other","currency":"EUR"}"#).await;
    let issued = owner.post("/api/v1/organizations/other/tokens", r#"{"role":"owner"}"#).await.json();
    let other = it.with_token(issued["token"].as_str().unwrap());
    assert_eq!(other.get("/api/v1/reloads").await.json()["data"], json!([]));
    for bad in ["?status=approved", "?limit=0", "?cursor=x", "?colour=red"] {
        assert_eq!(owner.get(&format!("/api/v1/reloads{bad}")).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn the_rule_shows_what_it_has_started_and_what_failed() {
    let it = Fixture::new().await;
    let owner = it.owner();
    let (_, at) = ruled(&it).await;
    let rule = async || owner.get(&format!("{at}/reload-rule")).await.json();
    let settle = async |approved: bool| {
        let body = json!({"approved": approved}).to_string();
        assert_eq!(owner.post(&format!("{at}/reloads/settle"), &body).await.status, 201);
    };
    let told = ["limits", "started", "failures", "waits_until", "switched_off"];
    let limits = json!({"count": 2, "amount": "120"});
    let nothing = json!({"limits": limits, "started": null, "failures": null, "waits_until": null,
        "switched_off": null});
    assert_eq!(pick(&rule().await, &told), nothing);
    // Refused for want of funds, and below the threshold by what was charged before.
    owner.post(&format!("{at}/charges"), r#"{"amount":"15"}"#).await;
    let started = rule().await;
    assert_eq!(started["started"], json!({"count": 1, "amount": "50"}));
    assert_eq!(started["requested"]["amount"], json!("50"));
    settle(false).await;
    let declined = rule().await;
    assert_eq!((&declined["failures"], declined.get("requested")), (&json!(1), None));
    assert!(declined["waits_until"].is_string(), "{declined}");
    let log = owner.get("/api/v1/organizations/default/audit?acts=start-reload,settle-reload").await.json();
    let acts: Vec<&Value> = log["data"].as_array().unwrap().iter().map(|it| &it["act"]).collect();
    assert_eq!(acts, ["settle-reload", "start-reload"]);
    let by_itself = &log["data"][1];
    let id = owner.get(&at).await.json()["id"].clone();
    assert_eq!(pick(by_itself, &["object", "actor"]), json!({"object": id, "actor": {"kind": "server"}}));
    assert_eq!(by_itself["after"]["amount"], json!("50"));
    let about = format!("/api/v1/organizations/default/audit?object={}", id.as_str().unwrap());
    let about = owner.get(&about).await.json();
    assert_eq!(about["data"][1]["act"], json!("start-reload"), "{about}");
    for failures in 2..=5 {
        let asked = owner.post(&format!("{at}/reloads"), r#"{"reference":"x"}"#).await;
        assert_eq!(asked.status, 201, "{failures}: {asked:?}");
        settle(false).await;
    }
    let off = rule().await;
    assert_eq!(
        pick(&off, &["failures", "switched_off", "waits_until"]),
        json!({"failures": 5, "switched_off": true, "waits_until": null})
    );
    assert_eq!(owner.send("PUT", &format!("{at}/reload-rule"), RULE).await.status, 200);
    let on = rule().await;
    assert_eq!(pick(&on, &["failures", "switched_off"]), json!({"failures": null, "switched_off": null}));
    assert_eq!(on["started"], json!({"count": 2, "amount": "100"}), "{on}");
}

#[tokio::test]
async fn a_book_outside_a_sandbox_takes_no_money_from_nobody() {
    let it = Fixture::new().await;
    let account = it.funded("1").await;
    let rule = ReloadRule {
        provider: Provider::Test,
        enabled: true,
        amount: domain::Nanos::from_units(10),
        threshold: None,
        digest: 1,
        reference: None,
    };
    let act = Act::SetReload {
        account: account.index,
        currency: None,
        rule: Box::new(rule),
        limits: ReloadLimits::default(),
    };
    let outcome = it.book.submit(it.book.operator(), act).await;
    assert!(matches!(outcome, engine::Outcome::Rejected(Rejection::SandboxOnly)), "{outcome:?}");
}
