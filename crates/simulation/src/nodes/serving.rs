//! A node that leads: what clients ask goes to the engine, and its answers back, round by round.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use domain::Timestamp;
use engine::{BookFault, Engine, Outcome, Refusal, Rounds};

use super::message::{Figures, Named, Request, Said, Wanted};
use super::node::{Beating, Node};
use super::session::wait_until;
use super::world::{MILLI, Micros};

/// Nothing has come for so long: the tail is closed.
const QUIET: Micros = 50 * MILLI;

pub(super) type Asking = Pin<Box<dyn Future<Output = Said> + Send>>;

impl Node {
    /// Until the book stops.
    pub(super) fn serve(
        &self,
        engine: &Engine,
        rounds: &mut Rounds,
        beating: &Beating,
    ) -> Result<(), BookFault> {
        let mut asking: Vec<(Option<(usize, u64)>, Asking)> = Vec::new();
        let mut quiet_since = self.now();
        loop {
            if beating.disputed.swap(false, Ordering::AcqRel) && asking.iter().all(|(whom, _)| whom.is_some())
            {
                // The row says that another leads. The journal knows: this is answered with a proof.
                asking.push((None, asked(engine.clone(), Wanted::Read(0))));
            }
            let mut fresh = self.inbox();
            fresh.retain(|request| {
                // A dialect does not find what it is asked for, and asks the ledger for nothing.
                let is_found = request.named.is_within(Named::in_ledger(rounds.book().ledger()));
                if !is_found {
                    self.answer(request.client, request.attempt, &Said::Nothing);
                }
                is_found
            });
            let is_busy = !fresh.is_empty();
            asking.extend(fresh.into_iter().map(|Request { client, attempt, wanted, .. }| {
                (Some((client, attempt)), asked(engine.clone(), wanted))
            }));
            // The first poll puts it into the queue.
            self.settle(&mut asking, rounds, beating);
            let served = rounds.serve();
            self.settle(&mut asking, rounds, beating);
            served?;
            let now = self.now();
            if is_busy {
                quiet_since = now;
            } else if now - quiet_since >= QUIET {
                rounds.rest()?;
                quiet_since = now;
            }
            wait_until(&self.world, now + QUIET, |world| !world.nodes[self.node].inbox.is_empty());
        }
    }

    /// Answers whoever can be answered by now.
    fn settle(&self, asking: &mut Vec<(Option<(usize, u64)>, Asking)>, rounds: &Rounds, beating: &Beating) {
        asking.retain_mut(|(whom, asking)| {
            let Poll::Ready(mut said) = poll(asking) else { return true };
            if let Said::Rejected(_, at) = &mut said {
                *at = rounds.book().now();
            }
            match (whom, said) {
                (Some((client, attempt)), said) => self.answer(*client, *attempt, &said),
                (None, Said::Read(_)) => beating.proven.store(true, Ordering::Release),
                (None, _) => {}
            }
            false
        });
    }
}

pub(super) fn poll(asking: &mut Asking) -> Poll<Said> {
    asking.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// What a client wants, asked of the engine.
pub(super) fn asked(engine: Engine, wanted: Wanted) -> Asking {
    Box::pin(async move {
        let said = match wanted {
            Wanted::Read(account) | Wanted::Near(account, _) => {
                engine.read(move |ledger, _| Figures::of_ledger(ledger, account)).await.map(Said::Read)
            }
            Wanted::Write(request) => engine.submit(*request).await.map(|outcome| match outcome {
                Outcome::Done(receipt) => Said::Done(Box::new(receipt)),
                Outcome::Rejected(rejection) => Said::Rejected(rejection, Timestamp::EPOCH),
                Outcome::Refused(Refusal::KeyConflict) => Said::Conflict,
                Outcome::Refused(_) => Said::Nothing,
                Outcome::Repeated(_) => Said::Nothing,
            }),
        };
        said.unwrap_or(Said::Nothing)
    })
}
