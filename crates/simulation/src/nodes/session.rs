//! The database as a node reaches it: hosts and sessions over a network that loses, delays and cuts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use journal_postgres::{Cell, DatabaseError, Facts, Hosts, Parameters, Probed, Row, Session};

use super::task::{self, TaskId};
use super::world::{Event, Micros, Shared, World};

/// A statement on its way.
#[derive(Clone, Debug)]
pub struct Call {
    pub number: u64,
    pub task: TaskId,
    pub node: usize,
    pub host: usize,
    /// Of the host's process: a session ends with it.
    pub epoch: u64,
    pub sql: String,
    pub parameters: Vec<Cell>,
}

#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub rows: Vec<Row>,
    pub count: u64,
}

/// The hosts, as one node sees them.
pub struct SimHosts {
    pub world: Shared,
    pub node: usize,
    pub probe_timeout: Duration,
    pub reply_timeout: Duration,
}

struct SimSession {
    world: Shared,
    node: usize,
    host: usize,
    epoch: u64,
    reply_timeout: Duration,
    is_open: Arc<AtomicBool>,
}

fn micros(time: Duration) -> Micros {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Waits until virtual time has come so far, or something else is the case.
pub fn wait_until(world: &Shared, until: Micros, is_enough: impl Fn(&mut World) -> bool) {
    let Some(me) = task::current() else { return };
    {
        let mut world = world.lock();
        if world.now >= until || is_enough(&mut world) {
            return;
        }
        world.at(until, Event::Wake(me));
    }
    loop {
        task::give_way();
        let mut world = world.lock();
        if world.now >= until || is_enough(&mut world) {
            return;
        }
    }
}

impl SimHosts {
    fn sleep(&self, time: Micros) {
        let until = self.world.lock().now + time;
        wait_until(&self.world, until, |_| false);
    }
}

impl Hosts for SimHosts {
    fn probe(&self) -> Vec<Probed> {
        let delay = self.world.lock().delay();
        self.sleep(delay);
        let probed: Vec<Probed> = (0..2)
            .map(|host| {
                let world = self.world.lock();
                let facts = world.facts(self.node, host);
                drop(world);
                let found = facts.map(|(facts, epoch)| {
                    let session: Arc<dyn Session> = Arc::new(SimSession {
                        world: self.world.clone(),
                        node: self.node,
                        host,
                        epoch,
                        reply_timeout: self.reply_timeout,
                        is_open: Arc::new(true.into()),
                    });
                    (facts, session)
                });
                let found = found.ok_or(DatabaseError::Silent(self.probe_timeout));
                Probed { name: format!("host {host}"), found }
            })
            .collect();
        // Whoever is silent is waited for.
        let is_silent = probed.iter().any(|probed| probed.found.is_err());
        let delay = if is_silent {
            micros(self.probe_timeout).saturating_sub(delay)
        } else {
            self.world.lock().delay()
        };
        self.sleep(delay);
        probed
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.world.lock().now)
    }

    fn pause(&self, time: Duration) {
        self.sleep(micros(time));
    }
}

impl World {
    /// What a host says of itself, if it is reached; and which run of it says so.
    fn facts(&self, node: usize, host: usize) -> Option<(Facts, u64)> {
        if task::current().is_some() && self.network.is_cut(node, host) {
            return None;
        }
        self.cluster.facts(host)
    }
}

impl SimSession {
    fn call(&self, sql: &str, parameters: Parameters<'_>) -> Result<Reply, DatabaseError> {
        let parameters: Vec<Cell> = parameters.iter().map(|parameter| parameter.cell()).collect();
        let (host, epoch, sql) = (self.host, self.epoch, sql.to_owned());
        let Some(task) = task::current() else {
            return self.world.lock().cluster.at_once(host, &sql, &parameters);
        };
        if !self.is_open() {
            return Err(DatabaseError::Lost("it was closed".to_owned()));
        }
        let (number, until) = {
            let mut world = self.world.lock();
            let number = world.number();
            let call = Call { number, task, node: self.node, host, epoch, sql, parameters };
            let delay = world.delay();
            world.after(delay, Event::Arrive(Box::new(call)));
            (number, world.now + micros(self.reply_timeout))
        };
        wait_until(&self.world, until, |world| {
            world.replies.contains_key(&number) || !self.is_open.load(Ordering::Acquire)
        });
        let reply = self.world.lock().replies.remove(&number);
        let reply = reply.unwrap_or_else(|| match self.is_open() {
            true => Err(DatabaseError::Silent(self.reply_timeout)),
            false => Err(DatabaseError::Lost("it was closed".to_owned())),
        });
        if matches!(reply, Err(DatabaseError::Lost(_))) {
            self.abort();
        }
        reply
    }
}

impl Session for SimSession {
    fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, DatabaseError> {
        self.call(sql, parameters).map(|reply| reply.count)
    }

    fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, DatabaseError> {
        self.call(sql, parameters).map(|reply| reply.rows)
    }

    fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        self.call(sql, &[]).map(drop)
    }

    fn abort(&self) {
        self.is_open.store(false, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }
}
