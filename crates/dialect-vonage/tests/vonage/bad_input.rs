//! What a stranger may send to the Account API, its secrets and numbers, and what is said of it. Nothing
//! changes, and what is another's is answered as what is not there.

use testkit::{Answer, Client, TestAccount, TestBook, TestServer};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const TRX: &str = "8ef2447e69604f642ae59363aa5f781b";

/// Method, path, media type, body; status, and what stands in the answer. `{P}` is who asks, `{S}` its
/// subaccount, `{L}` the id of its only secret.
const REQUESTS: &[(&str, &str, &str, &str, u16, &str)] = &[
    ("POST", "/accounts/{P}/secrets", JSON, "", 400, "#invalid-json"),
    ("POST", "/accounts/{P}/secrets", JSON, "[]", 400, "#invalid-json"),
    ("POST", "/accounts/{P}/secrets", JSON, "{}", 400, WEAK),
    ("POST", "/accounts/{P}/secrets", JSON, r#"{"secret":null}"#, 400, WEAK),
    ("POST", "/accounts/{P}/secrets", JSON, r#"{"secret":12345678}"#, 400, WEAK),
    ("POST", "/accounts/{P}/secrets", JSON, r#"{"secret":"Short1x"}"#, 400, WEAK),
    ("POST", "/accounts/{P}/secrets", JSON, r#"{"secret":"nouppercase1"}"#, 400, WEAK),
    ("POST", "/accounts/{P}/secrets", JSON, r#"{"secret":"NOLOWERCASE1"}"#, 400, WEAK),
    ("POST", "/accounts/{P}/secrets", JSON, r#"{"secret":"NoDigitAtAll"}"#, 400, WEAK),
    ("POST", "/accounts/{P}/secrets", JSON, r#"{"secret":"TwentySix1TwentySix1Twenty"}"#, 400, WEAK),
    ("POST", "/accounts/{P}/secrets", FORM, "secret=weak", 400, WEAK),
    ("POST", "/accounts/{P}/secrets", FORM, "secrets=Str0ngEnough", 400, WEAK),
    ("DELETE", "/accounts/{P}/secrets/{L}", JSON, "", 403, "#delete-last-secret"),
    ("DELETE", "/accounts/{S}/secrets/{L}", JSON, "", 404, "#invalid-id"),
    ("DELETE", "/accounts/{P}/secrets/{P}", JSON, "", 404, "#invalid-id"),
    ("GET", "/accounts/{P}/secrets/00000000-0000-0000-0000-000000000000", JSON, "", 404, "#invalid-id"),
    ("GET", "/accounts/nonsense/secrets", JSON, "", 404, "#invalid-api-key"),
    ("PATCH", "/accounts/{P}/secrets/{L}", JSON, "{}", 405, "#wrong-verb"),
    ("POST", "/account/top-up", FORM, "", 400, "trx is missing"),
    ("POST", "/account/top-up", FORM, "trx=", 400, "trx is missing"),
    ("POST", "/account/top-up", FORM, "trx=nothing", 401, "not auto-reload enabled"),
    ("POST", "/account/top-up", JSON, r#"{"trx":["x"]}"#, 400, "trx is missing"),
    ("POST", "/account/settings", FORM, "moCallBackUrl=hooks", 422, "moCallBackUrl"),
    ("POST", "/account/settings", FORM, "MOCALLBACKURL=javascript:alert(1)", 422, "moCallBackUrl"),
    ("POST", "/account/settings", FORM, "drCallBackUrl=https://", 422, "drCallBackUrl"),
    ("POST", "/account/settings", FORM, "httpForwardMethod=", 422, "httpForwardMethod"),
    ("POST", "/account/get-balance", FORM, "", 405, "#wrong-verb"),
    ("GET", "/account/get-balance/{P}/wrong", JSON, "", 200, "value"),
    (
        "POST",
        "/accounts/{P}/transfer-number",
        JSON,
        r#"{"from":"{P}","to":"{S}","number":"+44"}"#,
        422,
        "number",
    ),
    (
        "POST",
        "/accounts/{P}/transfer-number",
        JSON,
        r#"{"from":"{P}","to":"{S}","number":1.5}"#,
        422,
        "number",
    ),
    (
        "POST",
        "/accounts/{P}/transfer-number",
        JSON,
        r#"{"from":"{P}","to":"{S}","number":"1"}"#,
        404,
        "not found",
    ),
    ("POST", "/accounts/{S}/transfer-number", JSON, r#"{"from":"{P}","to":"{S}","number":"1"}"#, 404, "{S}"),
];
const WEAK: &str = "Does not meet complexity requirements";

/// `{A}` is another's key, or one that nobody has.
const FOREIGN: &[(&str, &str, &str)] = &[
    ("GET", "/accounts/{A}/secrets", ""),
    ("POST", "/accounts/{A}/secrets", r#"{"secret":"Str0ngEnough"}"#),
    ("POST", "/accounts/{A}/secrets", r#"{"secret":"weak"}"#),
    ("GET", "/accounts/{A}/secrets/{L}", ""),
    ("DELETE", "/accounts/{A}/secrets/{L}", ""),
    ("POST", "/accounts/{A}/transfer-number", r#"{"from":"{P}","to":"{S}","number":"447700900123"}"#),
    ("POST", "/accounts/{P}/transfer-number", r#"{"from":"{A}","to":"{P}","number":"447700900123"}"#),
    ("POST", "/accounts/{P}/transfer-number", r#"{"from":"{P}","to":"{A}","number":"447700900123"}"#),
    ("GET", "/accounts/{P}/subaccounts/{A}", ""),
];

struct Stage {
    book: TestBook,
    client: Client,
    names: Vec<(&'static str, String)>,
    other: TestAccount,
    _server: TestServer,
}

impl Stage {
    async fn new() -> Self {
        let book = TestBook::new().await;
        let (partner, other) =
            (book.open_primary("Partner", 100).await, book.open_primary("Other", 100).await);
        let subaccount = book.open_child(&partner, "sub", ledger::Funding::Shared).await;
        let server = TestServer::start(dialect_vonage::router(book.app())).await;
        let client = server.client().with_basic(&partner.key, &partner.secret);
        let client = client.with("x-request-id", "7f1d0c3e-5b7a-4c0e-9d55-000000000001");
        let listed = client.get(&format!("/accounts/{}/secrets", partner.key)).await.json();
        let last = listed["_embedded"]["secrets"][0]["id"].as_str().expect("it has one").to_owned();
        let names = vec![("{P}", partner.key), ("{S}", subaccount.key), ("{L}", last)];
        Self { book, client, names, other, _server: server }
    }

    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Sends it, and sees that nothing has changed.
    async fn send(&self, method: &str, path: &str, media_type: &str, body: &str) -> Answer {
        let before = self.book.digest().await;
        let client = self.client.with("content-type", media_type);
        let answer = client.send(method, &self.named(path), &self.named(body)).await;
        assert_eq!(self.book.digest().await, before, "{method} {path} {body}: {answer:?}");
        answer
    }
}

#[tokio::test]
async fn a_bad_request_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    for (method, path, media_type, body, status, said) in REQUESTS {
        let answer = stage.send(method, path, media_type, body).await;
        assert_eq!(answer.status, *status, "{method} {path} {body}: {answer:?}");
        assert!(answer.body.contains(&stage.named(said)), "{method} {path} {body}: {answer:?}");
    }
    let url = format!("moCallBackUrl=https://hooks.example/{}", "x".repeat(2048));
    assert_eq!(stage.send("POST", "/account/settings", FORM, &url).await.status, 422);
    let trx = format!("trx={TRX}{}", "x".repeat(100_000));
    assert_eq!(stage.send("POST", "/account/top-up", FORM, &trx).await.status, 401);
}

#[tokio::test]
async fn what_is_anothers_is_answered_as_what_is_not_there() {
    let stage = Stage::new().await;
    for (method, path, body) in FOREIGN {
        let mut said = Vec::new();
        for key in [stage.other.key.as_str(), "ffffffff"] {
            let (path, body) = (path.replace("{A}", key), body.replace("{A}", key));
            let answer = stage.send(method, &path, JSON, &body).await;
            said.push((answer.status, answer.body.replace(key, "{A}")));
        }
        assert_eq!(said[0], said[1], "{method} {path} {body}");
        assert_eq!(said[0].0, 404, "{method} {path} {body}: {said:?}");
    }
}
