//! A node that follows and keeps a state of the book: it answers reads that may be a little old, and leads from
//! what it has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

use engine::{Engine, Following, OpenError, Rounds};
use journal::ReadError;
use journal_postgres::{Database, Ends, NodeId, Whereabouts};

use super::message::{Said, Wanted};
use super::node::{BOOK, Node, is_wrong};
use super::serving::{asked, poll};
use super::world::{Micros, SECOND};

/// What is kept from one look to the next.
pub struct Kept {
    database: Arc<Database>,
    ends: Ends,
    followed: Option<Followed>,
    not_before: Micros,
}

pub struct Followed {
    engine: Engine,
    following: Following,
    whereabouts: Whereabouts,
    /// Everything that was acknowledged before is in it, and it is durable.
    since: Option<Micros>,
}

impl Kept {
    pub fn new(database: &Arc<Database>, me: NodeId) -> Self {
        Self { ends: Ends::new(database, me), database: database.clone(), followed: None, not_before: 0 }
    }

    pub fn take(&mut self) -> Option<Followed> {
        self.followed.take()
    }
}

impl Node {
    /// Looks where the book ends, and folds what is new.
    pub(super) fn keep_up(&self, kept: &mut Kept) {
        if !self.world.lock().shape.follows || self.now() < kept.not_before {
            return;
        }
        let followed = match kept.followed.take() {
            Some(followed) => Ok(followed),
            None => self.begin_to_follow(&kept.database),
        };
        match followed.and_then(|followed| self.look(&kept.ends, followed)) {
            Ok(followed) => kept.followed = Some(followed),
            Err(error) => {
                let mut world = self.world.lock();
                world.story.dropped += u64::from(matches!(error, OpenError::Replaced { .. }));
                if let Some(wrong) = is_wrong(&error) {
                    world.fail(format!("node {} does not follow: {wrong}", self.node));
                }
                kept.not_before = world.now + SECOND / 5;
            }
        }
    }

    fn begin_to_follow(&self, database: &Database) -> Result<Followed, OpenError> {
        let mut whereabouts = None;
        let journal = database.follow(BOOK).inspect(|journal| whereabouts = Some(journal.whereabouts()));
        let (engine, following) = Engine::follow(self.parts(journal)?)?;
        let whereabouts = whereabouts.ok_or(ReadError::Missing { position: 0 })?;
        Ok(Followed { engine, following, whereabouts, since: None })
    }

    /// An error is one after which what was followed is worth nothing.
    fn look(&self, ends: &Ends, mut followed: Followed) -> Result<Followed, OpenError> {
        let (asked_at, prove) = (self.now(), !self.world.lock().random.one_in(8));
        let books = BTreeMap::from([(BOOK, followed.whereabouts.era())]);
        let Ok(seen) = ends.look(&books, prove) else { return Ok(followed) };
        let Some(end) = seen.ends.get(&BOOK) else { return Ok(followed) };
        if !seen.is_proven {
            followed.since = None;
        }
        let done = match end {
            Some(end) => followed.following.advance(*end),
            None => followed.following.look().map(drop),
        };
        match done {
            Ok(()) => followed.since = (seen.is_proven && end.is_some()).then_some(asked_at),
            Err(OpenError::Read(error)) if !matches!(error, ReadError::Damaged { .. }) => {
                followed.since = None;
            }
            Err(OpenError::Vault(_)) => followed.since = None,
            Err(error) => return Err(error),
        }
        Ok(followed)
    }

    /// The answer to a read that may be old enough; nothing to all else.
    pub(super) fn near(&self, kept: &mut Kept, wanted: Wanted) -> Said {
        let (Wanted::Near(_, age_max), Some(followed)) = (&wanted, &mut kept.followed) else {
            return Said::Nothing;
        };
        let Some(since) = followed.since.filter(|since| self.now() - since <= *age_max) else {
            return Said::Nothing;
        };
        let mut asking = asked(followed.engine.clone(), wanted);
        let mut said = poll(&mut asking);
        if said.is_pending() {
            followed.following.serve();
            said = poll(&mut asking);
        }
        match said {
            Poll::Ready(Said::Read(figures)) => Said::Near(figures, since),
            _ => Said::Nothing,
        }
    }

    /// None: what was followed is not what the journal holds, and the book is opened as at a start.
    pub(super) fn lead_warm(&self, followed: Followed) -> Result<Option<(Engine, Rounds)>, OpenError> {
        let Followed { engine, following, .. } = followed;
        match following.lead() {
            Ok((rounds, _)) => {
                self.world.lock().story.warm += 1;
                Ok(Some((engine, rounds)))
            }
            Err(error @ OpenError::Book(_)) => Err(error),
            Err(error) => match is_wrong(&error) {
                Some(_) => Err(error),
                None => Ok(None),
            },
        }
    }
}
