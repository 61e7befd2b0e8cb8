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
