//! The keys that personal and free-text fields are sealed under, kept beside the journal and never in it.
//!
//! Destroying a key erases every field sealed under it, while amounts and chain stay.

/// One key per person or account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VaultKey(pub [u8; 32]);

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

pub trait Vault: Send + Sync {
    fn get(&self, owner: u64) -> Option<VaultKey>;

    /// Every owner in order, with its key; none where it was destroyed. For copying.
    fn all(&self) -> Vec<(u64, Option<VaultKey>)>;

    /// Durable when it returns. A key that is there already stays as it is: the one kept is returned by `get`.
    fn put(&self, keys: &[(u64, VaultKey)]) -> Result<(), VaultError>;

    /// Reads these owners' keys again: somebody else may have put or destroyed them. Where one process keeps
    /// the keys there is nothing to read.
    fn refresh(&self, _owners: &[u64]) -> Result<(), VaultError> {
        Ok(())
    }

    /// Overwrites the key where it is kept; durable when it returns. The owner gets no other key.
    fn destroy(&self, owner: u64) -> Result<(), VaultError>;
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the key file is damaged at byte {offset}")]
    Damaged { offset: u64 },
    #[error("key storage failed")]
    Fault(#[from] std::io::Error),
}
