//! Products and users of accounts, by name: interned once, so that a charge carries four bytes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use engine::{Engine, Outcome, Refusal, Request, Unavailable};
use ledger::{Act, Actor, Command, NameIndex, OrganizationIndex, Rejection};

/// Which names an organization has; counts them, because names are kept for ever.
#[derive(Default)]
pub struct Names {
    counts: Mutex<HashMap<OrganizationIndex, usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    #[error("the organization has {} names already", Names::COUNT_MAX)]
    TooMany,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("names cannot be recorded right now")]
    Refused(Refusal),
    #[error("a name was rejected")]
    Rejected(Rejection),
}

impl Names {
    /// Per organization.
    pub const COUNT_MAX: usize = 1_000_000;
    /// Names looked at in one turn of the book.
    const SLICE: usize = 10_000;

    /// What this organization calls by that name, if it ever did.
    pub fn find(engine: &Engine, organization: OrganizationIndex, text: &str) -> Option<NameIndex> {
        engine.directory().name(Self::digest(engine, organization, text))
    }

    fn digest(engine: &Engine, organization: OrganizationIndex, text: &str) -> u128 {
        let organization = (organization.slot() as u32).to_le_bytes();
        engine.seals().short_digest("name", &[&organization, text.as_bytes()])
    }

    /// Makes names known that are not yet. Afterwards [`Names::find`] finds them.
    pub async fn intern(
        &self,
        engine: &Engine,
        organization: OrganizationIndex,
        texts: &[&str],
    ) -> Result<(), NamesError> {
        let known = self.count(engine, organization).await?;
        if known + texts.len() > Self::COUNT_MAX {
            return Err(NamesError::TooMany);
        }
        let request = |text: &&str| {
            let digest = Self::digest(engine, organization, text);
            let act = Act::InternName { organization, digest, text: Some(text.as_bytes().into()) };
            Request { command: Command { actor: Actor::System, act }, key: None }
        };
        let outcomes = engine.submit_all(texts.iter().map(request).collect()).await?;
        let mut interned = 0;
        for outcome in outcomes {
            match outcome {
                Outcome::Done(_) => interned += 1,
                // Somebody else was faster.
                Outcome::Rejected(Rejection::AlreadyInterned { .. }) | Outcome::Repeated(_) => {}
                Outcome::Rejected(rejection) => return Err(NamesError::Rejected(rejection)),
                Outcome::Refused(refusal) => return Err(NamesError::Refused(refusal)),
            }
        }
        *self.counts().entry(organization).or_default() += interned;
        Ok(())
    }

    async fn count(&self, engine: &Engine, organization: OrganizationIndex) -> Result<usize, Unavailable> {
        if let Some(count) = self.counts().get(&organization) {
            return Ok(*count);
        }
        let (mut from, mut count) = (0, 0);
        loop {
            let (seen, own) = engine
                .read(move |ledger, _| {
                    ledger.names().skip(from).take(Self::SLICE).fold((0, 0), |(seen, own), (_, name)| {
                        (seen + 1, own + usize::from(name.organization == organization))
                    })
                })
                .await?;
            count += own;
            from += seen;
            if seen < Self::SLICE {
                break;
            }
        }
        Ok(*self.counts().entry(organization).or_insert(count))
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<OrganizationIndex, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
