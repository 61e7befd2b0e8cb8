//! Recorded exchanges as readable text: the request by hand, the answer generated, read and committed.
//!
//! ```text
//! given open primary limit 100
//!
//! # what a step of a scenario does, `given` does here
//! > GET /accounts/{primary}/subaccounts
//! > as primary
//! < 200
//! < content-type: application/json
//! <
//! < {
//! <   …
//! ```
//!
//! Lines of a request behind the first: `as NAME` signs in as that account (`as seller` with the
//! operator's token), `makes NAME` names the account that the answer tells of, `calls NAME` what its `id`
//! stands for, `name: value` is a header, and what begins with anything else, or follows a bare `>`, is the
//! body. `{NAME}` stands for an account's key or such an id, in both directions, `{NAME.secret}` for an
//! account's secret. Lines that begin with `#` and empty ones stay as they are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use dialect::App;

use crate::golden::expect_text;
use crate::scenario::{BookWorld, Line, Step, World};
use crate::{Answer, TestAccount, TestServer};

/// Every request has this id, so that answers are the same every time.
pub const REQUEST_ID: &str = "7f1d0c3e-5b7a-4c0e-9d55-000000000001";

/// Headers worth recording.
const RECORDED: [&str; 5] = ["content-type", "www-authenticate", "allow", "retry-after", "location"];

/// What a dialect's exchanges need to know of it.
pub struct Wire {
    pub router: fn(Arc<App>) -> Router,
    /// Key and secret in the answer of a request that makes an account.
    pub made: fn(&Answer) -> (String, String),
}

impl Wire {
    /// Replays every file of a folder; `UPDATE_EXPECT=1` rewrites the answers.
    pub async fn check_all(&self, folder: &Path) {
        let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<_> = files.map(|file| file.expect("a folder can be read").path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "{} holds no exchanges", folder.display());
        for path in paths {
            self.check(&path).await;
        }
    }

    /// Replays one file in a book of its own.
    pub async fn check(&self, path: &Path) {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let world = BookWorld::open().await;
        let server = TestServer::start((self.router)(world.book.app())).await;
        let (accounts, ids) = (BTreeMap::new(), BTreeMap::new());
        let mut stage = Stage { wire: self, world, server, accounts, ids };
        let mut replayed = String::new();
        let mut request = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('<')).chain([""]) {
            if let Some(line) = line.strip_prefix('>') {
                replayed.push_str(&format!(">{line}\n"));
                request.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
                continue;
            }
            if !request.is_empty() {
                replayed.push_str(&stage.exchange(&std::mem::take(&mut request)).await);
            }
            if let Some(step) = line.strip_prefix("given ") {
                stage.given(step).await;
            }
            replayed.push_str(&format!("{line}\n"));
        }
        expect_text(path, &format!("{}\n", replayed.trim_end()));
    }
}

struct Stage<'a> {
    wire: &'a Wire,
    world: BookWorld,
    server: TestServer,
    accounts: BTreeMap<String, TestAccount>,
    ids: BTreeMap<String, String>,
}

impl Stage<'_> {
    async fn given(&mut self, step: &str) {
        let line = Line::parse(step);
        let outcome = self.world.act(&line).await;
        assert_eq!(outcome, "ok", "{step}");
        let (name, parent) = match line.step {
            Step::OpenPrimary { name, .. } => (name, None),
            Step::OpenChild { name, parent, .. } => (name, Some(parent)),
            _ => return,
        };
        let account = self.world.account(&name).expect("it was just opened");
        let account = self.world.book.reissue(account).await;
        self.world.join(&name, parent.as_ref(), &account);
        self.accounts.insert(name, account);
    }

    async fn exchange(&mut self, request: &[String]) -> String {
        let (first, rest) = request.split_first().expect("a request has a first line");
        let (method, path) = first.split_once(' ').expect("a method and a path");
        let mut client = self.server.client().with("x-request-id", REQUEST_ID);
        let (mut caller, mut makes, mut calls, mut body) = (None, None, None, String::new());
        let mut lines = rest.iter();
        for line in lines.by_ref() {
            if let Some(name) = line.strip_prefix("as ") {
                client = client.with("authorization", &self.authorization(name));
                caller = Some(name.to_owned());
            } else if let Some(name) = line.strip_prefix("makes ") {
                makes = Some(name.to_owned());
            } else if let Some(name) = line.strip_prefix("calls ") {
                calls = Some(name.to_owned());
            } else if let Some((name, value)) = header(line) {
                client = client.with(name, value);
            } else {
                body.push_str(line);
                break;
            }
        }
        lines.for_each(|line| body.push_str(&format!("\n{line}")));
        let body = self.with_keys(body.trim_start_matches('\n'));
        let answer = client.send(method, &self.with_keys(path), &body).await;
        assert_eq!(answer.header("x-request-id"), Some(REQUEST_ID), "{first}");
        if let Some(name) = makes.filter(|_| answer.status < 300) {
            self.join(&name, caller.as_ref(), &answer);
        }
        if let Some(name) = calls {
            let body = answer.json();
            self.ids.insert(name, body["id"].as_str().expect("what is called has an id").to_owned());
        }
        self.record(&answer)
    }

    fn authorization(&self, name: &str) -> String {
        match name {
            "seller" => format!("Bearer {}", self.world.book.token),
            name => self.accounts.get(name).unwrap_or_else(|| panic!("nobody is called {name}")).basic(),
        }
    }

    fn join(&mut self, name: &str, parent: Option<&String>, answer: &Answer) {
        let (key, secret) = (self.wire.made)(answer);
        let account = self.world.book.sign_in(&key, &secret);
        self.world.join(name, parent, &account);
        self.accounts.insert(name.to_owned(), account);
    }

    fn with_keys(&self, text: &str) -> String {
        let accounts = self.accounts.iter().fold(text.to_owned(), |text, (name, account)| {
            let text = text.replace(&format!("{{{name}}}"), &account.key);
            text.replace(&format!("{{{name}.secret}}"), &account.secret)
        });
        self.ids.iter().fold(accounts, |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }

    fn record(&self, answer: &Answer) -> String {
        let mut text = format!("< {}\n", answer.status);
        for name in RECORDED {
            if let Some(value) = answer.header(name) {
                text.push_str(&format!("< {name}: {value}\n"));
            }
        }
        if !answer.body.is_empty() {
            text.push_str("<\n");
            let body = self.accounts.iter().fold(indent(&answer.body), |body, (name, account)| {
                body.replace(&account.key, &format!("{{{name}}}"))
            });
            let body =
                self.ids.iter().fold(body, |body, (name, id)| body.replace(id, &format!("{{{name}}}")));
            body.lines().for_each(|line| text.push_str(&format!("< {line}\n")));
        }
        text
    }
}

/// `name: value`, where the name could be one of a header.
fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(": ")?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some((name, value))
}

/// JSON on many lines, every digit as it was sent.
fn indent(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        if quoted {
            text.push(character);
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        let line = |depth: usize| format!("\n{}", "  ".repeat(depth));
        match character {
            '{' | '[' if characters.peek().is_some_and(|next| "}]".contains(*next)) => {
                text.push(character);
                text.extend(characters.next());
            }
            '{' | '[' => {
                depth += 1;
                text.push(character);
                text.push_str(&line(depth));
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                text.push_str(&line(depth));
                text.push(character);
            }
            ',' => text.push_str(&format!(",{}", line(depth))),
            ':' => text.push_str(": "),
            '"' => {
                quoted = true;
                text.push(character);
            }
            other => text.push(other),
        }
    }
    text
}
