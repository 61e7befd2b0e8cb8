use std::collections::HashMap;
use std::sync::Mutex;

use journal::{Archive, Group, Journal, MemoryJournal, MemoryStore, ReadError, Scan, Sidecar, Tail};
use proptest::prelude::*;

use super::key_file::tests::{append, key};
use super::*;
use crate::record::keys_in;
use crate::recovery::remember;

const WINDOW_SECS: i64 = 1_000;

/// Sealed stretches, oldest first, each with its sidecar.
type Sealed = Vec<(Archive, Vec<u8>)>;

/// A memory journal whose groups can be sealed.
#[derive(Clone, Default)]
struct Shelf {
    store: MemoryStore,
    sealed: Arc<Mutex<Sealed>>,
}

impl Shelf {
    /// Seals up to `last`. A stretch without a sidecar is one whose sidecar was lost.
    fn seal(&self, last: u64, is_lost: bool) {
        let mut sealed = self.sealed.lock().unwrap();
        let first = sealed.last().map_or(1, |(archive, _)| archive.last + 1);
        let last = last.min(Reader::tail(&self.store).position);
        if first > last {
            return;
        }
        let groups: Vec<Group> = (first..=last).map(|at| Reader::group(&self.store, at).unwrap()).collect();
        let time = |group: Option<&Group>| group.unwrap().header().time;
        let (first_time, last_time) = (time(groups.first()), time(groups.last()));
        let number = sealed.len() as u64 + 1;
        let sidecar = if is_lost { Vec::new() } else { KeySidecar.distil(&mut groups.into_iter()) };
        sealed.push((Archive { number, first, last, first_time, last_time }, sidecar));
    }
}

impl Reader for Shelf {
    fn tail(&self) -> Tail {
        Reader::tail(&self.store)
    }
    fn group(&self, position: u64) -> Result<Group, ReadError> {
        Reader::group(&self.store, position)
    }
    fn slice(
        &self,
        position: u64,
        offset: usize,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        self.store.slice(position, offset, length, into)
    }
    fn scan(&self, from: u64) -> Result<Scan, ReadError> {
        self.store.scan(from)
    }
    fn archives(&self) -> Vec<Archive> {
        self.sealed.lock().unwrap().iter().map(|(archive, _)| archive.clone()).collect()
    }
    fn sidecar(&self, archive: &Archive) -> Result<Vec<u8>, ReadError> {
        Ok(self.sealed.lock().unwrap()[archive.number as usize - 1].1.clone())
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A client sends a command under the key of this number, asked for just before or not at all.
    Use(u64, bool),
    /// The question is put, and its command arrives at some later step.
    Ask(u64),
    Arrive,
    Pass(i64),
    /// All but so many groups at the end.
    Seal(u64, bool),
    Tend,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..40_u64;
    prop_oneof![
        8 => (number.clone(), any::<bool>()).prop_map(|(number, asked)| Step::Use(number, asked)),
        4 => number.prop_map(Step::Ask),
        4 => Just(Step::Arrive),
        3 => (0..WINDOW_SECS / 2).prop_map(Step::Pass),
        3 => (0..6_u64, prop::bool::weighted(0.1)).prop_map(|(left, lost)| Step::Seal(left, lost)),
        4 => Just(Step::Tend),
        1 => Just(Step::Restart),
    ]
}

struct World {
    shelf: Shelf,
    journal: MemoryJournal,
    window: Window,
    now: Timestamp,
    questions: Vec<(u64, Asked)>,
    /// What a simple map remembers.
    map: HashMap<u64, (EventRef, Timestamp)>,
}

impl World {
    fn new() -> Self {
        let shelf = Shelf::default();
        let now = Timestamp::EPOCH.plus_secs(1_000_000);
        let window = Window::open(Arc::new(shelf.clone()), WINDOW_SECS, Background::Inline, now).unwrap();
        let journal = shelf.store.open();
        Self { shelf, journal, window, now, questions: Vec::new(), map: HashMap::new() }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Use(number, is_asked) => {
                let asked = if is_asked { self.ask(number) } else { Asked::default() };
                self.arrive(number, asked);
            }
            Step::Ask(number) => {
                let asked = self.ask(number);
                self.questions.push((number, asked));
            }
            Step::Arrive => {
                if !self.questions.is_empty() {
                    let (number, asked) = self.questions.remove(0);
                    self.arrive(number, asked);
                }
            }
            Step::Pass(secs) => self.now = self.now.plus_secs(secs),
            Step::Seal(left, is_lost) => {
                self.shelf.seal(self.journal.tail().position.saturating_sub(left), is_lost);
            }
            Step::Tend => self.window.step(self.now),
            Step::Restart => self.restart(),
        }
    }

    fn ask(&self, number: u64) -> Asked {
        self.window.sealed().ask_one(Key::new(key(number)))
    }

    fn arrive(&mut self, number: u64, asked: Asked) {
        let found = self.window.find(Key::new(key(number)), asked).unwrap();
        let oldest = self.now.plus_secs(-WINDOW_SECS);
        let known = self.map.get(&number).filter(|(_, time)| *time >= oldest);
        if let Some((at, _)) = known {
            assert_eq!(found, Some(*at), "key {number}");
        }
        if let Some(at) = found {
            assert_eq!(self.stands_at(at), key(number), "another key's event");
            return;
        }
        let at = append(&mut self.journal, &[Some(key(number))], self.now)[0].1;
        self.window.insert(Key::new(key(number)), at, self.now);
        self.map.insert(number, (at, self.now));
    }

    fn stands_at(&self, at: EventRef) -> u128 {
        let mut found = None;
        let group = Reader::group(&self.shelf, at.position()).unwrap();
        keys_in(&group, |key, here| found = found.or((here == at).then_some(key.hash))).unwrap();
        found.unwrap()
    }

    fn restart(&mut self) {
        let reader: Arc<dyn Reader> = Arc::new(self.shelf.clone());
        self.window = Window::open(reader.clone(), WINDOW_SECS, Background::Inline, self.now).unwrap();
        let positions = self.window.covered() + 1..reader.tail().position + 1;
        remember(&*reader, positions, self.now.plus_secs(-WINDOW_SECS), &mut self.window).unwrap();
        self.questions.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn layers_remember_what_one_map_would(steps in prop::collection::vec(step(), 1..200)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
    }
}

/// Uses fresh keys, a stretch of ten each, and has them sealed.
fn sealed(stretches: u64) -> World {
    let mut world = World::new();
    for number in 0..stretches * 10 {
        world.step(&Step::Use(number, true));
        if number % 10 == 9 {
            world.step(&Step::Seal(0, false));
            world.step(&Step::Tend);
        }
    }
    world.step(&Step::Tend);
    world
}

#[test]
fn keys_leave_memory_once_their_file_is_ready_and_few_generations_are_asked() {
    let mut world = sealed(50);
    let remembered = world.window.remembered();
    assert_eq!((remembered.recent_keys, remembered.sealed_keys), (0, 500));
    assert!(world.window.sealed().count() <= sealed::GENERATIONS_MAX);
    for number in 0..500 {
        world.step(&Step::Use(number, number % 2 == 0));
    }
    assert_eq!(world.map.len(), 500);
    assert_eq!(world.journal.tail().position, 500, "every key was known");
}

#[test]
fn a_question_from_before_a_seal_does_not_miss_what_left_memory_since() {
    let mut world = World::new();
    world.step(&Step::Ask(1));
    world.step(&Step::Use(1, true));
    world.step(&Step::Seal(0, false));
    world.step(&Step::Tend);
    world.step(&Step::Tend);
    assert_eq!(world.window.remembered().recent_keys, 0);
    world.step(&Step::Arrive);
    assert_eq!(world.journal.tail().position, 1, "the key was charged twice");
}

#[test]
fn a_key_is_remembered_for_the_whole_window() {
    let mut world = World::new();
    // Two generations of one moment: the first is sealed but for its last group.
    for step in
        [Step::Use(1, false), Step::Use(2, false), Step::Seal(1, false), Step::Tend, Step::Use(3, false)]
    {
        world.step(&step);
    }
    world.now = world.now.plus_secs(WINDOW_SECS);
    world.step(&Step::Tend);
    world.step(&Step::Use(1, false));
    world.step(&Step::Use(2, false));
    assert_eq!(world.journal.tail().position, 3, "both were known");
}

#[test]
fn what_is_older_than_the_window_is_dropped() {
    let mut world = sealed(50);
    world.now = world.now.plus_secs(WINDOW_SECS + 1);
    world.step(&Step::Tend);
    assert_eq!(world.window.remembered(), Remembered::default());
    world.step(&Step::Restart);
    assert_eq!(world.window.remembered(), Remembered::default());
}

#[test]
fn damaged_keys_are_looked_for_in_the_groups() {
    let mut world = sealed(1);
    let damage = |world: &World| {
        let sidecar = &mut world.shelf.sealed.lock().unwrap()[0].1;
        *sidecar.last_mut().unwrap() ^= 1;
    };
    damage(&world);
    let (known, unknown) = (Key::new(key(3)), Key::new(key(1_000)));
    assert!(world.window.find(known, Asked::default()).unwrap().is_some());
    assert!(world.window.find(unknown, Asked::default()).unwrap().is_none());
    // A file that is damaged before it is read or lost is made again in memory.
    world.shelf.sealed.lock().unwrap()[0].1[0] ^= 1;
    world.step(&Step::Restart);
    assert!(world.window.sealed().ask_one(known).is_found());
}

#[test]
fn a_key_with_a_time_is_asked_only_where_it_can_be() {
    let world = sealed(3);
    let at_time = |secs| Key { made: Some(world.now.plus_secs(secs)), ..Key::new(key(3)) };
    assert!(world.window.sealed().ask_one(at_time(0)).is_found());
    assert!(world.window.sealed().ask_one(at_time(CLOCK_TOLERANCE_SECS)).is_found());
    assert!(!world.window.sealed().ask_one(at_time(CLOCK_TOLERANCE_SECS + 1)).is_found());
    let age = |secs| world.window.age(at_time(secs), world.now);
    assert_eq!(age(CLOCK_TOLERANCE_SECS), Age::Fitting);
    assert_eq!(age(CLOCK_TOLERANCE_SECS + 1), Age::FromFuture);
    assert_eq!(age(CLOCK_TOLERANCE_SECS - WINDOW_SECS), Age::Fitting);
    assert_eq!(age(CLOCK_TOLERANCE_SECS - WINDOW_SECS - 1), Age::TooOld);
    assert_eq!(world.window.age(Key::new(1), world.now), Age::Fitting);
}
