//! Many seeds, on as many threads as there are processors.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Runs every seed; the first failure met ends it.
pub fn run_all(seeds: Range<u64>, run: impl Fn(u64) -> Result<(), String> + Sync) -> Result<(), String> {
    let next = AtomicU64::new(seeds.start);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(());
            }
            if let Err(failure) = run(seed) {
                next.store(seeds.end, Ordering::Relaxed);
                return Err(failure);
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = |worker: thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|_| Err("a seed panicked".to_owned()))
        };
        workers.into_iter().map(ended).find(Result::is_err).unwrap_or(Ok(()))
    })
}
