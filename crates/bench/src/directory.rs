//! A book on a real disk, in a directory of its own.

use std::path::Path;
use std::sync::Arc;

use engine::{Book, Content, Key, Options, Outcome, Parts, Request, SeededEntropy, SystemClock};
use journal::{Journal, Sidecar, Vault};
use journal_file::{Background, FileJournal, OpenError, OsDisk, Written};
use ledger::{Actor, Command};

use crate::workload::{self, Dice};

/// A book, and its journal's counters.
pub struct Directory {
    pub book: Book,
    /// Where the counters are read once the book owns the journal.
    counted: Arc<dyn Fn() -> Written + Send + Sync>,
}

impl Directory {
    /// Opens the directory, or makes it on first use.
    pub fn open(path: &Path, options: &Options) -> Self {
        let journal = loop {
            match Self::journal(path) {
                // What the book before had in the background may not have ended yet.
                Err(OpenError::Locked) => std::thread::yield_now(),
                opened => break opened.expect("the directory opens"),
            }
        };
        let vault: Arc<dyn Vault> = journal.vault();
        let (journal, counted) = Counted::new(journal);
        let parts = Parts {
            journal: Box::new(journal),
            vault,
            clock: Arc::new(SystemClock::default()),
            entropy: Arc::new(SeededEntropy::new(1)),
            options: Options { confirm_clock: true, ..options.clone() },
        };
        let (book, _) = Book::open(parts).expect("the book opens");
        Self { book, counted }
    }

    fn journal(path: &Path) -> Result<FileJournal<OsDisk>, OpenError> {
        let disk = OsDisk::new(path);
        let sidecar: Arc<dyn Sidecar> = Arc::new(engine::KeySidecar);
        let options = journal_file::Options { sidecar: Some(sidecar), ..journal_file::Options::default() };
        match FileJournal::init(&disk, [9; 16], &options) {
            Ok(()) | Err(OpenError::AlreadyInitialised) => {}
            Err(error) => return Err(error),
        }
        FileJournal::open(disk, options, Background::Thread).map(|(journal, _)| journal)
    }

    pub fn written(&self) -> Written {
        (self.counted)()
    }

    pub fn prepare(&mut self, accounts: usize) {
        prepare(&mut self.book, accounts);
    }

    pub fn charge(&mut self, dice: &mut Dice, accounts: usize, charges: usize, group: usize) {
        charge(&mut self.book, dice, accounts, charges, group);
    }
}

/// Opens `accounts` with plenty of credit.
pub fn prepare(book: &mut Book, accounts: usize) {
    book.begin();
    let now = book.now();
    let found = engine::found("bench", "UTC", domain::Currency::EUR, now).expect("UTC is a time zone");
    for act in [found, workload::product()] {
        step(book, &Request { command: Command { actor: Actor::System, act }, key: None });
    }
    let open =
        Request { command: Command { actor: Actor::System, act: workload::open_account() }, key: None };
    for _ in 0..accounts {
        step(book, &open);
    }
    book.commit().expect("the disk takes it");
}

/// `charges` charges with fresh keys, in groups of `group`.
pub fn charge(book: &mut Book, dice: &mut Dice, accounts: usize, charges: usize, group: usize) {
    let mut left = charges;
    while left > 0 {
        let requests: Vec<Request> = (0..group.min(left)).map(|_| request(dice, accounts)).collect();
        left -= requests.len();
        book.begin();
        for requests in requests.chunks(ledger::WARM_MAX) {
            book.warm(requests);
            requests.iter().for_each(|request| step(book, request));
        }
        book.commit().expect("the disk takes it");
        book.snapshot_step();
    }
}

fn step(book: &mut Book, request: &Request) {
    if !book.has_room() {
        book.commit().expect("the disk takes it");
        book.begin();
    }
    let outcome = book.decide(request);
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

pub fn request(dice: &mut Dice, accounts: usize) -> Request {
    let key = Key::new((u128::from(dice.next()) << 64) | u128::from(dice.next()));
    Request { command: workload::charge(dice, accounts), key: Some((key, Content(u128::from(dice.next())))) }
}

/// The file journal, still counting where others can look.
struct Counted(Arc<std::sync::Mutex<FileJournal<OsDisk>>>);

impl Counted {
    fn new(journal: FileJournal<OsDisk>) -> (Self, Arc<dyn Fn() -> Written + Send + Sync>) {
        let shared = Arc::new(std::sync::Mutex::new(journal));
        let counted = shared.clone();
        let written = move || counted.lock().expect("no holder panics").written();
        (Self(shared), Arc::new(written))
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, FileJournal<OsDisk>> {
        self.0.lock().expect("no holder panics")
    }
}

impl Journal for Counted {
    fn tail(&self) -> journal::Tail {
        self.journal().tail()
    }
    fn append(&mut self, group: &journal::Group) -> Result<(), journal::AppendError> {
        self.journal().append(group)
    }
    fn room(&self) -> journal::Room {
        self.journal().room()
    }
    fn release_before(&mut self, position: u64) {
        self.journal().release_before(position);
    }
    fn reader(&self) -> Arc<dyn journal::Reader> {
        self.journal().reader()
    }
    fn snapshots(&self) -> Arc<dyn journal::Snapshots> {
        self.journal().snapshots()
    }
}
