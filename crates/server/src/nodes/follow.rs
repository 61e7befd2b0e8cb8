//! A follower of one book, on a thread of its own: it is ready when this node takes the lead, and until then it
//! shows its state to reads that may be a little old.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::Router;
use dialect::App;
use engine::{BookNumber, OpenError};
use journal::with_causes;

use super::Standing;
use super::feeding::{Feed, Feeds, News};
use super::term::{Grounds, is_passing};
use crate::BookError;
use crate::open_book::Followed;

/// Before it is tried again to follow.
const AGAIN: Duration = Duration::from_secs(1);
/// Whoever feeds nudges; this is for what came between two looks.
const IDLE: Duration = Duration::from_millis(100);

/// What the front sees of a book's follower.
#[derive(Default)]
pub(super) struct Near(Mutex<Option<Arc<Shown>>>);

impl Near {
    pub(super) fn shown(&self) -> Option<Arc<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn show(&self, shown: Option<Arc<Shown>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }
}

/// The dialects over a follower.
pub(super) struct Shown {
    pub(super) router: Router,
    pub(super) app: Arc<App>,
    since: Mutex<Option<Instant>>,
}

impl Shown {
    /// Everything that was acknowledged before is in what is shown, and all that is shown is durable. None, where
    /// that is not certain.
    pub(super) fn since(&self) -> Option<Instant> {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, since: Option<Instant>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

pub(super) struct Follow {
    book: BookNumber,
    feeds: Feeds,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Option<Followed>>>,
}

impl Follow {
    /// None, where nothing is followed, or there is no thread for it.
    pub(super) fn begin(
        book: BookNumber,
        grounds: &Arc<Grounds>,
        near: &Arc<Near>,
        standing: &Arc<Standing>,
    ) -> Option<Self> {
        let feeds = grounds.feeds.clone()?;
        let is_over = Arc::<AtomicBool>::default();
        let keeping = Keeping {
            book,
            grounds: Arc::clone(grounds),
            feeds: feeds.clone(),
            near: Arc::clone(near),
            standing: Arc::clone(standing),
            is_over: Arc::clone(&is_over),
        };
        let thread = std::thread::Builder::new().name(format!("follows {book}"));
        match thread.spawn(move || keeping.run()) {
            Ok(thread) => Some(Self { book, feeds, is_over, thread: Some(thread) }),
            Err(error) => {
                tracing::error!(%error, "no thread for a follower");
                None
            }
        }
    }

    /// What was followed, for whoever leads from here on. One that is still being opened is waited for: opening
    /// the book would take as long.
    pub(super) fn finish(mut self) -> Option<Followed> {
        self.tell();
        let followed = self.thread.take()?.join();
        followed.unwrap_or_else(|_| {
            tracing::error!("a follower's thread ended by a bug");
            None
        })
    }

    fn tell(&self) {
        self.is_over.store(true, Ordering::Release);
        self.feeds.nudge(self.book);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.tell();
    }
}

/// On the follower's own thread.
struct Keeping {
    book: BookNumber,
    grounds: Arc<Grounds>,
    feeds: Feeds,
    near: Arc<Near>,
    standing: Arc<Standing>,
    is_over: Arc<AtomicBool>,
}

/// Why a follower is worth nothing any more.
enum Lost {
    /// The journal holds something else by now.
    Replaced,
    /// It is not to be trusted, or cannot read what is there.
    Stopped,
}

impl Keeping {
    fn run(self) -> Option<Followed> {
        let book = self.book.get();
        while !self.is_over() {
            let begun = Instant::now();
            match self.grounds.source.follow(self.book, &self.grounds.options) {
                Ok(followed) => {
                    let took_ms = begun.elapsed().as_millis() as u64;
                    tracing::debug!(book, took_ms, "this node follows");
                    match self.keep(followed) {
                        Ok(followed) => return Some(followed),
                        Err(Lost::Replaced) => {}
                        Err(Lost::Stopped) => return None,
                    }
                }
                // Before a book is led for the first time there are no keys.
                Err(error)
                    if is_passing(&error) || matches!(error, BookError::Book(OpenError::KeysMissing)) =>
                {
                    tracing::debug!(book, reason = with_causes(&error), "the book is not followed yet");
                }
                Err(error) => {
                    tracing::error!(book, reason = with_causes(&error), "the book is not followed");
                    return None;
                }
            }
            std::thread::park_timeout(AGAIN);
        }
        None
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Until somebody takes it.
    fn keep(&self, mut followed: Followed) -> Result<Followed, Lost> {
        let grounds = &self.grounds;
        let app = grounds.app(&followed.engine, followed.sandbox.clone());
        let router = crate::router(Arc::clone(&app));
        let shown = Arc::new(Shown { router, app, since: Mutex::default() });
        let feed = Arc::new(Feed::new(followed.engine.clone(), followed.whereabouts.clone()));
        self.feeds.begin(self.book, &feed);
        self.near.show(Some(Arc::clone(&shown)));
        self.standing.follows.store(true, Ordering::Relaxed);
        let ended = self.feed(&mut followed, &feed, &shown);
        self.standing.follows.store(false, Ordering::Relaxed);
        self.near.show(None);
        self.feeds.end(self.book);
        ended.map(|()| followed)
    }

    fn feed(&self, followed: &mut Followed, feed: &Feed, shown: &Shown) -> Result<(), Lost> {
        let (book, following) = (self.book.get(), &mut followed.following);
        while !self.is_over() {
            if let Some(News { end, since }) = feed.take() {
                // Nothing is shown as certain that may be folded in a moment and is not.
                if since.is_none() {
                    shown.set(None);
                }
                let done = match end {
                    Some(end) => following.advance(end),
                    None => following.look().map(drop),
                };
                match done {
                    Ok(()) => shown.set(since.filter(|_| end.is_some())),
                    Err(error @ OpenError::Replaced { .. }) => {
                        tracing::warn!(book, reason = with_causes(&error), "what was followed is dropped");
                        return Err(Lost::Replaced);
                    }
                    Err(error) if is_transient(&error) => {
                        tracing::debug!(book, reason = with_causes(&error), "following is tried again");
                        shown.set(None);
                    }
                    Err(error) => {
                        tracing::error!(book, reason = with_causes(&error), "the follower has stopped");
                        return Err(Lost::Stopped);
                    }
                }
            }
            following.serve();
            following.wait(IDLE);
        }
        Ok(())
    }
}

/// Reading may be tried again.
fn is_transient(error: &OpenError) -> bool {
    match error {
        OpenError::Read(error) => !matches!(error, journal::ReadError::Damaged { .. }),
        OpenError::Vault(_) => true,
        _ => false,
    }
}
