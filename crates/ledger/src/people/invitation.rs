//! Invitations: a membership that waits for somebody. The link that proves one is signed by the server's
//! keys, so nothing of it is kept.

use domain::Timestamp;

use super::{Chosen, Rights, Within};
use crate::{EventRef, Text};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub within: Within,
    pub rights: Rights,
    pub accounts: Chosen,
    /// Keyed hash of the address; the address itself is sealed.
    pub email_digest: u128,
    pub email: Text,
    pub invited_at: Timestamp,
    pub expires_at: Timestamp,
    /// When it was accepted or revoked.
    pub closed_at: Option<Timestamp>,
    pub last: EventRef,
}

/// Open ones of one organization's side or family.
pub const INVITATIONS_MAX: usize = 1_000;
pub const INVITATION_LIFE_MAX_SECS: i64 = 30 * 24 * 3600;

impl Invitation {
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.closed_at.is_none() && now < self.expires_at
    }
}
