//! The thread that feeds all followers of a node: where their books end, and from when on that is certain.
//!
//! As long as nobody wants to read from a follower, one plain statement does for all of them. Once somebody does,
//! a write of this node's own stands behind each (`journal_postgres::Ends`): then what was seen is durable, and
//! holds everything that was acknowledged before it was asked for. The leader takes no part in that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::{BookNumber, Engine};
use journal::Tail;
use journal_postgres::{Ends, Whereabouts};

use super::complaints::Complaints;
use super::phase::Phase;

const FEED_EVERY: Duration = Duration::from_millis(25);
/// Somebody who reads from followers reads again.
const INTEREST: Duration = Duration::from_secs(10);

/// When somebody last wanted to read from a follower here.
#[derive(Default)]
pub(super) struct Interest(Mutex<Option<Instant>>);

impl Interest {
    pub(super) fn show(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_there(&self, now: Instant) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| now.saturating_duration_since(last) < INTEREST)
    }
}

/// What a follower is told.
#[derive(Clone, Copy)]
pub(super) struct News {
    /// None: the book has gone on to another table, or is not there.
    pub(super) end: Option<Tail>,
    /// When it was asked for, if it is proven.
    pub(super) since: Option<Instant>,
}

/// One follower, as whoever feeds it knows it.
pub(super) struct Feed {
    engine: Engine,
    whereabouts: Whereabouts,
    news: Mutex<Option<News>>,
}

impl Feed {
    pub(super) fn new(engine: Engine, whereabouts: Whereabouts) -> Self {
        Self { engine, whereabouts, news: Mutex::default() }
    }

    /// The newest; what came before it is of no use any more.
    pub(super) fn take(&self) -> Option<News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn give(&self, news: News) {
        *self.news.lock().unwrap_or_else(PoisonError::into_inner) = Some(news);
        self.engine.nudge();
    }
}

/// Of all books that are followed right now.
#[derive(Clone, Default)]
pub(super) struct Feeds(Arc<Mutex<BTreeMap<BookNumber, Arc<Feed>>>>);

impl Feeds {
    pub(super) fn begin(&self, book: BookNumber, feed: &Arc<Feed>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(book, Arc::clone(feed));
    }

    pub(super) fn end(&self, book: BookNumber) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&book);
    }

    /// Whoever runs the follower looks around.
    pub(super) fn nudge(&self, book: BookNumber) {
        let feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&book) {
            feed.engine.nudge();
        }
    }

    fn all(&self) -> BTreeMap<u32, Arc<Feed>> {
        let feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.iter().map(|(book, feed)| (u32::from(book.get()), Arc::clone(feed))).collect()
    }
}

pub(super) struct Feeding {
    pub(super) ends: Ends,
    pub(super) feeds: Feeds,
    pub(super) interest: Arc<Interest>,
    pub(super) phase: Arc<Phase>,
}

impl Feeding {
    /// Until the process ends.
    pub(super) fn run(self) {
        let mut complaints = Complaints::default();
        while !self.phase.has(Phase::ENDING) {
            let feeds = self.feeds.all();
            if !feeds.is_empty() {
                let eras = feeds.iter().map(|(book, feed)| (*book, feed.whereabouts.era())).collect();
                let now = Instant::now();
                let seen = self.ends.look(&eras, self.interest.is_there(now));
                if let Some(seen) = complaints.hear(seen, "where books end is not known") {
                    let since = seen.is_proven.then_some(now);
                    for (book, end) in seen.ends {
                        if let Some(feed) = feeds.get(&book) {
                            feed.give(News { end, since });
                        }
                    }
                }
            }
            std::thread::park_timeout(FEED_EVERY);
        }
    }
}
