//! Sessions: what a sign-in leaves. They end by sign-out, at their expiry, when newer ones crowd them out,
//! and all at once; nothing is kept of those that ended.

use domain::Timestamp;

use crate::{EventRef, MembershipIndex, UserIndex};

/// The front of the keyed hash of a session's token: nobody can choose it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Keyed hash of its token.
    pub digest: u128,
    pub user: UserIndex,
    pub membership: MembershipIndex,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    pub last: EventRef,
}

/// Live sessions of one user; the oldest makes room.
pub const SESSIONS_MAX: usize = 16;

impl Session {
    pub fn id(&self) -> SessionId {
        SessionId((self.digest >> 64) as u64)
    }
}
