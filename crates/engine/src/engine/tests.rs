use journal::{
    AppendError, Archive, Group, Journal, MemoryJournal, MemoryStore, MemoryVault, ReadError, Reader, Room,
    Scan, Snapshots, Tail,
};
use ledger::{Act, Actor, Command, HoldId, OrganizationIndex};

use super::*;
use crate::book::Refusal;
use crate::clock::{ManualClock, SeededEntropy};
use crate::record::Key;

/// Takes the barrier and one group more, then the disk is gone.
struct Failing {
    journal: MemoryJournal,
    left: u32,
}

impl Journal for Failing {
    fn tail(&self) -> Tail {
        self.journal.tail()
    }
    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        let Some(left) = self.left.checked_sub(1) else {
            let source = std::io::Error::other("the disk is gone");
            return Err(AppendError::Unknown { position: group.header().position, source });
        };
        self.left = left;
        self.journal.append(group)
    }
    fn prove(&mut self) -> Result<(), AppendError> {
        let position = self.tail().position;
        if self.left == 0 { Err(AppendError::Fenced { position }) } else { Ok(()) }
    }
    fn room(&self) -> Room {
        Room::Ample
    }
    fn release_before(&mut self, _position: u64) {}
    fn reader(&self) -> Arc<dyn Reader> {
        self.journal.reader()
    }
    fn snapshots(&self) -> Arc<dyn Snapshots> {
        self.journal.snapshots()
    }
}

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn parts(left: u32) -> Parts {
    Parts {
        journal: Box::new(Failing { journal: MemoryStore::default().open(), left }),
        vault: Arc::new(MemoryVault::default()),
        clock: Arc::new(ManualClock::at(NOW)),
        entropy: Arc::new(SeededEntropy::new(1)),
        options: crate::Options::default(),
    }
}

fn request(act: Act) -> Request {
    Request { command: Command { actor: Actor::System, act }, key: None }
}

fn found() -> Request {
    request(crate::found("seller", "UTC", domain::Currency::EUR, NOW).unwrap())
}

fn block<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_book_that_stopped_says_so_and_nothing_waits() {
    let (engine, _running, _) = Engine::start(parts(1)).unwrap();
    assert!(matches!(block(engine.submit(found())), Err(Unavailable::Unknown)));
    while engine.stopped().is_none() {
        std::thread::yield_now();
    }
    assert!(matches!(block(engine.submit(found())), Err(Unavailable::Stopped(_))));
    assert_eq!(engine.waiting(), 0);
    let too_many = vec![request(Act::VoidHold { hold: HoldId(0) }); QUEUE_MAX + 1];
    assert!(matches!(block(engine.submit_all(too_many)), Err(Unavailable::Stopped(_))));
}

#[test]
fn what_needs_no_event_leaves_with_a_proof_or_not_at_all() {
    let refused = || request(Act::VoidHold { hold: HoldId(0) });
    let (engine, _running, _) = Engine::start(parts(2)).unwrap();
    assert_eq!(block(engine.read(|_, _| 7)), Ok(7));
    assert!(matches!(block(engine.submit(refused())), Ok(Outcome::Rejected(_))));
    assert!(matches!(block(engine.submit(found())), Ok(Outcome::Done(_))));
    assert_eq!(block(engine.read(|_, _| 7)), Err(Unavailable::Unknown));
    while engine.stopped().is_none() {
        std::thread::yield_now();
    }
    let (engine, _running, _) = Engine::start(parts(1)).unwrap();
    assert!(matches!(block(engine.submit(refused())), Err(Unavailable::Unknown)));
}

#[test]
fn a_bug_on_the_thread_is_told_to_those_who_wait() {
    let (engine, _running, _) = Engine::start(parts(9)).unwrap();
    let seen: Result<(), Unavailable> = block(engine.read(|_, _| panic!("a bug")));
    assert_eq!(seen, Err(Unavailable::Unknown));
    while engine.stopped().is_none() {
        std::thread::yield_now();
    }
    assert!(matches!(block(engine.submit(found())), Err(Unavailable::Stopped(_))));
}

/// Gives a slice of history only once somebody who runs beside has said so.
struct Waiting {
    reader: Arc<dyn Reader>,
    said: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Reader for Waiting {
    fn tail(&self) -> Tail {
        self.reader.tail()
    }
    fn group(&self, position: u64) -> Result<Group, ReadError> {
        self.reader.group(position)
    }
    fn slice(
        &self,
        position: u64,
        offset: usize,
        length: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let said = self.said.lock().unwrap().recv_timeout(std::time::Duration::from_secs(20));
        let nobody = |_| ReadError::Fault { position, source: std::io::Error::other("nobody ran beside") };
        said.map_err(nobody)?;
        self.reader.slice(position, offset, length, into)
    }
    fn scan(&self, from: u64) -> Result<Scan, ReadError> {
        self.reader.scan(from)
    }
    fn archives(&self) -> Vec<Archive> {
        self.reader.archives()
    }
    fn sidecar(&self, archive: &Archive) -> Result<Vec<u8>, ReadError> {
        self.reader.sidecar(archive)
    }
}

#[test]
fn whoever_repeats_a_command_keeps_nobody_waiting_while_history_is_read() {
    let (mut engine, _running, _) = Engine::start(parts(9)).unwrap();
    let (say, said) = std::sync::mpsc::channel();
    let reader = Arc::new(Waiting { reader: engine.history.reader().clone(), said: said.into() });
    engine.history = History::new(reader, engine.vault.clone());
    let name =
        || Act::InternName { organization: OrganizationIndex::new(0), family: None, digest: 7, text: None };
    let keyed = |content| Request { key: Some((Key::new(7), Content(content))), ..request(name()) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        engine.submit(found()).await.unwrap();
        let Ok(Outcome::Done(first)) = engine.submit(keyed(1)).await else { panic!("it was not done") };
        let speaks = async { say.send(()).unwrap() };
        let (again, ()) = tokio::join!(engine.submit(keyed(1)), speaks);
        assert!(matches!(again, Ok(Outcome::Done(it)) if it.at == first.at && it.repeated));
        let speaks = async { (0..3).for_each(|_| say.send(()).unwrap()) };
        let all = vec![keyed(1), request(Act::VoidHold { hold: HoldId(0) }), keyed(2), keyed(1)];
        let (all, ()) = tokio::join!(engine.submit_all(all), speaks);
        let all: Vec<&str> = all
            .unwrap()
            .iter()
            .map(|outcome| match outcome {
                Outcome::Done(it) if it.at == first.at && it.repeated => "again",
                Outcome::Refused(Refusal::KeyConflict) => "other content",
                Outcome::Rejected(_) => "rejected",
                _ => "something else",
            })
            .collect();
        assert_eq!(all, ["again", "rejected", "other content", "again"]);
    });
}

#[test]
fn a_group_begun_twice_keeps_its_instant() {
    let clock = Arc::new(ManualClock::at(NOW));
    let (mut book, _) = Book::open(Parts { clock: clock.clone(), ..parts(9) }).unwrap();
    book.begin();
    assert!(matches!(book.decide(&found()), Outcome::Done(_)));
    clock.step_secs(-3600);
    book.begin();
    assert_eq!(book.now(), NOW);
    book.commit().unwrap();
}

#[test]
fn a_key_is_refused_by_its_own_time() {
    let (mut book, _) = Book::open(parts(9)).unwrap();
    book.begin();
    let made = |secs| Request {
        key: Some((Key { made: Some(NOW.plus_secs(secs)), ..Key::new(7) }, Content(1))),
        ..found()
    };
    let refused = |outcome, refusal| matches!(outcome, Outcome::Refused(it) if it == refusal);
    assert!(refused(book.decide(&made(-crate::WINDOW_DEFAULT_SECS)), Refusal::KeyTooOld));
    assert!(refused(book.decide(&made(61)), Refusal::KeyFromFuture));
    assert!(matches!(book.decide(&made(60)), Outcome::Done(_)));
    assert!(matches!(book.decide(&made(60)), Outcome::Repeated(_)));
}

#[test]
fn a_quiet_book_closes_its_tail_once() {
    let store = MemoryStore::default();
    let vault: Arc<dyn Vault> = Arc::new(MemoryVault::default());
    let parts = || Parts { journal: Box::new(store.open()), vault: vault.clone(), ..parts(0) };
    let (mut book, _) = Book::open(parts()).unwrap();
    let begun = book.tail().position;
    book.close_tail().unwrap();
    assert_eq!(book.tail().position, begun, "nothing was answered yet");
    book.begin();
    book.decide(&found());
    book.commit().unwrap();
    book.close_tail().unwrap();
    book.close_tail().unwrap();
    assert_eq!(book.tail().position, begun + 2);

    // By itself, after a while without commands.
    drop(book);
    let (engine, running, _) = Engine::start(parts()).unwrap();
    let reader = store.open().reader();
    let name =
        Act::InternName { organization: OrganizationIndex::new(0), family: None, digest: 7, text: None };
    assert!(matches!(block(engine.submit(request(name))), Ok(Outcome::Done(_))));
    let answered = reader.tail().position;
    while reader.tail().position == answered {
        std::thread::yield_now();
    }
    assert_eq!(reader.tail().position, answered + 1);
    drop(running);
}

#[test]
fn a_state_that_is_not_what_it_was_is_not_served() {
    let store = MemoryStore::default();
    let vault: Arc<dyn Vault> = Arc::new(MemoryVault::default());
    let open = || Book::open(Parts { journal: Box::new(store.open()), vault: vault.clone(), ..parts(0) });
    let (mut book, _) = open().unwrap();
    book.begin();
    book.decide(&found());
    book.commit().unwrap();
    drop(book);
    assert!(open().is_ok(), "the digest in its first group agrees");

    let mut journal = store.open();
    let mut buffer = Group::buffer();
    let mark = crate::record::Mark::digest(&Ledger::default(), &mut ledger::Cursor::Start, 10);
    mark.write(&mut buffer);
    let group = Group::seal(buffer, &journal.tail(), NOW, 0);
    journal.append(&group).unwrap();
    let position = group.header().position;
    assert!(matches!(open(), Err(OpenError::Diverged { position: at }) if at == position));
}
