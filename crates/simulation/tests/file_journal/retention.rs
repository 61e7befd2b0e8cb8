//! Removing the oldest archives under a book: what is left proves itself, wherever the power was lost.

use std::sync::Arc;

use domain::{Currency, Nanos, Timestamp};
use engine::{
    Book, Head, HistoryError, Kept, ManualClock, Outcome, Parts, PruneError, Request, SeededEntropy,
    Verified, VerifyError, WINDOW_DEFAULT_SECS,
};
use journal::{Journal, Vault};
use journal_file::{Background, Disk, FileJournal, OpenError, Options, verify};
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, Funding, NewAccount, OrganizationIndex, Usage,
};
use simulation::SimDisk;

use crate::work_until_rest;

const START: Timestamp = Timestamp::from_secs(1_790_000_000);
const HOUR: i64 = 3_600;
/// The one that is charged every hour; the other is left alone after its first top-up.
const BUSY: usize = 0;
const QUIET: usize = 1;

fn options() -> Options {
    let sidecar = Some(Arc::new(engine::KeySidecar) as Arc<dyn journal::Sidecar>);
    Options { sidecar, segment_bytes: 16 << 10, segments_max: 64, ..crate::options() }
}

fn open(disk: &SimDisk) -> FileJournal<SimDisk> {
    FileJournal::open(disk.clone(), options(), Background::Manual).unwrap().0
}

/// A snapshot is begun when so much was written.
const NO_SNAPSHOTS: u64 = u64::MAX;

/// Opens the book `hours` after the beginning, and lets it live.
fn live(disk: &SimDisk, hours: i64, snapshot_every_bytes: u64, live: impl FnOnce(&mut Book, &ManualClock)) {
    let journal = open(disk);
    let vault: Arc<dyn Vault> = journal.vault();
    let clock = Arc::new(ManualClock::at(START.plus_secs(hours * HOUR)));
    let options = engine::Options {
        confirm_clock: true,
        snapshot_every_bytes,
        background: engine::Background::Inline,
        ..engine::Options::default()
    };
    let entropy = Arc::new(SeededEntropy::new(hours as u64));
    let parts = Parts { journal: Box::new(journal), vault, clock: clock.clone(), entropy, options };
    let (mut book, _) = Book::open(parts).unwrap();
    live(&mut book, &clock);
}

fn act(book: &mut Book, act: Act) {
    book.begin();
    let done = book.decide(&Request { command: Command { actor: Actor::System, act }, key: None });
    assert!(matches!(done, Outcome::Done(_)), "{done:?}");
    book.commit().unwrap();
}

fn top_up(account: usize) -> Act {
    let account = AccountIndex::new(account);
    Act::TopUp { account, currency: None, amount: Nanos::from_units(1_000), reference: None }
}

fn charge() -> Act {
    Act::Charge {
        account: AccountIndex::new(BUSY),
        currency: None,
        amount: Nanos::from_units(1),
        kind: ChargeKind::Metered,
        admission: Admission::Strict,
        usage: Usage { reference: Some([7; 500].as_slice().into()), ..Usage::default() },
    }
}

fn found(book: &mut Book) {
    act(book, engine::found("seller", "UTC", Currency::EUR, START).unwrap());
    for _ in [BUSY, QUIET] {
        let new = NewAccount {
            organization: OrganizationIndex::new(0),
            parent: None,
            currency: Currency::EUR,
            funding: Funding::Own,
            managed: true,
            may_open_children: false,
            allows_overruns: false,
            name: Some(b"a name".as_slice().into()),
            credit: Nanos::ZERO,
            credential: None,
        };
        act(book, Act::OpenAccount(Box::new(new)));
    }
    act(book, top_up(BUSY));
    act(book, top_up(QUIET));
}

fn charge_hourly(book: &mut Book, clock: &ManualClock, hours: usize) {
    for _ in 0..hours {
        clock.advance_secs(HOUR);
        act(book, charge());
        book.snapshot_step();
    }
}

/// A directory that lived for a week, all of it sealed but the last hours.
fn lived() -> SimDisk {
    lived_with(NO_SNAPSHOTS)
}

fn lived_with(snapshot_every_bytes: u64) -> SimDisk {
    let disk = SimDisk::new(1);
    FileJournal::init(&disk, [9; 16], &options()).unwrap();
    live(&disk, 0, snapshot_every_bytes, |book, clock| {
        found(book);
        charge_hourly(book, clock, 7 * 24);
    });
    work_until_rest(&open(&disk));
    disk
}

/// Everything older than this many hours after the beginning goes.
fn try_prune(disk: &SimDisk, hours: i64) -> Result<bool, PruneError> {
    let Ok((mut journal, _)) = FileJournal::open(disk.clone(), options(), Background::Manual) else {
        return Err(journal::SnapshotError::Fault(std::io::Error::other("it does not open")).into());
    };
    let plan = engine::plan(&journal, START.plus_secs(hours * HOUR), WINDOW_DEFAULT_SECS)?;
    let Some(cut) = plan.cut else { return Ok(false) };
    let vault: Arc<dyn Vault> = journal.vault();
    engine::prune(&mut journal, &vault, &cut, |_| {}).map(|_| true)
}

fn try_verify(disk: &SimDisk) -> Result<Verified, VerifyError> {
    assert_eq!(verify(disk).unwrap().damage, []);
    let journal = open(disk);
    let vault: Arc<dyn Vault> = journal.vault();
    engine::verify(&journal, &vault, |_| {})
}

fn verified(disk: &SimDisk) -> Verified {
    try_verify(disk).unwrap()
}

fn archives(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.list("archive").unwrap();
    names.retain(|name| !name.ends_with("sidecar"));
    names
}

#[test]
fn what_is_left_leads_to_the_same_state_and_lives_on() {
    for snapshot_every_bytes in [NO_SNAPSHOTS, 30_000] {
        let disk = lived_with(snapshot_every_bytes);
        let whole = verified(&disk);
        let before = archives(&disk).len();
        assert_eq!((whole.anchor, whole.snapshots > 0), (None, snapshot_every_bytes != NO_SNAPSHOTS));
        assert!(try_prune(&disk, 4 * 24).unwrap());
        let cut = verified(&disk);
        let anchor = cut.anchor.unwrap();
        assert_eq!((cut.digest, cut.accounts, cut.snapshots), (whole.digest, 2, whole.snapshots));
        assert!(cut.groups < whole.groups && cut.events < whole.events);
        assert!(anchor.time < START.plus_secs(4 * 24 * HOUR));
        assert_eq!(archives(&disk)[0], format!("{:010}.anchor", anchor.archive));
        assert_eq!(archives(&disk).len(), before - anchor.archive as usize + 1);

        live(&disk, 7 * 24, snapshot_every_bytes, |book, clock| {
            assert_eq!(engine::digest(book.ledger()), whole.digest, "nothing is missing at the start");
            charge_hourly(book, clock, 3);
        });
        assert_ne!(verified(&disk).digest, whole.digest);
    }
}

#[test]
fn a_cut_is_made_again_and_again() {
    let disk = lived();
    let whole = verified(&disk);
    let mut last = 0;
    for hours in [24, 24, 3 * 24, 5 * 24] {
        let was_cut = try_prune(&disk, hours).unwrap();
        let archive = verified(&disk).anchor.unwrap().archive;
        assert_eq!(was_cut, archive > last, "after {hours} hours");
        last = archive;
    }
    assert_eq!(verified(&disk).digest, whole.digest);
    let anchors = archives(&disk).iter().filter(|name| name.ends_with("anchor")).count();
    assert_eq!(anchors, 1, "the newest anchor covers the older ones");
}

#[test]
fn what_a_start_or_a_repeat_may_need_stays() {
    let disk = lived();
    let planned = |disk: &SimDisk, hours: i64| {
        let journal = open(disk);
        engine::plan(&journal, START.plus_secs(hours * HOUR), WINDOW_DEFAULT_SECS).unwrap()
    };
    assert_eq!(planned(&disk, 0), engine::Plan { cut: None, kept: None });
    let all = planned(&disk, 8 * 24);
    let window = START.plus_secs(6 * 24 * HOUR);
    assert!(all.cut.unwrap().last_time < window);
    assert!(matches!(all.kept, Some(Kept::ForKeys { until }) if until >= window));

    // Two snapshots, of which the older begins in the second archive.
    let journal = open(&disk);
    let reader = journal.reader();
    for archive in &reader.archives()[1..3] {
        let tail = reader.group(archive.first).unwrap().tail();
        journal.snapshots().begin(tail).unwrap().finish(tail).unwrap();
    }
    drop((reader, journal));
    let held = planned(&disk, 8 * 24);
    assert_eq!((held.cut.unwrap().archive, held.kept), (1, Some(Kept::ForSnapshot)));
}

#[test]
fn history_ends_where_it_was_cut_and_says_so() {
    let disk = lived();
    try_prune(&disk, 4 * 24).unwrap();
    let until = verified(&disk).anchor.unwrap().time;
    live(&disk, 7 * 24, NO_SNAPSHOTS, |book, _| {
        let history = book.history();
        let ledger = book.ledger();
        let balance = ledger.balance_of(AccountIndex::new(BUSY), Currency::EUR).unwrap();
        let head = Head::of(balance, ledger.balance(balance));
        let is_removed =
            |error: &HistoryError| matches!(error, HistoryError::Removed { until: at } if *at == until);

        let mut walk = history.entries(&head, None).unwrap();
        let kept: Vec<_> = walk.by_ref().map_while(Result::ok).collect();
        assert!(kept.len() > 48 && kept.iter().all(|entry| entry.time() > until));
        let oldest = kept.last().unwrap();
        for (number, is_there) in
            [(head.entries, true), (oldest.number(), true), (oldest.number() - 1, false)]
        {
            match history.entry_number(&head, number) {
                Ok(Some(entry)) => assert!(is_there && entry.number() == number),
                Ok(None) => panic!("entry {number} was there once"),
                Err(error) => assert!(!is_there && is_removed(&error), "entry {number}: {error}"),
            }
        }
        let walks = [
            history.entries(&head, None),
            history.entries(&head, Some(oldest.number() - 1)),
            history.entries_until(&head, START),
            Ok(history.movements(&head)),
        ];
        for walk in walks {
            let end = walk.unwrap().find_map(Result::err);
            assert!(end.is_some_and(|error| is_removed(&error)));
        }

        for (instant, is_there) in [(oldest.time(), true), (until, false), (START.plus_secs(HOUR), false)] {
            match history.as_of(&head, instant) {
                Ok(found) => assert!(is_there && found.unwrap().time() <= instant),
                Err(error) => assert!(!is_there && is_removed(&error), "{error}"),
            }
        }
        let before = history.anchored(balance).unwrap().unwrap();
        assert_eq!(before.entries, oldest.number() - 1);
        let posted = before.amounts.posted().get() - oldest.image().amounts.posted().get();
        assert_eq!(
            posted,
            Nanos::from_units(1).get(),
            "the anchor has what was there before the first charge"
        );
        let quiet = ledger.balance_of(AccountIndex::new(QUIET), Currency::EUR).unwrap();
        assert_eq!(history.anchored(quiet).unwrap().as_ref(), Some(ledger.balance(quiet)));
    });
}

#[test]
fn power_is_lost_at_every_write_of_a_cut() {
    let fresh = lived();
    let whole = verified(&fresh);
    let mut crashes = 0;
    for operation in 1.. {
        let disk = fresh.crash(operation);
        disk.power_off_at(operation);
        let done = try_prune(&disk, 4 * 24);
        let disk = disk.crash(operation.wrapping_mul(31));
        assert_eq!(verified(&disk).digest, whole.digest, "cut short at operation {operation}");
        // A second run finishes the work.
        try_prune(&disk, 4 * 24).unwrap();
        let cut = verified(&disk);
        assert_eq!(cut.digest, whole.digest);
        let first = archives(&disk);
        assert!(first[0].ends_with("anchor") && cut.anchor.is_some(), "{first:?}");
        assert!(!first.iter().any(|name| name.ends_with("partial")));
        if done.is_ok() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 10, "only {crashes} places to lose power at");
}

#[test]
fn an_anchor_that_is_not_the_one_that_was_cut_to_is_found_out() {
    let disk = lived();
    try_prune(&disk, 4 * 24).unwrap();
    let anchor = format!("archive/{}", archives(&disk)[0]);
    let second = format!("archive/{}", archives(&disk)[1]);
    let size = journal_file::DiskFile::size(&disk.open(&anchor).unwrap()).unwrap();

    for offset in [40, size - 500] {
        disk.flip(&anchor, offset, 1);
        let error = FileJournal::open(disk.clone(), options(), Background::Manual).err().unwrap();
        assert!(matches!(&error, OpenError::Damaged { file, .. } if *file == anchor), "{error}");
        disk.flip(&anchor, offset, 1);
    }
    disk.flip(&anchor, size / 2, 1);
    assert!(verify(&disk).unwrap().damage[0].place.starts_with(&anchor));
    disk.flip(&anchor, size / 2, 1);

    // Without an anchor, and without what follows it, archives are missing as ever.
    disk.rename(&anchor, "elsewhere").unwrap();
    let error = FileJournal::open(disk.clone(), options(), Background::Manual).err().unwrap();
    assert!(matches!(&error, OpenError::Missing { file, .. } if file.contains("0000000001")), "{error}");
    disk.rename("elsewhere", &anchor).unwrap();
    disk.rename(&second, "elsewhere").unwrap();
    let error = FileJournal::open(disk.clone(), options(), Background::Manual).err().unwrap();
    assert!(matches!(&error, OpenError::Missing { file, .. } if *file == second), "{error}");
    disk.rename("elsewhere", &second).unwrap();
    verified(&disk);
}

#[test]
fn an_anchor_that_the_journal_does_not_speak_of_is_refused() {
    // The anchor of one life under the archives of another, which differ in nothing that files can tell.
    let disk = lived();
    let mut journal = open(&disk);
    let vault: Arc<dyn Vault> = journal.vault();
    let plan = engine::plan(&journal, START.plus_secs(4 * 24 * HOUR), WINDOW_DEFAULT_SECS).unwrap();
    let cut = plan.cut.unwrap();
    engine::prune(&mut journal, &vault, &cut, |_| {}).unwrap();
    drop((journal, vault));
    let anchor = format!("archive/{}", archives(&disk)[0]);
    let bytes = disk.files().into_iter().find(|(path, _)| *path == anchor).unwrap().1;

    let other = lived();
    let file = other.create(&anchor).unwrap();
    journal_file::DiskFile::write_all_at(&file, &bytes, 0).unwrap();
    assert!(
        matches!(try_verify(&other), Err(VerifyError::AnchorUnmarked { position }) if position == cut.position)
    );
}
