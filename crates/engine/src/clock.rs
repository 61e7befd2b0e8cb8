//! The one place that reads clocks, and where randomness comes from. Everything else is told.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use domain::Timestamp;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Microseconds since some fixed instant, untouched by whoever sets the wall clock.
    fn monotonic_micros(&self) -> i64;
}

pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's clock.
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Timestamp::from_micros(micros)
    }

    fn monotonic_micros(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is moved: for tests.
pub struct ManualClock {
    now: AtomicI64,
    monotonic: AtomicI64,
}

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self { now: now.as_micros().into(), monotonic: 0.into() }
    }

    /// Time passes.
    pub fn advance_secs(&self, secs: i64) {
        self.now.fetch_add(secs * 1_000_000, Ordering::SeqCst);
        self.monotonic.fetch_add(secs * 1_000_000, Ordering::SeqCst);
    }

    /// Time passes until `instant`; nothing happens if it is past.
    pub fn advance_to(&self, instant: Timestamp) {
        let by = instant.micros_since(self.now()).max(0);
        self.now.fetch_add(by, Ordering::SeqCst);
        self.monotonic.fetch_add(by, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn step_secs(&self, secs: i64) {
        self.now.fetch_add(secs * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn monotonic_micros(&self) -> i64 {
        self.monotonic.load(Ordering::SeqCst)
    }
}

/// Runs with another clock, and may be moved ahead of it: for sandboxes. It never goes back.
///
/// Time passes on its monotonic side too, so that a move is no step of the wall clock to mistrust.
pub struct SandboxClock {
    inner: Arc<dyn Clock>,
    ahead_micros: AtomicI64,
    /// Makes it durable how far ahead the clock is, before it is.
    keep: Mutex<Box<KeepAhead>>,
}

type KeepAhead = dyn Fn(i64) -> io::Result<()> + Send;

impl SandboxClock {
    pub fn new(
        inner: Arc<dyn Clock>,
        ahead_micros: i64,
        keep: impl Fn(i64) -> io::Result<()> + Send + 'static,
    ) -> Self {
        Self { inner, ahead_micros: ahead_micros.into(), keep: Mutex::new(Box::new(keep)) }
    }

    /// Moves it to `instant`, once that is durable; nothing happens if it is past.
    pub fn advance_to(&self, instant: Timestamp) -> io::Result<()> {
        // One move at a time: what is kept is what was last set.
        let keep = self.keep.lock().unwrap_or_else(PoisonError::into_inner);
        let by = instant.micros_since(self.now());
        if by > 0 {
            let ahead = self.ahead_micros.load(Ordering::SeqCst).saturating_add(by);
            keep(ahead)?;
            self.ahead_micros.store(ahead, Ordering::SeqCst);
        }
        Ok(())
    }

    fn ahead(&self, micros: i64) -> i64 {
        micros.saturating_add(self.ahead_micros.load(Ordering::SeqCst))
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.ahead(self.inner.now().as_micros()))
    }

    fn monotonic_micros(&self) -> i64 {
        self.ahead(self.inner.monotonic_micros())
    }
}

/// The operating system's randomness.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}

/// Repeats itself for a seed: for tests and simulation.
pub struct SeededEntropy(std::sync::Mutex<blake3::OutputReader>);

impl SeededEntropy {
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        Self(std::sync::Mutex::new(hasher.finalize_xof()))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().expect("filling does not panic").fill(bytes);
    }
}

/// Book time follows the clock only as far as the clock can be believed.
pub struct BookTime {
    /// Of the newest group.
    pub last: Timestamp,
    believed: Option<(Timestamp, i64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockFault {
    #[error("the clock is {behind_ms} ms behind the newest group")]
    Behind { behind_ms: i64 },
    #[error("the clock jumped ahead by {ahead_s} s; confirm that it is right")]
    Stepped { ahead_s: i64 },
}

const BEHIND_MAX_MICROS: i64 = 2_000_000;
const STEP_MAX_MICROS: i64 = 60_000_000;
/// Longer than this between the newest group and a start has to be confirmed.
const REST_MAX_MICROS: i64 = 7 * 24 * 3600 * 1_000_000;

impl BookTime {
    pub fn new(last: Timestamp) -> Self {
        Self { last, believed: None }
    }

    /// One wrong second in 2036 would expire every hold and roll every period, so a clock that jumped
    /// ahead is not followed until an operator says it is right.
    pub fn read(&mut self, clock: &dyn Clock) -> Result<Timestamp, ClockFault> {
        let (now, monotonic) = (clock.now(), clock.monotonic_micros());
        let behind = self.last.micros_since(now);
        if behind > BEHIND_MAX_MICROS {
            return Err(ClockFault::Behind { behind_ms: behind / 1000 });
        }
        let ahead = match self.believed {
            Some((wall, then)) => now.micros_since(wall) - (monotonic - then) - STEP_MAX_MICROS,
            None if self.last == Timestamp::EPOCH => 0,
            None => now.micros_since(self.last) - REST_MAX_MICROS,
        };
        if ahead > 0 {
            return Err(ClockFault::Stepped { ahead_s: (ahead + STEP_MAX_MICROS) / 1_000_000 });
        }
        // A clock that was set back may be set right again: what was believed before stays.
        let runs_behind = self.believed.is_some_and(|(wall, then)| now.micros_since(wall) < monotonic - then);
        if !runs_behind {
            self.believed = Some((now, monotonic));
        }
        Ok(now.max(self.last))
    }

    /// An operator says that the clock is right as it is.
    pub fn confirm(&mut self, clock: &dyn Clock) {
        self.believed = Some((clock.now(), clock.monotonic_micros()));
    }
}
