//! The ring: sealing, recycling, filling up and recovering from it.

use std::io;

use journal::{AppendError, Journal, Room};
use journal_file::{Background, FileJournal, Options};
use simulation::SimDisk;

use crate::{append, append_many, assert_holds, new_disk, open, options, work_until_rest};

fn ring_files(disk: &SimDisk) -> usize {
    disk.files().iter().filter(|(path, _)| path.starts_with("ring/")).count()
}

/// Appends until there is no room, and says how many were.
fn fill(journal: &mut FileJournal<SimDisk>) -> usize {
    for count in 0..10_000 {
        let group = journal::conformance::group(&journal.tail(), &[6; 3_000]);
        match journal.append(&group) {
            Ok(()) => {}
            Err(AppendError::Full { .. }) => return count,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it never fills up");
}

#[test]
fn segments_are_sealed_and_used_again() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    let mut groups = Vec::new();
    for _ in 0..40 {
        groups.extend(append_many(&mut journal, 25));
        journal.release_before(journal.tail().position);
        work_until_rest(&journal);
        assert!(ring_files(&disk) <= 5, "the ring stays small");
    }
    assert!(journal.reader().archives().len() > 90);
    assert_holds(&journal, &groups);
    drop(journal);
    let journal = open(&disk);
    assert_holds(&journal, &groups);
    let written = journal.written();
    assert_eq!((written.appends, written.append_bytes), (0, 0));
}

#[test]
fn without_background_appending_does_its_work() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    let mut groups = Vec::new();
    for _ in 0..20 {
        groups.extend(append_many(&mut journal, 25));
        journal.release_before(journal.tail().position);
    }
    assert_holds(&journal, &groups);
}

#[test]
fn unreleased_segments_fill_the_ring_to_its_limit() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    assert_eq!(journal.room(), Room::Ample);
    let mut groups = append_many(&mut journal, 61);
    assert_eq!(journal.room(), Room::Reserved, "one more segment can be had");
    groups.extend(append_many(&mut journal, 19));
    let group = journal::conformance::group(&journal.tail(), &[1; 2_900]);
    for _ in 0..3 {
        assert!(matches!(journal.append(&group), Err(AppendError::Full { position: 81 })));
    }
    assert_eq!(ring_files(&disk), 8);
    assert_holds(&journal, &groups);

    journal.release_before(41);
    journal.append(&group).unwrap();
    groups.push(group);
    work_until_rest(&journal);
    assert_eq!(journal.room(), Room::Ample);
    groups.extend(append_many(&mut journal, 20));
    assert_holds(&journal, &groups);
}

#[test]
fn full_disk_refuses_and_recovers() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    append_many(&mut journal, 5);
    disk.set_capacity(disk.used_bytes() + 40_000);
    let count = fill(&mut journal);
    assert!(count > 5, "what was prepared is used up, and what fits is prepared");
    assert_eq!(journal.room(), Room::Reserved);
    disk.set_capacity(u64::MAX);
    work_until_rest(&journal);
    assert_eq!(journal.room(), Room::Ample);
    let mut groups: Vec<_> = journal.reader().scan(1).unwrap().map(Result::unwrap).collect();
    groups.push(append(&mut journal, b"there is room again"));
    assert_holds(&journal, &groups);
}

#[test]
fn reserve_is_left_for_snapshots() {
    let disk = SimDisk::new(1);
    let options = Options { reserve_bytes: 100_000, ..options() };
    FileJournal::init(&disk, [1; 16], &options).unwrap();
    disk.set_capacity(disk.used_bytes() + 150_000);
    let (mut journal, _) = FileJournal::open(disk.clone(), options, Background::Manual).unwrap();
    fill(&mut journal);
    let tail = journal.tail();
    let mut writer = journal.snapshots().begin(tail).unwrap();
    writer.chunk(&[3; 50_000]).unwrap();
    writer.finish(tail).unwrap();
    let mut writer = journal.snapshots().begin(tail).unwrap();
    let refused = writer.chunk(&[3; 2_000_000]);
    assert!(matches!(refused, Err(journal::SnapshotError::Full)), "{refused:?}");
}

#[test]
fn segment_that_is_read_is_not_used_again() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    let groups = append_many(&mut journal, 35);
    let mut scan = journal.reader().scan(1).unwrap();
    assert!(scan.next().unwrap().unwrap() == groups[0]);
    journal.release_before(u64::MAX);
    work_until_rest(&journal);
    append_many(&mut journal, 60);
    let rest: Vec<_> = scan.map(Result::unwrap).collect();
    assert!(rest == groups[1..]);
}

#[test]
fn failed_sync_stops_the_writer_until_reopened() {
    for seed in 0..50 {
        let disk = new_disk(seed);
        let mut journal = open(&disk);
        let mut groups = append_many(&mut journal, 7);
        disk.fail_sync_at(1);
        let lost = journal::conformance::group(&journal.tail(), &[1; 2_900]);
        let unknown = journal.append(&lost);
        assert!(matches!(unknown, Err(AppendError::Unknown { position: 8, .. })), "{unknown:?}");
        assert!(matches!(journal.append(&lost), Err(AppendError::Fault { position: 8, .. })));
        assert_eq!(journal.tail(), groups[6].tail());
        drop(journal);

        let mut journal = open(&disk);
        if journal.tail() == lost.tail() {
            groups.push(lost);
        }
        groups.push(append(&mut journal, b"barrier"));
        drop(journal);
        assert_holds(&open(&disk.crash(seed)), &groups);
    }
}

#[test]
fn failed_background_is_told_and_tried_again() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    append_many(&mut journal, 12);
    disk.fail_sync_at(1);
    let failed = journal.run_background_step().and_then(|_| journal.run_background_step());
    assert_eq!(failed.map_err(|error| error.kind()), Err(io::ErrorKind::Other));
    assert!(journal.background_fault().unwrap().contains("the device failed to write"));
    work_until_rest(&journal);
    assert_eq!(journal.background_fault(), None);
}

#[test]
fn group_that_no_segment_holds_is_refused() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    let group = journal::conformance::group(&journal.tail(), &[0; 33_000]);
    let refused = journal.append(&group);
    assert!(
        matches!(&refused, Err(AppendError::Fault { source, .. }) if source.kind() == io::ErrorKind::InvalidInput)
    );
}
