//! The thread of a node: it beats, looks at all books' rows at once, and takes and lets go of books.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use journal_postgres::{BEAT_EVERY, NodeId, Nodes, POLL_EVERY};

use super::Role;
use super::complaints::Complaints;
use super::desk::{Desk, Seen};
use super::others::Others;
use super::phase::Phase;
use super::term::Grounds;
use crate::health::Spread;
use crate::{BooksError, Readiness};

/// A node's own row moves so often.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Watching {
    pub(super) rows: Nodes,
    pub(super) me: NodeId,
    pub(super) desks: Vec<Desk>,
    pub(super) grounds: Arc<Grounds>,
}

/// Something that is due again after a time.
#[derive(Default)]
struct Due(Option<Instant>);

impl Due {
    fn is(&mut self, now: Instant, every: Duration) -> bool {
        let is = self.0.is_none_or(|last| now.duration_since(last) >= every);
        if is {
            self.0 = Some(now);
        }
        is
    }
}

impl Watching {
    /// Until the process ends. The error is one that a start cannot go on with.
    pub(super) fn run(mut self) -> Option<BooksError> {
        let (mut alive, mut beaten) = (Due::default(), Due::default());
        let (mut others, mut complaints) = (Others::default(), Complaints::default());
        let mut failure = None;
        loop {
            if self.grounds.phase.has(Phase::DRAINING) {
                // Who settles an unknown outcome may do so for long: the process is to end.
                self.grounds.source.database.give_up();
            }
            failure = failure.or(self.note_ends());
            if failure.is_some() {
                self.grounds.phase.begin(Phase::ENDING);
            }
            let is_ending = self.grounds.phase.has(Phase::ENDING);
            if is_ending && !self.desks.iter().any(Desk::is_held) {
                _ = self.rows.leave();
                return failure;
            }
            let now = Instant::now();
            if alive.is(now, ALIVE_EVERY) {
                self.live(&mut others, now, &mut complaints);
            }
            if beaten.is(now, BEAT_EVERY) {
                self.beat(&mut complaints);
            }
            // As it was before the question: what the answer took is not silence.
            match self.rows.leads() {
                Ok(leads) if !is_ending => {
                    let reached = others.reached(now);
                    let seen = Seen { now, me: &self.me, others: &reached };
                    for desk in &mut self.desks {
                        desk.look(leads.get(&desk.number()), &seen, &self.rows, &self.grounds);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    complaints.hear(Err::<(), _>(error), "who leads is not known");
                }
            }
            self.grounds.health.set(Readiness::Among(self.spread()));
            std::thread::park_timeout(POLL_EVERY);
        }
    }

    fn note_ends(&mut self) -> Option<BooksError> {
        let has_led = self.grounds.takeovers.load(Ordering::Relaxed) > 0;
        let Self { desks, rows, .. } = self;
        let ends = desks.iter_mut().map(|desk| desk.note_end(rows, has_led));
        ends.fold(None, Option::or)
    }

    /// Says that this node lives, and looks who else does.
    fn live(&mut self, others: &mut Others, now: Instant, complaints: &mut Complaints) {
        if self.grounds.phase.has(Phase::DRAINING) {
            // Nobody hands a book to one who is going.
            complaints.hear(self.rows.leave(), "this node's row is not removed");
        } else {
            complaints.hear(self.rows.beat(), "this node's row is not written");
        }
        let Some(rows) = complaints.hear(self.rows.others(), "who else is there is not known") else {
            return;
        };
        others.look(&rows, now);
        self.grounds.has_others.store(!others.reached(now).is_empty(), Ordering::Release);
        self.name_anchors();
        for gone in others.gone(now) {
            complaints.hear(self.rows.forget(gone), "the row of a node that is gone is not removed");
        }
    }

    /// An operator may have written anchors: whoever leads names them.
    fn name_anchors(&mut self) {
        match self.grounds.source.database.asked_anchors() {
            Ok(asked) => {
                for (book, anchor) in asked {
                    let desk = self.desks.iter_mut().find(|desk| desk.number() == book);
                    desk.into_iter().for_each(|desk| desk.name_anchor(&anchor));
                }
            }
            Err(error) => tracing::debug!(%error, "whether anchors wait is not known"),
        }
    }

    fn beat(&mut self, complaints: &mut Complaints) {
        let held: Vec<u32> = self.desks.iter().filter(|it| it.is_held()).map(Desk::number).collect();
        if !held.is_empty() {
            complaints.hear(self.rows.keep(&held), "the leader's beat is not written");
        }
        for desk in &mut self.desks {
            desk.assert(&self.rows);
        }
    }

    fn spread(&self) -> Spread {
        let takeovers = self.grounds.takeovers.load(Ordering::Relaxed);
        let mut spread = Spread { takeovers, ..Spread::default() };
        for desk in &self.desks {
            let book = desk.book();
            match (desk.role(), desk.fault()) {
                (Role::Leading(_), _) => spread.leads.push(book),
                (Role::Following(leader), _) => spread.follows.entry(leader).or_default().push(book),
                (Role::Leaderless, Some(reason)) => spread.faulted.push((book, reason.to_owned())),
                (Role::Leaderless, None) => spread.leaderless.push(book),
            }
        }
        spread
    }
}
