//! Waiting for the database from threads that may or may not be a runtime's.
//!
//! The journal's callers are threads of the book, of the server's runtime and of tests. Blocking on a
//! runtime of ours would panic on some of them; parking works on all, and the connections' own thread
//! does the rest.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What the future gives, unless it takes longer than `limit`. Dropping a statement's future asks
/// nothing of the server: a cancelled commit may be answered as done.
pub(crate) fn wait<F: Future>(future: F, limit: Duration) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let until = Instant::now() + limit;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        std::thread::park_timeout(left);
    }
}

/// Lets time pass between two attempts.
pub(crate) fn pause(time: Duration) {
    wait(std::future::pending::<()>(), time);
}
