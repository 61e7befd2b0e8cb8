//! On which day a credential was last used: kept in memory, written down once a day and credential.
//!
//! A call costs one comparison. What was not written down yet is lost in a crash: at the most the first uses
//! of the last minute, on a day on which these credentials are not used again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use engine::{Engine, Request, Unavailable};
use ledger::{Act, Actor, Command, CredentialIndex, day_of};

const CHUNK: usize = 4096;
/// Written down with one visit to the book.
const WRITTEN_AT_ONCE: usize = 1000;

#[derive(Default)]
pub struct LastUse {
    days: RwLock<Vec<Box<[AtomicU32]>>>,
    /// Used for the first time on that day.
    unwritten: Mutex<Vec<CredentialIndex>>,
}

impl LastUse {
    /// It proved somebody just now.
    pub(crate) fn note(&self, credential: CredentialIndex, engine: &Engine) {
        let today = day_of(engine.clock().now());
        if self.day(credential) < today && self.set(credential, today) < today {
            self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).push(credential);
        }
    }

    /// Whether any was used for the first time on its day since this was asked last: where nothing is written
    /// down, somebody else has to hear of it.
    pub fn take_news(&self) -> bool {
        let unwritten = std::mem::take(&mut *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner));
        !unwritten.is_empty()
    }

    /// The day of its last use since this process began; zero when there was none.
    pub fn day(&self, credential: CredentialIndex) -> u32 {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        let chunk = days.get(credential.slot() / CHUNK);
        chunk.map_or(0, |chunk| chunk[credential.slot() % CHUNK].load(Ordering::Relaxed))
    }

    /// The day that stood there before.
    fn set(&self, credential: CredentialIndex, day: u32) -> u32 {
        let (chunk, place) = (credential.slot() / CHUNK, credential.slot() % CHUNK);
        {
            let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(days) = days.get(chunk) {
                return days[place].fetch_max(day, Ordering::Relaxed);
            }
        }
        let mut days = self.days.write().unwrap_or_else(PoisonError::into_inner);
        while days.len() <= chunk {
            days.push((0..CHUNK).map(|_| AtomicU32::new(0)).collect());
        }
        days[chunk][place].fetch_max(day, Ordering::Relaxed)
    }

    /// Writes down what is not yet; how many that were. Something calls it now and then.
    pub async fn write_down(&self, engine: &Engine) -> Result<usize, Unavailable> {
        let unwritten = std::mem::take(&mut *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner));
        let mut written = 0;
        for some in unwritten.chunks(WRITTEN_AT_ONCE) {
            let uses: Vec<_> = some.iter().map(|credential| (*credential, self.day(*credential))).collect();
            // After a start it is not known here what was written before.
            let news = engine.read(move |ledger, _| {
                let is_news = |(credential, day): &(CredentialIndex, u32)| {
                    ledger.credential(*credential).used_on < *day
                };
                uses.into_iter().filter(is_news).collect::<Vec<_>>()
            });
            let request = |(credential, day)| {
                let act = Act::NoteUse { credential, day };
                Request { command: Command { actor: Actor::System, act }, key: None }
            };
            let requests: Vec<_> = news.await?.into_iter().map(request).collect();
            written += requests.len();
            engine.submit_all(requests).await?;
        }
        Ok(written)
    }
}
