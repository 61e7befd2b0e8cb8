//! Signing in: who is it, is it really, and a session under one membership.
//!
//! Unknown address, wrong password and removed user are one answer that takes the same time: a slow hash
//! is verified in any case. What is wrong is counted; see `attempts.rs`.

mod code;

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use engine::{Engine, Origin, Outcome, Request, Seals, Unavailable, session_digest};
use ledger::{
    Act, Actor, Command, Event, Ledger, MembershipIndex, OrganizationIndex, PeopleAct, PeopleEvent,
    PeopleRejection, Rejection, SecondFactor, Session, SessionId, UserIndex,
};
use tokio::sync::OnceCell;

use crate::attempts::{Attempts, Failures, neighbourhood};
use crate::password::Passwords;
use crate::{AccessError, Secret};

/// How long a session lasts, and one that is to be kept.
pub const SESSION_SECS: i64 = 12 * 3600;
pub const SESSION_KEPT_SECS: i64 = 30 * 24 * 3600;

/// What somebody says who wants to sign in.
pub struct Credentials<'a> {
    pub organization: &'a str,
    pub email_digest: u128,
    pub password: &'a str,
    /// A code of the second factor, or a recovery code.
    pub code: Option<&'a str>,
    /// Where to act; the first membership when absent.
    pub membership: Option<MembershipIndex>,
    pub keep: bool,
}

/// Somebody is in.
pub struct SignedIn {
    pub token: Secret,
    pub session: Session,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Which of it, is not told.
    #[error("the address or the password is wrong")]
    Wrong,
    /// The password was right.
    #[error("a code of the second factor is needed")]
    CodeNeeded,
    #[error("the code is wrong or was used")]
    CodeWrong,
    #[error("the user belongs nowhere, or not there")]
    NoMembership,
    /// The password was right.
    #[error("the user signs in by the organization's provider")]
    Elsewhere,
    /// Nobody the provider may speak for, or nobody it is known to have spoken about: which, is not told.
    #[error("nobody here is known by what the provider says")]
    NotVouched,
    #[error("too many wrong attempts: wait {secs} seconds")]
    Delayed { secs: u64 },
    #[error("too many sign-ins at once")]
    Busy,
    #[error("the session was refused: {0:?}")]
    Refused(Rejection),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

pub struct SignIn {
    engine: Engine,
    attempts: Mutex<Attempts>,
    /// Verified in place of nobody's.
    nobody: OnceCell<String>,
}

/// A session that is asked for.
struct Opening {
    membership: MembershipIndex,
    passwords: u32,
    factor: SecondFactor,
    vouched: Option<u128>,
    replaces: Option<SessionId>,
    expires_at: Timestamp,
}

/// What the book knows of who wants to sign in.
#[derive(Clone)]
struct Person {
    user: UserIndex,
    password: String,
    passwords: u32,
    factor: Option<(Vec<u8>, u64, Vec<u128>)>,
    memberships: Vec<MembershipIndex>,
}

impl SignIn {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, attempts: Mutex::default(), nobody: OnceCell::new() }
    }

    /// By password, and second factor where there is one.
    pub async fn by_password(
        &self,
        passwords: &Passwords,
        asked: &Credentials<'_>,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let organization = self.engine.directory().organization(asked.organization);
        let email = asked.email_digest;
        let pair = self.pair(organization.map(|(it, _)| it), email, origin.address);
        let read = move |ledger: &Ledger, now| {
            let person = organization.and_then(|(organization, _)| find(ledger, organization, email));
            (person, now)
        };
        let (person, now) = self.engine.read(read).await?;
        self.note_due(now).await;
        if let Some(secs) = self.attempts().delay_secs(pair, now) {
            return Err(SignInError::Delayed { secs });
        }
        let trusted = self.attempts().has_signed_in(pair, now);
        let hash = match person.as_ref().filter(|person| !person.password.is_empty()) {
            Some(person) => person.password.clone(),
            None => self.nobody(passwords).await?,
        };
        let is_right = passwords.matches_waiting(email, trusted, asked.password, &hash).await;
        let is_right = is_right.map_err(|_| SignInError::Busy)?;
        let person = match person {
            Some(person) if is_right && !person.password.is_empty() => person,
            other => {
                self.failed(pair, other.map(|person| person.user), now, origin).await;
                return Err(SignInError::Wrong);
            }
        };
        let factor = match self.second_factor(&person, asked.code, now) {
            Ok(factor) => factor,
            Err(error) => {
                // Asking for the code is how every sign-in with one begins: no failure of anybody's.
                if matches!(error, SignInError::CodeWrong) {
                    self.failed(pair, Some(person.user), now, origin).await;
                }
                return Err(error);
            }
        };
        let membership = match asked.membership {
            Some(asked) => person.memberships.iter().find(|it| **it == asked),
            None => person.memberships.first(),
        };
        let membership = *membership.ok_or(SignInError::NoMembership)?;
        let life = if asked.keep { SESSION_KEPT_SECS } else { SESSION_SECS };
        let asked = Opening {
            membership,
            passwords: person.passwords,
            factor,
            vouched: None,
            replaces: None,
            expires_at: now.plus_secs(life),
        };
        let opened = self.open(asked, origin).await;
        match &opened {
            Ok(_) => self.attempts().succeeded(pair, now),
            Err(SignInError::CodeWrong) => self.failed(pair, Some(person.user), now, origin).await,
            Err(_) => {}
        }
        opened
    }

    /// A session under another membership of the same user takes the place of the one that asks.
    pub async fn switch(
        &self,
        session: SessionId,
        membership: MembershipIndex,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let known = self.engine.read(move |ledger, _| {
            let known = ledger.session(session)?;
            let is_own = ledger.memberships_of(known.user).any(|(index, _)| index == membership);
            is_own.then(|| (ledger.user(known.user).passwords(), known.expires_at))
        });
        let (passwords, expires_at) = known.await?.ok_or(SignInError::NoMembership)?;
        let asked = Opening {
            membership,
            passwords,
            factor: SecondFactor::None,
            vouched: None,
            replaces: Some(session),
            expires_at,
        };
        self.open(asked, origin).await
    }

    /// For whoever has just proved to be the user in another way: by a link.
    pub async fn proven(
        &self,
        user: UserIndex,
        membership: Option<MembershipIndex>,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let known = self.engine.read(move |ledger, now| {
            let first = ledger.memberships_of(user).map(|(index, _)| index);
            let membership = first.into_iter().find(|it| membership.is_none_or(|asked| asked == *it));
            (ledger.user(user).passwords(), membership, now)
        });
        let (passwords, membership, now) = known.await?;
        let membership = membership.ok_or(SignInError::NoMembership)?;
        let expires_at = now.plus_secs(SESSION_SECS);
        let asked = Opening {
            membership,
            passwords,
            factor: SecondFactor::None,
            vouched: None,
            replaces: None,
            expires_at,
        };
        self.open(asked, origin).await
    }

    /// On the word of the organization's provider, which knows the user as `subject`. It stands for the
    /// password, not for a second factor that the user has here.
    pub async fn vouched(
        &self,
        user: UserIndex,
        subject: u128,
        membership: Option<MembershipIndex>,
        code: Option<&str>,
        origin: &Origin,
    ) -> Result<SignedIn, SignInError> {
        let known = self.engine.read(move |ledger, now| {
            let is_there = ledger.has_user(user) && !ledger.user(user).is_removed();
            is_there.then(|| (Person::of(ledger, user), ledger.user(user).organization, now))
        });
        let (person, organization, now) = known.await?.ok_or(SignInError::NotVouched)?;
        self.note_due(now).await;
        let pair = self.pair_of_subject(organization, subject, origin.address);
        if let Some(secs) = self.attempts().delay_secs(pair, now) {
            return Err(SignInError::Delayed { secs });
        }
        let opened = match self.second_factor(&person, code, now) {
            Ok(factor) => {
                let first = || person.memberships.first().copied();
                let membership = membership.filter(|asked| person.memberships.contains(asked)).or_else(first);
                let asked = Opening {
                    membership: membership.ok_or(SignInError::NoMembership)?,
                    passwords: person.passwords,
                    factor,
                    vouched: Some(subject),
                    replaces: None,
                    expires_at: now.plus_secs(SESSION_SECS),
                };
                self.open(asked, origin).await
            }
            Err(error) => Err(error),
        };
        match &opened {
            Ok(_) => self.attempts().succeeded(pair, now),
            Err(SignInError::CodeWrong) => self.failed(pair, Some(person.user), now, origin).await,
            Err(_) => {}
        }
        opened
    }

    async fn open(&self, asked: Opening, origin: &Origin) -> Result<SignedIn, SignInError> {
        let Opening { membership, passwords, factor, vouched, replaces, expires_at } = asked;
        let token = Secret::new_session(self.engine.entropy(), self.engine.seals().book());
        let digest =
            session_digest(&crate::secret::session_token_digest(self.engine.seals(), token.expose()));
        let act =
            PeopleAct::OpenSession { membership, digest, expires_at, passwords, factor, vouched, replaces };
        match self.submit(act, Some(origin.clone())).await? {
            Outcome::Done(receipt) => match receipt.event {
                Event::People(event) => match *event {
                    PeopleEvent::SessionOpened { session, .. }
                    | PeopleEvent::SessionVouched { session, .. } => {
                        Ok(SignedIn { token, session: *session })
                    }
                    _ => Err(SignInError::Busy),
                },
                _ => Err(SignInError::Busy),
            },
            Outcome::Rejected(Rejection::People(PeopleRejection::CodeUsed)) => Err(SignInError::CodeWrong),
            Outcome::Rejected(Rejection::People(PeopleRejection::FactorMissing)) => {
                Err(SignInError::CodeNeeded)
            }
            Outcome::Rejected(Rejection::People(PeopleRejection::LinkUsed)) => Err(SignInError::Wrong),
            Outcome::Rejected(Rejection::People(PeopleRejection::PasswordRefused)) => {
                Err(SignInError::Elsewhere)
            }
            Outcome::Rejected(Rejection::People(
                PeopleRejection::NotVouched | PeopleRejection::ProviderNotFound,
            )) => Err(SignInError::NotVouched),
            Outcome::Rejected(rejection) => Err(SignInError::Refused(rejection)),
            Outcome::Refused(_) | Outcome::Repeated(_) => Err(SignInError::Busy),
        }
    }

    async fn nobody(&self, passwords: &Passwords) -> Result<String, SignInError> {
        let hash = self.nobody.get_or_try_init(|| passwords.hash("nobody's password"));
        hash.await.cloned().map_err(|_| SignInError::Busy)
    }

    fn pair(
        &self,
        organization: Option<OrganizationIndex>,
        email_digest: u128,
        address: Option<IpAddr>,
    ) -> u128 {
        let organization = organization.map_or(u64::MAX, |it| it.slot() as u64).to_le_bytes();
        let email = email_digest.to_le_bytes();
        self.engine.seals().short_digest("attempt", &[&neighbourhood(address), &organization, &email])
    }

    fn pair_of_subject(
        &self,
        organization: OrganizationIndex,
        subject: u128,
        address: Option<IpAddr>,
    ) -> u128 {
        let organization = (organization.slot() as u64).to_le_bytes();
        let subject = subject.to_le_bytes();
        let parts = [&neighbourhood(address)[..], &organization, &subject];
        self.engine.seals().short_digest("attempt by subject", &parts)
    }

    async fn failed(&self, pair: u128, user: Option<UserIndex>, now: Timestamp, origin: &Origin) {
        let first = {
            let mut attempts = self.attempts();
            attempts.failed(pair, now);
            user.and_then(|user| attempts.count(user, now))
        };
        if let Some(failures) = first {
            self.note(failures, Some(origin.clone())).await;
        }
    }

    /// Whether a letter may go to this user: one a minute.
    pub fn may_mail(&self, user: UserIndex, now: Timestamp) -> bool {
        self.attempts().may_mail(user, now)
    }

    /// Notes the failures of the last minutes in the book.
    pub async fn note_due(&self, now: Timestamp) {
        let due = self.attempts().due(now);
        for failures in due {
            self.note(failures, None).await;
        }
    }

    async fn note(&self, failures: Failures, origin: Option<Origin>) {
        let Failures { user, count, since } = failures;
        // The book may be closing: what it does not take is lost with it.
        drop(self.submit(PeopleAct::NoteFailures { user, count, since }, origin).await);
    }

    async fn submit(&self, act: PeopleAct, origin: Option<Origin>) -> Result<Outcome, Unavailable> {
        let command = Command { actor: Actor::System, act: Act::People(Box::new(act)) };
        self.engine.submit_from(Request { command, key: None }, origin).await
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(ledger: &Ledger, organization: OrganizationIndex, email_digest: u128) -> Option<Person> {
    ledger.find_user(organization, email_digest).map(|user| Person::of(ledger, user))
}

impl Person {
    fn of(ledger: &Ledger, user: UserIndex) -> Self {
        let known = ledger.user(user);
        let factor = known.factor().map(|factor| {
            let secret = factor.secret.as_deref().unwrap_or_default().to_vec();
            (secret, factor.step, factor.recovery.clone())
        });
        Self {
            user,
            password: known.password.as_ref().to_owned(),
            passwords: known.passwords(),
            factor,
            memberships: ledger.memberships_of(user).map(|(index, _)| index).collect(),
        }
    }
}

/// How an issuer's subject is known here: nothing of either is kept.
pub fn subject_digest(seals: &Seals, issuer: &str, subject: &str) -> u128 {
    let digest = seals.digest("subject", &[issuer.as_bytes(), subject.as_bytes()]);
    u128::from_le_bytes(*digest.first_chunk().expect("a hash is longer"))
}

impl From<AccessError> for SignInError {
    fn from(_: AccessError) -> Self {
        Self::Busy
    }
}
