//! Virtual time, what is to happen when, and everything that happens to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use journal_postgres::{DatabaseError, Incarnation};

use super::client::Clients;
use super::cluster::Cluster;
use super::message::{Answer, Request};
use super::session::{Call, Reply};
use super::task::TaskId;
use super::witness::{Place, Witness};
use super::{Shape, Story};
use crate::Random;

pub type Micros = u64;

pub const MILLI: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;

/// Clones are the same world.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

pub struct World {
    pub now: Micros,
    pub random: Random,
    pub shape: Shape,
    queue: BTreeMap<(Micros, u64), Event>,
    numbers: u64,
    pub cluster: Cluster,
    pub network: Network,
    pub nodes: Vec<NodeState>,
    pub clients: Clients,
    pub witness: Witness,
    /// Since when which place was the last.
    pub places: Vec<(Micros, Place)>,
    /// When an asynchronous standby lost something last.
    pub lost_at: Micros,
    pub story: Story,
    /// Statements that were sent, and what has come back.
    pub replies: HashMap<u64, Result<Reply, DatabaseError>>,
    pub spawned: Vec<Spawned>,
    /// The first thing that is not as it must be.
    pub failure: Option<String>,
}

pub struct Spawned {
    pub id: TaskId,
    pub node: usize,
    pub work: Box<dyn FnOnce() + Send>,
}

pub enum Event {
    Wake(TaskId),
    /// A statement reaches its host.
    Arrive(Box<Call>),
    /// Its reply reaches the node.
    Reply(u64, TaskId, Result<Reply, DatabaseError>),
    /// The log reaches the standby, and word of that the primary.
    Ship,
    Acknowledge {
        epoch: u64,
        upto: usize,
    },
    Request(usize, Box<Request>),
    Answer(Box<Answer>),
    Client(usize),
    Start(usize),
    Trouble,
    /// The end of some trouble.
    Relief(Relief),
}

#[derive(Clone, Copy, Debug)]
pub enum Relief {
    Link { node: usize, host: usize },
    Thaw(usize),
    Restart(usize),
    Replication,
    Deregister,
    Promote,
    Rejoin,
    Fast,
    Wall,
    Step { node: usize, micros: i64 },
}

/// Between nodes and hosts.
pub struct Network {
    /// By node and host: how often it is cut.
    cuts: Vec<[u32; 2]>,
    pub is_slow: bool,
    /// A node that is on the old primary's side, with one client, who reads.
    pub walled: Option<usize>,
}

/// What can be seen of a node from outside.
#[derive(Default)]
pub struct NodeState {
    pub is_up: bool,
    pub starts: u64,
    pub paused_until: Micros,
    /// Believes that it may take the lead, whatever the rows say.
    pub usurps: bool,
    pub leads: bool,
    pub skew_micros: i64,
    pub inbox: Vec<Request>,
    /// In the node's directory: which journal it belongs to.
    pub journal: Option<Incarnation>,
    pub main: Option<TaskId>,
}

impl Network {
    pub fn new(nodes: usize) -> Self {
        Self { cuts: vec![[0; 2]; nodes], is_slow: false, walled: None }
    }

    pub fn is_cut(&self, node: usize, host: usize) -> bool {
        self.cuts[node][host] > 0
    }

    pub fn cut(&mut self, node: usize, host: usize) {
        self.cuts[node][host] += 1;
    }

    pub fn mend(&mut self, node: usize, host: usize) {
        self.cuts[node][host] = self.cuts[node][host].saturating_sub(1);
    }

    pub fn mend_all(&mut self) {
        self.cuts.fill([0; 2]);
        self.is_slow = false;
        self.walled = None;
    }

    /// How long a message is under way.
    pub fn delay(&self, random: &mut Random) -> Micros {
        match random.below(if self.is_slow { 4 } else { 400 }) {
            0 => random.below(600 * MILLI),
            _ => 100 + random.below(MILLI),
        }
    }
}

impl Shared {
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Never held while a task waits.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl World {
    pub fn new(seed: u64, shape: Shape, cluster: Cluster, witness: Witness) -> Self {
        Self {
            now: 0,
            random: Random::new(seed ^ 0xd15ea5e),
            shape,
            queue: BTreeMap::new(),
            numbers: 0,
            cluster,
            network: Network::new(shape.nodes),
            nodes: (0..shape.nodes).map(|_| NodeState::default()).collect(),
            clients: Clients::new(shape.clients),
            places: Vec::new(),
            lost_at: 0,
            witness,
            story: Story::default(),
            replies: HashMap::new(),
            spawned: Vec::new(),
            failure: None,
        }
    }

    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn at(&mut self, time: Micros, event: Event) {
        let number = self.number();
        self.queue.insert((time.max(self.now), number), event);
    }

    pub fn after(&mut self, time: Micros, event: Event) {
        self.at(self.now + time, event);
    }

    /// The last place that there was at an instant.
    pub fn place_at(&self, instant: Micros) -> Place {
        let known = self.places.partition_point(|(since, _)| *since <= instant);
        known.checked_sub(1).map_or(0, |at| self.places[at].1)
    }

    /// The next that happens, and virtual time with it.
    pub fn next(&mut self) -> Option<Event> {
        let ((time, _), event) = self.queue.pop_first()?;
        self.now = time;
        Some(event)
    }

    pub fn fail(&mut self, failure: impl Into<String>) {
        self.failure.get_or_insert(failure.into());
    }

    pub fn delay(&mut self) -> Micros {
        self.network.delay(&mut self.random)
    }
}
