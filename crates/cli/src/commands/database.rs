//! What commands on a journal in a database share.

use engine::{Entropy, SystemEntropy};
use journal_postgres::{Database, Options, Url};

use crate::failure::Failure;

/// Reads a URL; passwords may be in the environment.
pub(super) fn parse(url: &str) -> Result<Url, Failure> {
    Url::parse(url, |name| std::env::var(name).ok()).map_err(Failure::usage)
}

pub(super) fn connect(url: &Url) -> Result<Database, Failure> {
    Database::connect(url, Options::default()).map_err(Failure::fault(format!("cannot open {url}")))
}

pub(super) fn fresh_incarnation() -> [u8; 16] {
    let mut incarnation = [0; 16];
    SystemEntropy.fill(&mut incarnation);
    incarnation
}
