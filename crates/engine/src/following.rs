//! A follower with what waits to be read from it, until it leads.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use journal::Tail;

use crate::follower::Follower;
use crate::recovery::{OpenError, Recovered};
use crate::rounds::{Job, Rounds, Shared};

/// Run by whoever feeds the follower. Dropping it ends its engine: nobody waits for an answer that cannot come.
pub struct Following {
    /// None once it leads.
    follower: Option<Follower>,
    shared: Arc<Shared>,
}

impl Following {
    pub(crate) fn new(follower: Follower, shared: Arc<Shared>) -> Self {
        Self { follower: Some(follower), shared }
    }

    pub fn follower(&self) -> &Follower {
        self.follower.as_ref().expect("it is there until it leads")
    }

    fn follower_mut(&mut self) -> &mut Follower {
        self.follower.as_mut().expect("it is there until it leads")
    }

    /// See [`Follower::advance`].
    pub fn advance(&mut self, to: Tail) -> Result<(), OpenError> {
        self.follower_mut().advance(to)
    }

    /// See [`Follower::look`].
    pub fn look(&mut self) -> Result<Tail, OpenError> {
        self.follower_mut().look()
    }

    /// Shows what was folded to whoever waits to see it.
    pub fn serve(&mut self) {
        let jobs = std::mem::take(&mut self.shared.queue().jobs);
        if jobs.is_empty() {
            return;
        }
        let count = jobs.len();
        let now = self.follower_mut().now();
        for job in jobs {
            // Nothing else was let in.
            if let Job::Read(look) = job {
                look(self.follower().ledger(), now)();
            }
        }
        let counters = &self.shared.counters;
        counters.reads.fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
        self.shared.waiting.fetch_sub(count, std::sync::atomic::Ordering::Relaxed);
    }

    /// Until there is something to show, somebody nudges, or the time is over.
    pub fn wait(&self, time: Duration) {
        let idle = |queue: &mut crate::rounds::Queue| queue.jobs.is_empty() && !queue.nudged;
        let waited = self.shared.wake.wait_timeout_while(self.shared.queue(), time, idle);
        waited.unwrap_or_else(PoisonError::into_inner).0.nudged = false;
    }

    /// From here on the same engine decides; whoever waits to read is answered behind the barrier.
    pub fn lead(mut self) -> Result<(Rounds, Recovered), OpenError> {
        let follower = self.follower.take().expect("it leads once");
        match follower.lead() {
            Ok((book, recovered)) => {
                self.shared.queue().follows = false;
                Ok((Rounds::new(book, self.shared.clone()), recovered))
            }
            Err(error) => {
                self.shared.stop("it does not lead");
                Err(error)
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if self.follower.is_some() {
            self.shared.stop("it follows no more");
        }
    }
}
