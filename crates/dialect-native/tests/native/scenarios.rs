//! The tables of business behaviour, every step and every figure of them through this API.

use std::collections::BTreeMap;

use domain::Nanos;
use ledger::{Admission, AllocationWay, Correction, ExcessPolicy, Funding, Provider, Span};
use serde_json::{Value, json};
use testkit::scenario::{BookWorld, Column, Field, HOLD_SECS, Line, RELOAD_REFERENCE, Step, World, check_in};
use testkit::{Answer, Client, TestServer};

#[tokio::test]
async fn every_table_through_this_api() {
    check_in::<NativeWorld>().await;
}

/// A book behind the router. Only time passes behind its back.
struct NativeWorld {
    /// Knows who is who; does no step but waiting.
    inner: BookWorld,
    server: TestServer,
    seller: Client,
    accounts: BTreeMap<String, Account>,
    /// The root that was opened first: `total` is of its family.
    first: Option<String>,
    /// Ids by the labels of steps; a capture is a charge by the name of its hold.
    charges: BTreeMap<String, String>,
    holds: BTreeMap<String, String>,
}

struct Account {
    key: String,
    client: Client,
    /// The id of the secret it signs in with, where a step has a name for it.
    secret: String,
}

impl World for NativeWorld {
    async fn open() -> Self {
        let inner = BookWorld::open().await;
        let server = TestServer::start(dialect_native::router(inner.book.sandbox_app())).await;
        let seller = server.client().with("authorization", &format!("Bearer {}", inner.book.token));
        let (accounts, charges, holds) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { inner, server, seller, accounts, first: None, charges, holds }
    }

    async fn act(&mut self, line: &Line) -> String {
        let Some((method, path, body)) = self.request(&line.step) else {
            return self.inner.act(line).await;
        };
        let client = self.inner.doer(line).map_or(&self.seller, |name| &self.accounts[name].client);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = client.send(method, &format!("/api/v1{path}"), &body).await;
        if answer.status < 300 && !answer.body.is_empty() {
            self.note(&line.step, &answer.json());
        }
        outcome(&answer)
    }

    async fn cell(&mut self, column: &Column) -> Option<String> {
        let name = if column.is_total() { self.first.as_ref() } else { Some(&column.name) };
        let Some(account) = name.and_then(|name| self.accounts.get(name)) else {
            return Some(String::new());
        };
        let key = &account.key;
        if column.is_total() {
            return Some(self.total(key).await);
        }
        let account = self.get(&format!("/accounts/{key}")).await;
        if account["funding"] == "shared" && !column.is_of_any_funding() {
            return Some("shared".to_owned());
        }
        let balance = self.get(&format!("/accounts/{key}/balance")).await;
        let fields = column.fields.iter().map(|field| show(*field, &account, &balance));
        Some(fields.collect::<Vec<_>>().join("/"))
    }
}

impl NativeWorld {
    /// How a step is asked for; None when no request makes it happen.
    fn request(&self, step: &Step) -> Option<(&'static str, String, Value)> {
        let key = |name: &str| self.accounts[name].key.clone();
        let at = |name: &str, rest: &str| format!("/accounts/{}{rest}", key(name));
        let nothing = json!({});
        Some(match step {
            Step::OpenPrimary { name, limit } => {
                let body = json!({"name": name, "currency": "EUR", "credit_limit": text(*limit)});
                ("POST", "/accounts".to_owned(), body)
            }
            Step::OpenChild { name, parent, funding } => {
                let shared = *funding == Funding::Shared;
                let body = json!({"name": name, "parent": key(parent), "shared": shared});
                ("POST", "/accounts".to_owned(), body)
            }
            Step::Split { name } => ("PATCH", at(name, ""), json!({"shared": false})),
            Step::Merge { name } => ("PATCH", at(name, ""), json!({"shared": true})),
            Step::SetSuspended { name, suspended } => {
                ("PATCH", at(name, ""), json!({"suspended": suspended}))
            }
            Step::SetFrozen { name, frozen: true } => ("POST", at(name, "/freeze"), nothing),
            Step::SetFrozen { name, frozen: false } => ("POST", at(name, "/unfreeze"), nothing),
            Step::SetClosed { name, closed: true } => ("POST", at(name, "/close"), nothing),
            Step::SetClosed { name, closed: false } => ("POST", at(name, "/reopen"), nothing),
            Step::Allocate { from, to, amount } => {
                let (child, way) = self.inner.allocation(from, to);
                let way = match way {
                    AllocationWay::Give => "give",
                    AllocationWay::Return => "return",
                };
                ("POST", at(child, "/allocations"), json!({"amount": text(*amount), "way": way}))
            }
            Step::Transfer { from, to, amount } => {
                let body = json!({"from": key(from), "to": key(to), "amount": text(*amount)});
                ("POST", "/transfers".to_owned(), body)
            }
            Step::TopUp { name, amount } => ("POST", at(name, "/top-ups"), json!({"amount": text(*amount)})),
            Step::Withdraw { name, amount } => {
                ("POST", at(name, "/withdrawals"), json!({"amount": text(*amount)}))
            }
            Step::Adjust { name, amount, correction } => {
                let of = match correction {
                    Correction::Funded => "funded",
                    Correction::Used => "used",
                };
                ("POST", at(name, "/adjustments"), json!({"amount": text(*amount), "of": of}))
            }
            Step::GiveUsageCredit { name, amount } => {
                ("POST", at(name, "/usage-credits"), json!({"amount": text(*amount)}))
            }
            Step::SetCredit { name, amount } => {
                ("PUT", at(name, "/credit-limit"), json!({"credit_limit": text(*amount)}))
            }
            Step::Charge { name, amount, admission, .. } => {
                let body = json!({"amount": text(*amount), "admission": word(*admission)});
                ("POST", at(name, "/charges"), body)
            }
            Step::Refund { label, amount } => {
                let path = format!("/charges/{}/refunds", self.charges[label]);
                ("POST", path, json!({"amount": text(*amount)}))
            }
            Step::Hold { name, amount, .. } => {
                ("POST", at(name, "/holds"), json!({"amount": text(*amount), "expires_in": HOLD_SECS}))
            }
            Step::Capture { label, amount, excess } => {
                let excess = match excess {
                    ExcessPolicy::Exact => "exact",
                    ExcessPolicy::UpToAvailable => "up_to_available",
                    ExcessPolicy::Admit(admission) => word(*admission),
                };
                let path = format!("/holds/{}/capture", self.holds[label]);
                ("POST", path, json!({"amount": text(*amount), "excess": excess}))
            }
            Step::Void { label } => ("POST", format!("/holds/{}/void", self.holds[label]), nothing),
            Step::SetReload { name, rule } => {
                let provider = match rule.provider {
                    Provider::Manual => "manual",
                    Provider::Test => "test",
                };
                let limits = json!({"count": rule.limits.count, "amount": rule.limits.amount.map(text)});
                let body = json!({"provider": provider, "amount": text(rule.amount),
                    "threshold": rule.threshold.map(text), "reference": RELOAD_REFERENCE,
                    "enabled": rule.enabled, "limits": limits});
                ("PUT", at(name, "/reload-rule"), body)
            }
            Step::StartReload { name } => {
                ("POST", at(name, "/reloads"), json!({"reference": RELOAD_REFERENCE}))
            }
            Step::SettleReload { name, approved } => {
                ("POST", at(name, "/reloads/settle"), json!({"approved": approved}))
            }
            Step::AssignNumber { name, country, digits } => {
                let country = String::from_utf8_lossy(country);
                ("POST", at(name, "/numbers"), json!({"number": digits, "country": country}))
            }
            Step::ReleaseNumber { name, digits } => {
                ("DELETE", at(name, &format!("/numbers/{digits}")), Value::Null)
            }
            Step::TransferNumber { from, to, digits } => {
                let body = json!({"from": key(from), "to": key(to), "number": digits});
                ("POST", "/number-transfers".to_owned(), body)
            }
            Step::IssueSecret { of, limit, .. } => {
                let body = match limit {
                    Some((amount, span)) => {
                        let period = match span {
                            Span::Day => "day",
                            Span::Month => "month",
                            Span::Total => "total",
                        };
                        let counts = ["charge", "transfer", "allocate"];
                        let limit = json!({"counts": counts, "amount": text(*amount), "period": period});
                        json!({"scope": {"limits": [limit]}})
                    }
                    None => nothing,
                };
                ("POST", at(of, "/secrets"), body)
            }
            Step::RevokeSecret { name } => {
                let account = &self.accounts[name];
                ("DELETE", format!("/accounts/{}/secrets/{}", account.key, account.secret), Value::Null)
            }
            Step::Reissue { of, .. } => ("POST", at(of, "/secrets/reissue"), nothing),
            Step::Wait { .. } => return None,
        })
    }

    /// Remembers what a step made.
    fn note(&mut self, step: &Step, made: &Value) {
        let id = || made["id"].as_str().expect("what was made has an id").to_owned();
        match step {
            Step::OpenPrimary { name, .. } => self.join(name, None, made),
            Step::OpenChild { name, parent, .. } => self.join(name, Some(parent), made),
            Step::IssueSecret { name, of, .. } | Step::Reissue { name, of } => {
                let key = self.accounts[of].key.clone();
                let secret = made["secret"].as_str().expect("a new secret is shown");
                let client = self.server.client().with_basic(&key, secret);
                self.accounts.insert(name.clone(), Account { key, client, secret: id() });
            }
            Step::Charge { label: Some(label), .. } | Step::Capture { label, .. } => {
                self.charges.insert(label.clone(), id());
            }
            Step::Hold { label, .. } => {
                self.holds.insert(label.clone(), id());
            }
            _ => {}
        }
    }

    fn join(&mut self, name: &str, parent: Option<&String>, opened: &Value) {
        let text = |member: &str| opened[member].as_str().expect("a new account has it");
        let (key, secret) = (text("api_key"), text("secret"));
        self.inner.join(name, parent, &self.inner.book.sign_in(key, secret));
        let client = self.server.client().with_basic(key, secret);
        let account = Account { key: key.to_owned(), client, secret: String::new() };
        self.accounts.insert(name.to_owned(), account);
        self.first.get_or_insert_with(|| name.to_owned());
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.seller.get(&format!("/api/v1{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// The sums over a root and its children.
    async fn total(&self, root: &str) -> String {
        let children = self.get(&format!("/accounts/{root}/children")).await;
        let children = children["data"].as_array().expect("a list has its data");
        let keys = children.iter().map(|child| child["api_key"].as_str().expect("an account has a key"));
        let (mut posted, mut credit) = (Nanos::ZERO, Nanos::ZERO);
        for key in keys.chain([root]) {
            let balance = self.get(&format!("/accounts/{key}/balance")).await;
            posted = posted.checked_add(amount(&balance["posted"])).expect("scenarios are small");
            credit = credit.checked_add(amount(&balance["credit_limit"])).expect("scenarios are small");
        }
        format!("{posted}/{credit}")
    }
}

fn show(field: Field, account: &Value, balance: &Value) -> String {
    let member = match field {
        Field::Posted => "posted",
        Field::Credit => "credit_limit",
        Field::Held => "held",
        Field::Available => "available",
        Field::Carried => "carried",
        Field::Funded => "funded",
        Field::Used => "used",
        Field::Usage => "usage",
        Field::Spendable => "spendable",
        Field::Transferable => "transferable",
        Field::Allocatable => "allocatable",
        Field::Status => return status(account).to_owned(),
    };
    balance[member].as_str().unwrap_or_else(|| panic!("{member} of {balance}")).to_owned()
}

fn status(account: &Value) -> &str {
    let status = account["status"].as_str().expect("an account has a status");
    match (status, &account["frozen"], &account["suspended"]) {
        ("active", Value::Bool(true), _) => "frozen",
        ("active", _, Value::Bool(true)) => "suspended",
        (status, ..) => status,
    }
}

fn outcome(answer: &Answer) -> String {
    if answer.status < 300 {
        return "ok".to_owned();
    }
    let problem = answer.json();
    let kind = problem["type"].as_str().and_then(|kind| kind.strip_prefix("/problems/"));
    let kind = kind.unwrap_or_else(|| panic!("a problem has its type: {answer:?}")).replace('-', "_");
    let (word, member) = match kind.as_str() {
        // The API asks its table of roles before the rules are asked.
        "forbidden" => return "seller_only".to_owned(),
        "unauthenticated" => return "credential_revoked".to_owned(),
        "scope_exceeded" => ("have", "have"),
        "insufficient_funds" | "insufficient_credit" => ("have", "have"),
        "credit_below_given" => ("given", "limit"),
        "merge_below_zero" => ("short", "need"),
        "capture_above_hold" => ("held", "have"),
        "refund_above_charge" => ("left", "have"),
        _ => return kind,
    };
    let amount = problem[member].as_str().unwrap_or_else(|| panic!("{member} of {problem}"));
    format!("{kind}, {word} {amount}")
}

fn word(admission: Admission) -> &'static str {
    match admission {
        Admission::Strict => "strict",
        Admission::Served => "served",
        Admission::Forced => "forced",
    }
}

fn text(amount: Nanos) -> String {
    amount.to_string()
}

fn amount(text: &Value) -> Nanos {
    Nanos::parse(text.as_str().expect("amounts are texts")).expect("amounts are decimals")
}
