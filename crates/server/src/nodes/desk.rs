//! One book as this node knows it: who leads it, whether to take it, and the term for which this node does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use engine::BookNumber;
use journal::{Anchor, with_causes};
use journal_postgres::{Lead, NodeId, Nodes, Watch};
use tokio::sync::watch::Sender;

use super::complaints::Complaints;
use super::follow::{Follow, Near};
use super::spread::{first_before, rank};
use super::term::{Ended, Grounds, Term};
use super::{Role, Standing};
use crate::BookError;

/// After handing over, the lead is left to others for so long; then this node takes it back.
const HANDED_OVER: Duration = Duration::from_secs(2);
/// A book that may be taken is left so long to each living node that it is rather for.
const RANK_WAIT: Duration = Duration::from_millis(100);
/// A book is kept so long before it is handed to another: a node that is leaving is seen to by then.
const SETTLED: Duration = Duration::from_secs(5);
/// A node that did not keep a book it was handed is not handed it again for so long.
const HANDED_AGAIN: Duration = Duration::from_secs(300);

pub(super) struct Desk {
    book: BookNumber,
    role: Sender<Role>,
    standing: Arc<Standing>,
    watch: Watch,
    term: Option<Term>,
    near: Arc<Near>,
    follow: Option<Follow>,
    begun: Instant,
    /// Why this node does not lead, if the book cannot be opened.
    fault: Option<String>,
    /// Since when nobody keeps others from taking it.
    free_since: Option<Instant>,
    handed: Option<(NodeId, Instant)>,
    /// The anchor that this term's journal was asked to name.
    named: Option<u64>,
    complaints: Complaints,
}

/// Who there is, as seen right now.
pub(super) struct Seen<'a> {
    pub(super) now: Instant,
    pub(super) me: &'a NodeId,
    /// Living nodes that can be reached.
    pub(super) others: &'a [NodeId],
}

impl Desk {
    pub(super) fn new(
        book: BookNumber,
        role: Sender<Role>,
        standing: Arc<Standing>,
        near: Arc<Near>,
    ) -> Self {
        // Ranks spread the nodes already.
        let watch = Watch::new(Instant::now(), 0);
        let complaints = Complaints::default();
        let begun = Instant::now();
        Self {
            book,
            role,
            standing,
            watch,
            term: None,
            near,
            follow: None,
            begun,
            fault: None,
            free_since: None,
            handed: None,
            named: None,
            complaints,
        }
    }

    pub(super) fn book(&self) -> BookNumber {
        self.book
    }

    pub(super) fn number(&self) -> u32 {
        u32::from(self.book.get())
    }

    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(super) fn is_held(&self) -> bool {
        self.term.is_some()
    }

    /// What this node is to the book.
    pub(super) fn role(&self) -> Role {
        self.role.borrow().clone()
    }

    /// Takes note of a term that has ended. The error is one that a start cannot go on with.
    pub(super) fn note_end(&mut self, rows: &Nodes, has_led: bool) -> Option<BookError> {
        let term = self.term.take_if(|term| term.has_ended())?;
        let ended = term.join();
        self.role.send_replace(Role::Leaderless);
        self.standing.leads.store(false, Ordering::Relaxed);
        let now = Instant::now();
        match ended {
            Ended::Faulted(error) if self.book == BookNumber::FIRST && !has_led => return Some(error),
            Ended::Faulted(error) => {
                let reason = with_causes(&error);
                tracing::error!(book = self.book.get(), reason, "the book cannot be opened");
                self.fault = Some(reason);
                self.watch.lost(now);
            }
            Ended::NotOpened => self.watch.lost(now),
            Ended::Lost => {
                self.watch.won();
                self.watch.lost(now);
            }
            Ended::HandedOver => self.watch.wait(now, HANDED_OVER),
        }
        // Rows are advice: one that stays is seen to stand still.
        self.complaints.hear(rows.hand_over(self.number()), "the lead is not handed over");
        None
    }

    /// Once the journal says that this node leads, whatever the row says.
    pub(super) fn assert(&mut self, rows: &Nodes) {
        if self.term.as_ref().is_some_and(Term::is_proven) {
            self.complaints.hear(rows.assert(self.number()), "the lead is not written");
        }
    }

    /// Has the book say what an operator is about to have removed, if it is led here.
    pub(super) fn name_anchor(&mut self, anchor: &Anchor) {
        if let Role::Leading(led) = &*self.role.borrow()
            && self.named != Some(anchor.tail.position)
            && led.app.engine.name_anchor(*anchor).is_ok()
        {
            self.named = Some(anchor.tail.position);
        }
    }

    /// Looks at the book's row, and does what it says.
    pub(super) fn look(
        &mut self,
        lead: Option<&Lead>,
        seen: &Seen<'_>,
        rows: &Nodes,
        grounds: &Arc<Grounds>,
    ) {
        if let Some(term) = &self.term {
            if lead.and_then(|lead| lead.node) != Some(*seen.me) {
                term.dispute();
            } else if let Some(first) = self.heir(seen) {
                tracing::info!(book = self.book.get(), "the book is handed to a node that it is rather for");
                self.handed = Some((first, seen.now));
                term.hand_over();
            }
            return;
        }
        if self.follow.is_none() && grounds.feeds.is_some() {
            self.follow = Follow::begin(self.book, grounds, &self.near, &self.standing);
        }
        let may_take = self.watch.look(lead, seen.now);
        self.standing.silence_ms.store(self.watch.silence(seen.now).as_millis() as u64, Ordering::Relaxed);
        if !may_take {
            self.free_since = None;
            return self.tell(lead, seen.me);
        }
        let since = *self.free_since.get_or_insert(seen.now);
        let silent = lead.and_then(|lead| lead.node);
        let others: Vec<_> = seen.others.iter().copied().filter(|node| Some(*node) != silent).collect();
        if seen.now.duration_since(since) < RANK_WAIT * rank(seen.me, &others, self.book) {
            return;
        }
        self.free_since = None;
        let taken = rows.take(self.number(), lead);
        match self.complaints.hear(taken, "the lead is not taken") {
            Some(true) => {
                let (role, follow) = (self.role.clone(), self.follow.take());
                match Term::begin(self.book, grounds, role, &self.standing, follow) {
                    Ok(term) => {
                        (self.term, self.begun, self.fault) = (Some(term), seen.now, None);
                        self.named = None;
                    }
                    Err(error) => {
                        tracing::error!(%error, "no thread for a book");
                        self.watch.lost(Instant::now());
                    }
                }
            }
            _ => self.watch.lost(Instant::now()),
        }
    }

    /// Who should have the book instead, once this node serves it.
    fn heir(&self, seen: &Seen<'_>) -> Option<NodeId> {
        let is_settled = seen.now.duration_since(self.begun) >= SETTLED;
        if !is_settled || !matches!(*self.role.borrow(), Role::Leading(_)) {
            return None;
        }
        let first = first_before(seen.me, seen.others, self.book)?;
        let again = self
            .handed
            .is_some_and(|(node, at)| node == *first && seen.now.duration_since(at) < HANDED_AGAIN);
        (!again).then_some(*first)
    }

    /// Where requests go.
    fn tell(&self, lead: Option<&Lead>, me: &NodeId) {
        // A row that names this node is of no use: it does not lead.
        let others = lead.filter(|lead| lead.node.is_some_and(|node| node != *me));
        let address = others.and_then(|lead| lead.address.clone());
        self.role.send_if_modified(|role| match (&*role, address) {
            (Role::Following(known), Some(leader)) if *known == leader => false,
            (Role::Leaderless, None) => false,
            (_, Some(leader)) => {
                *role = Role::Following(leader);
                true
            }
            (_, None) => {
                *role = Role::Leaderless;
                true
            }
        });
    }
}
