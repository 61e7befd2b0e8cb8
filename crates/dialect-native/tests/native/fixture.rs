//! A book, a server around the router, and the clients of those who ask.

use std::path::Path;
use std::sync::Arc;

use dialect::{App, Site};
use dialect_native::Postman;
use mail::{Mailer, Way};
use serde_json::{Value, json};
use testkit::{Answer, Client, TestAccount, TestBook, TestServer};

pub struct Fixture {
    pub book: TestBook,
    pub server: TestServer,
    /// What sends letters, where any are sent.
    pub post: Option<Arc<App>>,
}

impl Fixture {
    pub async fn new() -> Self {
        let book = TestBook::in_production().await;
        let server = TestServer::start(dialect_native::router(book.app())).await;
        Self { book, server, post: None }
    }

    /// The same behind TLS, with letters that go into a folder.
    pub async fn with_mail(folder: &Path) -> Self {
        let book = TestBook::new().await;
        let app = Self::app_with_mail(&book, folder);
        let server = TestServer::start(dialect_native::router(app.clone())).await;
        Self { book, server, post: Some(app) }
    }

    pub fn app_with_mail(book: &TestBook, folder: &Path) -> Arc<App> {
        let site = Site { public_url: Some("https://bursar.example".to_owned()), mail_from: None };
        let app = App::new(book.engine.clone(), dialect::Limits::default());
        app.with_site(site, Mailer::new(Way::folder(folder).unwrap())).into()
    }

    /// The same, as a sandbox.
    pub async fn sandbox() -> Self {
        let book = TestBook::new().await;
        let server = TestServer::start(dialect_native::router(book.sandbox_app())).await;
        Self { book, server, post: None }
    }

    /// A test server that people come back to from a provider beside it.
    pub async fn with_provider() -> Self {
        let book = TestBook::new().await;
        let server = TestServer::start(dialect_native::router(Self::app_with_provider(&book))).await;
        Self { book, server, post: None }
    }

    /// One node: another one knows nothing of what it did.
    pub fn app_with_provider(book: &TestBook) -> Arc<App> {
        let site = Site { public_url: Some("http://bursar.test".to_owned()), mail_from: None };
        let app = App::new(book.engine.clone(), dialect::Limits::default());
        app.with_site(site, Mailer::new(Way::None)).with_sandbox(Some(book.sandbox_clock())).into()
    }

    /// Everything that is to be sent by now is sent, and is what the letters say.
    pub async fn post(&self) {
        let app = self.post.as_ref().expect("a fixture with mail");
        app.mailer.settled().await;
        Postman::default().round(app).await.unwrap();
    }

    /// The operator: the owner of the first organization.
    pub fn owner(&self) -> Client {
        self.with_token(&self.book.token)
    }

    pub fn with_token(&self, token: &str) -> Client {
        self.server.client().with("authorization", &format!("Bearer {token}"))
    }

    /// An account's own key and secret.
    pub fn buyer(&self, account: &TestAccount) -> Client {
        self.server.client().with_basic(&account.key, &account.secret)
    }

    /// A primary in EUR with money.
    pub async fn funded(&self, amount: &str) -> TestAccount {
        let account = self.book.open_primary("Acme", 0).await;
        self.book.top_up(&account, amount).await;
        account
    }
}

/// What a refusal says of itself.
pub fn problem(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status"], json!(answer.status), "{answer:?}");
    let kind = body["type"].as_str().expect("a problem has a type");
    (answer.status, kind.strip_prefix("/problems/").expect("a problem's type is ours").to_owned())
}

/// The members of an answer that a test speaks about.
pub fn pick(value: &Value, members: &[&str]) -> Value {
    let picked = members.iter().map(|member| ((*member).to_owned(), value[*member].clone()));
    Value::Object(picked.collect())
}
