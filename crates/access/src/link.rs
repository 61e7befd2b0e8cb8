//! Links that prove something to whoever follows them: signed by the server's keys, so that nothing of them
//! is kept, and a copy of the journal makes none.
//!
//! | link | is | counts until |
//! |---|---|---|
//! | invitation | `bsi_`, sealed id, signature | it expires, is accepted or revoked: the book knows |
//! | password reset | `bsr_`, sealed id, expiry, signature | it expires, or the password was set since |

use domain::Timestamp;
use engine::{Id, Seals};
use ledger::{InvitationIndex, UserIndex};

use crate::Secret;

const INVITATION: &str = "bsi_";
const RESET: &str = "bsr_";
const ID_DIGITS: usize = 32;
const EXPIRY_DIGITS: usize = 16;

/// How long a link to set a new password counts.
pub const RESET_SECS: i64 = 3600;

pub fn invitation_link(seals: &Seals, invitation: InvitationIndex) -> Secret {
    let id = hex(&seals.seal(Id::Invitation(invitation)));
    let signature = sign(seals, "invitation link", &[id.as_bytes()]);
    Secret::given(format!("{INVITATION}{id}{signature}"))
}

pub fn read_invitation_link(seals: &Seals, link: &str) -> Option<InvitationIndex> {
    let (id, signature) = link.strip_prefix(INVITATION)?.split_at_checked(ID_DIGITS)?;
    if !same(&sign(seals, "invitation link", &[id.as_bytes()]), signature) {
        return None;
    }
    match seals.unseal(unhex(id)?)? {
        Id::Invitation(invitation) => Some(invitation),
        _ => None,
    }
}

/// `passwords` is how often the password was set: the link counts for the next time only.
pub fn reset_link(seals: &Seals, user: UserIndex, passwords: u32, expires_at: Timestamp) -> Secret {
    let id = hex(&seals.seal(Id::User(user)));
    let expiry = format!("{:016x}", expires_at.as_micros());
    let signature = sign_reset(seals, &id, &expiry, passwords);
    Secret::given(format!("{RESET}{id}{expiry}{signature}"))
}

/// Whose password a link resets, if it has the right form; [`is_reset_link`] says whether it counts.
pub fn reset_link_user(seals: &Seals, link: &str) -> Option<UserIndex> {
    let (id, _) = link.strip_prefix(RESET)?.split_at_checked(ID_DIGITS)?;
    match seals.unseal(unhex(id)?)? {
        Id::User(user) => Some(user),
        _ => None,
    }
}

/// The sealed id that a link of either kind carries.
pub(crate) fn id_of_link(link: &str) -> Option<[u8; 16]> {
    let rest = [INVITATION, RESET].iter().find_map(|kind| link.strip_prefix(kind))?;
    unhex(rest.get(..ID_DIGITS)?)
}

pub fn is_reset_link(seals: &Seals, link: &str, passwords: u32, now: Timestamp) -> bool {
    let read = || {
        let (id, rest) = link.strip_prefix(RESET)?.split_at_checked(ID_DIGITS)?;
        let (expiry, signature) = rest.split_at_checked(EXPIRY_DIGITS)?;
        if !same(&sign_reset(seals, id, expiry, passwords), signature) {
            return None;
        }
        i64::from_str_radix(expiry, 16).ok()
    };
    read().is_some_and(|expiry| now < Timestamp::from_micros(expiry))
}

fn sign_reset(seals: &Seals, id: &str, expiry: &str, passwords: u32) -> String {
    sign(seals, "reset link", &[id.as_bytes(), expiry.as_bytes(), &passwords.to_le_bytes()])
}

fn sign(seals: &Seals, purpose: &str, parts: &[&[u8]]) -> String {
    hex(&seals.digest(purpose, parts))
}

/// As long as it takes, wherever they differ.
fn same(one: &str, other: &str) -> bool {
    let differing = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differing == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests;
