//! The database: a primary, a standby that its log goes to, and whoever promotes the standby.
//!
//! | what happens | how it is modelled |
//! |---|---|
//! | commit | written to the log, visible and answered once the standby has it; its rows are locked until then |
//! | no standby | the manager takes it off the list, if it reaches the primary; commits are answered alone |
//! | promotion | only of a standby on the list: it has whatever was answered, and perhaps more |
//! | a primary that was replaced | goes on reading, and its commits wait for ever |
//! | restart | whatever is in the log is visible, on the standby or not |
//! | a wait that is cancelled or ended | the row is visible, on the standby or not |
//! | asynchronous | commits are answered at once, and a promotion loses what was under way |

use std::sync::Arc;

use journal_postgres::{Cell, DatabaseError, Facts};

use super::session::{Call, Reply};
use crate::sql::{Change, Effect, Refusal, Tables};

#[derive(Clone, Debug)]
pub struct Cluster {
    pub hosts: [Host; 2],
    /// Who is the primary, as the manager sees it.
    pub primary: usize,
    pub is_asynchronous: bool,
    /// How often the way between the hosts is cut.
    pub cuts: u32,
    epochs: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Host {
    /// What statements see.
    pub tables: Tables,
    /// All that was ever committed, by transaction.
    log: Vec<Arc<Vec<Change>>>,
    pub timeline: u32,
    /// Which run of the process it is.
    pub epoch: u64,
    pub is_up: bool,
    pub is_frozen: bool,
    pub is_standby: bool,
    /// A standby is on the list: commits wait for it.
    pub has_standby: bool,
    waiting: Vec<Commit>,
    /// Statements that want a row which a commit holds.
    blocked: Vec<Call>,
    /// What came while it was frozen.
    pub held: Vec<Call>,
}

/// A transaction that is in the log and not answered yet.
#[derive(Clone, Debug)]
pub struct Commit {
    pub call: Call,
    pub count: u64,
    pub changes: Arc<Vec<Change>>,
    /// How long the log is with it.
    upto: usize,
}

/// What became of a statement when it reached its host.
pub enum Executed {
    Answered(Result<Reply, DatabaseError>),
    /// In the log; answered later.
    Waits,
    /// In the log, and answered alone.
    Committed(Commit),
}

impl Cluster {
    /// A primary that holds these tables, and a standby.
    pub fn new(tables: &Tables) -> Self {
        let host = |is_standby: bool| Host {
            tables: tables.clone(),
            timeline: 1,
            epoch: u64::from(is_standby),
            is_up: true,
            is_standby,
            has_standby: !is_standby,
            ..Host::default()
        };
        let hosts = [host(false), host(true)];
        Self { hosts, primary: 0, is_asynchronous: false, cuts: 0, epochs: 1 }
    }

    /// Other hosts under the same names, with a copy that was adopted as a journal of its own.
    pub fn replaced(&self, copy: &Self) -> Self {
        let mut copy = copy.clone();
        copy.epochs = self.epochs;
        let adopt = "UPDATE identity SET incarnation = $1 WHERE one = 1";
        for host in &mut copy.hosts {
            copy.epochs += 1;
            (host.epoch, host.timeline) = (copy.epochs, self.primary().timeline);
            let adopted = host.tables.commit(adopt, &[Cell::Uuid(uuid::Uuid::max())]);
            adopted.expect("the statement is understood");
        }
        copy
    }

    pub fn standby(&self) -> usize {
        1 - self.primary
    }

    pub fn primary(&self) -> &Host {
        &self.hosts[self.primary]
    }

    pub fn primary_mut(&mut self) -> &mut Host {
        &mut self.hosts[self.primary]
    }

    pub fn facts(&self, host: usize) -> Option<(Facts, u64)> {
        let host = &self.hosts[host];
        if !host.is_up || host.is_frozen {
            return None;
        }
        let sql = "SELECT incarnation FROM identity WHERE one = 1";
        let row = host.tables.run(sql, &[]).ok().and_then(|effect| effect.rows.into_iter().next());
        let incarnation = row.and_then(|row| match row.0.first() {
            Some(Cell::Uuid(incarnation)) => Some(*incarnation),
            _ => None,
        });
        let facts = Facts {
            recovering: host.is_standby,
            read_only: host.is_standby,
            unsafe_commit: None,
            version: "PostgreSQL 17.0 (simulated)".to_owned(),
            timeline: (!host.is_standby).then_some(host.timeline),
            incarnation,
        };
        Some((facts, host.epoch))
    }

    /// Runs a statement outside of time: before the first node is there, and after the last.
    pub fn at_once(&mut self, host: usize, sql: &str, parameters: &[Cell]) -> Result<Reply, DatabaseError> {
        let effect = self.hosts[host].tables.commit(sql, parameters).map_err(|it| refused(&it))?;
        Ok(Reply { rows: effect.rows, count: effect.count })
    }

    pub fn execute(&mut self, call: &Call) -> Executed {
        let answers_alone = self.is_asynchronous || !self.hosts[call.host].has_standby;
        let host = &mut self.hosts[call.host];
        let Effect { rows, count, changes } = match host.tables.run(&call.sql, &call.parameters) {
            Ok(effect) => effect,
            Err(refusal) => return Executed::Answered(Err(refused(&refusal))),
        };
        if changes.is_empty() {
            return Executed::Answered(Ok(Reply { rows, count }));
        }
        if host.is_standby {
            let refusal = ("25006", "cannot execute it in a read-only transaction");
            return Executed::Answered(Err(said(refusal.0, refusal.1)));
        }
        if host.locks(&changes) {
            host.blocked.push(call.clone());
            return Executed::Waits;
        }
        let changes = Arc::new(changes);
        host.log.push(changes.clone());
        let commit = Commit { call: call.clone(), count, changes, upto: host.log.len() };
        if answers_alone {
            host.show(&commit.changes);
            return Executed::Committed(commit);
        }
        host.waiting.push(commit);
        Executed::Waits
    }

    /// Somebody with a console changes rows of the primary, unless they are locked.
    pub fn meddle(&mut self, sql: &str, parameters: &[Cell]) {
        let host = self.primary_mut();
        let Ok(effect) = host.tables.run(sql, parameters) else { return };
        if !host.is_up || host.is_frozen || effect.changes.is_empty() || host.locks(&effect.changes) {
            return;
        }
        let changes = Arc::new(effect.changes);
        host.log.push(changes.clone());
        host.show(&changes);
    }

    /// What the primary has and the standby has not goes there; how much it has then.
    pub fn ship(&mut self) -> Option<usize> {
        let (primary, standby) = (self.primary, self.standby());
        let goes = self.cuts == 0 && self.hosts.iter().all(|host| host.is_up && !host.is_frozen);
        if !goes || !self.hosts[standby].is_standby {
            return None;
        }
        let had = self.hosts[standby].log.len();
        let news: Vec<_> = self.hosts[primary].log[had..].to_vec();
        let host = &mut self.hosts[standby];
        for changes in news {
            host.show(&changes);
            host.log.push(changes);
        }
        Some(self.hosts[standby].log.len())
    }

    /// The standby has so much: whatever waited for that is visible, and answered.
    pub fn acknowledge(&mut self, epoch: u64, upto: usize) -> Vec<Commit> {
        let cut = self.cuts > 0;
        let host = self.primary_mut();
        if host.epoch != epoch || cut || !host.is_up || host.is_frozen {
            return Vec::new();
        }
        host.release(|commit| commit.upto <= upto)
    }

    /// The standby is not waited for any more.
    pub fn deregister(&mut self) -> Vec<Commit> {
        let host = self.primary_mut();
        host.has_standby = false;
        host.release(|_| true)
    }

    /// The standby has everything, and is waited for again.
    pub fn register(&mut self) -> bool {
        let in_step = self.ship() == Some(self.primary().log.len());
        self.primary_mut().has_standby |= in_step;
        in_step
    }

    /// Waits for the standby end, and what was waited for is visible.
    pub fn end_waits(&mut self) -> Vec<Commit> {
        self.primary_mut().release(|_| true)
    }

    /// The standby takes over, if it may. The old primary stays as it is, and may not know.
    pub fn promote(&mut self) -> bool {
        let standby = self.standby();
        let may = self.is_asynchronous || self.primary().has_standby;
        let host = &self.hosts[standby];
        if !may || !host.is_standby || !host.is_up {
            return false;
        }
        let timeline = self.primary().timeline + 1;
        self.primary = standby;
        let host = self.primary_mut();
        (host.is_standby, host.timeline, host.has_standby) = (false, timeline, false);
        true
    }

    /// The other host becomes a standby that has what the primary has.
    pub fn rejoin(&mut self) {
        self.epochs += 1;
        let (primary, standby) = (self.primary(), self.standby());
        let mut host = Host {
            tables: primary.tables.clone(),
            log: primary.log.clone(),
            timeline: primary.timeline,
            epoch: self.epochs,
            is_up: true,
            is_standby: true,
            ..Host::default()
        };
        primary.waiting.iter().for_each(|commit| host.show(&commit.changes));
        self.hosts[standby] = host;
    }

    pub fn stop(&mut self, host: usize) {
        self.epochs += 1;
        let host = &mut self.hosts[host];
        (host.is_up, host.is_frozen, host.epoch) = (false, false, self.epochs);
        host.blocked.clear();
        host.held.clear();
    }

    /// It comes back with what its log has.
    pub fn restart(&mut self, host: usize) {
        let host = &mut self.hosts[host];
        host.is_up = true;
        drop(host.release(|_| true));
    }

    /// Statements that may go on.
    pub fn unblocked(&mut self, host: usize) -> Vec<Call> {
        let host = &mut self.hosts[host];
        std::mem::take(&mut host.blocked)
    }
}

impl Host {
    fn locks(&self, changes: &[Change]) -> bool {
        let held = |place| self.waiting.iter().flat_map(|it| it.changes.iter()).any(|it| it.place() == place);
        changes.iter().map(Change::place).any(|place| place.is_some() && held(place))
    }

    fn show(&mut self, changes: &[Change]) {
        changes.iter().for_each(|change| self.tables.apply(change));
    }

    fn release(&mut self, which: impl Fn(&Commit) -> bool) -> Vec<Commit> {
        let (released, left) = std::mem::take(&mut self.waiting).into_iter().partition(which);
        self.waiting = left;
        let released: Vec<Commit> = released;
        for commit in &released {
            self.show(&commit.changes);
        }
        released
    }
}

pub fn said(code: &str, message: &str) -> DatabaseError {
    DatabaseError::Server { code: code.to_owned(), message: message.to_owned() }
}

fn refused(refusal: &Refusal) -> DatabaseError {
    said(refusal.code, &refusal.message)
}
