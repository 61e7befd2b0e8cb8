//! Letters that are to be sent: asked for together with the fact they tell of, and waiting until it is known
//! what became of them. Whoever leads the book sends them; one that was sent a moment before a node went away
//! is sent once more.

use domain::Timestamp;

use crate::{EventRef, InvitationIndex, Ledger, OrganizationIndex, UserIndex};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Invitation(InvitationIndex),
    /// A link to set a new password.
    Reset(UserIndex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingLetter {
    pub about: About,
    pub asked_at: Timestamp,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    Sent,
    /// Given up: refused for good, or tried for too long.
    Failed,
    /// There is nothing to say any more: the invitation was closed, the link is over, the user is gone.
    Void,
}

/// Letters that wait at once; nothing more is asked for beyond.
pub const LETTERS_MAX: usize = 10_000;

impl Ledger {
    /// By the event that asked for each, oldest first.
    pub fn letters(&self) -> impl Iterator<Item = (EventRef, &WaitingLetter)> {
        self.people.letters.iter().map(|(asked, letter)| (*asked, letter))
    }

    pub(crate) fn organization_about(&self, about: About) -> Option<OrganizationIndex> {
        Some(match about {
            About::Invitation(invitation) => self.organization_within(self.invitation(invitation)?.within),
            About::Reset(user) => self.user(user).organization,
        })
    }
}
