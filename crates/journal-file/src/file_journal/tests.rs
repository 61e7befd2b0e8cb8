use journal::conformance;

use super::*;
use crate::os_disk::OsDisk;

fn options() -> Options {
    Options {
        segment_bytes: 1 << 20,
        segments_free: 2,
        segments_max: 8,
        reserve_bytes: 0,
        cache_bytes: 1 << 20,
        ..Options::default()
    }
}

fn conformance_with(background: Background) {
    conformance::run(|| {
        let directory = tempfile::tempdir().unwrap();
        FileJournal::init(&OsDisk::new(directory.path()), [1; 16], &options()).unwrap();
        Box::new(move || {
            let disk = OsDisk::new(directory.path());
            Box::new(FileJournal::open(disk, options(), background).unwrap().0)
        })
    });
}

#[test]
fn keeps_every_promise_with_a_thread() {
    conformance_with(Background::Thread);
}

#[test]
fn keeps_every_promise_driven_by_hand() {
    conformance_with(Background::Manual);
}

#[test]
fn keeps_every_promise_of_a_vault() {
    let directory = tempfile::tempdir().unwrap();
    FileJournal::init(&OsDisk::new(directory.path()), [1; 16], &options()).unwrap();
    conformance::vault(|| {
        let disk = OsDisk::new(directory.path());
        FileJournal::open(disk, options(), Background::Manual).unwrap().0.vault()
    });
}

#[test]
fn readers_follow_through_sealing_and_recycling() {
    let options = Options { segment_bytes: 64 << 10, cache_bytes: 100 << 10, ..options() };
    let directory = tempfile::tempdir().unwrap();
    FileJournal::init(&OsDisk::new(directory.path()), [1; 16], &options).unwrap();
    let open =
        || FileJournal::open(OsDisk::new(directory.path()), options.clone(), Background::Thread).unwrap().0;
    let mut journal = open();
    let reader = journal.reader();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2u64 {
            let (reader, done) = (&reader, &done);
            scope.spawn(move || {
                let mut step = thread;
                while !done.load(std::sync::atomic::Ordering::Acquire) {
                    step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let last = reader.tail().position;
                    if last == 0 {
                        continue;
                    }
                    let position = 1 + (step >> 33) % last;
                    let mut slice = Vec::new();
                    reader.slice(position, 7, 90, &mut slice).unwrap();
                    let body = conformance::body(position);
                    assert_eq!(slice, body.into_iter().skip(7).take(90).collect::<Vec<_>>());
                }
            });
        }
        for position in 1..=2_000 {
            journal.append(&conformance::group(&journal.tail(), &conformance::body(position))).unwrap();
            journal.release_before(position);
        }
        done.store(true, std::sync::atomic::Ordering::Release);
    });
    while journal.run_background_step().unwrap() {}
    assert!(reader.archives().len() > 40);
    assert_eq!(journal.background_fault(), None);
    drop((reader, journal));
    let journal = open();
    let bodies = journal.reader().scan(1).unwrap().map(|group| group.unwrap().body().to_vec());
    assert!(bodies.eq((1..=2_000).map(conformance::body)));
}

#[test]
fn archives_may_lie_elsewhere_behind_links() {
    let options = Options { segment_bytes: 64 << 10, group_bytes_max: 8 << 10, ..options() };
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    FileJournal::init(&OsDisk::new(directory.path()), [1; 16], &options).unwrap();
    let open =
        || FileJournal::open(OsDisk::new(directory.path()), options.clone(), Background::Manual).unwrap().0;
    let mut journal = open();
    for position in 1..=200 {
        journal.append(&conformance::group(&journal.tail(), &conformance::body(position))).unwrap();
        journal.release_before(position);
    }
    while journal.run_background_step().unwrap() {}
    drop(journal);
    let archives = directory.path().join(ARCHIVE);
    for name in ["0000000001.archive", "0000000002.archive"] {
        std::fs::copy(archives.join(name), elsewhere.path().join(name)).unwrap();
        std::fs::remove_file(archives.join(name)).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join(name), archives.join(name)).unwrap();
    }
    let bodies = open().reader().scan(1).unwrap().map(|group| group.unwrap().body().to_vec());
    assert!(bodies.eq((1..=200).map(conformance::body)));
    assert_eq!(crate::verify(&OsDisk::new(directory.path())).unwrap().damage, []);
}

#[test]
fn directory_has_one_user() {
    let directory = tempfile::tempdir().unwrap();
    let disk = || OsDisk::new(directory.path());
    let open = || FileJournal::open(disk(), options(), Background::Manual);
    assert!(matches!(open().err(), Some(OpenError::NotInitialised)));
    FileJournal::init(&disk(), [1; 16], &options()).unwrap();
    let again = FileJournal::init(&disk(), [2; 16], &options());
    assert!(matches!(again, Err(OpenError::AlreadyInitialised)));
    let (journal, _) = open().unwrap();
    assert!(matches!(open().err(), Some(OpenError::Locked)));
    drop(journal);
    open().unwrap();
}
