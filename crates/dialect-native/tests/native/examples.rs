//! The examples on the page, as a shell would run them.

use testkit::Client;

use crate::fixture::Fixture;

/// One call of curl, taken apart.
struct Call {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Call {
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix("curl ")?;
        let method = text.strip_prefix("-X ").and_then(|rest| rest.split(' ').next()).unwrap_or("GET");
        let quoted = |text: &str| text.split('"').nth(1).map(str::to_owned);
        let url = quoted(text)?;
        let headers = text.split(" -H ").skip(1).filter_map(quoted);
        let headers = headers.filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.to_owned()))
        });
        let body = text.split_once(" -d '").or_else(|| text.split_once(" --data-binary '"));
        Some(Self {
            method: method.to_owned(),
            path: url.strip_prefix("$BURSAR_URL")?.to_owned(),
            headers: headers.collect(),
            body: body.map_or_else(String::new, |(_, body)| {
                body.trim_end_matches('\'').replace("'\"", "").replace("\"'", "")
            }),
        })
    }
}

fn examples(page: &str) -> Vec<String> {
    let unescape = |text: &str| {
        let pairs = [
            ("&quot;", "\""),
            ("&#x27;", "'"),
            ("&#x2f;", "/"),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&amp;", "&"),
        ];
        pairs.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
    };
    let blocks = page.split("<pre><code>").skip(1).filter_map(|rest| rest.split("</code>").next());
    blocks.map(|block| unescape(block).replace(" \\\n  ", " ")).collect()
}

/// What takes somebody who signed in or was invited: `people.rs` does those.
const NEEDS_A_PERSON: &[&str] = &[
    "/api/v1/sessions",
    "/api/v1/me/",
    "/password-resets",
    "/invitations/accept",
    "/invitations/read",
    "$USER_ID",
    "$MEMBERSHIP",
    "$INVITATION",
    "/primary-user",
    "-X DELETE \"$BURSAR_URL/api/v1/organizations/default/permission-sets",
    "-X DELETE \"$BURSAR_URL/api/v1/organizations/default/sign-in-provider",
    "curl \"$BURSAR_URL/api/v1/organizations/default/sign-in-provider",
];

async fn id(client: &Client, path: &str, body: &str, member: &str) -> String {
    let made = client.post(path, body).await;
    made.json()[member].as_str().unwrap_or_else(|| panic!("{path}: {made:?}")).to_owned()
}

#[tokio::test]
async fn every_example_on_the_page_works() {
    let it = Fixture::sandbox().await;
    let owner = it.owner();
    let account = id(&owner, "/api/v1/accounts", r#"{"credit_limit":"200"}"#, "api_key").await;
    let at = |rest: &str| format!("/api/v1/accounts/{account}/{rest}");
    let child = format!(r#"{{"parent":"{account}"}}"#);
    owner.post(&at("numbers"), r#"{"number":"447700900124","country":"GB"}"#).await;
    let rule = r#"{"provider":"manual","amount":"1","reference":"x"}"#;
    owner.send("PUT", &at("reload-rule"), rule).await;
    let tokens = "/api/v1/organizations/default/tokens";
    let names = [
        ("$ACCOUNT", account.clone()),
        ("$CHILD", id(&owner, "/api/v1/accounts", &child, "api_key").await),
        ("$CHARGE", id(&owner, &at("charges"), r#"{"amount":"0.0012"}"#, "id").await),
        ("$HOLD", id(&owner, &at("holds"), r#"{"amount":"4.50"}"#, "id").await),
        ("$TOKEN_ID", id(&owner, tokens, r#"{"role":"read-only"}"#, "id").await),
        ("$SECRET_ID", id(&owner, &at("secrets"), "{}", "id").await),
        ("$BURSAR_TOKEN", it.book.token.clone()),
    ];
    let filled =
        |text: &str| names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    let page = owner.get("/api/v1/docs").await.body;
    let mut tried = 0;
    for example in examples(&page) {
        // The first block is no call but what all others stand on.
        if example.starts_with("export ") {
            continue;
        }
        if NEEDS_A_PERSON.iter().any(|part| example.contains(part)) {
            continue;
        }
        let call = Call::read(&example).unwrap_or_else(|| panic!("not a call: {example}"));
        let client = call
            .headers
            .iter()
            .fold(it.server.client(), |client, (name, value)| client.with(name, &filled(value)));
        let answer = client.send(&call.method, &filled(&call.path), &filled(&call.body)).await;
        assert!(answer.status < 300, "{example}\n{answer:?}");
        assert!(!answer.body.contains("/problems/"), "{example}\n{answer:?}");
        tried += 1;
    }
    assert!(tried > 30, "the examples were found");
}
