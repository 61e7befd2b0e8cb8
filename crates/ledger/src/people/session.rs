//! Sessions: what a sign-in leaves. They end by sign-out, at their expiry, when newer ones crowd them out,
//! and all at once; nothing is kept of those that ended.

use std::sync::Arc;

use domain::Timestamp;

use super::decide::internal;
use super::{PeopleAct, PeopleEvent, SecondFactor};
use crate::draft::Draft;
use crate::rejection::PeopleRejection as No;
use crate::{EventRef, MembershipIndex, Rejection, UserIndex};

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

/// By whoever has just proved to be the user.
pub(super) fn open(draft: &Draft<'_>, act: &PeopleAct) -> Result<PeopleEvent, Rejection> {
    let PeopleAct::OpenSession { membership, digest, expires_at, passwords, factor, vouched, replaces } =
        *act
    else {
        unreachable!("asked for sessions only")
    };
    internal(draft)?;
    let known = draft.ledger.find_membership(membership).filter(|it| it.is_live());
    let user = known.ok_or(No::MembershipNotFound)?.user;
    let person = draft.ledger.user(user);
    if person.is_removed() || person.passwords() != passwords {
        return Err(No::LinkUsed.into());
    }
    let before = replaces.and_then(|id| draft.ledger.session(id));
    let is_proven = before.is_some_and(|it| it.user == user && draft.now < it.expires_at);
    if replaces.is_some() && !is_proven {
        return Err(Rejection::CredentialRevoked);
    }
    match vouched {
        Some(_) if draft.ledger.provider(person.organization).is_none() => {
            return Err(No::ProviderNotFound.into());
        }
        Some(_) if draft.ledger.subject(user) != vouched => return Err(No::NotVouched.into()),
        None if !is_proven && !draft.ledger.takes_password(user) => return Err(No::PasswordRefused.into()),
        Some(_) | None => {}
    }
    match (person.factor(), factor) {
        (None, SecondFactor::None) => {}
        (Some(_), SecondFactor::None) if is_proven => {}
        (Some(_), SecondFactor::None) => return Err(No::FactorMissing.into()),
        (Some(known), SecondFactor::Step(step)) if step > known.step => {}
        (Some(known), SecondFactor::Recovery(code)) if known.recovery.contains(&code) => {}
        _ => return Err(No::CodeUsed.into()),
    }
    let session =
        Session { digest, user, membership, opened_at: draft.now, expires_at, last: EventRef::NONE };
    if draft.ledger.session(session.id()).is_some() {
        return Err(No::SessionNotFound.into());
    }
    let (session, ended) = (Box::new(session), making_room(draft, user, replaces));
    Ok(match vouched {
        Some(_) => PeopleEvent::SessionVouched { session, factor, ended },
        None => PeopleEvent::SessionOpened { session, factor, ended },
    })
}

/// The sessions that a new one of `user` ends.
fn making_room(draft: &Draft<'_>, user: UserIndex, replaces: Option<SessionId>) -> Arc<[SessionId]> {
    let mut ended: Vec<SessionId> = Vec::new();
    let mut live: Vec<&Session> = Vec::new();
    for session in draft.ledger.sessions_of(user) {
        if session.expires_at <= draft.now || Some(session.id()) == replaces {
            ended.push(session.id());
        } else {
            live.push(session);
        }
    }
    live.sort_by_key(|session| (session.opened_at, session.id()));
    let crowded = (live.len() + 1).saturating_sub(SESSIONS_MAX);
    ended.extend(live[..crowded].iter().map(|session| session.id()));
    ended.into()
}
