//! People and tokens that are limited to chosen accounts: what they see of everything that is listed, and how far
//! what they move may go.

use serde_json::{Value, json};
use testkit::Client;

use crate::fixture::{Fixture, problem};
use crate::rights::join;

const LOG: &str = "/api/v1/organizations/default/audit";
const SELLER: &str = "organizations/default";

/// A seller with two families, `{A}` over `{C}` and `{B}` over `{D}`, and people who are limited to one of those.
struct World {
    it: Fixture,
    names: Vec<(&'static str, String)>,
    /// Admins of the seller's: over `{A}` and what is below it, and over `{C}` alone.
    above: Client,
    below: Client,
}

impl World {
    async fn new() -> Self {
        let it = Fixture::new().await;
        let (one, other) = (it.funded("100").await, it.funded("100").await);
        let mut names = vec![("{A}", one.key), ("{B}", other.key)];
        for (name, parent) in [("{C}", 0), ("{D}", 1)] {
            let body = json!({"parent": names[parent].1}).to_string();
            let child = it.owner().post("/api/v1/accounts", &body).await;
            names.push((name, child.json()["api_key"].as_str().unwrap().to_owned()));
        }
        for (name, id) in [("{AI}", "{A}"), ("{BI}", "{B}"), ("{CI}", "{C}"), ("{DI}", "{D}")] {
            let key = &names.iter().find(|(known, _)| *known == id).unwrap().1;
            let account = it.owner().get(&format!("/api/v1/accounts/{key}")).await.json();
            names.push((name, account["id"].as_str().unwrap().to_owned()));
        }
        let rights = |key: &str| json!({"role": "admin", "accounts": [key]});
        let (above, _) = join(&it, SELLER, "above@seller.example", &rights(&names[0].1)).await;
        let (below, _) = join(&it, SELLER, "below@seller.example", &rights(&names[2].1)).await;
        Self { it, names, above, below }
    }

    fn name(&self, name: &str) -> &str {
        &self.names.iter().find(|(known, _)| *known == name).expect("a name of this world").1
    }

    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    async fn log(&self, client: &Client, query: &str) -> Vec<Value> {
        let answer = client.get(&format!("{LOG}{}", self.fill(query))).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        answer.json()["data"].as_array().unwrap().clone()
    }
}

/// What the seller's owner does, and who sees it in the log: the admin over `{A}`, the admin over `{C}`.
const ACTS: &[(&str, &str, &str, [bool; 2])] = &[
    ("PATCH", "/accounts/{A}", r#"{"name":"New"}"#, [true, false]),
    ("PATCH", "/accounts/{C}", r#"{"name":"New"}"#, [true, true]),
    ("PATCH", "/accounts/{B}", r#"{"name":"New"}"#, [false, false]),
    ("PATCH", "/accounts/{A}/settings", r#"{"inbound_url":"https://a.example"}"#, [true, false]),
    ("PATCH", "/accounts/{D}/settings", r#"{"inbound_url":"https://a.example"}"#, [false, false]),
    ("PUT", "/accounts/{C}/handles/email", r#"{"value":"c@buyer.example"}"#, [true, true]),
    ("PUT", "/accounts/{B}/handles/email", r#"{"value":"b@buyer.example"}"#, [false, false]),
    ("PUT", "/accounts/{A}/credit-limit", r#"{"credit_limit":"30"}"#, [true, false]),
    ("PUT", "/accounts/{B}/credit-limit", r#"{"credit_limit":"30"}"#, [false, false]),
    ("POST", "/accounts/{C}/allocations", r#"{"amount":"10"}"#, [true, true]),
    ("POST", "/accounts/{D}/allocations", r#"{"amount":"10"}"#, [false, false]),
    ("POST", "/accounts/{A}/top-ups", r#"{"amount":"1"}"#, [true, false]),
    ("POST", "/accounts/{B}/top-ups", r#"{"amount":"1"}"#, [false, false]),
    ("POST", "/transfers", r#"{"from":"{A}","to":"{C}","amount":"1"}"#, [true, true]),
    ("POST", "/transfers", r#"{"from":"{B}","to":"{D}","amount":"1"}"#, [false, false]),
    ("POST", "/accounts/{A}/numbers", r#"{"number":"447700900123","country":"GB"}"#, [true, false]),
    ("POST", "/accounts/{B}/numbers", r#"{"number":"447700900124","country":"GB"}"#, [false, false]),
    ("POST", "/number-transfers", r#"{"from":"{A}","to":"{C}","number":"447700900123"}"#, [true, true]),
    ("POST", "/number-transfers", r#"{"from":"{B}","to":"{D}","number":"447700900124"}"#, [false, false]),
    ("PUT", "/accounts/{A}/reload-rule", RULE, [true, false]),
    ("PUT", "/accounts/{B}/reload-rule", RULE, [false, false]),
    ("POST", "/accounts/{A}/reloads", r#"{"reference":"x"}"#, [true, false]),
    ("POST", "/accounts/{B}/reloads", r#"{"reference":"x"}"#, [false, false]),
    ("POST", "/accounts", r#"{"parent":"{A}"}"#, [true, false]),
    ("POST", "/accounts", r#"{"parent":"{B}"}"#, [false, false]),
    ("POST", "/accounts", "{}", [false, false]),
    ("POST", "/accounts/{C}/secrets", "{}", [true, true]),
    ("POST", "/accounts/{B}/secrets", "{}", [false, false]),
    ("POST", "/organizations/default/tokens", r#"{"role":"finance"}"#, [false, false]),
    (
        "POST",
        "/organizations/default/tokens",
        r#"{"role":"finance","scope":{"accounts":["{A}"]}}"#,
        [true, false],
    ),
    (
        "POST",
        "/organizations/default/tokens",
        r#"{"role":"finance","scope":{"accounts":["{D}"]}}"#,
        [false, false],
    ),
    (
        "POST",
        "/organizations/default/invitations",
        r#"{"email":"u@s.example","role":"admin"}"#,
        [false, false],
    ),
    (
        "POST",
        "/organizations/default/invitations",
        r#"{"email":"c@s.example","role":"admin","accounts":["{C}","{D}"]}"#,
        [true, true],
    ),
    (
        "POST",
        "/organizations/default/invitations",
        r#"{"email":"b@s.example","role":"admin","accounts":["{B}"]}"#,
        [false, false],
    ),
    ("POST", "/accounts/{A}/invitations", r#"{"email":"a@b.example","role":"owner"}"#, [true, false]),
    ("POST", "/accounts/{B}/invitations", r#"{"email":"b@b.example","role":"owner"}"#, [false, false]),
    ("PUT", "/organizations/default/permission-sets/support", r#"{"operations":["charge"]}"#, [false, false]),
    ("POST", "/organizations/default/currencies", r#"{"code":"POINTS","exponent":0}"#, [false, false]),
];
const RULE: &str = r#"{"provider":"manual","amount":"10","reference":"x"}"#;

#[tokio::test]
async fn the_log_ends_where_rights_end() {
    let world = World::new().await;
    let World { it, above, below, .. } = &world;
    let program = above.post("/api/v1/me/tokens", r#"{"label":"laptop"}"#).await.json();
    let program = it.with_token(program["token"].as_str().unwrap());
    for (place, (method, path, body, seen)) in ACTS.iter().enumerate() {
        let request = format!("r-{place}");
        let owner = it.owner().with("x-request-id", &request);
        let done = owner.send(method, &world.fill(&format!("/api/v1{path}")), &world.fill(body)).await;
        assert!(done.status < 300, "{method} {path} {body}: {done:?}");
        let query = format!("?request_id={request}");
        let logged = world.log(&it.owner(), &query).await;
        assert!(!logged.is_empty(), "{path}");
        for (client, seen) in [(above, seen[0]), (below, seen[1]), (&program, seen[0])] {
            let entries = world.log(client, &query).await;
            assert_eq!(entries.len(), if seen { logged.len() } else { 0 }, "{method} {path} {body}");
        }
    }
    // Of a transfer, the end that is out of reach has no figures.
    let transfer = &world.log(below, "?acts=transfer").await[0];
    assert_eq!(
        (transfer["after"].get("from_posted"), &transfer["object"]),
        (None, &json!(world.name("{CI}")))
    );
    assert_eq!(transfer["after"]["to_posted"], json!("1"));
    let transfer = &world.log(above, "?acts=transfer").await[0];
    assert_eq!(
        (&transfer["after"]["from_posted"], &transfer["object"]),
        (&json!("100"), &json!(world.name("{AI}")))
    );

    // Nor has what is given back to the balance of a parent.
    let shared = json!({"parent": world.name("{A}"), "shared": true}).to_string();
    let shared = it.owner().post("/api/v1/accounts", &shared).await.json()["api_key"].clone();
    let charges = format!("/api/v1/accounts/{}/charges", shared.as_str().unwrap());
    let charge = it.owner().post(&charges, r#"{"amount":"2"}"#).await.json();
    let refunds = format!("/api/v1/charges/{}/refunds", charge["id"].as_str().unwrap());
    assert_eq!(it.owner().post(&refunds, "{}").await.status, 201);
    let rights = json!({"role": "admin", "accounts": [shared]});
    let (sharer, _) = join(it, SELLER, "sharer@seller.example", &rights).await;
    for (client, after) in
        [(&sharer, json!({"amount": "2"})), (above, json!({"amount": "2", "posted": "100"}))]
    {
        assert_eq!(world.log(client, "?acts=refund").await[0]["after"], after);
    }

    // What they did themselves is theirs to see, whatever it touches; who joined over their accounts, too.
    for (client, joined) in [(above, 3), (below, 1)] {
        assert_eq!(world.log(client, "?acts=accept-invitation").await.len(), joined);
        assert_eq!(world.log(client, "?acts=sign-in").await.len(), 1);
    }
    assert_ne!(world.log(above, "?acts=sign-in").await, world.log(below, "?acts=sign-in").await);
    assert_eq!(above.post("/api/v1/me/tokens", r#"{"label":"desk"}"#).await.status, 201);
    assert_eq!(world.log(above, "?acts=issue-credential&limit=1").await[0]["after"]["label"], json!("desk"));

    // Searches and exports are the same log.
    assert_eq!(world.log(above, "?object={BI}").await, [] as [Value; 0]);
    let all = world.log(above, "?limit=1000").await;
    let lines = above.with("accept", "application/x-ndjson").get(&format!("{LOG}?limit=1000")).await.body;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, all);
    let table = above.with("accept", "text/csv").get(&format!("{LOG}?limit=1000")).await.body;
    assert_eq!(table.lines().count(), all.len() + 1);
    assert!(!table.contains(world.name("{BI}")), "{table}");
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = above.get(&format!("{LOG}?limit=3{cursor}")).await.json();
        pages.extend(page["data"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(pages, all);
}

/// What lists, and what of it must be there for the admin over `{A}`; nothing of `{B}` or `{D}` ever is.
const LISTS: &[(&str, &[&str])] = &[
    ("/accounts", &["{AI}"]),
    ("/accounts/{A}/children", &["{CI}"]),
    ("/accounts/{A}/entries", &["{CI}"]),
    ("/accounts/{A}/numbers", &["447700900123"]),
    ("/accounts/{A}/secrets", &["of-a"]),
    ("/accounts/{A}/members", &["pat@a.example"]),
    ("/accounts/{A}/invitations", &["tom@a.example"]),
    ("/reloads", &["{AI}"]),
    ("/usage?by=account,credential", &["{AI}", "{CI}"]),
    ("/organizations/default/members", &["above@seller.example", "below@seller.example"]),
    ("/organizations/default/invitations", &["later-a@seller.example"]),
    ("/organizations/default/tokens", &["token-a"]),
    ("/organizations/default/audit?limit=1000", &["{AI}"]),
];

#[tokio::test]
async fn lists_end_where_rights_end() {
    let world = World::new().await;
    let (it, owner) = (&world.it, world.it.owner());
    for family in ["a", "b"] {
        let [top, child] =
            if family == "a" { ["{A}", "{C}"] } else { ["{B}", "{D}"] }.map(|it| world.name(it));
        let number = if family == "a" { "447700900123" } else { "447700900124" };
        for (method, path, body) in [
            ("POST", format!("/accounts/{child}/charges"), r#"{"amount":"0","quantity":"1"}"#.to_owned()),
            ("POST", format!("/accounts/{top}/charges"), r#"{"amount":"1"}"#.to_owned()),
            ("POST", "/transfers".to_owned(), json!({"from": top, "to": child, "amount": "1"}).to_string()),
            ("POST", format!("/accounts/{top}/numbers"), json!({"number": number, "country": "GB"}).to_string()),
            ("POST", format!("/accounts/{top}/secrets"), json!({"label": format!("of-{family}")}).to_string()),
            ("PUT", format!("/accounts/{top}/reload-rule"), RULE.to_owned()),
            ("POST", format!("/accounts/{top}/reloads"), r#"{"reference":"x"}"#.to_owned()),
            (
                "POST",
                format!("/accounts/{top}/invitations"),
                json!({"email": format!("tom@{family}.example"), "role": "finance"}).to_string(),
            ),
            (
                "POST",
                format!("/{SELLER}/invitations"),
                json!({"email": format!("later-{family}@seller.example"), "role": "admin", "accounts": [top]})
                    .to_string(),
            ),
            (
                "POST",
                format!("/{SELLER}/tokens"),
                json!({"role": "finance", "label": format!("token-{family}"), "scope": {"accounts": [child]}})
                    .to_string(),
            ),
        ] {
            let done = owner.send(method, &format!("/api/v1{path}"), &body).await;
            assert!(done.status < 300, "{method} {path} {body}: {done:?}");
        }
        let place = format!("accounts/{top}");
        join(it, &place, &format!("pat@{family}.example"), &json!({"role": "owner"})).await;
        let rights = json!({"role": "admin", "accounts": [top]});
        join(it, SELLER, &format!("limited-{family}@seller.example"), &rights).await;
    }
    let everywhere = json!({"role": "admin"});
    join(it, SELLER, "everywhere@seller.example", &everywhere).await;
    for (path, there) in LISTS {
        let path = world.fill(&format!("/api/v1{path}"));
        let listed = world.above.get(&path).await;
        assert_eq!(listed.status, 200, "{path}: {listed:?}");
        for name in *there {
            assert!(listed.body.contains(&world.fill(name)), "{path} has no {name}: {}", listed.body);
        }
        for name in ["{B}", "{BI}", "{D}", "{DI}", "-b@", "@b.example", "everywhere@", "of-b", "token-b"] {
            let name = world.fill(name);
            assert!(!listed.body.contains(&name), "{path} has {name}: {}", listed.body);
        }
        // Page by page it is the same.
        if path.contains(SELLER) && !path.contains('?') {
            let (mut data, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = world.above.get(&format!("{path}?limit=1{cursor}")).await.json();
                data.extend(page["data"].as_array().unwrap().clone());
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(json!(data), listed.json()["data"], "{path}");
        }
    }
}

/// Of a family: what is named is below what is, too, and counts once.
#[tokio::test]
async fn usage_is_that_of_the_accounts_one_is_limited_to() {
    let world = World::new().await;
    let it = &world.it;
    for account in ["{A}", "{C}"] {
        let path = world.fill(&format!("/api/v1/accounts/{account}/charges"));
        let charged = it.owner().post(&path, r#"{"amount":"0","quantity":"1"}"#).await;
        assert_eq!(charged.status, 201, "{charged:?}");
    }
    let family = format!("accounts/{}", world.name("{A}"));
    for (email, accounts, calls) in [
        ("all@a.example", json!(null), 2),
        ("child@a.example", json!([world.name("{C}")]), 1),
        ("both@a.example", json!([world.name("{A}"), world.name("{C}")]), 2),
    ] {
        let mut rights = json!({"role": "developer"});
        if !accounts.is_null() {
            rights["accounts"] = accounts;
        }
        let (person, _) = join(it, &family, email, &rights).await;
        let report = person.get("/api/v1/usage?by=day").await;
        assert_eq!(report.status, 200, "{email}: {report:?}");
        assert_eq!(report.json()["data"][0]["calls"], json!(calls), "{email}: {}", report.body);
        let listed = person.get("/api/v1/accounts").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), if email.starts_with("both") { 2 } else { 1 });
    }
}

/// What an admin could do to any user, whoever is limited does to nobody: users do not end at accounts.
#[tokio::test]
async fn whoever_is_limited_finds_no_users() {
    let world = World::new().await;
    let (_, session) = join(&world.it, SELLER, "ann@seller.example", &json!({"role": "developer"})).await;
    let ann = session["user"]["id"].as_str().unwrap();
    let nobody = "00000000-0000-0000-0000-000000000000";
    for (method, rest) in
        [("POST", "/password-reset"), ("POST", "/sign-out"), ("DELETE", "/second-factor"), ("DELETE", "")]
    {
        let ask = async |user: &str| {
            let client = world.above.with("x-request-id", "r");
            let answer = client.send(method, &format!("/api/v1/users/{user}{rest}"), "").await;
            (answer.status, answer.body)
        };
        let refused = ask(ann).await;
        assert_eq!(refused.0, 404, "{method} {rest}: {}", refused.1);
        assert_eq!(refused, ask(nobody).await, "{method} {rest}");
    }
    let listed = world.it.owner().get("/api/v1/organizations/default/members").await;
    assert!(listed.body.contains("ann@seller.example"));
}

/// What moves something has to reach both of its ends. Who asks is limited to `{C}` below `{A}`; what is asked of
/// `{A}` is answered as of an account that never was.
const MOVES: &[(&str, &str)] = &[
    ("/transfers", r#"{"from":"{C}","to":"{A}","amount":"1"}"#),
    ("/transfers", r#"{"from":"{A}","to":"{C}","amount":"1"}"#),
    ("/transfers", r#"{"from":"{C}","to":"{A}","amount":"0"}"#),
    ("/transfers", r#"{"from":"{C}","to":"{A}","amount":"1","currency":"XXQ"}"#),
    ("/transfers", r#"{"from":"{C}","to":"{B}","amount":"1"}"#),
    ("/number-transfers", r#"{"from":"{C}","to":"{A}","number":"447700900123"}"#),
    ("/number-transfers", r#"{"from":"{A}","to":"{C}","number":"447700900123"}"#),
];

#[tokio::test]
async fn what_moves_reaches_both_ends() {
    let world = World::new().await;
    let (it, owner) = (&world.it, world.it.owner());
    for (method, path, body) in [
        ("POST", "/accounts/{C}/top-ups", r#"{"amount":"10"}"#),
        ("POST", "/accounts/{C}/numbers", r#"{"number":"447700900123","country":"GB"}"#),
        ("PUT", "/accounts/{A}/credit-limit", r#"{"credit_limit":"30"}"#),
        ("POST", "/accounts/{C}/allocations", r#"{"amount":"10"}"#),
    ] {
        let done = owner.send(method, &world.fill(&format!("/api/v1{path}")), &world.fill(body)).await;
        assert!(done.status < 300, "{method} {path} {body}: {done:?}");
    }
    let rights = json!({"role": "finance", "accounts": [world.name("{C}")]});
    let (seller, _) = join(it, SELLER, "fin@seller.example", &rights).await;
    let rights = json!({"role": "admin", "accounts": [world.name("{C}")]});
    let family = format!("accounts/{}", world.name("{A}"));
    let (buyer, _) = join(it, &family, "tom@buyer.example", &rights).await;
    let held = json!({"role": "owner", "scope": {"accounts": [world.name("{C}")]}}).to_string();
    let token = owner.post("/api/v1/organizations/default/tokens", &held).await.json();
    let token = it.with_token(token["token"].as_str().unwrap());
    let held = json!({"scope": {"accounts": [world.name("{C}")]}}).to_string();
    let secret = owner.post(&format!("/api/v1/accounts/{}/secrets", world.name("{A}")), &held).await.json();
    let secret = it.server.client().with_basic(world.name("{A}"), secret["secret"].as_str().unwrap());
    let digest = it.book.digest().await;
    for (who, client) in [("seller", &seller), ("buyer", &buyer), ("token", &token), ("secret", &secret)] {
        let client = client.with("x-request-id", "r");
        for (path, body) in MOVES {
            let path = format!("/api/v1{path}");
            let absent = body.replace("{A}", "ffffffff").replace("{B}", "ffffffff");
            let answer = client.post(&path, &world.fill(body)).await;
            if problem(&answer).1 == "forbidden" {
                assert!(path.ends_with("number-transfers"), "{who} {path}: {answer:?}");
                continue;
            }
            assert_eq!(problem(&answer), (404, "account-not-found".to_owned()), "{who} {path} {body}");
            let nowhere = client.post(&path, &world.fill(&absent)).await;
            assert_eq!((nowhere.status, &nowhere.body), (answer.status, &answer.body), "{who} {path} {body}");
        }
        // Credit comes from the parent and goes back to it.
        for way in ["give", "return"] {
            let path = format!("/api/v1/accounts/{}/allocations", world.name("{C}"));
            let answer = client.post(&path, &json!({"amount": "1", "way": way}).to_string()).await;
            assert_eq!(problem(&answer), (404, "account-not-found".to_owned()), "{who} {way}");
        }
    }
    // So does what a child has when it begins to share: to the account that pays from then on.
    let share =
        world.below.patch(&format!("/api/v1/accounts/{}", world.name("{C}")), r#"{"shared":true}"#).await;
    assert_eq!(problem(&share), (404, "account-not-found".to_owned()));
    assert_eq!(it.book.digest().await, digest, "nothing has changed");
    // Over both ends all of it is done.
    for (path, body) in [
        ("/transfers", r#"{"from":"{C}","to":"{A}","amount":"1"}"#),
        ("/accounts/{C}/allocations", r#"{"amount":"1","way":"return"}"#),
        ("/number-transfers", r#"{"from":"{C}","to":"{A}","number":"447700900123"}"#),
    ] {
        let done = world.above.post(&world.fill(&format!("/api/v1{path}")), &world.fill(body)).await;
        assert_eq!(done.status, 201, "{path} {body}: {done:?}");
    }
}
