//! The tables of business behaviour, spoken through this API wherever it has words for a step.

use std::collections::BTreeMap;

use ledger::Funding;
use serde_json::{Value, json};
use testkit::scenario::{BookWorld, Column, Field, Line, Step, World, check_in};
use testkit::{Answer, Client, TestServer};

#[tokio::test]
async fn every_table_through_this_api() {
    check_in::<VonageWorld>().await;
}

/// A book behind the router. What the API cannot say (usage, payments, the operator's acts) goes past it.
struct VonageWorld {
    inner: BookWorld,
    server: TestServer,
    keys: BTreeMap<String, String>,
    primary: Option<Primary>,
}

struct Primary {
    name: String,
    key: String,
    client: Client,
}

impl World for VonageWorld {
    async fn open() -> Self {
        let inner = BookWorld::open().await;
        let server = TestServer::start(dialect_vonage::router(inner.book.app())).await;
        Self { inner, server, keys: BTreeMap::new(), primary: None }
    }

    async fn act(&mut self, line: &Line) -> String {
        let by_the_primary = self.primary.as_ref().is_some_and(|it| self.inner.doer(line) == Some(&it.name));
        match &line.step {
            Step::OpenPrimary { name, .. } => self.open_primary(name, line).await,
            Step::OpenChild { name, parent, funding } if by_the_primary => {
                self.create(name, parent, *funding).await
            }
            Step::Split { name } if by_the_primary => {
                self.modify(name, json!({ "use_primary_account_balance": false })).await
            }
            Step::SetSuspended { name, suspended } if by_the_primary => {
                self.modify(name, json!({ "suspended": suspended })).await
            }
            Step::Allocate { from, to, amount } if by_the_primary => {
                self.transfer("credit-transfers", from, to, &amount.to_string()).await
            }
            Step::Transfer { from, to, amount } if by_the_primary => {
                self.transfer("balance-transfers", from, to, &amount.to_string()).await
            }
            Step::TransferNumber { from, to, digits } if by_the_primary => {
                let path = format!("/accounts/{}/transfer-number", self.primary().key);
                let body = json!({ "from": self.keys[from], "to": self.keys[to], "number": digits });
                outcome(&self.primary().client.post(&path, &body.to_string()).await)
            }
            Step::Reissue { of, .. } => {
                let outcome = self.inner.act(line).await;
                self.sign_in(of).await;
                outcome
            }
            _ => self.inner.act(line).await,
        }
    }

    async fn cell(&mut self, column: &Column) -> Option<String> {
        let Some(primary) = &self.primary else { return Some(String::new()) };
        if column.fields == [Field::Status] {
            return self.status(column).await;
        }
        if !column.is_posted_and_credit() {
            return None;
        }
        let body = if column.is_total() || column.name == primary.name {
            primary.client.get(&format!("/accounts/{}/subaccounts", primary.key)).await.json()
        } else {
            self.account(&column.name).await?
        };
        Some(if column.is_total() {
            money(&body["total_balance"], &body["total_credit_limit"])
        } else if column.name == primary.name {
            let body = &body["_embedded"]["primary_account"];
            money(&body["balance"], &body["credit_limit"])
        } else if body.is_null() {
            String::new()
        } else {
            money(&body["balance"], &body["credit_limit"])
        })
    }
}

impl VonageWorld {
    fn primary(&self) -> &Primary {
        self.primary.as_ref().expect("a primary was opened")
    }

    async fn open_primary(&mut self, name: &str, line: &Line) -> String {
        let outcome = self.inner.act(line).await;
        if self.primary.is_none() {
            self.sign_in(name).await;
        } else {
            let account = self.inner.account(name).expect("it was just opened");
            self.keys.insert(name.to_owned(), self.inner.book.key_of(account));
        }
        outcome
    }

    /// With a secret of its own, besides those of the scenario.
    async fn sign_in(&mut self, name: &str) {
        let account = self.inner.account(name).expect("it is there");
        let account = self.inner.book.issue(account).await;
        let client = self.server.client().with_basic(&account.key, &account.secret);
        self.keys.insert(name.to_owned(), account.key.clone());
        self.primary = Some(Primary { name: name.to_owned(), key: account.key, client });
    }

    async fn create(&mut self, name: &str, parent: &String, funding: Funding) -> String {
        let shared = funding == Funding::Shared;
        let body = json!({ "name": name, "use_primary_account_balance": shared });
        let path = format!("/accounts/{}/subaccounts", self.keys[parent]);
        let answer = self.primary().client.post(&path, &body.to_string()).await;
        let made = answer.json();
        let (Some(key), Some(secret)) = (made["api_key"].as_str(), made["secret"].as_str()) else {
            return outcome(&answer);
        };
        let account = self.inner.book.sign_in(key, secret);
        self.inner.join(name, Some(parent), &account);
        self.keys.insert(name.to_owned(), key.to_owned());
        outcome(&answer)
    }

    fn path_of(&self, name: &str) -> String {
        format!("/accounts/{}/subaccounts/{}", self.primary().key, self.keys[name])
    }

    async fn modify(&self, name: &str, body: Value) -> String {
        outcome(&self.primary().client.patch(&self.path_of(name), &body.to_string()).await)
    }

    async fn transfer(&self, kind: &str, from: &str, to: &str, amount: &str) -> String {
        let (from, to) = (&self.keys[from], &self.keys[to]);
        let path = format!("/accounts/{}/{kind}", self.primary().key);
        let body = format!(r#"{{"from":"{from}","to":"{to}","amount":{amount}}}"#);
        outcome(&self.primary().client.post(&path, &body).await)
    }

    /// Null for an account that is not there yet.
    async fn account(&self, name: &str) -> Option<Value> {
        if !self.keys.contains_key(name) {
            return Some(Value::Null);
        }
        Some(self.primary().client.get(&self.path_of(name)).await.json())
    }

    /// The API has one word for every restriction: it is compared with what the book knows in full.
    async fn status(&mut self, column: &Column) -> Option<String> {
        let status = self.inner.cell(column).await?;
        let body = if column.name == self.primary().name {
            let path = format!("/accounts/{}/subaccounts", self.primary().key);
            self.primary().client.get(&path).await.json()["_embedded"]["primary_account"].clone()
        } else {
            self.account(&column.name).await?
        };
        if !body.is_null() {
            assert_eq!(body["suspended"], status != "active", "{column:?} is {status}: {body}");
        }
        Some(status)
    }
}

/// `-20/100`: theirs is minus 100.
fn money(balance: &Value, credit_limit: &Value) -> String {
    if balance.is_null() && credit_limit.is_null() {
        return "shared".to_owned();
    }
    let limit = credit_limit.to_string();
    assert!(limit == "0" || limit.starts_with('-'), "a limit is zero or negative: {limit}");
    format!("{balance}/{}", limit.trim_start_matches('-'))
}

fn outcome(answer: &Answer) -> String {
    if answer.status == 200 {
        return "ok".to_owned();
    }
    let body = answer.json();
    let detail = body["detail"].as_str().unwrap_or_default();
    match (answer.status, detail) {
        (403, "Insufficient Credit") => "insufficient_credit",
        (403, "Insufficient Balance") => "insufficient_funds",
        (403, detail) if detail.ends_with("is banned") => "account_suspended",
        (404, detail) if detail.ends_with("ShortCode not found") => "number_not_found",
        (404, detail) if detail.starts_with("API key") => "account_not_found",
        (409, detail) if detail.ends_with("already owned by requesting account") => "number_taken",
        (422, _) if body["invalid_parameters"][0]["name"] == "from" => "same_account",
        (403, detail) if detail.contains("shares the balance") => "funding_shared",
        (403, detail) if detail.ends_with("is suspended by the operator") => "account_frozen",
        (403, detail) if detail.ends_with("is suspended") => "account_suspended",
        (403, detail) if detail.ends_with("is closed") => "account_closed",
        _ => &answer.body,
    }
    .to_owned()
}
