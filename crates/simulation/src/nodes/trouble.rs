//! Everything that goes wrong, drawn at random, and how it ends.

use journal_postgres::{Cell, DatabaseError};

use super::cluster::Commit;
use super::delivery::group;
use super::world::{Event, MILLI, Micros, Relief, SECOND, World};

impl World {
    pub fn trouble(&mut self) {
        if !self.shape.is_troubled(self.now) {
            return;
        }
        let pause = 20 * MILLI + self.random.below(900 * MILLI);
        self.after(pause, Event::Trouble);
        let node = self.any_node();
        match self.random.below(16) {
            0 | 1 => {
                let most = if self.random.one_in(3) { 4 * SECOND } else { 300 * MILLI };
                self.story.pauses += 1;
                let until = self.now + self.random.below(most);
                self.nodes[node].paused_until = until;
            }
            2 => {
                self.story.crashes += 1;
                self.nodes[node].is_up = false;
                self.after_a_while(SECOND, Event::Start(node));
            }
            3 | 4 => self.cut(node),
            5 | 6 => self.fail_over(),
            7 if !self.cluster.is_asynchronous => self.lose_standby(),
            7 => self.fail_over(),
            8 => self.crash_primary(),
            9 => {
                let primary = self.cluster.primary;
                self.cluster.primary_mut().is_frozen = true;
                self.after_a_while(1_500 * MILLI, Event::Relief(Relief::Thaw(primary)));
            }
            10 => {
                self.network.is_slow = true;
                self.after_a_while(SECOND, Event::Relief(Relief::Fast));
            }
            11 => self.end_waits(),
            12 | 13 => self.lie(),
            14 => {
                self.story.usurpers += 1;
                self.nodes[node].usurps = true;
            }
            _ => {
                let micros = self.random.below(3 * SECOND) as i64 - 1_500_000;
                self.nodes[node].skew_micros += micros;
                self.after_a_while(SECOND, Event::Relief(Relief::Step { node, micros }));
            }
        }
    }

    fn any_node(&mut self) -> usize {
        let leaders: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].leads).collect();
        // Whoever leads has most to lose.
        match leaders.first() {
            Some(leader) if self.random.one_in(2) => *leader,
            _ => self.random.below(self.nodes.len() as u64) as usize,
        }
    }

    fn after_a_while(&mut self, most: Micros, event: Event) {
        let time = 10 * MILLI + self.random.below(most);
        self.after(time, event);
    }

    fn cut(&mut self, node: usize) {
        self.story.partitions += 1;
        let only = self.random.below(3);
        for host in (0..2).filter(|host| only != *host as u64) {
            self.network.cut(node, host);
            self.after_a_while(3 * SECOND, Event::Relief(Relief::Link { node, host }));
        }
    }

    /// The primary is cut off, and the standby takes over.
    fn fail_over(&mut self) {
        self.cluster.cuts += 1;
        self.after_a_while(800 * MILLI, Event::Relief(Relief::Promote));
    }

    fn promote(&mut self) {
        let old = self.cluster.primary;
        if !self.cluster.promote() {
            self.cluster.cuts = self.cluster.cuts.saturating_sub(1);
            return self.after(0, Event::Ship);
        }
        self.story.fail_overs += 1;
        if self.cluster.is_asynchronous || self.random.one_in(2) {
            self.stop(old);
        } else if self.random.one_in(2) {
            self.wall();
        }
        self.recount();
        self.after_a_while(3 * SECOND, Event::Relief(Relief::Rejoin));
    }

    /// Whoever leads stays with the old primary, and somebody else leads with the new one.
    fn wall(&mut self) {
        self.story.walls += 1;
        let (leader, host) = (self.any_node(), self.cluster.primary);
        self.network.walled = Some(leader);
        self.network.cut(leader, host);
        let other = (leader + 1) % self.nodes.len();
        self.nodes[other].usurps = true;
        let time = SECOND + self.random.below(2 * SECOND);
        self.after(time, Event::Relief(Relief::Link { node: leader, host }));
        self.after(time, Event::Relief(Relief::Wall));
    }

    /// What an asynchronous standby never had is gone.
    fn recount(&mut self) {
        self.witness.has_lost |= self.cluster.is_asynchronous;
        let tables = self.cluster.primary().tables.clone();
        let had = self.witness.position();
        if group(&tables, had).is_some_and(|last| Some(last.header().chain) == self.witness.chain(had)) {
            return;
        }
        if !self.cluster.is_asynchronous {
            return self.fail("the fail-over of the simulated database lost something");
        }
        self.story.losses += 1;
        self.witness.forget();
        self.places.clear();
        self.lost_at = self.now;
        let kept = (1..=had).take_while(|position| group(&tables, *position).is_some()).last().unwrap_or(0);
        self.catch_up(&tables, kept);
        self.clients.losses += 1;
        let leader = self.any_node();
        if self.random.one_in(2) {
            // Whoever knew what was lost sleeps, while somebody else fills the gap.
            self.nodes[leader].paused_until = self.now + self.random.below(SECOND);
            let other = (leader + 1) % self.nodes.len();
            self.nodes[other].usurps = true;
            if self.random.one_in(2) {
                // And is asked for nothing but reads when it wakes.
                self.network.walled = Some(leader);
                self.after_a_while(3 * SECOND, Event::Relief(Relief::Wall));
            }
        }
    }

    fn lose_standby(&mut self) {
        self.cluster.cuts += 1;
        self.after_a_while(600 * MILLI, Event::Relief(Relief::Deregister));
        let healed = 700 * MILLI + self.random.below(2 * SECOND);
        self.after(healed, Event::Relief(Relief::Replication));
    }

    fn crash_primary(&mut self) {
        let primary = self.cluster.primary;
        self.stop(primary);
        self.after_a_while(800 * MILLI, Event::Relief(Relief::Restart(primary)));
    }

    fn stop(&mut self, host: usize) {
        self.cluster.stop(host);
    }

    /// Somebody cancels waits for the standby, or ends the sessions that wait.
    fn end_waits(&mut self) {
        let (primary, is_cancelled) = (self.cluster.primary, self.random.one_in(2));
        let ended: Vec<Commit> = self.cluster.end_waits();
        for commit in &ended {
            self.story.ended_waits += 1;
            let error = if is_cancelled {
                DatabaseError::Warned("canceling wait for synchronous replication".to_owned())
            } else {
                DatabaseError::Lost("terminated".to_owned())
            };
            self.reply(&commit.call, Err(error));
        }
        self.go_on(primary);
    }

    /// Rows that nodes believe in say something else.
    fn lie(&mut self) {
        self.story.lies += 1;
        let id = uuid::Uuid::from_u128(u128::from(self.random.number()));
        let number = Cell::Int8(self.random.below(1_000) as i64);
        let (sql, parameters) = match self.random.below(5) {
            0 => ("UPDATE lead SET node = $1, beats = $2 WHERE book = 0", vec![Cell::Uuid(id), number]),
            1 => ("UPDATE lead SET beats = $1 WHERE book = 0", vec![number]),
            2 => ("DELETE FROM lead WHERE book = 0", vec![]),
            3 => ("DELETE FROM node", vec![]),
            _ => ("UPDATE lead SET node = $1 WHERE book = 0", vec![Cell::Uuid(uuid::Uuid::nil())]),
        };
        self.cluster.meddle(sql, &parameters);
        self.after(0, Event::Ship);
    }

    pub fn relieve(&mut self, relief: Relief) {
        match relief {
            Relief::Link { node, host } => self.network.mend(node, host),
            Relief::Thaw(host) => {
                self.cluster.hosts[host].is_frozen = false;
                for call in std::mem::take(&mut self.cluster.hosts[host].held) {
                    self.after(0, Event::Arrive(Box::new(call)));
                }
                self.after(0, Event::Ship);
            }
            Relief::Restart(host) => {
                if !self.cluster.hosts[host].is_up && host == self.cluster.primary {
                    self.cluster.restart(host);
                    self.after(0, Event::Ship);
                }
            }
            Relief::Replication => {
                self.cluster.cuts = self.cluster.cuts.saturating_sub(1);
                self.register();
            }
            Relief::Deregister => {
                let primary = self.cluster.primary();
                if self.cluster.cuts > 0 && primary.is_up && !primary.is_frozen {
                    let released = self.cluster.deregister();
                    self.committed(self.cluster.primary, &released);
                }
            }
            Relief::Promote => self.promote(),
            Relief::Rejoin => {
                self.cluster.cuts = self.cluster.cuts.saturating_sub(1);
                self.cluster.rejoin();
                self.register();
            }
            Relief::Wall => self.network.walled = None,
            Relief::Fast => self.network.is_slow = false,
            Relief::Step { node, micros } => self.nodes[node].skew_micros -= micros,
        }
    }

    /// The standby is waited for again, once it has everything.
    fn register(&mut self) {
        if !self.cluster.is_asynchronous && !self.cluster.register() {
            // Not in step yet, or cut off again: later.
            self.after(0, Event::Ship);
        }
    }

    /// Everything is as it should be from now on.
    pub fn relieve_all(&mut self) {
        self.network.mend_all();
        self.cluster.cuts = 0;
        for host in 0..2 {
            self.relieve(Relief::Thaw(host));
        }
        let primary = self.cluster.primary;
        self.relieve(Relief::Restart(primary));
        self.cluster.rejoin();
        self.register();
        for node in 0..self.nodes.len() {
            let state = &mut self.nodes[node];
            (state.paused_until, state.skew_micros, state.usurps) = (0, 0, false);
            self.after(0, Event::Start(node));
        }
        self.after(0, Event::Ship);
    }
}
