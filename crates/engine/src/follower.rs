//! The state of a book that is led elsewhere: folded from what the leader has appended, and never written to.
//!
//! | | a book that leads | a follower |
//! |---|---|---|
//! | its state is | ahead of the journal, by one group | behind it |
//! | groups come | from its callers | from the journal, when somebody says how far it goes |
//! | what it shows is durable | because it is told behind an append or a proof | as far as whoever feeds it has proven so |
//! | speaks | for itself, behind its barrier | never: it leads first, or its answers say how old they are |
//!
//! Every group must follow the one before; where one does not, history was replaced, and everything here is
//! worth nothing: whoever runs it drops it and opens another. A digest in the journal that disagrees means
//! that this state or the leader's is wrong, and nobody can tell which: it stops, aloud.

use std::sync::Arc;

use domain::Timestamp;
use journal::{Group, GroupError, ReadError, Tail};
use ledger::{Event, Ledger, PeopleEvent};

use crate::audit;
use crate::book::{Book, Parts};
use crate::clock::BookTime;
use crate::directory::{self, Directory};
use crate::erasure::erased_with;
use crate::record::{Item, owners_in};
use crate::recovery::{Folded, OpenError, Recovered, decode_and, known_master_key};
use crate::refusals::Refusals;
use crate::seal::{MasterKey, Owner, Seals};

pub struct Follower {
    pub(crate) parts: Parts,
    pub(crate) folded: Folded,
    pub(crate) time: BookTime,
    pub(crate) directory: Arc<Directory>,
    pub(crate) seals: Seals,
    /// Counted once it leads.
    pub(crate) refusals: Arc<Refusals>,
    /// What the directory has to be told.
    published: Vec<Event>,
    /// Owners who were removed, and whose keys are not seen to be destroyed yet.
    erasing: Vec<Owner>,
    /// Owners whose keys somebody else may have made.
    unmet: Vec<Owner>,
}

/// Groups read before they are folded.
const AHEAD_BYTES: usize = 4 << 20;
/// Of each kind: more than a group opens, mostly. What is missed stops the book, which then opens as at a start.
const NEXT_OWNERS: usize = 512;

impl Follower {
    /// Loads the newest snapshot that checks, and replays what came after it. Nothing is written.
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        let master = known_master_key(&*parts.vault)?;
        Self::load(parts, master)
    }

    pub(crate) fn load(parts: Parts, master: MasterKey) -> Result<Self, OpenError> {
        let folded = Folded::load(&parts)?;
        let directory = Arc::new(Directory::default());
        directory.fill(&folded.ledger);
        let seals = Seals::new(&master, parts.options.book);
        let time = BookTime::new(folded.newest);
        let mut follower = Self {
            parts,
            folded,
            time,
            directory,
            seals,
            refusals: Arc::new(Refusals::since(Timestamp::NEVER)),
            published: Vec::new(),
            erasing: Vec::new(),
            unmet: Vec::new(),
        };
        follower.find_unerased();
        Ok(follower)
    }

    pub fn ledger(&self) -> &Ledger {
        &self.folded.ledger
    }

    /// The last group that was folded.
    pub fn tail(&self) -> Tail {
        self.folded.tail
    }

    /// When that group was written.
    pub fn newest(&self) -> Timestamp {
        self.time.last
    }

    /// By the clock here, as far as it is to be believed.
    pub fn now(&mut self) -> Timestamp {
        self.time.read(&*self.parts.clock).unwrap_or(self.time.last)
    }

    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Folds the groups up to `to`, which stands in the journal. After an error other than one of reading, this
    /// state is worth nothing; reading may be tried again.
    pub fn advance(&mut self, to: Tail) -> Result<(), OpenError> {
        self.look_after_erased()?;
        if to.position > self.folded.tail.position {
            self.fold_to(to.position)?;
        }
        if self.folded.tail != to {
            return Err(OpenError::Replaced { position: to.position });
        }
        // An attempt before may have got no further than to here.
        self.meet_all(&[])?;
        if !self.published.is_empty() {
            self.directory.publish(&self.folded.ledger, &self.published);
            self.published.clear();
        }
        self.folded.window.step(self.time.last);
        Ok(())
    }

    fn fold_to(&mut self, position: u64) -> Result<(), OpenError> {
        if self.parts.journal.tail().position < position {
            self.parts.journal.look()?;
        }
        let next = self.folded.tail.position + 1;
        let count = usize::try_from(position + 1 - next).unwrap_or(usize::MAX);
        let mut scan = self.parts.journal.reader().scan(next)?.take(count);
        while self.folded.tail.position < position {
            let groups = read_ahead(&mut scan).map_err(replaced_or_not)?;
            if groups.is_empty() {
                return Err(ReadError::Missing { position: self.folded.tail.position + 1 }.into());
            }
            self.meet_all(&groups)?;
            for group in &groups {
                self.fold(group)?;
            }
        }
        Ok(())
    }

    /// Has the journal look where it ends, and in which place: readers see that far.
    pub fn look(&mut self) -> Result<Tail, OpenError> {
        Ok(self.parts.journal.look()?)
    }

    /// Folds what there is by now, and appends a barrier: from here on it decides, and speaks. What was found
    /// is what it had to fold for that.
    pub fn lead(mut self) -> Result<(Book, Recovered), OpenError> {
        self.folded.found = Recovered::default();
        let to = self.parts.journal.look()?;
        self.advance(to)?;
        // The last leader may have left keys for a group that it never wrote.
        self.unmet = Owner::next(&self.folded.ledger, NEXT_OWNERS);
        self.meet_all(&[])?;
        let found = self.folded.found;
        Ok((Book::assemble(self)?, found))
    }

    fn fold(&mut self, group: &Group) -> Result<(), OpenError> {
        let header = group.header();
        if !header.follows(&self.folded.tail) {
            return Err(OpenError::Replaced { position: header.position });
        }
        let Self { parts, folded, published, erasing, unmet, .. } = self;
        decode_and(group, &parts.vault, |items| {
            let mut removed = Vec::new();
            for (item, _) in items {
                let Item::Record(record) = item else { continue };
                match &record.event {
                    Event::Audited(entry) => unmet.extend(audit::owners(entry)),
                    Event::People(event) => {
                        if let PeopleEvent::UserRemoved { user, .. } = **event {
                            removed.push(user);
                        }
                    }
                    _ => {}
                }
                if directory::concerns(&record.event) {
                    published.push(record.event.clone());
                }
            }
            folded.fold(items)?;
            erasing.extend(removed.into_iter().flat_map(|user| erased_with(&folded.ledger, user)));
            Ok(())
        })?;
        self.folded.tail = group.tail();
        self.folded.found.groups += 1;
        self.time.last = header.time;
        Ok(())
    }

    /// Has the keys of all owners in these groups that are new here: without one a text would be read as one
    /// that was erased.
    fn meet_all(&mut self, groups: &[Group]) -> Result<(), OpenError> {
        let Self { parts, unmet, .. } = self;
        for group in groups {
            let position = group.header().position;
            owners_in(group, |owner| unmet.push(owner))
                .map_err(|source| OpenError::Malformed { position, source })?;
        }
        let mut unknown: Vec<u64> = unmet.iter().map(|owner| owner.0).collect();
        unknown.retain(|owner| parts.vault.get(*owner).is_none());
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            parts.vault.refresh(&unknown)?;
        }
        unmet.clear();
        Ok(())
    }

    /// Somebody else destroys the keys of who was removed, a little later than that is in the journal.
    fn look_after_erased(&mut self) -> Result<(), OpenError> {
        if !self.erasing.is_empty() {
            let owners: Vec<u64> = self.erasing.iter().map(|owner| owner.0).collect();
            self.parts.vault.refresh(&owners)?;
            self.erasing.retain(|owner| self.parts.vault.get(owner.0).is_some());
        }
        Ok(())
    }

    fn find_unerased(&mut self) {
        let ledger = &self.folded.ledger;
        let removed = ledger.users().filter(|(_, user)| user.is_removed());
        let owners = removed.flat_map(|(index, _)| erased_with(ledger, index));
        self.erasing = owners.filter(|owner| self.parts.vault.get(owner.0).is_some()).collect();
    }
}

/// A group that does not follow the one before it is another history's.
fn replaced_or_not(error: ReadError) -> OpenError {
    match error {
        ReadError::Damaged { position, reason: GroupError::Unchained, .. } => {
            OpenError::Replaced { position }
        }
        error => error.into(),
    }
}

/// The next groups, as many as make about [`AHEAD_BYTES`].
fn read_ahead(scan: &mut impl Iterator<Item = Result<Group, ReadError>>) -> Result<Vec<Group>, ReadError> {
    let (mut groups, mut bytes) = (Vec::new(), 0);
    while bytes < AHEAD_BYTES
        && let Some(group) = scan.next()
    {
        let group = group?;
        bytes += group.bytes().len();
        groups.push(group);
    }
    Ok(groups)
}

#[cfg(test)]
mod tests;
