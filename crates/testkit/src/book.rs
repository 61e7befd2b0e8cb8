//! A book of a test, and what a seller does to it.

use std::sync::Arc;

use access::{DEFAULT_ORGANIZATION, Role, Secret, first_start, secret_digest, token_digest};
use dialect::{App, Limits};
use domain::{Currency, Nanos, Timestamp};
use engine::{
    Engine, ManualClock, Options, Outcome, Parts, Receipt, Request, Running, SandboxClock, Seals,
    SeededEntropy,
};
use journal::{Journal, Vault};
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Event, Funding, Holder, NewAccount,
    OrganizationIndex, Rejection, Scope, Usage, Verifier,
};

use crate::storage::Storage;

/// 2025-03-01T09:30:00Z: when every test book begins.
pub const START: Timestamp = Timestamp::from_secs(1_740_821_400);

/// A running book that forgets everything at the end of its test.
pub struct TestBook {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    /// The owner's token.
    pub token: String,
    pub organization: OrganizationIndex,
    operator: Actor,
    running: Running,
    sandbox: Arc<SandboxClock>,
    entropy: Arc<SeededEntropy>,
    storage: Storage,
    is_sandbox: bool,
}

/// An account with the credential it signs in with.
#[derive(Clone, Debug)]
pub struct TestAccount {
    pub index: AccountIndex,
    pub key: String,
    pub secret: String,
    pub actor: Actor,
}

impl TestBook {
    /// In memory.
    pub async fn new() -> Self {
        Self::on(Storage::memory()).await
    }

    /// In memory, and no sandbox: nothing is paid for by nobody.
    pub async fn in_production() -> Self {
        Self::made_on(Storage::memory(), false).await
    }

    /// On files, in a directory of its own.
    pub async fn on_files() -> Self {
        Self::on(Storage::files()).await
    }

    /// Over a journal that is opened elsewhere; the first time it is empty.
    pub async fn over(open: impl Fn() -> (Box<dyn Journal>, Arc<dyn Vault>) + Send + Sync + 'static) -> Self {
        Self::on(Storage::Elsewhere(Box::new(open))).await
    }

    async fn on(storage: Storage) -> Self {
        Self::made_on(storage, true).await
    }

    async fn made_on(storage: Storage, is_sandbox: bool) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let entropy = Arc::new(SeededEntropy::new(0));
        let sandbox = Arc::new(SandboxClock::new(clock.clone(), 0, |_| Ok(())));
        let (engine, running) = start(&storage, &sandbox, &entropy, is_sandbox);
        let token = first_start(&engine, None).await.expect("the first start succeeds");
        let token = token.expect("a first start makes a token").expose().to_owned();
        let known = engine.directory().credential(&token_digest(engine.seals(), &token));
        let known = known.expect("the token is known");
        let operator = Actor::Credential(known.credential);
        let (organization, _) =
            engine.directory().organization(DEFAULT_ORGANIZATION).expect("it was founded");
        Self { engine, clock, token, organization, operator, running, sandbox, entropy, storage, is_sandbox }
    }

    /// Closes the book and opens it again from what it wrote. Nothing else may hold its engine.
    #[must_use]
    pub fn reopened(self) -> Self {
        self.closed_for(|_| ())
    }

    /// Closes the book, has everything older than `before` removed from its files, and opens it again.
    #[must_use]
    pub fn pruned(self, before: Timestamp) -> Self {
        self.closed_for(|storage| storage.prune(before))
    }

    fn closed_for(self, work: impl FnOnce(&Storage)) -> Self {
        let Self {
            engine,
            clock,
            token,
            organization,
            operator,
            running,
            sandbox,
            entropy,
            storage,
            is_sandbox,
        } = self;
        drop(engine);
        drop(running.stop().expect("the book's thread ends well"));
        work(&storage);
        let (engine, running) = start(&storage, &sandbox, &entropy, is_sandbox);
        Self { engine, clock, token, organization, operator, running, sandbox, entropy, storage, is_sandbox }
    }

    /// Charges so much usage that several segments of the journal are full, nothing each, hour after hour.
    pub async fn fill_segments(&self, account: &TestAccount, hours: usize) {
        let usage = Usage { reference: Some([b'x'; 500].as_slice().into()), ..Usage::default() };
        let act = Act::Charge {
            account: account.index,
            currency: None,
            amount: Nanos::new(1),
            kind: ChargeKind::Metered,
            admission: Admission::Strict,
            usage,
        };
        let request = Request { command: Command { actor: self.operator, act }, key: None };
        for _ in 0..hours {
            self.clock.advance_secs(3600);
            let outcomes = self.engine.submit_all(vec![request.clone(); 1_000]).await.expect("the book runs");
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done(_))));
        }
    }

    /// Of the whole state, once all that is due has happened.
    pub async fn digest(&self) -> [u8; 32] {
        self.engine.read(|ledger, _| engine::digest(ledger)).await.expect("the book runs")
    }

    /// What the routers of dialects stand on.
    pub fn app(&self) -> Arc<App> {
        Arc::new(App::new(self.engine.clone(), Limits::default()))
    }

    /// The clock of a server that is a sandbox.
    pub fn sandbox_clock(&self) -> Arc<SandboxClock> {
        self.sandbox.clone()
    }

    /// The same on a server that is a sandbox: requests move its clock ahead of the test's.
    pub fn sandbox_app(&self) -> Arc<App> {
        let app = App::new(self.engine.clone(), Limits::default());
        Arc::new(app.with_sandbox(Some(self.sandbox.clone())))
    }

    /// The owner of the organization.
    pub fn operator(&self) -> Actor {
        self.operator
    }

    pub fn seals(&self) -> &Seals {
        self.engine.seals()
    }

    pub fn key_of(&self, account: AccountIndex) -> String {
        format!("{:08x}", self.seals().account_key(account))
    }

    /// One act, whatever becomes of it.
    pub async fn submit(&self, actor: Actor, act: Act) -> Outcome {
        let request = Request { command: Command { actor, act }, key: None };
        self.engine.submit(request).await.expect("the book runs")
    }

    /// One act of the operator's that is done.
    pub async fn act(&self, act: Act) -> Receipt {
        match self.submit(self.operator, act).await {
            Outcome::Done(receipt) => receipt,
            other => panic!("expected it to be done: {other:?}"),
        }
    }

    /// One act of the operator's that is refused.
    pub async fn refusal(&self, act: Act) -> Rejection {
        match self.submit(self.operator, act).await {
            Outcome::Rejected(rejection) => rejection,
            other => panic!("expected it to be refused: {other:?}"),
        }
    }

    /// A primary account in EUR that may open children, with a secret.
    pub async fn open_primary(&self, name: &str, credit: i64) -> TestAccount {
        let new = NewAccount {
            may_open_children: true,
            name: text(name),
            credit: Nanos::from_units(credit),
            ..self.new_account()
        };
        self.open(new).await
    }

    /// A managed child with a secret.
    pub async fn open_child(&self, parent: &TestAccount, name: &str, funding: Funding) -> TestAccount {
        let new = NewAccount { parent: Some(parent.index), funding, name: text(name), ..self.new_account() };
        self.open(new).await
    }

    /// The least an account needs; change what the test is about.
    pub fn new_account(&self) -> NewAccount {
        NewAccount {
            organization: self.organization,
            parent: None,
            currency: Currency::EUR,
            funding: Funding::Own,
            managed: true,
            may_open_children: false,
            allows_overruns: false,
            name: None,
            credit: Nanos::ZERO,
            credential: None,
        }
    }

    /// Opens an account and issues a secret for it.
    pub async fn open(&self, new: NewAccount) -> TestAccount {
        let opened = self.act(Act::OpenAccount(Box::new(new))).await;
        match opened.event {
            Event::AccountOpened { account, .. } => self.issue(account).await,
            other => panic!("expected an opened account: {other:?}"),
        }
    }

    /// Another secret for an account.
    pub async fn issue(&self, index: AccountIndex) -> TestAccount {
        self.issue_within(index, None).await
    }

    /// One that is held to a scope.
    pub async fn issue_within(&self, index: AccountIndex, scope: Option<Box<Scope>>) -> TestAccount {
        let key = self.key_of(index);
        let secret = Secret::new_secret(self.engine.entropy()).expose().to_owned();
        let issued = self
            .act(Act::IssueCredential {
                holder: Holder::Account(index),
                role: Role::Account.code(),
                verifier: Verifier::Digest(secret_digest(self.seals(), &secret)),
                label: None,
                expires_at: access::NO_EXPIRY,
                live_max: None,
                scope,
            })
            .await;
        let Event::CredentialIssued { index: credential, .. } = issued.event else {
            panic!("expected a credential: {:?}", issued.event)
        };
        TestAccount { index, key, secret, actor: Actor::Credential(credential) }
    }

    /// A secret for an account in place of those it has.
    pub async fn reissue(&self, index: AccountIndex) -> TestAccount {
        let before = self.engine.read(move |ledger, now| {
            ledger.credentials_of(index, now).map(|(credential, _)| credential).collect::<Vec<_>>()
        });
        let before = before.await.expect("the book runs");
        let account = self.issue(index).await;
        for credential in before {
            self.act(Act::RevokeCredential { credential, live_min: 1 }).await;
        }
        account
    }

    /// An account by a key and a secret that were made elsewhere.
    pub fn sign_in(&self, key: &str, secret: &str) -> TestAccount {
        let index = access::parse_account(&self.engine, key).expect("the key is an account's");
        let digest = secret_digest(self.seals(), secret);
        let directory = self.engine.directory();
        let chosen = || directory.slow_credentials(index).first().map(|slow| slow.known);
        let known = directory.credential(&digest).or_else(chosen).expect("the account has a secret");
        let actor = Actor::Credential(known.credential);
        TestAccount { index, key: key.to_owned(), secret: secret.to_owned(), actor }
    }

    pub async fn top_up(&self, account: &TestAccount, amount: &str) -> Receipt {
        self.act(Act::TopUp {
            account: account.index,
            currency: None,
            amount: nanos(amount),
            reference: None,
        })
        .await
    }

    pub async fn charge(&self, account: &TestAccount, amount: &str) -> Receipt {
        self.act(Act::Charge {
            account: account.index,
            currency: None,
            amount: nanos(amount),
            kind: ChargeKind::Metered,
            admission: Admission::Strict,
            usage: Usage::default(),
        })
        .await
    }
}

impl TestAccount {
    /// The value of an `Authorization` header.
    pub fn basic(&self) -> String {
        crate::client::basic(&self.key, &self.secret)
    }
}

fn start(
    storage: &Storage,
    clock: &Arc<SandboxClock>,
    entropy: &Arc<SeededEntropy>,
    is_sandbox: bool,
) -> (Engine, Running) {
    let (journal, vault) = storage.open();
    let parts = Parts {
        journal,
        vault,
        clock: clock.clone(),
        entropy: entropy.clone(),
        // Months may pass in a test while its book is closed.
        options: Options { confirm_clock: true, sandbox: is_sandbox, ..Options::default() },
    };
    let (engine, running, _) = Engine::start(parts).expect("the book opens");
    (engine, running)
}

fn text(text: &str) -> ledger::Text {
    Some(text.as_bytes().into())
}

fn nanos(text: &str) -> Nanos {
    Nanos::parse(text).expect("tests write amounts well")
}
