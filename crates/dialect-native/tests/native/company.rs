//! Signing in by a company's own provider, and everything that must not work.

use serde_json::{Value, json};
use testkit::{Answer, Client, TestServer};

use crate::fixture::{Fixture, problem};
use crate::issuer::{CLIENT, Issuer, SECRET, Signed};
use crate::rights::{PASSWORD, join};
use crate::second_factor::Device;

const PROVIDER: &str = "/api/v1/organizations/default/sign-in-provider";
const GOOD: Signed = Signed::By(0);

fn settings(issuer: &Issuer) -> Value {
    json!({"issuer": issuer.url, "client_id": CLIENT, "client_secret": SECRET, "domains": ["Acme.example"]})
}

async fn set(it: &Fixture, settings: &Value) {
    let answer = it.owner().send("PUT", PROVIDER, &settings.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn set_up() -> (Fixture, Issuer) {
    let (it, issuer) = (Fixture::with_provider().await, Issuer::start().await);
    set(&it, &settings(&issuer)).await;
    (it, issuer)
}

async fn create(it: &Fixture, email: &str, role: &str) -> String {
    let body = json!({"email": email, "role": role, "password": PASSWORD}).to_string();
    let created = it.owner().post("/api/v1/organizations/default/users", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    created.json()["id"].as_str().unwrap().to_owned()
}

/// The value of a cookie that an answer sets; none where it takes it away.
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.iter().filter(|(header, _)| header == "set-cookie");
    let mut values = all.filter_map(|(_, value)| value.strip_prefix(&format!("{name}=")));
    let value = values.next()?.split(';').next().unwrap();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A browser on its way: what it carries, and where it was sent.
struct Begun {
    ticket: String,
    location: String,
}

async fn begin(it: &Fixture, body: &Value) -> Begun {
    let answer = it.server.client().post("/api/v1/sessions/company", &body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let set = answer.header("set-cookie").unwrap();
    assert!(set.contains("; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"), "{set}");
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    Begun { ticket: cookie(&answer, "bursar-ticket").unwrap(), location }
}

impl Begun {
    fn browser(&self, server: &TestServer) -> Client {
        server.client().with("cookie", &format!("bursar-ticket={}", self.ticket)).with("x-request-id", "r")
    }
}

async fn come_back(it: &Fixture, issuer: &Issuer, signed: Signed, change: impl FnOnce(&mut Value)) -> Answer {
    let begun = begin(it, &json!({})).await;
    begun.browser(&it.server).get(&issuer.sign_in(&begun.location, signed, change)).await
}

/// Who it is that came back.
async fn who(it: &Fixture, answer: &Answer) -> String {
    assert_eq!((answer.status, answer.header("location")), (303, Some("/signed-in")), "{answer:?}");
    assert_eq!(cookie(answer, "bursar-ticket"), None, "it is used up");
    let token = cookie(answer, "bursar").unwrap();
    let me = it.server.client().with("cookie", &format!("bursar={token}")).get("/api/v1/me").await;
    me.json()["user"]["email"].as_str().unwrap().to_owned()
}

fn is_refused(answer: &Answer, status: u16, title: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.contains(title), "{answer:?}");
    assert_eq!(cookie(answer, "bursar"), None, "nobody is signed in: {answer:?}");
}

const NOT_VOUCHED: &str = "Nobody here is known by what the sign-in provider says";
const FAILED: &str = "The sign-in provider gives no answer that can be trusted";
const NOT_BEGUN: &str = "This browser has not begun that sign-in, or too long ago";

#[tokio::test]
async fn a_user_is_linked_by_address_once_and_known_by_the_subject_since() {
    let (it, issuer) = set_up().await;
    create(&it, "Ann@acme.example", "developer").await;
    let answer = come_back(&it, &issuer, GOOD, |_| {}).await;
    assert_eq!(who(&it, &answer).await, "Ann@acme.example");
    // Whatever becomes of the address there.
    for email in [json!("someone@else.example"), json!("bob@acme.example"), Value::Null] {
        let answer = come_back(&it, &issuer, GOOD, |claims| {
            claims["email"] = email;
            claims["email_verified"] = json!(false);
        });
        assert_eq!(who(&it, &answer.await).await, "Ann@acme.example");
    }
    // The address is Ann's, the subject is somebody else's by now.
    let other = come_back(&it, &issuer, GOOD, |claims| claims["sub"] = json!("s-2")).await;
    is_refused(&other, 403, NOT_VOUCHED);
    // A session that was there before is not gone on with.
    let planted = cookie(&answer, "bursar").unwrap();
    let begun = begin(&it, &json!({"organization": "default"})).await;
    let carried = format!("bursar={planted}; bursar-ticket={}", begun.ticket);
    let browser = it.server.client().with("cookie", &carried);
    let fresh = browser.get(&issuer.sign_in(&begun.location, GOOD, |_| {})).await;
    assert_ne!(cookie(&fresh, "bursar").unwrap(), planted);
    let log = it.owner().get("/api/v1/organizations/default/audit?limit=100").await.json();
    let acts: Vec<_> = log["data"].as_array().unwrap().iter().map(|it| it["act"].clone()).collect();
    let count = |act: &str| acts.iter().filter(|it| **it == act).count();
    assert_eq!((count("sign-in-by-provider"), count("link-subject"), count("sign-in")), (5, 1, 0));
    assert_eq!(count("set-sign-in-provider"), 1);
    // All of it is there after a restart.
    let Fixture { book, server, .. } = it;
    let digest = book.digest().await;
    drop(server);
    let book = book.reopened();
    assert_eq!(book.digest().await, digest);
    let server = TestServer::start(dialect_native::router(Fixture::app_with_provider(&book))).await;
    let it = Fixture { book, server, post: None };
    let answer = come_back(&it, &issuer, GOOD, |claims| claims["email"] = Value::Null).await;
    assert_eq!(who(&it, &answer).await, "Ann@acme.example");
}

#[tokio::test]
async fn whoever_does_not_belong_is_refused_with_one_answer() {
    let (it, issuer) = set_up().await;
    let gone = create(&it, "gone@acme.example", "developer").await;
    create(&it, "ann@acme.example", "developer").await;
    create(&it, "ann@other.example", "developer").await;
    assert_eq!(it.owner().send("DELETE", &format!("/api/v1/users/{gone}"), "").await.status, 204);
    let mut said = Vec::new();
    for (claim, value) in [
        ("email", json!("nobody@acme.example")),
        ("email", json!("gone@acme.example")),
        ("email", json!("ann@other.example")),
        ("email", json!("ann@acme.example.evil.example")),
        ("email", json!("ann@evil.example@acme.example")),
        ("email", Value::Null),
        ("email_verified", json!(false)),
        ("email_verified", Value::Null),
    ] {
        let answer = come_back(&it, &issuer, GOOD, |claims| claims[claim] = value).await;
        is_refused(&answer, 403, NOT_VOUCHED);
        said.push(answer.body);
    }
    said.dedup();
    assert_eq!(said.len(), 1);
}

#[tokio::test]
async fn what_the_provider_did_not_sign_for_us_proves_nothing() {
    let (it, issuer) = set_up().await;
    create(&it, "ann@acme.example", "owner").await;
    for signed in
        [Signed::Forged, Signed::Unknown, Signed::Nothing, Signed::Secret, Signed::PublicKey, Signed::By(1)]
    {
        let answer = come_back(&it, &issuer, signed, |_| {}).await;
        is_refused(&answer, 502, FAILED);
    }
    for (claim, value) in [
        ("aud", json!("another")),
        ("aud", json!([CLIENT, "another"])),
        ("azp", json!("another")),
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{}/", issuer.url))),
        ("exp", json!(1_700_000_001)),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("sub", json!("")),
        ("sub", Value::Null),
    ] {
        let answer = come_back(&it, &issuer, GOOD, |claims| claims[claim] = value.clone()).await;
        assert_eq!(answer.status, 502, "{claim} {value}: {answer:?}");
        is_refused(&answer, 502, FAILED);
    }
    assert_eq!(who(&it, &come_back(&it, &issuer, GOOD, |_| {}).await).await, "ann@acme.example");
}

#[tokio::test]
async fn keys_are_fetched_again_for_one_that_is_new_and_not_for_everybody() {
    let (it, issuer) = set_up().await;
    create(&it, "ann@acme.example", "developer").await;
    for _ in 0..3 {
        who(&it, &come_back(&it, &issuer, GOOD, |_| {}).await).await;
    }
    assert_eq!(issuer.asked_keys(), 1);
    issuer.publish(2);
    who(&it, &come_back(&it, &issuer, Signed::By(1), |_| {}).await).await;
    assert_eq!(issuer.asked_keys(), 2);
    for _ in 0..5 {
        is_refused(&come_back(&it, &issuer, Signed::Unknown, |_| {}).await, 502, FAILED);
    }
    assert_eq!(issuer.asked_keys(), 2);
}

#[tokio::test]
async fn a_browser_finishes_what_it_began_itself_and_once() {
    let (it, issuer) = set_up().await;
    create(&it, "ann@acme.example", "developer").await;
    let begun = begin(&it, &json!({})).await;
    let back = issuer.sign_in(&begun.location, GOOD, |_| {});
    // Nobody's, somebody else's, forged, planted beside the real one, or of another organization.
    let other = begin(&it, &json!({})).await;
    let forged: String = begun.ticket.chars().rev().collect();
    let both = format!("bursar-ticket={}; bursar-ticket={}", other.ticket, begun.ticket);
    for client in [
        it.server.client(),
        other.browser(&it.server),
        it.server.client().with("cookie", &format!("bursar-ticket={forged}")),
        it.server.client().with("cookie", &both),
    ] {
        is_refused(&client.get(&back).await, 400, NOT_BEGUN);
    }
    let browser = begun.browser(&it.server);
    for path in [
        back.replace("/default?", "/elsewhere?"),
        back.replace("state=", "state=x"),
        format!("{back}&iss=https://evil.example"),
        "/sign-in/callback/default".to_owned(),
    ] {
        is_refused(&browser.get(&path).await, 400, NOT_BEGUN);
    }
    who(&it, &browser.get(&back).await).await;
    is_refused(&browser.get(&back).await, 400, NOT_BEGUN);
    // A node that knows nothing of it has the code refused where it was made.
    let node = TestServer::start(dialect_native::router(Fixture::app_with_provider(&it.book))).await;
    is_refused(&begun.browser(&node).get(&back).await, 502, FAILED);
    // And it finishes what another began.
    let begun = begin(&it, &json!({})).await;
    let answer = begun.browser(&node).get(&issuer.sign_in(&begun.location, GOOD, |_| {})).await;
    who(&it, &answer).await;
    // The provider says no: the user changed their mind there.
    let begun = begin(&it, &json!({})).await;
    let back = issuer.sign_in(&begun.location, GOOD, |_| {}).replace("code=", "error=access_denied&x=");
    is_refused(&begun.browser(&it.server).get(&back).await, 502, FAILED);
    // Set anew meanwhile: what was begun at the one before does not count.
    let begun = begin(&it, &json!({})).await;
    let second = Issuer::start().await;
    set(&it, &settings(&second)).await;
    let back = issuer.sign_in(&begun.location, GOOD, |_| {});
    is_refused(&begun.browser(&it.server).get(&back).await, 400, NOT_BEGUN);
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_or_is_another_lets_nobody_in() {
    let (it, issuer) = set_up().await;
    let start = async || it.server.client().post("/api/v1/sessions/company", "{}").await;
    let elsewhere = async |body: &str| it.server.client().post("/api/v1/sessions/company", body).await;
    assert_eq!(
        problem(&elsewhere(r#"{"organization":"nowhere"}"#).await),
        (404, "sign-in-provider-not-found".to_owned())
    );
    issuer.describe_as("https://evil.example");
    assert_eq!(problem(&start().await), (502, "sign-in-provider-failed".to_owned()));
    let gone = Issuer::start().await;
    let mut wanted = settings(&gone);
    drop(gone);
    set(&it, &wanted).await;
    assert_eq!(problem(&start().await).0, 502);
    wanted["client_secret"] = json!("another");
    let issuer = Issuer::start().await;
    wanted["issuer"] = json!(issuer.url);
    set(&it, &wanted).await;
    is_refused(&come_back(&it, &issuer, GOOD, |_| {}).await, 502, FAILED);
    assert_eq!(it.owner().send("DELETE", PROVIDER, "").await.status, 204);
    assert_eq!(problem(&start().await), (404, "sign-in-provider-not-found".to_owned()));
}

#[tokio::test]
async fn whoever_is_invited_accepts_by_it() {
    let (it, issuer) = set_up().await;
    let invite = async |email: &str| {
        let body = json!({"email": email, "role": "developer"}).to_string();
        it.owner().post("/api/v1/organizations/default/invitations", &body).await.json()["link"].clone()
    };
    let accept = async |link: &Value, email: &str| {
        let begun = begin(&it, &json!({"link": link})).await;
        let back = issuer.sign_in(&begun.location, GOOD, |claims| {
            claims["email"] = json!(email);
            claims["sub"] = json!(email);
        });
        begun.browser(&it.server).get(&back).await
    };
    let link = invite("ann@acme.example").await;
    let read = async |link: &Value| {
        it.server.client().post("/api/v1/invitations/read", &json!({"link": link}).to_string()).await
    };
    let shown = json!({
        "organization": "default", "email": "ann@acme.example", "known": false, "password": true, "company": true,
    });
    assert_eq!(read(&link).await.json(), shown);
    // The link alone is not enough: the provider has to know the address that was invited.
    is_refused(&accept(&link, "bob@acme.example").await, 403, NOT_VOUCHED);
    assert_eq!(who(&it, &accept(&link, "ann@acme.example").await).await, "ann@acme.example");
    is_refused(&accept(&link, "ann@acme.example").await, 404, "The link has expired");
    assert_eq!(problem(&read(&link).await), (404, "link-not-valid".to_owned()));
    // She has no password, and needs none.
    let by_password = json!({"email": "ann@acme.example", "password": PASSWORD}).to_string();
    assert_eq!(it.server.client().post("/api/v1/sessions", &by_password).await.status, 401);
    // Somebody known joins a family the same way.
    let account = it.funded("1").await;
    let body = json!({"email": "ann@acme.example", "role": "owner"}).to_string();
    let path = format!("/api/v1/accounts/{}/invitations", account.key);
    let link = it.owner().post(&path, &body).await.json()["link"].clone();
    assert_eq!(read(&link).await.json()["known"], json!(true));
    assert_eq!(who(&it, &accept(&link, "ann@acme.example").await).await, "ann@acme.example");
    let forged = it.server.client().post("/api/v1/sessions/company", r#"{"link":"bsi_0"}"#).await;
    assert_eq!(problem(&forged), (404, "link-not-valid".to_owned()));
}

#[tokio::test]
async fn a_second_factor_of_ours_is_asked_for_all_the_same() {
    let (it, issuer) = set_up().await;
    create(&it, "ann@acme.example", "developer").await;
    let by_password = json!({"email": "ann@acme.example", "password": PASSWORD}).to_string();
    let token = it.server.client().post("/api/v1/sessions", &by_password).await.json()["token"].clone();
    let ann = it.with_token(token.as_str().unwrap());
    let (device, _) = Device::confirmed(&it, &ann).await;
    let code = async || json!({"code": device.code(&it).await}).to_string();
    it.book.clock.advance_secs(30);
    let answer = come_back(&it, &issuer, GOOD, |_| {}).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/sign-in/code?organization=default")),
        "{answer:?}"
    );
    assert_eq!(cookie(&answer, "bursar"), None);
    let ticket = format!("bursar-ticket={}", cookie(&answer, "bursar-ticket").unwrap());
    let browser = it.server.client().with("cookie", &ticket);
    let say = async |client: &Client, body: &str| client.post("/api/v1/sessions/company/code", body).await;
    assert_eq!(
        problem(&say(&it.server.client(), &code().await).await),
        (400, "sign-in-not-begun".to_owned())
    );
    assert_eq!(
        problem(&say(&browser, r#"{"code":"000000"}"#).await),
        (401, "second-factor-wrong".to_owned())
    );
    let answer = say(&browser, &code().await).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(problem(&say(&browser, &code().await).await), (401, "second-factor-wrong".to_owned()));
    // A ticket of the first half is none for the second.
    let begun = begin(&it, &json!({})).await;
    assert_eq!(problem(&say(&begun.browser(&it.server), &code().await).await).0, 400);
    // Whoever guesses waits.
    let mut last = 0;
    for _ in 0..6 {
        last = say(&browser, r#"{"code":"000000"}"#).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn passwords_end_for_its_people_and_never_for_owners() {
    let (it, issuer) = set_up().await;
    for (email, role) in [
        ("dev@acme.example", "developer"),
        ("dev@other.example", "developer"),
        ("owner@acme.example", "owner"),
        ("admin@acme.example", "admin"),
    ] {
        create(&it, email, role).await;
    }
    let account = it.funded("1").await;
    let family = format!("accounts/{}", account.key);
    join(&it, &family, "primary@acme.example", &json!({"role": "owner"})).await;
    let mut wanted = settings(&issuer);
    wanted["passwords"] = json!(false);
    set(&it, &wanted).await;
    let sign_in = async |email: &str, password: &str| {
        let body = json!({"email": email, "password": password}).to_string();
        it.server.client().post("/api/v1/sessions", &body).await
    };
    for (email, status) in [
        ("dev@acme.example", 403),
        ("admin@acme.example", 403),
        ("primary@acme.example", 403),
        ("dev@other.example", 201),
        ("owner@acme.example", 201),
    ] {
        let answer = sign_in(email, PASSWORD).await;
        assert_eq!(answer.status, status, "{email}: {answer:?}");
        if status == 403 {
            assert_eq!(problem(&answer).1, "sign-in-elsewhere");
        }
        assert_eq!(sign_in(email, "wrong anchor and a lamp").await.status, 401, "{email}");
    }
    let invite = json!({"email": "new@acme.example", "role": "developer"}).to_string();
    let link =
        it.owner().post("/api/v1/organizations/default/invitations", &invite).await.json()["link"].clone();
    let body = json!({"link": link, "password": PASSWORD}).to_string();
    let accepted = it.server.client().post("/api/v1/invitations/accept", &body).await;
    assert_eq!(problem(&accepted), (403, "sign-in-elsewhere".to_owned()));
    // Without the provider passwords are what they were.
    assert_eq!(it.owner().send("DELETE", PROVIDER, "").await.status, 204);
    assert_eq!(sign_in("dev@acme.example", PASSWORD).await.status, 201);
}

#[tokio::test]
async fn an_owner_sets_it_and_nobody_sees_its_secret() {
    let (it, issuer) = set_up().await;
    let shown = it.owner().get(PROVIDER).await;
    let expected = json!({
        "issuer": issuer.url, "client_id": CLIENT, "domains": ["acme.example"], "passwords": true,
        "redirect_uri": "http://bursar.test/sign-in/callback/default",
    });
    assert_eq!(shown.json(), expected);
    create(&it, "ann@acme.example", "developer").await;
    who(&it, &come_back(&it, &issuer, GOOD, |_| {}).await).await;
    // Without a secret it keeps the one it has, and whom it knows.
    let mut wanted = settings(&issuer);
    wanted.as_object_mut().unwrap().remove("client_secret");
    wanted["domains"] = json!(["acme.example", "acme.test"]);
    set(&it, &wanted).await;
    let answer = come_back(&it, &issuer, GOOD, |claims| claims["email"] = Value::Null).await;
    who(&it, &answer).await;
    // Another client is another provider: its subjects are other people's.
    wanted["client_id"] = json!("another");
    let answer = it.owner().send("PUT", PROVIDER, &wanted.to_string()).await;
    assert_eq!(
        (problem(&answer).1.as_str(), &answer.json()["field"]),
        ("missing-field", &json!("client_secret"))
    );
    wanted["client_secret"] = json!(SECRET);
    set(&it, &wanted).await;
    set(&it, &settings(&issuer)).await;
    let answer = come_back(&it, &issuer, GOOD, |claims| claims["email"] = Value::Null).await;
    is_refused(&answer, 403, NOT_VOUCHED);
    who(&it, &come_back(&it, &issuer, GOOD, |claims| claims["sub"] = json!("s-9")).await).await;
    let log = it.owner().get("/api/v1/organizations/default/audit?limit=100").await.body;
    assert!(log.contains("set-sign-in-provider") && !log.contains(SECRET), "{log}");
    for (field, value) in [
        ("issuer", json!("http://acme.example")),
        ("issuer", json!("acme.example")),
        ("issuer", json!("https://user:pass@acme.example")),
        ("issuer", json!("https://acme.example?x=1")),
        ("issuer", json!("ftp://acme.example")),
        ("domains", json!([])),
        ("domains", json!(["@acme.example"])),
        ("domains", json!(["*.example"])),
        ("client_id", json!("")),
        ("client_secret", json!("line\nbreak")),
    ] {
        let mut wanted = settings(&issuer);
        wanted[field] = value;
        let answer = it.owner().send("PUT", PROVIDER, &wanted.to_string()).await;
        assert_eq!(problem(&answer), (422, "invalid-field".to_owned()), "{wanted}");
        assert!(answer.json()["field"].as_str().unwrap().starts_with(field), "{answer:?}");
    }
    // Outside of tests there is https alone.
    let plain = TestServer::start(dialect_native::router(it.book.app())).await;
    let owner = plain.client().with("authorization", &format!("Bearer {}", it.book.token));
    let answer = owner.send("PUT", PROVIDER, &settings(&issuer).to_string()).await;
    assert_eq!(answer.json()["field"], json!("issuer"), "{answer:?}");
}
