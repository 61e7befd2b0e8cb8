//! One life: what happens next, until the end, and what must be true then.

use std::collections::HashMap;
use std::time::Instant;

use engine::Book;
use journal::Journal;

use super::delivery::group;
use super::genesis::{genesis, open, parts};
use super::node::Node;
use super::task::{Task, TaskId};
use super::world::{Event, MILLI, Micros, SECOND, Shared, World};
use super::{Shape, Story};

/// A life in which so much happens does not end by itself.
const EVENTS_MAX: u64 = 400_000;
/// In the end all is well, and whoever asks is answered by then.
const PATIENCE: Micros = 90 * SECOND;

pub struct Life {
    world: Shared,
    tasks: HashMap<TaskId, Task>,
    epoch: Instant,
    seed: u64,
}

impl Life {
    pub fn begin(seed: u64, shape: Shape) -> Result<Self, String> {
        let (cluster, witness) = genesis()?;
        let mut world = World::new(seed, shape, cluster, witness);
        world.cluster.is_asynchronous = shape.is_asynchronous;
        for node in 0..shape.nodes {
            let when = world.random.below(300 * MILLI);
            world.at(when, Event::Start(node));
        }
        for client in 0..shape.clients {
            world.at(500 * MILLI, Event::Client(client));
        }
        world.at(SECOND, Event::Trouble);
        Ok(Self { world: Shared::new(world), tasks: HashMap::new(), epoch: Instant::now(), seed })
    }

    pub fn live(&mut self) -> Result<Story, String> {
        let (mut events, mut until) = (0, None::<Micros>);
        loop {
            let event = {
                let mut world = self.world.lock();
                if let Some(failure) = world.failure.take() {
                    return Err(format!("at {} ms: {failure}", world.now / MILLI));
                }
                let over = world.now >= world.shape.micros;
                match until {
                    None if over => {
                        world.relieve_all();
                        world.last_round();
                        until = Some(world.now + PATIENCE);
                    }
                    Some(_) if world.clients.clients.iter().all(|client| client.is_over) => break,
                    Some(until) if world.now > until => return Err("in the end nobody answers".to_owned()),
                    _ => {}
                }
                world.next()
            };
            let event = event.ok_or("nothing happens any more")?;
            events += 1;
            if events > EVENTS_MAX {
                return Err("it does not end".to_owned());
            }
            self.handle(event);
        }
        if self.world.lock().shape.is_replaced {
            self.replaced()?;
        }
        self.tasks.clear();
        self.world.lock().spawned.clear();
        self.end()?;
        let mut world = self.world.lock();
        world.story.events = events;
        Ok(world.story)
    }

    /// Another copy of the journal is reached instead: nobody may answer from it.
    fn replaced(&mut self) -> Result<(), String> {
        let (copy, before) = genesis()?;
        let (kept, until) = {
            let mut world = self.world.lock();
            world.story.replaced += 1;
            let replaced = world.cluster.replaced(&copy);
            world.clients.is_replaced = true;
            world.last_round();
            (std::mem::replace(&mut world.cluster, replaced), world.now + 4 * SECOND)
        };
        while let Some(event) = self.next_before(until)? {
            self.handle(event);
        }
        let copy = std::mem::replace(&mut self.world.lock().cluster, kept);
        match group(&copy.primary().tables, before.position() + 1) {
            Some(_) => Err("a node took the lead of another copy of the journal".to_owned()),
            None => Ok(()),
        }
    }

    fn next_before(&self, until: Micros) -> Result<Option<Event>, String> {
        let mut world = self.world.lock();
        match world.failure.take() {
            Some(failure) => Err(format!("at {} ms: {failure}", world.now / MILLI)),
            None if world.now >= until => Ok(None),
            None => Ok(world.next()),
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Wake(task) => self.wake(task),
            Event::Start(node) => self.start(node),
            event => {
                let mut world = self.world.lock();
                world.handle(event);
                let crashed: Vec<usize> =
                    (0..world.nodes.len()).filter(|node| !world.nodes[*node].is_up).collect();
                drop(world);
                for node in crashed {
                    self.tasks.retain(|_, task| task.node != node);
                }
            }
        }
        let spawned = std::mem::take(&mut self.world.lock().spawned);
        for it in spawned {
            self.tasks.insert(it.id, Task::new(it.id, it.node, it.work));
        }
    }

    fn wake(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        {
            let mut world = self.world.lock();
            let paused_until = world.nodes[task.node].paused_until;
            if world.now < paused_until {
                world.at(paused_until, Event::Wake(id));
                return;
            }
        }
        if !task.resume() {
            self.tasks.remove(&id);
        }
    }

    fn start(&mut self, node: usize) {
        let mut world = self.world.lock();
        let state = &mut world.nodes[node];
        if state.is_up {
            return;
        }
        state.is_up = true;
        state.starts += 1;
        state.inbox.clear();
        let start = state.starts;
        let id = world.number();
        world.nodes[node].main = Some(id);
        world.after(0, Event::Wake(id));
        drop(world);
        let run = Node { world: self.world.clone(), node, start, epoch: self.epoch };
        self.tasks.insert(id, Task::new(id, node, Box::new(move || run.run())));
    }

    /// The whole journal, read once more by whoever comes after, is what the witness has seen.
    fn end(&self) -> Result<(), String> {
        let journal = open(&self.world)?;
        let (mut tail, mut groups) = (journal::Tail::default(), 0);
        let scan = journal.reader().scan(1).map_err(|error| error.to_string())?;
        for group in scan {
            let group = group.map_err(|error| format!("in the end: {error}"))?;
            if !group.header().follows(&tail) {
                return Err(format!("in the end: group {} does not follow", group.header().position));
            }
            tail = group.tail();
            groups += 1;
            let mut world = self.world.lock();
            let seen = world.witness.chain(tail.position);
            if seen.is_some_and(|seen| seen != tail.chain) {
                return Err(format!("in the end another group {} stands in the journal", tail.position));
            }
            if seen.is_none() {
                let World { cluster, witness, .. } = &mut *world;
                witness.fold(&group, &cluster.primary().tables)?;
            }
        }
        if groups < self.world.lock().witness.position() {
            return Err(format!("in the end only {groups} groups are left"));
        }
        let parts = parts(&self.world, journal, self.seed);
        let (book, _) = Book::open(parts).map_err(|error| format!("in the end: {error}"))?;
        match engine::digest(book.ledger()) == engine::digest(&self.world.lock().witness.ledger) {
            true => Ok(()),
            false => Err("in the end the book opens with another state".to_owned()),
        }
    }
}
