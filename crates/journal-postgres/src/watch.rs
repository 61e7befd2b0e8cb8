//! When to take the lead: the leader's beat has stood still, by this node's monotonic clock.

use std::time::{Duration, Instant};

use crate::nodes::{Lead, NodeId};

/// Of a follower.
pub const POLL_EVERY: Duration = Duration::from_millis(50);
/// Of the leader: several of them fit into what a follower waits for.
pub const BEAT_EVERY: Duration = Duration::from_millis(100);
const STILL_MIN: Duration = Duration::from_millis(600);
const JITTER_MILLIS: u64 = 200;
/// Between two looks so far apart, a beat may have come and gone: this node slept, or the database did.
const BLIND: Duration = Duration::from_millis(300);
/// Somebody who leads for so long has settled what was raced for.
const STEADY: Duration = Duration::from_secs(1);
const BACK_OFF_MIN: Duration = Duration::from_millis(200);
const BACK_OFF_MAX: Duration = Duration::from_secs(10);

/// What a follower has seen of the leader.
pub struct Watch {
    seen: Option<(Option<NodeId>, i64)>,
    /// Since when it is this leader.
    holds_since: Instant,
    looked: Option<Instant>,
    moved: Instant,
    still_max: Duration,
    back_off: Duration,
    not_before: Instant,
}

impl Watch {
    /// `random` spreads the nodes, so that few of them try at once.
    pub fn new(now: Instant, random: u64) -> Self {
        let still_max = STILL_MIN + Duration::from_millis(random % JITTER_MILLIS);
        Self {
            seen: None,
            holds_since: now,
            looked: None,
            moved: now,
            still_max,
            back_off: BACK_OFF_MIN,
            not_before: now,
        }
    }

    /// The rows were read at `now`; whether this node may try to take the lead.
    pub fn look(&mut self, lead: Option<&Lead>, now: Instant) -> bool {
        let seen = lead.map(|lead| (lead.node, lead.beats));
        let holder = |seen: &Option<(Option<NodeId>, i64)>| seen.and_then(|(node, _)| node);
        if holder(&seen).is_none() || holder(&seen) != holder(&self.seen) {
            self.holds_since = now;
        }
        let slept = self.looked.is_none_or(|looked| now.duration_since(looked) > BLIND);
        if slept || seen != self.seen {
            (self.seen, self.moved) = (seen, now);
            if now.duration_since(self.holds_since) >= STEADY {
                self.back_off = BACK_OFF_MIN;
            }
        }
        self.looked = Some(now);
        let is_free = lead.is_none_or(|lead| lead.node.is_none());
        now >= self.not_before && (is_free || self.silence(now) >= self.still_max)
    }

    pub fn silence(&self, now: Instant) -> Duration {
        now.duration_since(self.moved)
    }

    /// Somebody else was faster, or the book did not open: later, and each time later still.
    pub fn lost(&mut self, now: Instant) {
        self.wait(now, self.back_off);
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
    }

    pub fn won(&mut self) {
        self.back_off = BACK_OFF_MIN;
    }

    /// Leaves the lead to others for a while.
    pub fn wait(&mut self, now: Instant, time: Duration) {
        self.not_before = now + time;
        self.moved = now;
    }
}

#[cfg(test)]
mod tests;
