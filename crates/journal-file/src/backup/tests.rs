use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use journal::{Journal, VaultKey, conformance};

use super::*;
use crate::os_disk::OsDisk;
use crate::{Background, FileJournal, Options, verify};

fn options() -> Options {
    Options {
        segment_bytes: 64 << 10,
        segments_free: 2,
        segments_max: 8,
        reserve_bytes: 0,
        ..Options::default()
    }
}

fn open(directory: &Path, background: Background) -> FileJournal<OsDisk> {
    FileJournal::open(OsDisk::new(directory), options(), background).unwrap().0
}

#[test]
fn a_copy_under_load_holds_all_that_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    FileJournal::init(&OsDisk::new(directory.path()), [1; 16], &options()).unwrap();
    let mut journal = open(directory.path(), Background::Thread);
    let (reader, vault, done) = (journal.reader(), journal.vault(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for position in 1.. {
                if done.load(Ordering::Acquire) {
                    break;
                }
                vault.put(&[(position, VaultKey([1; 32]))]).unwrap();
                journal.append(&conformance::group(&journal.tail(), &conformance::body(position))).unwrap();
                journal.release_before(position);
                if position % 50 == 0 {
                    journal.snapshots().begin(journal.tail()).unwrap().finish(journal.tail()).unwrap();
                }
            }
        });
        for _ in 0..20 {
            let copy = tempfile::tempdir().unwrap();
            let answered = reader.tail().position;
            let copied = backup(&OsDisk::new(directory.path()), &OsDisk::new(copy.path())).unwrap();
            assert!(copied.tail.position >= answered);
            assert_eq!(verify(&OsDisk::new(copy.path())).unwrap().damage, []);
            let restored = open(copy.path(), Background::Manual);
            assert_eq!(restored.tail(), copied.tail);
            let bodies = restored.reader().scan(1).unwrap().map(|group| group.unwrap().body().to_vec());
            assert!(bodies.eq((1..=copied.tail.position).map(conformance::body)));
            assert!((1..=copied.tail.position).all(|owner| restored.vault().get(owner).is_some()));
        }
        done.store(true, Ordering::Release);
    });
    assert!(reader.archives().len() > 2, "segments were sealed and used again meanwhile");
}

#[test]
fn a_journal_is_not_overwritten() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, to) = (OsDisk::new(from.path()), OsDisk::new(to.path()));
    assert!(matches!(backup(&from, &to), Err(OpenError::NotInitialised)));
    FileJournal::init(&from, [1; 16], &options()).unwrap();
    let empty = Backup { tail: Tail::default(), archives: 0, segments: 0 };
    assert_eq!(backup(&from, &to).unwrap(), empty);
    assert!(matches!(backup(&from, &to), Err(OpenError::AlreadyInitialised)));
}
