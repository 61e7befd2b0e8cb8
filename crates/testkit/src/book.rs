//! A book, in memory unless a test says where, and what a seller does to it.

use std::sync::Arc;

use access::{DEFAULT_ORGANIZATION, Role, Secret, first_start, secret_digest, token_digest};
use dialect::{App, Limits};
use domain::{Currency, Nanos, Timestamp};
use engine::{Engine, ManualClock, Options, Outcome, Parts, Receipt, Request, Running, Seals, SeededEntropy};
use journal::{Journal, MemoryStore, MemoryVault, Vault};
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Event, Funding, Holder, NewAccount,
    OrganizationIndex, Rejection, Usage, Verifier,
};

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
    _running: Running,
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
    pub async fn new() -> Self {
        Self::over(Box::new(MemoryStore::default().open()), Arc::new(MemoryVault::default())).await
    }

    /// A book over a journal that is empty.
    pub async fn over(journal: Box<dyn Journal>, vault: Arc<dyn Vault>) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let parts = Parts {
            journal,
            vault,
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(0)),
            options: Options::default(),
        };
        let (engine, running, _) = Engine::start(parts).expect("an empty book opens");
        let token = first_start(&engine, None).await.expect("the first start succeeds");
        let token = token.expect("a first start makes a token").expose().to_owned();
        let known = engine.directory().credential(&token_digest(engine.seals(), &token));
        let known = known.expect("the token is known");
        let operator = Actor::Credential(known.credential);
        let (organization, _) =
            engine.directory().organization(DEFAULT_ORGANIZATION).expect("it was founded");
        Self { engine, clock, token, organization, operator, _running: running }
    }

    /// What the routers of dialects stand on.
    pub fn app(&self) -> Arc<App> {
        Arc::new(App::new(self.engine.clone(), Limits::default()))
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
            })
            .await;
        let Event::CredentialIssued { index: credential, .. } = issued.event else {
            panic!("expected a credential: {:?}", issued.event)
        };
        TestAccount { index, key, secret, actor: Actor::Credential(credential) }
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

fn text(text: &str) -> ledger::Text {
    Some(text.as_bytes().into())
}

fn nanos(text: &str) -> Nanos {
    Nanos::parse(text).expect("tests write amounts well")
}
