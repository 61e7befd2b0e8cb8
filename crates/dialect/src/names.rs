//! Products and users of accounts, by name: interned once, so that a charge carries four bytes.

use access::Caller;
use engine::{Engine, Outcome, Refusal, Request, Unavailable};
use ledger::{Act, Actor, Command, NameIndex, OrganizationIndex, Rejection};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("names cannot be recorded right now")]
    Refused(Refusal),
    #[error("a name was rejected")]
    Rejected(Rejection),
}

/// What an organization calls by that name, if it ever did.
pub fn find_name(engine: &Engine, organization: OrganizationIndex, text: &str) -> Option<NameIndex> {
    engine.directory().name(digest(engine, organization, text))
}

/// Makes names known that are not yet. Afterwards [`find_name`] finds them, but for those that would be one
/// too many.
pub async fn intern_names(engine: &Engine, caller: &Caller, texts: &[&str]) -> Result<(), NamesError> {
    let (organization, family) = (caller.organization(), caller.root());
    let request = |text: &&str| {
        let digest = digest(engine, organization, text);
        let act = Act::InternName { organization, family, digest, text: Some(text.as_bytes().into()) };
        Request { command: Command { actor: Actor::System, act }, key: None }
    };
    for outcome in engine.submit_all(texts.iter().map(request).collect()).await? {
        match outcome {
            Outcome::Done(_)
            // Somebody else was faster.
            | Outcome::Rejected(Rejection::AlreadyInterned { .. } | Rejection::TooManyNames { .. })
            | Outcome::Repeated(_) => {}
            Outcome::Rejected(rejection) => return Err(NamesError::Rejected(rejection)),
            Outcome::Refused(refusal) => return Err(NamesError::Refused(refusal)),
        }
    }
    Ok(())
}

fn digest(engine: &Engine, organization: OrganizationIndex, text: &str) -> u128 {
    let organization = (organization.slot() as u32).to_le_bytes();
    engine.seals().short_digest("name", &[&organization, text.as_bytes()])
}
