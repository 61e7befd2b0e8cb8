//! What recorded exchanges cannot show: many subaccounts, families of other dialects, two at once.

use std::collections::BTreeSet;

use access::{Operation, Permissions};
use domain::{Currency, Nanos};
use ledger::{
    Act, Allowed, Flow, Flows, Funding, Limit, NewAccount, NewUser, PeopleAct, PeopleEvent, Rights, Scope,
    Span, Within,
};
use testkit::{Answer, Client, TestAccount, TestBook, TestServer};

struct Setting {
    book: TestBook,
    partner: TestAccount,
    client: Client,
    base: String,
    server: TestServer,
}

async fn setting(credit: i64) -> Setting {
    let book = TestBook::new().await;
    let partner = book.open_primary("Partner Ltd", credit).await;
    let server = TestServer::start(dialect_vonage::router(book.app())).await;
    let client = server.client().with_basic(&partner.key, &partner.secret);
    let base = format!("/accounts/{}", partner.key);
    Setting { book, partner, client, base, server }
}

#[tokio::test]
async fn a_long_list_is_whole_in_order_and_adds_up() {
    let it = setting(100).await;
    let mut keys = Vec::new();
    for number in 0..2005 {
        let funding = if number % 2 == 0 { Funding::Own } else { Funding::Shared };
        let child = NewAccount {
            parent: Some(it.partner.index),
            funding,
            name: Some(number.to_string().as_bytes().into()),
            ..it.book.new_account()
        };
        let opened = it.book.act(Act::OpenAccount(Box::new(child))).await;
        let ledger::Event::AccountOpened { account, .. } = opened.event else { panic!("not opened") };
        keys.push(it.book.key_of(account));
        if number % 1000 == 0 {
            let transfer = Act::Transfer {
                from: it.partner.index,
                to: account,
                currency: None,
                amount: domain::Nanos::from_units(10),
                reference: None,
            };
            it.book.act(transfer).await;
        }
    }
    it.book.charge(&it.partner, "7.5").await;
    let list = it.client.get(&format!("{}/subaccounts", it.base)).await.json();
    let subaccounts = list["_embedded"]["subaccounts"].as_array().unwrap();
    let listed: Vec<&str> = subaccounts.iter().map(|it| it["api_key"].as_str().unwrap()).collect();
    assert_eq!(listed, keys);
    assert_eq!(list["total_balance"].to_string(), "-7.5");
    assert_eq!(list["total_credit_limit"].to_string(), "-100");
    assert_eq!(list["_embedded"]["primary_account"]["balance"].to_string(), "-37.5");
}

#[tokio::test]
async fn unmanaged_and_distant_relatives_do_not_exist_here() {
    let it = setting(100).await;
    let child = it.book.open_child(&it.partner, "child", Funding::Own).await;
    let grandchild = it.book.open_child(&child, "grandchild", Funding::Own).await;
    let unmanaged = NewAccount {
        parent: Some(it.partner.index),
        managed: false,
        name: Some(b"unmanaged".as_slice().into()),
        ..it.book.new_account()
    };
    let unmanaged = it.book.open(unmanaged).await;
    it.book.top_up(&unmanaged, "1000").await;
    it.book.top_up(&child, "1").await;
    let list = it.client.get(&format!("{}/subaccounts", it.base)).await.json();
    assert_eq!(list["total_balance"].to_string(), "1");
    assert_eq!(list["_embedded"]["subaccounts"].as_array().unwrap().len(), 1);
    for stranger in [&grandchild, &unmanaged] {
        let got = it.client.get(&format!("{}/subaccounts/{}", it.base, stranger.key)).await;
        assert_eq!(got.status, 404, "{got:?}");
        let body = format!(r#"{{"from":"{}","to":"{}","amount":1}}"#, it.partner.key, stranger.key);
        for path in ["credit-transfers", "balance-transfers"] {
            let made = it.client.post(&format!("{}/{path}", it.base), &body).await;
            assert_eq!(made.status, 404, "{made:?}");
            assert!(made.body.contains(&stranger.key), "{made:?}");
        }
    }
}

#[tokio::test]
async fn an_account_that_may_not_open_children_is_not_provisioned() {
    let it = setting(0).await;
    let alone = it.book.open(it.book.new_account()).await;
    let client = it.server.client().with_basic(&alone.key, &alone.secret);
    let answer = client.get(&format!("/accounts/{}/subaccounts", alone.key)).await;
    assert_eq!(answer.status, 403);
    let detail = format!("Account {} is not provisioned to access Subaccount Provisioning API", alone.key);
    assert_eq!(answer.json()["detail"], detail);
    let balance = client.get("/account/get-balance").await;
    assert_eq!((balance.status, balance.body.as_str()), (200, r#"{"value":0,"autoReload":false}"#));
}

#[tokio::test]
async fn key_and_secret_in_the_query_do_for_a_balance() {
    let it = setting(0).await;
    it.book.top_up(&it.partner, "0.00000001").await;
    let path = format!("/account/get-balance?api_key={}&api_secret={}", it.partner.key, it.partner.secret);
    let balance = it.server.client().get(&path).await;
    assert_eq!((balance.status, balance.body.as_str()), (200, r#"{"value":0.00000001,"autoReload":false}"#));
    // Nowhere else.
    let query = format!("?api_key={}&api_secret={}", it.partner.key, it.partner.secret);
    let list = it.server.client().get(&format!("{}/subaccounts{query}", it.base)).await;
    assert_eq!(list.status, 401);
}

#[tokio::test]
async fn of_many_transfers_at_once_only_what_fits_passes_and_each_has_its_id() {
    let it = setting(10).await;
    let child = it.book.open_child(&it.partner, "child", Funding::Own).await;
    let body = format!(r#"{{"from":"{}","to":"{}","amount":1}}"#, it.partner.key, child.key);
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let (client, body) = (it.client.clone(), body.clone());
            let path = format!("{}/balance-transfers", it.base);
            tokio::spawn(async move { client.post(&path, &body).await })
        })
        .collect();
    let mut ids = BTreeSet::new();
    let mut refused = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status {
            200 => assert!(ids.insert(answer.json()["id"].as_str().unwrap().to_owned())),
            403 => refused += 1,
            other => panic!("{other}: {}", answer.body),
        }
    }
    assert_eq!((ids.len(), refused), (10, 20));
    let log = it.client.get(&format!("{}/balance-transfers?start_date=1970-01-01T00:00:00Z", it.base)).await;
    let log = log.json();
    let listed = log["_embedded"]["balance_transfers"].as_array().unwrap().iter();
    let listed: BTreeSet<String> = listed.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn a_transfer_made_elsewhere_is_in_the_log_too() {
    let it = setting(10).await;
    let child = it.book.open_child(&it.partner, "child", Funding::Own).await;
    let transfer = Act::Transfer {
        from: it.partner.index,
        to: child.index,
        currency: None,
        amount: domain::Nanos::from_units(3),
        reference: Some(b"by the operator".as_slice().into()),
    };
    it.book.act(transfer).await;
    let path = format!("{}/balance-transfers?start_date=1970-01-01T00:00:00Z", it.base);
    let log = it.client.get(&path).await.json();
    let entry = &log["_embedded"]["balance_transfers"][0];
    assert_eq!(entry["reference"], "by the operator");
    assert_eq!(entry["to"], child.key);
    assert_eq!(entry["id"], entry["balance_transfer_id"]);
}

#[tokio::test]
async fn a_log_that_begins_before_what_was_removed_is_refused() {
    let book = TestBook::on_files().await;
    let partner = book.open_primary("Partner", 0).await;
    let child = book.open_child(&partner, "child", Funding::Own).await;
    book.top_up(&partner, "10").await;
    let transfer = |amount| Act::Transfer {
        from: partner.index,
        to: child.index,
        currency: None,
        amount: domain::Nanos::from_units(amount),
        reference: None,
    };
    book.act(transfer(1)).await;
    book.fill_segments(&partner, 8).await;
    book.act(transfer(2)).await;
    let book = book.pruned(testkit::START.plus_secs(5 * 3600));
    let server = TestServer::start(dialect_vonage::router(book.app())).await;
    let client = server.client().with_basic(&partner.key, &partner.secret);
    let list = async |start: &str| {
        client.get(&format!("/accounts/{}/balance-transfers?start_date={start}", partner.key)).await
    };
    let late = list("2025-03-01T15:30:00Z").await;
    assert_eq!(late.status, 200, "{late:?}");
    assert_eq!(late.json()["_embedded"]["balance_transfers"].as_array().unwrap().len(), 1);
    let early = list("2025-03-01T00:00:00Z").await;
    assert_eq!(early.status, 422, "{early:?}");
    let invalid = early.json()["invalid_parameters"][0].clone();
    assert_eq!(invalid["name"], "start_date");
    let reason = invalid["reason"].as_str().unwrap();
    assert!(reason.starts_with("What happened up to 2025-03-01T1"), "{reason}");
}

#[tokio::test]
async fn the_audit_log_says_from_where_and_under_which_request() {
    let it = setting(10).await;
    let child = it.book.open_child(&it.partner, "child", Funding::Own).await;
    let transfer = format!(r#"{{"from":"{}","to":"{}","amount":1}}"#, it.partner.key, child.key);
    let by_name = |name: &str| it.client.with("x-request-id", name);
    assert_eq!(by_name("v-1").post(&format!("{}/balance-transfers", it.base), &transfer).await.status, 200);
    let path = format!("{}/subaccounts/{}", it.base, child.key);
    assert_eq!(by_name("v-2").patch(&path, r#"{"name":"New"}"#).await.status, 200);
    let organization = it.book.organization;
    let head = it.book.engine.read(move |ledger, _| ledger.audit_head(organization)).await.unwrap();
    let entries = it.book.engine.history().audit(&head, None, None).unwrap().take(2);
    let origins = entries.map(|entry| entry.unwrap().origin.expect("it is known"));
    let seen: Vec<_> = origins.map(|it| (it.request_id, it.address.map(|it| it.to_string()))).collect();
    let here = Some("127.0.0.1".to_owned());
    assert_eq!(seen, [("v-2".to_owned(), here.clone()), ("v-1".to_owned(), here)]);
}

/// A key that may open subaccounts and allocate 500 in total, in their words.
#[tokio::test]
async fn a_secret_with_a_scope_provisions_up_to_its_limit() {
    let it = setting(2_000).await;
    let operations = Permissions::of([Operation::OpenSubaccount, Operation::Allocate]);
    let limit = Limit {
        flows: Flows::of([Flow::Allocate]),
        currency: Currency::EUR,
        amount: Nanos::from_units(500),
        span: Span::Total,
    };
    let scope = Scope {
        allowed: Allowed::Operations(operations.bits()),
        accounts: [].into(),
        below: true,
        limits: [limit].into(),
    };
    let key = it.book.issue_within(it.partner.index, Some(Box::new(scope))).await;
    let client = it.server.client().with_basic(&key.key, &key.secret);
    let open = async |shared: bool| {
        let body = format!(r#"{{"name":"Sub","use_primary_account_balance":{shared}}}"#);
        client.post(&format!("{}/subaccounts", it.base), &body).await
    };
    let opened = open(false).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    let subaccount = opened.json()["api_key"].as_str().unwrap().to_owned();
    let told =
        |answer: &Answer| (answer.status, answer.json()["detail"].as_str().unwrap_or_default().to_owned());
    let out_of_scope = (403, "These credentials may not do that".to_owned());
    assert_eq!(told(&open(true).await), out_of_scope, "it would spend the partner's balance, uncounted");
    let transfer = async |what: &str, amount: &str| {
        let body = format!(r#"{{"from":"{}","to":"{subaccount}","amount":{amount}}}"#, it.partner.key);
        client.post(&format!("{}/{what}-transfers", it.base), &body).await
    };
    let too_much = (403, "These credentials may not spend so much".to_owned());
    assert_eq!(told(&transfer("credit", "500.01").await), too_much);
    assert_eq!(transfer("credit", "500").await.status, 200);
    assert_eq!(told(&transfer("credit", "0.01").await), too_much);
    let no_money = (403, "These credentials may not transfer money inside a family".to_owned());
    assert_eq!(told(&transfer("balance", "1").await), no_money);
}

#[tokio::test]
async fn what_a_node_sends_again_is_done_once_and_answered_the_same() {
    let it = setting(100).await;
    let same = |name: &str| it.client.with("bursar-once", name);
    let create = r#"{"name":"Sub","use_primary_account_balance":false}"#;
    let subaccounts = format!("{}/subaccounts", it.base);
    let opened = same("1").post(&subaccounts, create).await.json();
    assert_eq!(same("1").post(&subaccounts, create).await.json(), opened, "its secret, too");
    let another = same("2").post(&subaccounts, create).await.json();
    assert_ne!((&opened["api_key"], &opened["secret"]), (&another["api_key"], &another["secret"]));
    let signed = it.server.client();
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    let own = signed.with_basic(&text("api_key"), &text("secret"));
    assert_eq!(own.get(&format!("/account/get-balance?api_key={}", text("api_key"))).await.status, 200);

    let transfer = format!(r#"{{"from":"{}","to":"{}","amount":60}}"#, it.partner.key, text("api_key"));
    let transfers = format!("{}/credit-transfers", it.base);
    let told = same("3").post(&transfers, &transfer).await;
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(same("3").post(&transfers, &transfer).await.json(), told.json(), "not 120 of 100");
    assert_ne!(same("4").post(&transfers, &transfer).await.status, 200);
    let suspend = format!("{subaccounts}/{}", text("api_key"));
    for _ in 0..2 {
        let answer = same("5").patch(&suspend, r#"{"suspended":true}"#).await;
        assert_eq!(answer.json()["suspended"], true, "{answer:?}");
    }
    let list = it.client.get(&subaccounts).await.json();
    assert_eq!(list["_embedded"]["subaccounts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn anothers_key_is_answered_in_as_many_steps_as_nobodys() {
    let it = setting(100).await;
    let other = it.book.open_primary("Other Ltd", 100).await;
    let app = it.book.app();
    let reads = || app.engine.counters().reads.load(std::sync::atomic::Ordering::Relaxed);
    let ask = async |method: &str, path: &str, body: &str, key: &str| {
        let (path, body) = (path.replace("KEY", key), body.replace("KEY", key));
        let before = reads();
        let answer = it.client.send(method, &path, &body).await;
        (answer.status, answer.json()["title"].clone(), reads() - before)
    };
    let transfer = format!(r#"{{"from":"{}","to":"KEY","amount":1}}"#, it.partner.key);
    let base = &it.base;
    let cases = [
        ("GET", format!("{base}/subaccounts/KEY"), ""),
        ("PATCH", format!("{base}/subaccounts/KEY"), r#"{"suspended":true}"#),
        ("POST", format!("{base}/credit-transfers"), transfer.as_str()),
        ("POST", format!("{base}/balance-transfers"), transfer.as_str()),
        ("GET", "/accounts/KEY/secrets".to_owned(), ""),
    ];
    for (method, path, body) in cases {
        let theirs = ask(method, &path, body, &other.key).await;
        let nobodys = ask(method, &path, body, "00000000").await;
        assert_eq!(theirs, nobodys, "{method} {path}");
        assert!(theirs.0 >= 400, "{method} {path}");
    }
}

/// A key that reaches the partner and one of its two subaccounts: the other is not there, at neither end of a
/// transfer and in no list.
#[tokio::test]
async fn what_is_out_of_reach_is_answered_as_what_is_not_there() {
    let it = setting(100).await;
    let (one, two) = (
        it.book.open_child(&it.partner, "one", Funding::Own).await,
        it.book.open_child(&it.partner, "two", Funding::Own).await,
    );
    let shared = it.book.open_child(&it.partner, "shared", Funding::Shared).await;
    it.book.top_up(&it.partner, "10").await;
    it.book.top_up(&two, "10").await;
    let number = |account: &TestAccount, digits: &str| Act::AssignNumber {
        account: account.index,
        digest: access::number_digest(it.book.seals(), it.book.organization, digits),
        country: *b"GB",
        digits: Some(digits.as_bytes().into()),
    };
    it.book.act(number(&it.partner, "447700900123")).await;
    it.book.act(number(&two, "447700900124")).await;
    for to in [&one, &two] {
        let body = format!(r#"{{"from":"{}","to":"{}","amount":1}}"#, it.partner.key, to.key);
        for log in ["credit", "balance"] {
            assert_eq!(it.client.post(&format!("{}/{log}-transfers", it.base), &body).await.status, 200);
        }
    }
    let scope = Scope {
        allowed: Allowed::Operations(Permissions::of_role(access::Role::Account).bits()),
        accounts: [it.partner.index, one.index].into(),
        below: false,
        limits: [].into(),
    };
    let key = it.book.issue_within(it.partner.index, Some(Box::new(scope))).await;
    let client = it.server.client().with_basic(&key.key, &key.secret).with("x-request-id", "r");
    let digest = it.book.digest().await;
    let said = async |path: &str, body: &str| {
        let answer = client.post(&format!("{}/{path}", it.base), body).await;
        (answer.status, answer.json()["title"].clone(), answer.json()["detail"].clone())
    };
    for hidden in [&two, &shared] {
        for (path, rest) in [
            ("credit-transfers", r#""amount":1"#),
            ("credit-transfers", r#""amount":1000000"#),
            ("balance-transfers", r#""amount":1"#),
            ("transfer-number", r#""number":"447700900123""#),
            ("transfer-number", r#""number":"447700900124","country":"GB""#),
        ] {
            for (from, to) in [("PARTNER", "HIDDEN"), ("HIDDEN", "PARTNER")] {
                let body =
                    format!(r#"{{"from":"{from}","to":"{to}",{rest}}}"#).replace("PARTNER", &it.partner.key);
                let refused = said(path, &body.replace("HIDDEN", &hidden.key)).await;
                let absent = said(path, &body.replace("HIDDEN", "00000000")).await;
                assert_eq!(refused.0, 404, "{path} {body}: {refused:?}");
                let detail = absent.2.as_str().unwrap().replace("00000000", &hidden.key);
                assert_eq!(refused, (absent.0, absent.1, detail.into()), "{path} {body}");
            }
        }
    }
    assert_eq!(it.book.digest().await, digest, "nothing has changed");
    for path in ["credit-transfers", "balance-transfers", "subaccounts"] {
        let listed = client.get(&format!("{}/{path}", it.base)).await;
        assert!(listed.body.contains(&one.key) && !listed.body.contains(&two.key), "{path}: {listed:?}");
    }
    let body = format!(r#"{{"from":"{}","to":"{}","amount":1}}"#, it.partner.key, one.key);
    assert_eq!(said("balance-transfers", &body).await.0, 200);
}

/// A person of the family who is limited to a subaccount does not speak for its primary here.
#[tokio::test]
async fn a_limited_person_does_not_speak_for_the_primary() {
    let it = setting(100).await;
    let child = it.book.open_child(&it.partner, "child", Funding::Own).await;
    let app = it.book.app();
    let sign_in = async |email: u128, accounts: &[ledger::AccountIndex]| {
        let new = NewUser {
            organization: it.book.organization,
            email_digest: email,
            email: Some(b"ann@buyer.example".as_slice().into()),
            password: None,
            subject: None,
        };
        let (within, rights) = (Within::Family(it.partner.index), Rights::Role(access::Role::Admin.code()));
        let add = PeopleAct::AddUser { new, within, rights, accounts: accounts.into() };
        let added = it.book.act(Act::People(Box::new(add))).await;
        let ledger::Event::People(added) = added.event else { panic!("not added") };
        let PeopleEvent::UserAdded { user, .. } = *added else { panic!("not added") };
        let origin = engine::Origin { address: None, request_id: String::new() };
        let signed_in = app.access.sign_in().proven(user, None, &origin).await.unwrap();
        it.server.client().with("authorization", &format!("Bearer {}", signed_in.token.expose()))
    };
    let (whole, limited) = (sign_in(1, &[]).await, sign_in(2, &[child.index]).await);
    for path in ["/subaccounts", "/credit-transfers", "/balance-transfers", "/secrets"] {
        let path = format!("{}{path}", it.base);
        assert_eq!(whole.get(&path).await.status, 200, "{path}");
        assert_eq!(limited.get(&path).await.status, 403, "{path}");
    }
    assert_eq!(limited.get("/account/get-balance").await.status, 403);
}
