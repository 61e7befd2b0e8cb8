//! Organizations in several books, on several nodes: whoever is asked, everything is found, and nobody is let
//! through who would not be with one book.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::nodes::{Cluster, agent, eventually};
use crate::output;
use crate::served::TOKEN;

/// One request after the other goes to another node.
struct Caller<'a> {
    cluster: &'a Cluster,
    asked: std::cell::Cell<usize>,
}

/// How somebody proves who they are.
#[derive(Clone, Copy)]
enum As<'a> {
    Nobody,
    Token(&'a str),
    Account(&'a str, &'a str),
    Cookie(&'a str),
}

impl Caller<'_> {
    fn ask(&self, who: As<'_>, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask_with(who, method, path, body, &[])
    }

    fn ask_with(
        &self,
        who: As<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        self.asked.set(self.asked.get() + 1);
        let url = self.cluster.url(self.asked.get()).unwrap();
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{url}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = match who {
            As::Nobody => request,
            As::Token(token) => request.header("authorization", format!("Bearer {token}")),
            As::Account(key, secret) => request.header("authorization", basic(key, secret)),
            As::Cookie(token) => {
                request.header("cookie", format!("bursar={token}")).header("x-bursar-page", "1")
            }
        };
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let mut answer = agent(Duration::from_secs(20)).run(request).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

fn basic(key: &str, secret: &str) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{key}:{secret}"));
    format!("Basic {text}")
}

/// What a new organization is worked with.
struct Seller {
    name: String,
    token: String,
    account: String,
    key: String,
    secret: String,
}

fn found(caller: &Caller<'_>, name: &str) -> Seller {
    let operator = As::Token(TOKEN);
    let body = json!({"name": name, "currency": "EUR"});
    let (status, founded) = caller.ask(operator, "POST", "/api/v1/organizations", Some(body.clone()));
    assert_eq!(status, 201, "{founded}");
    let (status, again) = caller.ask(operator, "POST", "/api/v1/organizations", Some(body));
    assert_eq!((status, again["type"].as_str()), (409, Some("/problems/name-taken")), "{again}");
    let tokens = format!("/api/v1/organizations/{name}/tokens");
    let (status, issued) = caller.ask(operator, "POST", &tokens, Some(json!({"role": "owner"})));
    assert_eq!(status, 201, "{issued}");
    let token = issued["token"].as_str().unwrap().to_owned();
    let body = json!({"name": "customer", "credit_limit": "100"});
    let accounts = format!("/api/v1/organizations/{name}/accounts");
    let (status, opened) = caller.ask(operator, "POST", &accounts, Some(body));
    assert_eq!(status, 201, "{opened}");
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    let (account, key, secret) = (text("id"), text("api_key"), text("secret"));
    Seller { name: name.to_owned(), token, account, key, secret }
}

#[test]
fn whichever_node_is_asked_finds_the_book_of_whoever_asks() {
    let cluster = Cluster::start(2);
    let caller = Caller { cluster: &cluster, asked: 0.into() };
    let sellers: Vec<Seller> = (0..10).map(|number| found(&caller, &format!("seller-{number}"))).collect();
    // What tokens say of their books: the organizations are spread.
    let books: BTreeSet<_> = sellers.iter().map(|seller| seller.token.split('_').next()).collect();
    assert!(books.len() >= 3, "{books:?}");

    for (seller, other) in sellers.iter().zip(sellers.iter().cycle().skip(1)) {
        let Seller { name, token, account, key, secret } = seller;
        let (seller_side, buyer) = (As::Token(token), As::Account(key, secret));
        for who in [seller_side, buyer] {
            let path = format!("/api/v1/accounts/{account}/charges");
            let (status, charged) = caller.ask(who, "POST", &path, Some(json!({"amount": "1"})));
            assert_eq!(status, 201, "{charged}");
        }
        let (_, vonage) = caller.ask(buyer, "GET", &format!("/accounts/{key}/subaccounts"), None);
        assert_eq!(vonage["total_balance"], json!(-2), "{vonage}");
        let in_query = format!("/account/get-balance?api_key={key}&api_secret={secret}");
        let (_, balance) = caller.ask(As::Nobody, "GET", &in_query, None);
        assert_eq!(balance["value"], json!(-2), "{balance}");
        // The operator's view, and that of the organization's own.
        for who in [As::Token(TOKEN), seller_side] {
            let path = format!("/api/v1/organizations/{name}/audit?limit=100");
            let (status, audit) = caller.ask(who, "GET", &path, None);
            assert_eq!(status, 200, "{audit}");
            assert!(audit["data"].as_array().unwrap().len() >= 2, "{audit}");
        }
        people(&caller, seller);

        // Another's is like nobody's, wherever it is.
        let nobody = "5a9ee444-b71e-3888-6f59-557bdcae9c5d";
        let balances = |account: &str| format!("/api/v1/accounts/{account}/balances");
        let without_id = |(status, mut problem): (u16, Value)| {
            problem.as_object_mut().unwrap().remove("request_id");
            problem.as_object_mut().unwrap().remove("instance");
            (status, problem)
        };
        for who in [seller_side, buyer, As::Token(TOKEN)] {
            let theirs = without_id(caller.ask(who, "GET", &balances(&other.account), None));
            assert_eq!(theirs.0, 404);
            assert_eq!(theirs, without_id(caller.ask(who, "GET", &balances(nobody), None)));
        }
        let tokens = |name: &str| format!("/api/v1/organizations/{name}/tokens");
        let theirs = without_id(caller.ask(seller_side, "GET", &tokens(&other.name), None));
        assert_eq!(theirs, without_id(caller.ask(seller_side, "GET", &tokens("nobody"), None)));
        // Nobody is the operator by saying so.
        let forged = [("bursar-operator", "recognized"), ("bursar-book", "1")];
        for who in [As::Nobody, seller_side] {
            let (status, _) = caller.ask_with(who, "GET", &tokens(&other.name), None, &forged);
            assert!(matches!(status, 401 | 404), "{status}");
        }
        let (status, _) = caller.ask_with(As::Token(TOKEN), "GET", "/recognize-operator", None, &forged);
        assert_eq!(status, 404);
    }

    // The seller's programs of the first organization are not the operator.
    let body = Some(json!({"role": "admin"}));
    let (_, issued) = caller.ask(As::Token(TOKEN), "POST", "/api/v1/organizations/default/tokens", body);
    let admin = As::Token(issued["token"].as_str().unwrap());
    let path = format!("/api/v1/organizations/{}/tokens", sellers[0].name);
    let (status, problem) = caller.ask(admin, "GET", &path, None);
    assert_eq!((status, problem["type"].as_str()), (404, Some("/problems/organization-not-found")));

    let verified = output(&["verify", "--json", "--journal", cluster.journal()]);
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(verified["accounts"], json!(10), "{verified}");
    let in_first = usize::from(books.contains(&Some("bst")));
    assert_eq!(verified["books"], json!(books.len() + 1 - in_first), "{verified}");
}

/// Somebody is invited, follows the link, signs in, and acts by a cookie.
fn people(caller: &Caller<'_>, seller: &Seller) {
    let path = format!("/api/v1/organizations/{}/invitations", seller.name);
    let invite = json!({"email": "ann@seller.example", "role": "finance"});
    let (status, invited) = caller.ask(As::Token(&seller.token), "POST", &path, Some(invite));
    assert_eq!(status, 201, "{invited}");
    let password = "violet anchor and a lamp";
    let accept = json!({"link": invited["link"], "password": password});
    let (status, accepted) = caller.ask(As::Nobody, "POST", "/api/v1/invitations/accept", Some(accept));
    assert!(matches!(status, 200 | 201 | 204), "{status} {accepted}");
    let sign_in = json!({"organization": seller.name, "email": "ann@seller.example", "password": password});
    let (status, session) = caller.ask(As::Nobody, "POST", "/api/v1/sessions", Some(sign_in));
    assert_eq!(status, 201, "{session}");
    let cookie = As::Cookie(session["token"].as_str().unwrap());
    let path = format!("/api/v1/accounts/{}/balances", seller.account);
    assert_eq!(caller.ask(cookie, "GET", &path, None).0, 200);
    assert_eq!(caller.ask(cookie, "DELETE", "/api/v1/sessions/current", None).0, 204);
    assert_eq!(caller.ask(cookie, "GET", &path, None).0, 401);
}

#[test]
fn books_go_to_a_node_that_joins_and_come_back_when_it_leaves() {
    let cluster = Cluster::start(1);
    let held = |node: usize| {
        let agent = agent(Duration::from_secs(2));
        let mut answer = agent.get(format!("{}/readyz", cluster.url(node)?)).call().ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("leading "))?;
        Some(line.split(',').next()?.split(' ').count())
    };
    eventually(|| (held(0)? == 8).then_some(()));
    let second = cluster.join();
    eventually(|| (held(0)? < 8 && held(0)? + held(second)? == 8).then_some(()));
    cluster.remove(second).stop();
    eventually(|| (held(0)? == 8).then_some(()));
}
