//! The keys that texts are sealed under while a group is written.

use std::sync::Arc;

use journal::{Vault, VaultKey};

use super::BookFault;
use crate::clock::Entropy;
use crate::seal::{Owner, TextKeys};

/// The vault, and the keys made for owners met first in this group.
pub(super) struct KeyRing {
    vault: Arc<dyn Vault>,
    entropy: Arc<dyn Entropy>,
    fresh: Vec<(u64, VaultKey)>,
}

impl TextKeys for KeyRing {
    fn text_key(&self, owner: Owner) -> Option<VaultKey> {
        let fresh = self.fresh.iter().find(|(fresh, _)| *fresh == owner.0);
        fresh.map(|(_, key)| *key).or_else(|| self.vault.get(owner.0))
    }
}

impl KeyRing {
    pub(super) fn new(vault: Arc<dyn Vault>, entropy: Arc<dyn Entropy>) -> Self {
        Self { vault, entropy, fresh: Vec::new() }
    }

    pub(super) fn vault(&self) -> &Arc<dyn Vault> {
        &self.vault
    }

    pub(super) fn nonce(&self) -> u128 {
        let mut nonce = [0; 16];
        self.entropy.fill(&mut nonce);
        u128::from_le_bytes(nonce)
    }

    pub(super) fn ensure(&mut self, owner: Owner) {
        if self.text_key(owner).is_none() {
            let mut key = [0; 32];
            self.entropy.fill(&mut key);
            self.fresh.push((owner.0, VaultKey(key)));
        }
    }

    /// Puts fresh keys into the vault, ahead of the texts that are sealed under them.
    pub(super) fn keep(&mut self) -> Result<(), BookFault> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        self.vault.put(&self.fresh)?;
        // A writer whose group was lost may have left another key for this owner: the texts of this
        // group are sealed under one that nobody will have.
        let is_kept = |(owner, key): &(u64, VaultKey)| self.vault.get(*owner).is_none_or(|kept| kept == *key);
        if !self.fresh.iter().all(is_kept) {
            return Err(BookFault::OtherKey);
        }
        self.fresh.clear();
        Ok(())
    }
}
