//! Messages that reach where they go: statements their hosts, replies the nodes, commits the witness.

use journal::Group;
use journal_postgres::{Cell, DatabaseError};

use super::cluster::{Commit, Executed, said};
use super::session::{Call, Reply};
use super::world::{Event, MILLI, SECOND, World};
use crate::sql::Tables;

impl World {
    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Arrive(call) => self.arrive(*call),
            Event::Reply(number, task, reply) => {
                self.replies.insert(number, reply);
                self.after(0, Event::Wake(task));
            }
            Event::Ship => self.ship(),
            Event::Acknowledge { epoch, upto } => {
                let commits = self.cluster.acknowledge(epoch, upto);
                self.committed(self.cluster.primary, &commits);
            }
            Event::Request(node, request) => {
                let state = &mut self.nodes[node];
                if state.is_up {
                    state.inbox.push(*request);
                    if let Some(main) = state.main {
                        self.after(0, Event::Wake(main));
                    }
                }
            }
            Event::Answer(answer) => self.client_answer(&answer),
            Event::Client(client) => self.client_turn(client),
            Event::Trouble => self.trouble(),
            // In the end everything was relieved at once.
            Event::Relief(relief) if self.shape.is_troubled(self.now) => self.relieve(relief),
            Event::Relief(_) => {}
            Event::Wake(_) | Event::Start(_) => {}
        }
    }

    /// A statement reaches its host, or does not, or does much later.
    fn arrive(&mut self, call: Call) {
        if self.network.is_cut(call.node, call.host) {
            if self.random.one_in(3) {
                let delay = self.random.below(4 * SECOND);
                self.after(delay, Event::Arrive(Box::new(call)));
            }
            return;
        }
        let host = &mut self.cluster.hosts[call.host];
        if !host.is_up || host.epoch != call.epoch {
            return self.reply(&call, Err(DatabaseError::Lost("reset by the host".to_owned())));
        }
        if host.is_frozen {
            host.held.push(call);
            return;
        }
        if self.shape.is_troubled(self.now) && self.random.one_in(400) {
            let code = ["40001", "40P01", "57P01", "08006", "53100"][self.random.below(5) as usize];
            return self.reply(&call, Err(said(code, "made up")));
        }
        self.execute(&call);
    }

    pub fn execute(&mut self, call: &Call) {
        match self.cluster.execute(call) {
            // Nothing was written.
            Executed::Answered(reply) => return self.reply(call, reply),
            Executed::Waits => {}
            Executed::Committed(commit) => self.committed(call.host, &[commit]),
        }
        let lag = if self.cluster.is_asynchronous { self.random.below(700 * MILLI) } else { 0 };
        let delay = self.delay() + lag;
        self.after(delay, Event::Ship);
    }

    fn ship(&mut self) {
        if let Some(upto) = self.cluster.ship() {
            let (epoch, delay) = (self.cluster.primary().epoch, self.delay());
            self.after(delay, Event::Acknowledge { epoch, upto });
        }
    }

    pub fn reply(&mut self, call: &Call, reply: Result<Reply, DatabaseError>) {
        let delay = self.delay();
        let is_lost = self.network.is_cut(call.node, call.host) || self.random.one_in(300);
        if !is_lost {
            self.after(delay, Event::Reply(call.number, call.task, reply));
        }
    }

    /// Commits are visible, and durable where the database says durable is.
    pub fn committed(&mut self, host: usize, commits: &[Commit]) {
        for commit in commits {
            let groups = commit.changes.iter().filter_map(|change| {
                let (table, _) = change.place()?;
                let values = change.values().filter(|_| table.starts_with("journal_"))?;
                match (values.get(1), values.get(3), values.get(4)) {
                    (Some(Cell::Int8(position)), Some(Cell::Int4(0..)), Some(Cell::Bytes(body))) => {
                        Some((*position as u64, body.clone()))
                    }
                    _ => None,
                }
            });
            for (position, body) in groups.collect::<Vec<_>>() {
                self.is_certain(host, position, body);
            }
            let reply = Reply { rows: Vec::new(), count: commit.count };
            self.reply(&commit.call, Ok(reply));
        }
        self.go_on(host);
    }

    /// Statements that waited for a row.
    pub fn go_on(&mut self, host: usize) {
        for call in self.cluster.unblocked(host) {
            self.execute(&call);
        }
    }

    /// A group was acknowledged: it stays, and so does what stands before it.
    fn is_certain(&mut self, host: usize, position: u64, body: Vec<u8>) {
        if position == 0 {
            return;
        }
        if position > self.witness.position() {
            let tables = self.cluster.hosts[host].tables.clone();
            return self.catch_up(&tables, position);
        }
        let chain = Group::parse(body).map(|group| group.header().chain).ok();
        if chain != self.witness.chain(position) {
            self.fail(format!("two groups were acknowledged at position {position}"));
        }
    }

    pub fn catch_up(&mut self, tables: &Tables, position: u64) {
        while self.witness.position() < position {
            let next = self.witness.position() + 1;
            let folded = group(tables, next)
                .ok_or_else(|| format!("group {next} is missing before group {position}"))
                .and_then(|group| self.witness.fold(&group, tables));
            if let Err(wrong) = folded {
                return self.fail(wrong);
            }
        }
        self.places.push((self.now, self.witness.last()));
    }
}

/// The group at a position, in whichever table it is.
pub fn group(tables: &Tables, position: u64) -> Option<Group> {
    (1..)
        .map_while(|era| {
            let sql = format!("SELECT events, body FROM journal_{era} WHERE book = $1 AND position = $2");
            tables.run(&sql, &[Cell::Int8(0), Cell::Int8(position as i64)]).ok()
        })
        .flat_map(|effect| effect.rows)
        .find_map(|row| match row.0.as_slice() {
            [Cell::Int4(0..), Cell::Bytes(body)] => Group::parse(body.clone()).ok(),
            _ => None,
        })
}
