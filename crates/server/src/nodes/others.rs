//! Which other nodes live: those whose count is seen to move.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use journal_postgres::{NodeId, NodeRow};

/// A row that stood still for so long is of nobody who could take over.
const ALIVE: Duration = Duration::from_secs(3);
/// A row that stood still for so long is removed.
const GONE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Others {
    seen: HashMap<NodeId, Seen>,
}

struct Seen {
    beats: i64,
    moved: Instant,
    has_moved: bool,
    is_reached: bool,
}

impl Others {
    pub(super) fn look(&mut self, rows: &[NodeRow], now: Instant) {
        self.seen.retain(|node, _| rows.iter().any(|row| row.node == *node));
        for row in rows {
            let seen = self.seen.entry(row.node).or_insert(Seen {
                beats: row.beats,
                moved: now,
                has_moved: false,
                is_reached: !row.address.is_empty(),
            });
            if seen.beats != row.beats {
                (seen.beats, seen.moved, seen.has_moved) = (row.beats, now, true);
            }
        }
    }

    /// Those who live and could take a book over.
    pub(super) fn reached(&self, now: Instant) -> Vec<NodeId> {
        let lives = |it: &Seen| it.is_reached && it.has_moved && now.duration_since(it.moved) < ALIVE;
        self.seen.iter().filter(|(_, it)| lives(it)).map(|(node, _)| *node).collect()
    }

    pub(super) fn gone(&self, now: Instant) -> Vec<NodeId> {
        let still = self.seen.iter().filter(|(_, it)| now.duration_since(it.moved) >= GONE);
        still.map(|(node, _)| *node).collect()
    }
}
