//! The file journal on a disk that fails.
#![expect(clippy::unwrap_used, reason = "an integration test is a test throughout")]

mod crash;
mod damage;
mod retention;
mod space;

use journal::{Group, Journal, Sidecar};
use journal_file::{Background, FileJournal, OpenError, Opened, Options};
use simulation::SimDisk;
use std::sync::Arc;

/// Small segments, so that a short run passes through many.
fn options() -> Options {
    Options {
        segment_bytes: 32 << 10,
        group_bytes_max: 12 << 10,
        segments_free: 2,
        segments_max: 8,
        zeroing_bytes: 16 << 10,
        reserve_bytes: 0,
        cache_bytes: 64 << 10,
        sidecar: Some(Arc::new(Positions)),
    }
}

/// Beside each archive: the positions in it.
struct Positions;

impl Sidecar for Positions {
    fn distil(&self, groups: &mut dyn Iterator<Item = Group>) -> Vec<u8> {
        groups.flat_map(|group| group.header().position.to_le_bytes()).collect()
    }
}

fn new_disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    FileJournal::init(&disk, [9; 16], &options()).unwrap();
    disk
}

fn try_open(disk: &SimDisk) -> Result<(FileJournal<SimDisk>, Opened), OpenError> {
    FileJournal::open(disk.clone(), options(), Background::Manual)
}

fn open(disk: &SimDisk) -> FileJournal<SimDisk> {
    try_open(disk).unwrap().0
}

fn append(journal: &mut FileJournal<SimDisk>, body: &[u8]) -> Group {
    let group = journal::conformance::group(&journal.tail(), body);
    journal.append(&group).unwrap();
    group
}

/// Appends groups of about 3 KiB, so that ten fill a segment.
fn append_many(journal: &mut FileJournal<SimDisk>, count: usize) -> Vec<Group> {
    (0..count).map(|at| append(journal, &vec![at as u8 + 1; 2_900])).collect()
}

fn work_until_rest(journal: &FileJournal<SimDisk>) {
    for _ in 0..10_000 {
        if !journal.run_background_step().unwrap() {
            return;
        }
    }
    panic!("the background does not come to rest");
}

fn assert_holds(journal: &FileJournal<SimDisk>, groups: &[Group]) {
    let read: Vec<Group> = journal.reader().scan(1).unwrap().map(Result::unwrap).collect();
    assert_eq!(read.len(), groups.len());
    assert!(read == groups, "every group is there as it was appended");
    assert_eq!(journal.tail(), groups.last().map(Group::tail).unwrap_or_default());
}

#[test]
fn keeps_every_promise_of_a_journal() {
    let whole = || Options { segment_bytes: 1 << 20, group_bytes_max: journal::GROUP_BYTES_MAX, ..options() };
    let mut seed = 0;
    journal::conformance::run(|| {
        seed += 1;
        let disk = SimDisk::new(seed);
        disk.set_short_writes(true);
        FileJournal::init(&disk, [1; 16], &whole()).unwrap();
        Box::new(move || Box::new(FileJournal::open(disk.clone(), whole(), Background::Manual).unwrap().0))
    });
}

#[test]
fn keeps_every_promise_of_a_vault() {
    let disk = new_disk(1);
    disk.set_short_writes(true);
    journal::conformance::vault(|| open(&disk).vault());
}
