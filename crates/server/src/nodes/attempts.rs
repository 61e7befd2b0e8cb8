//! What is done next about a request that a node was asked, by what came of it. No sockets, and no clock.

use std::time::{Duration, Instant};

/// How long a request waits for somebody to lead.
const LEADERLESS_MAX: Duration = Duration::from_secs(10);

/// What came of asking one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tried<A> {
    Answered(A),
    /// The answer of a book that did not decide, or does not know whether it did.
    Undecided(A),
    /// That node does not lead; it may know who does.
    Misdirected(Option<String>),
    NotDone,
    /// There is no answer, and it may have been done.
    InDoubt,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<A> {
    Answer(A),
    /// Ask the node that was named.
    Ask(String),
    /// Ask whoever leads, as soon as another does, or a little later.
    Again,
    /// Say that the outcome is unknown.
    Unknown,
    /// Say that nobody leads.
    Leaderless,
}

/// Of one request.
pub(super) struct Attempts {
    /// It changes nothing, or has a name under which it is done once.
    pub(super) is_repeatable: bool,
    /// The caller waits no longer.
    until: Instant,
    leaderless_until: Instant,
    in_doubt: bool,
    /// The last node was asked because another had named it.
    redirected: bool,
}

impl Attempts {
    pub(super) fn new(is_repeatable: bool, now: Instant, until: Instant) -> Self {
        let leaderless_until = now + LEADERLESS_MAX;
        Self { is_repeatable, until, leaderless_until, in_doubt: false, redirected: false }
    }

    pub(super) fn next<A>(&mut self, tried: Tried<A>, now: Instant) -> Next<A> {
        let redirected = std::mem::take(&mut self.redirected);
        match tried {
            Tried::Answered(answer) => return Next::Answer(answer),
            Tried::Undecided(answer) if !self.is_repeatable => return Next::Answer(answer),
            Tried::InDoubt if !self.is_repeatable => return Next::Unknown,
            Tried::Undecided(_) | Tried::InDoubt => {
                self.in_doubt = true;
                self.leaderless_until = now + LEADERLESS_MAX;
            }
            // Once: whoever is named by one that was named may lead no more than that one.
            Tried::Misdirected(Some(leader)) if !redirected && now < self.until => {
                self.redirected = true;
                return Next::Ask(leader);
            }
            Tried::Misdirected(_) | Tried::NotDone => {}
        }
        match now < self.until.min(self.leaderless_until) {
            true => Next::Again,
            false if self.in_doubt => Next::Unknown,
            false => Next::Leaderless,
        }
    }
}

#[cfg(test)]
mod tests;
