//! People: signing in and out, families, links, and what is refused.

use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::fixture::{Fixture, pick, problem};
use crate::rights::{PASSWORD, join};

async fn sign_in(it: &Fixture, body: &Value) -> Answer {
    it.server.client().post("/api/v1/sessions", &body.to_string()).await
}

fn named(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}

async fn create(it: &Fixture, email: &str, role: &str) -> String {
    let body = json!({"email": email, "role": role, "password": PASSWORD}).to_string();
    let created = it.owner().post("/api/v1/organizations/default/users", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    created.json()["id"].as_str().unwrap().to_owned()
}

async fn in_session(it: &Fixture, email: &str) -> (Client, String) {
    let answer = sign_in(it, &named(email)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    (it.with_token(&token), token)
}

#[tokio::test]
async fn a_user_signs_in_acts_and_signs_out() {
    let it = Fixture::new().await;
    let account = it.funded("1").await;
    create(&it, "Ann@Seller.example", "finance").await;
    let answer = sign_in(&it, &named("ann@seller.example")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap();
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(cookie, format!("bursar={token}; HttpOnly; SameSite=Lax; Path=/"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let person = it.with_token(&token);
    let me = person.get("/api/v1/me").await.json();
    assert_eq!(pick(&me, &["organization", "role"]), json!({"organization": "default", "role": "finance"}));
    assert_eq!(me["user"]["email"], json!("Ann@Seller.example"));
    let top_up = format!("/api/v1/accounts/{}/top-ups", account.key);
    assert_eq!(person.post(&top_up, r#"{"amount":"5"}"#).await.status, 201);
    let entries = it.owner().get(&format!("/api/v1/accounts/{}/entries", account.key)).await.json();
    assert_eq!(entries["data"][0]["membership"], me["membership"]["id"]);

    // By cookie: what changes something has to come from a page of ours.
    let browser = it.server.client().with("cookie", &format!("a=b; bursar={token}"));
    assert_eq!(browser.get("/api/v1/me").await.status, 200);
    let own = format!("http://{}", it.server.address());
    let page = browser.with("x-bursar-page", "1");
    for (client, status) in [
        (browser.clone(), 403),
        (browser.with("origin", &own), 403),
        (page.with("origin", "https://evil.example"), 403),
        (page.with("origin", "null"), 403),
        (page.with("sec-fetch-site", "cross-site"), 403),
        (page.with("sec-fetch-site", "same-site"), 403),
        (page.clone(), 201),
        (page.with("origin", &own).with("sec-fetch-site", "same-origin"), 201),
    ] {
        let answer = client.post(&top_up, r#"{"amount":"1"}"#).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 403 {
            assert_eq!(problem(&answer).1, "cross-site");
        }
    }
    // A second cookie of that name was planted by somebody.
    let planted = it.server.client().with("cookie", &format!("bursar=bss_x; bursar={token}"));
    assert_eq!(planted.get("/api/v1/me").await.status, 401);

    // A sign-in never goes on with a session that was there before.
    let fixed = page.post("/api/v1/sessions", &named("ann@seller.example").to_string()).await;
    assert_ne!(fixed.json()["token"], json!(token));

    let ended = page.send("DELETE", "/api/v1/sessions/current", "").await;
    assert_eq!((ended.status, ended.header("set-cookie").unwrap().contains("Max-Age=0")), (204, true));
    assert_eq!(problem(&person.get("/api/v1/me").await), (401, "unauthenticated".to_owned()));
    let (one, _) = in_session(&it, "ann@seller.example").await;
    let (other, _) = in_session(&it, "ann@seller.example").await;
    assert_eq!(one.get("/api/v1/sessions").await.json()["data"].as_array().unwrap().len(), 3);
    assert_eq!(one.send("DELETE", "/api/v1/sessions", "").await.status, 204);
    for client in [one, other] {
        assert_eq!(client.get("/api/v1/me").await.status, 401);
    }
    // Twelve hours later one is over by itself.
    let (later, _) = in_session(&it, "ann@seller.example").await;
    it.book.clock.advance_secs(12 * 3600);
    assert_eq!(later.get("/api/v1/me").await.status, 401);
}

#[tokio::test]
async fn wrong_sign_ins_are_one_answer_and_wait_for_nobody_else() {
    let it = Fixture::new().await;
    create(&it, "ann@seller.example", "admin").await;
    create(&it, "bob@seller.example", "admin").await;
    let wrong = |email: &str| json!({"email": email, "password": "wrong anchor and a lamp"});
    let said = async |body: &Value| {
        let client = it.server.client().with("x-request-id", "r");
        let answer = client.post("/api/v1/sessions", &body.to_string()).await;
        (answer.status, answer.body)
    };
    let known = said(&wrong("ann@seller.example")).await;
    assert_eq!(known.0, 401);
    for body in [
        wrong("nobody@seller.example"),
        json!({"email": "ann@seller.example", "password": PASSWORD, "organization": "nowhere"}),
        json!({"email": "ann@seller.example", "password": "x".repeat(5000)}),
    ] {
        assert_eq!(said(&body).await, known, "{body}");
    }
    // From the fifth on whoever tries waits, whether there is such a user or not.
    let before = it.book.engine.counters().done.load(std::sync::atomic::Ordering::Relaxed);
    let mut answers = Vec::new();
    for email in ["ann@seller.example", "nobody@seller.example"] {
        let mut statuses = Vec::new();
        for _ in 0..5_000 {
            statuses.push(sign_in(&it, &wrong(email)).await.status);
        }
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 4, "{email}");
        let delayed = sign_in(&it, &named(email)).await;
        assert_eq!(problem(&delayed), (429, "too-many-sign-ins".to_owned()));
        answers.push((delayed.header("retry-after").map(str::to_owned), delayed.json()["detail"].clone()));
    }
    assert_eq!(answers[0], answers[1]);
    // Somebody else is let in meanwhile, and after the delay the right password is enough.
    in_session(&it, "bob@seller.example").await;
    it.book.clock.advance_secs(61);
    in_session(&it, "ann@seller.example").await;
    // Thousands of attempts left two entries in the books: the first, and how many followed.
    let done = it.book.engine.counters().done.load(std::sync::atomic::Ordering::Relaxed) - before;
    assert!(done <= 5, "{done}");
    let failed = it.owner().get("/api/v1/organizations/default/audit?acts=fail-sign-in").await.json();
    let counts: Vec<&Value> =
        failed["data"].as_array().unwrap().iter().map(|it| &it["after"]["count"]).collect();
    assert_eq!(counts, [&json!(4), &json!(1)]);
    assert_eq!(failed["data"][1]["address"], json!("127.0.0.1"));
}

#[tokio::test]
async fn a_family_has_its_people() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let other = it.funded("100").await;
    let family = format!("accounts/{}", account.key);
    let (primary, session) = join(&it, &family, "pat@buyer.example", &json!({"role": "owner"})).await;
    assert_eq!(session["membership"]["primary"], json!(true));
    let (team, session) = join(&it, &family, "tom@buyer.example", &json!({"role": "finance"})).await;
    let (tom, pat) = (session["membership"]["id"].clone(), primary.get("/api/v1/me").await.json());
    let at = |rest: &str| format!("/api/v1/{family}{rest}");
    assert_eq!(team.get(&at("/balance")).await.status, 200);
    // Rights end at the family.
    let foreign = format!("/api/v1/accounts/{}/balance", other.key);
    assert_eq!(problem(&team.get(&foreign).await), (404, "account-not-found".to_owned()));
    let listed = primary.get(&at("/members")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    let refused = async |client: &Client, method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        problem(&client.send(method, path, &body).await).1
    };
    let membership = |id: &Value| format!("/api/v1/memberships/{}", id.as_str().unwrap());
    let pats = membership(&pat["membership"]["id"]);
    // One primary user, whose role is handed over and never lost.
    let invite = json!({"email": "eve@buyer.example", "role": "owner"});
    assert_eq!(refused(&primary, "POST", &at("/invitations"), invite).await, "primary-user-exists");
    let owner = it.owner();
    for client in [&primary, &owner] {
        assert_eq!(refused(client, "DELETE", &pats, Value::Null).await, "primary-user-stays");
        let demote = json!({"role": "admin"});
        assert_eq!(refused(client, "PATCH", &pats, demote).await, "primary-user-stays");
    }
    let user = format!("/api/v1/users/{}", pat["user"]["id"].as_str().unwrap());
    assert_eq!(refused(&owner, "DELETE", &user, Value::Null).await, "primary-user-stays");
    let hand_over = json!({"membership": tom}).to_string();
    assert_eq!(team.post(&at("/primary-user"), &hand_over).await.status, 403);
    assert_eq!(primary.post(&at("/primary-user"), &hand_over).await.status, 204);
    assert_eq!(team.get("/api/v1/me").await.json()["membership"]["primary"], json!(true));
    assert_eq!(primary.get("/api/v1/me").await.json()["role"], json!("admin"));
    // Nobody gives what they have not, and who may less does not end who may more.
    assert_eq!(refused(&primary, "DELETE", &membership(&tom), Value::Null).await, "forbidden");
    // The end of a membership is felt by the next call.
    assert_eq!(team.send("DELETE", &pats, "").await.status, 204);
    assert_eq!(problem(&primary.get(&at("/balance")).await), (401, "unauthenticated".to_owned()));
    // Over chosen accounts: those, and nothing beside them.
    let child = team.post("/api/v1/accounts", &json!({"parent": account.key}).to_string()).await;
    assert_eq!(child.status, 201, "{child:?}");
    let child = child.json()["api_key"].as_str().unwrap().to_owned();
    let rights = json!({"role": "finance", "accounts": [child]});
    let (limited, _) = join(&it, &family, "lea@buyer.example", &rights).await;
    let listed = limited.get("/api/v1/accounts").await.json();
    let keys: Vec<&Value> = listed["data"].as_array().unwrap().iter().map(|it| &it["api_key"]).collect();
    assert_eq!(keys, [&json!(child)]);
    assert_eq!(limited.get(&format!("/api/v1/accounts/{child}/balance")).await.status, 200);
    assert_eq!(problem(&limited.get(&at("/balance")).await), (404, "account-not-found".to_owned()));
    let charge = json!({"amount": "1"}).to_string();
    assert_eq!(problem(&limited.post(&at("/charges"), &charge).await), (404, "account-not-found".to_owned()));
    let transfer = json!({"from": account.key, "to": child, "amount": "1"}).to_string();
    assert_eq!(problem(&limited.post("/api/v1/transfers", &transfer).await).0, 404);
    // All of it is there again after a restart.
    let seen = team.get(&at("/members")).await.body;
    let Fixture { book, server, .. } = it;
    let digest = book.digest().await;
    drop(server);
    let book = book.reopened();
    assert_eq!(book.digest().await, digest);
    let server = testkit::TestServer::start(dialect_native::router(book.app())).await;
    let it = Fixture { book, server, post: None };
    let (team, _) = in_session(&it, "tom@buyer.example").await;
    assert_eq!(team.get(&at("/members")).await.body, seen);
}

#[tokio::test]
async fn links_count_once_and_not_for_ever() {
    let it = Fixture::new().await;
    let owner = it.owner();
    let invite = async |email: &str| {
        let body = json!({"email": email, "role": "developer"}).to_string();
        owner.post("/api/v1/organizations/default/invitations", &body).await.json()
    };
    let accept = async |link: &Value, password: Option<&str>| {
        let body = json!({"link": link, "password": password}).to_string();
        it.server.client().with("x-request-id", "r").post("/api/v1/invitations/accept", &body).await
    };
    let invited = invite("ann@seller.example").await;
    let link = &invited["link"];
    // Weak passwords first: they cost the link nothing.
    for password in ["short", "password1234", "ann@seller.example", "line\nbreak and more", &"x".repeat(129)]
    {
        let answer = accept(link, Some(password)).await;
        assert_eq!(problem(&answer), (422, "invalid-field".to_owned()), "{password}");
        assert_eq!(answer.json()["field"], json!("password"));
    }
    assert_eq!(accept(link, Some(PASSWORD)).await.status, 201);
    let used = accept(link, Some(PASSWORD)).await;
    assert_eq!(problem(&used), (404, "link-not-valid".to_owned()));
    // Expired, revoked, forged and used are one answer.
    let (late, revoked) = (invite("bob@seller.example").await, invite("eve@seller.example").await);
    let path = format!("/api/v1/invitations/{}", revoked["id"].as_str().unwrap());
    assert_eq!(owner.send("DELETE", &path, "").await.status, 204);
    assert_eq!(problem(&owner.send("DELETE", &path, "").await), (404, "invitation-not-found".to_owned()));
    it.book.clock.advance_secs(7 * 24 * 3600);
    let forged = late["link"].as_str().unwrap().replace("bsi_", "bsi_0");
    for link in [&late["link"], &revoked["link"], &json!(forged), &json!(""), &json!("bsi_")] {
        let answer = accept(link, Some(PASSWORD)).await;
        assert_eq!((answer.status, &answer.body), (used.status, &used.body), "{link}");
    }
    // Who is known keeps the password: the link proves the address alone.
    let account = it.funded("1").await;
    let body = json!({"email": "ann@seller.example", "role": "owner"}).to_string();
    let again = owner.post(&format!("/api/v1/accounts/{}/invitations", account.key), &body).await.json();
    assert_eq!(problem(&accept(&again["link"], Some(PASSWORD)).await).0, 422);
    assert_eq!(accept(&again["link"], None).await.status, 204);
    let (ann, _) = in_session(&it, "ann@seller.example").await;
    let me = ann.get("/api/v1/me").await.json();
    assert_eq!(me["account"], Value::Null, "the first membership");
    // Under the other one the old token is gone.
    let session = sign_in(&it, &named("ann@seller.example")).await.json();
    let memberships = session["memberships"].as_array().unwrap();
    assert_eq!(memberships.len(), 2);
    let body = json!({"membership": memberships[1]["id"]}).to_string();
    let switched = ann.post("/api/v1/sessions/current/switch", &body).await;
    assert_eq!(switched.status, 201, "{switched:?}");
    assert_eq!(ann.get("/api/v1/me").await.status, 401);
    let buyer = it.with_token(switched.json()["token"].as_str().unwrap());
    assert_eq!(buyer.get("/api/v1/me").await.json()["membership"]["primary"], json!(true));
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_mail() {
    let folder = tempfile::tempdir().unwrap();
    let it = Fixture::with_mail(folder.path()).await;
    let invite = json!({"email": "ann@seller.example", "role": "developer"}).to_string();
    let invited = it.owner().post("/api/v1/organizations/default/invitations", &invite).await.json();
    assert_eq!(invited.get("link"), None, "it goes by mail alone");
    it.post().await;
    let letters = || -> Vec<String> {
        let mut paths: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap().replace("=\r\n", "")).collect()
    };
    let link = |letter: &str| {
        let begin = letter.find("https://bursar.example/").expect("a letter has a link");
        letter[begin..].split_whitespace().next().unwrap().to_owned()
    };
    let body = json!({"link": link(&letters()[0]), "password": PASSWORD}).to_string();
    assert_eq!(it.server.client().post("/api/v1/invitations/accept", &body).await.status, 201);
    let session = sign_in(&it, &named("ann@seller.example")).await;
    let cookie = session.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-bursar=") && cookie.contains("; Secure"), "{cookie}");
    let ask = async |email: &str| {
        let body = json!({"email": email}).to_string();
        let answer =
            it.server.client().with("x-request-id", "r").post("/api/v1/password-resets", &body).await;
        it.post().await;
        (answer.status, answer.body)
    };
    let known = ask("ann@seller.example").await;
    assert_eq!(known, ask("nobody@seller.example").await);
    assert_eq!(known, ask("ann@seller.example").await);
    assert_eq!((known.0, letters().len()), (202, 2), "one letter a minute, and none to nobody");
    let link = link(&letters()[1]);
    let complete = async |link: &str, password: &str| {
        let body = json!({"link": link, "password": password}).to_string();
        it.server.client().post("/api/v1/password-resets/complete", &body).await
    };
    for password in [PASSWORD, "password1234"] {
        assert_eq!(problem(&complete(&link, password).await), (422, "invalid-field".to_owned()));
    }
    let token = it.with_token(session.json()["token"].as_str().unwrap());
    assert_eq!(complete(&link, "another lamp and an anchor").await.status, 204);
    assert_eq!(token.get("/api/v1/me").await.status, 401, "all sessions ended");
    assert_eq!(sign_in(&it, &named("ann@seller.example")).await.status, 401);
    assert_eq!(
        problem(&complete(&link, "a third of those is fine").await),
        (404, "link-not-valid".to_owned())
    );
    // An hour later a link is over.
    it.book.clock.advance_secs(61);
    ask("ann@seller.example").await;
    it.book.clock.advance_secs(3600);
    let late = letters().last().map(|letter| {
        letter[letter.find("https://").unwrap()..].split_whitespace().next().unwrap().to_owned()
    });
    assert_eq!(problem(&complete(&late.unwrap(), "a third of those is fine").await).0, 404);
}

#[tokio::test]
async fn rights_change_from_the_next_call_on() {
    let it = Fixture::new().await;
    let account = it.funded("100").await;
    let owner = it.owner();
    let define = async |operations: Value| {
        let body = json!({"operations": operations}).to_string();
        owner.send("PUT", "/api/v1/organizations/default/permission-sets/support", &body).await
    };
    assert_eq!(define(json!(["read-accounts"])).await.status, 200);
    assert_eq!(problem(&define(json!(["fly"])).await), (422, "invalid-field".to_owned()));
    let rights = json!({"permissions": "support"});
    let (sam, session) = join(&it, "organizations/default", "sam@seller.example", &rights).await;
    let entries = format!("/api/v1/accounts/{}/entries", account.key);
    assert_eq!(sam.get(&entries).await.status, 403);
    assert_eq!(define(json!(["read-accounts", "read-entries"])).await.status, 200);
    assert_eq!(sam.get(&entries).await.status, 200);
    let set = "/api/v1/organizations/default/permission-sets/support";
    assert_eq!(problem(&owner.send("DELETE", set, "").await), (409, "permission-set-in-use".to_owned()));
    let path = format!("/api/v1/memberships/{}", session["membership"]["id"].as_str().unwrap());
    assert_eq!(owner.patch(&path, r#"{"role":"read-only"}"#).await.status, 204);
    assert_eq!(owner.send("DELETE", set, "").await.status, 204);
    // An admin gives no more than an admin has.
    let (admin, _) =
        join(&it, "organizations/default", "adam@seller.example", &json!({"role": "admin"})).await;
    for (method, path, body) in [
        ("PATCH", path.as_str(), r#"{"role":"owner"}"#),
        ("POST", "/api/v1/organizations/default/invitations", r#"{"email":"e@x.example","role":"owner"}"#),
        (
            "POST",
            "/api/v1/organizations/default/users",
            r#"{"email":"e@x.example","role":"owner","password":"violet anchor and a lamp"}"#,
        ),
        ("POST", "/api/v1/organizations/default/tokens", r#"{"role":"owner"}"#),
        ("PUT", "/api/v1/organizations/default/permission-sets/x", r#"{"operations":["operate"]}"#),
    ] {
        let answer = admin.send(method, path, body).await;
        assert_eq!(problem(&answer), (403, "forbidden".to_owned()), "{method} {path}: {answer:?}");
    }
    // A token of one's own ends with the membership.
    let issued = sam.post("/api/v1/me/tokens", r#"{"label":"laptop"}"#).await;
    assert_eq!(issued.status, 201, "{issued:?}");
    let program = it.with_token(issued.json()["token"].as_str().unwrap());
    assert_eq!(program.get(&entries).await.status, 200);
    assert_eq!(problem(&program.send("DELETE", "/api/v1/sessions", "").await).0, 403);
    assert_eq!(owner.send("DELETE", &path, "").await.status, 204);
    assert_eq!(program.get(&entries).await.status, 401);
    let user = format!("/api/v1/users/{}", session["user"]["id"].as_str().unwrap());
    assert_eq!(owner.send("DELETE", &user, "").await.status, 204);
    assert_eq!(problem(&owner.send("DELETE", &user, "").await), (404, "user-not-found".to_owned()));
    assert_eq!(sign_in(&it, &named("sam@seller.example")).await.status, 401);
}

/// (field, value): what no name, address or word may be.
#[tokio::test]
async fn bad_input_is_named_and_changes_nothing() {
    let it = Fixture::new().await;
    let owner = it.owner();
    let long = "x".repeat(201);
    let digest = it.book.digest().await;
    for (path, body, field) in [
        ("invitations", json!({"email": "ann", "role": "owner"}), "email"),
        ("invitations", json!({"email": "ann@x\r\nBcc: eve@evil.example", "role": "owner"}), "email"),
        ("invitations", json!({"email": "a b@x", "role": "owner"}), "email"),
        ("invitations", json!({"email": long, "role": "owner"}), "email"),
        ("invitations", json!({"email": "ann@x.example", "role": "account"}), "role"),
        ("invitations", json!({"email": "ann@x.example"}), "role"),
        (
            "invitations",
            json!({"email": "ann@x.example", "role": "owner", "permissions": "p"}),
            "permissions",
        ),
        ("invitations", json!({"email": "ann@x.example", "permissions": "nothing"}), "permissions"),
        ("invitations", json!({"email": "ann@x.example", "role": "admin", "accounts": []}), "accounts"),
        (
            "invitations",
            json!({"email": "ann@x.example", "role": "admin", "accounts": ["ffffffff"]}),
            "accounts",
        ),
        (
            "invitations",
            json!({"email": "ann@x.example", "role": "admin", "expires_at": "2020-01-01T00:00:00Z"}),
            "expires_at",
        ),
        (
            "invitations",
            json!({"email": "ann@x.example", "role": "admin", "expires_at": "2099-01-01T00:00:00Z"}),
            "expires_at",
        ),
        ("users", json!({"email": "ann@x.example", "role": "admin", "password": "short"}), "password"),
        (
            "users",
            json!({"email": "ann@x.example", "role": "admin", "password": "qwertyuiop123"}),
            "password",
        ),
    ] {
        let path = format!("/api/v1/organizations/default/{path}");
        let answer = owner.post(&path, &body.to_string()).await;
        assert!(matches!(answer.status, 404 | 422), "{body}: {answer:?}");
        assert_eq!(answer.json()["field"], json!(field), "{body}: {answer:?}");
    }
    assert_eq!(it.book.digest().await, digest);
}
