//! Rot and loss: always reported with its place, never silently cut off.

use journal::{Group, Journal, ReadError, Tail};
use journal_file::{Disk, OpenError, verify};
use simulation::{Random, SimDisk};

use crate::{append, append_many, assert_holds, new_disk, open, try_open, work_until_rest};

/// A stopped journal of three archives and two segments behind them.
fn sealed() -> (SimDisk, Vec<Group>) {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    let mut groups = append_many(&mut journal, 32);
    journal.release_before(u64::MAX);
    work_until_rest(&journal);
    assert_eq!(journal.reader().archives().len(), 3);
    groups.extend(append_many(&mut journal, 10));
    (disk, groups)
}

/// Where in the directory a group lies.
fn find(disk: &SimDisk, group: &Group) -> (String, u64) {
    let starts =
        |bytes: &[u8]| bytes.windows(128).step_by(512).position(|part| part == &group.bytes()[..128]);
    let mut places = disk.files().into_iter().filter_map(|(path, bytes)| Some((path, starts(&bytes)?)));
    let (path, sector) = places.next_back().expect("the group is in the ring");
    (path, sector as u64 * 512)
}

fn message(error: &OpenError) -> String {
    error.to_string()
}

fn open_error(disk: &SimDisk) -> OpenError {
    try_open(disk).map(|_| ()).expect_err("the journal must not open")
}

#[test]
fn torn_tail_is_cut_off_and_cleared() {
    for kept in 0..6 {
        let disk = new_disk(1);
        let mut journal = open(&disk);
        let mut groups = append_many(&mut journal, 3);
        let torn = append_many(&mut journal, 1).remove(0);
        drop(journal);
        let (path, offset) = find(&disk, &torn);
        for sector in (0..6).filter(|sector| *sector != kept) {
            disk.erase(&path, offset + sector * 512, 512);
        }
        let (mut journal, opened) = try_open(&disk).unwrap();
        assert!(opened.leftover_bytes > 0);
        assert_holds(&journal, &groups);
        groups.push(append(&mut journal, b"short"));
        drop(journal);
        let (journal, opened) = try_open(&disk).unwrap();
        assert_eq!(opened.leftover_bytes, 0, "nothing is left behind the tail");
        assert_holds(&journal, &groups);
    }
}

#[test]
fn flipped_bit_in_an_acknowledged_group_stops_the_start() {
    let mut random = Random::new(7);
    for _ in 0..100 {
        let disk = new_disk(1);
        let mut journal = open(&disk);
        let groups = append_many(&mut journal, 9);
        drop(journal);
        let hit = 1 + random.below(7) as usize;
        let (path, offset) = find(&disk, &groups[hit]);
        disk.flip(&path, offset + random.below(groups[hit].bytes().len() as u64), random.below(8) as u32);
        let error = open_error(&disk);
        let OpenError::Damaged { file, offset: at, from, to, .. } = &error else {
            panic!("{error}");
        };
        let position = hit as u64 + 1;
        assert_eq!((file, *at, *from, *to), (&path, offset, position, position));
        assert!(message(&error).contains("backup"), "{error}");
        let verified = verify(&disk).unwrap();
        assert!(verified.damage[0].place.contains(&format!("{path} at byte {offset}")), "{verified:?}");
    }
}

#[test]
fn flipped_bit_in_the_last_group_looks_like_a_torn_one() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    let groups = append_many(&mut journal, 3);
    drop(journal);
    let (path, offset) = find(&disk, &groups[2]);
    disk.flip(&path, offset + 200, 0);
    // The one case that cannot be told apart; the engine's closing group stands there.
    assert_holds(&open(&disk), &groups[..2]);
}

#[test]
fn damaged_segment_header_stops_the_start() {
    for hit in [0, 5, 31] {
        let disk = new_disk(1);
        let mut journal = open(&disk);
        let groups = append_many(&mut journal, 32);
        drop(journal);
        let (path, _) = find(&disk, &groups[hit]);
        disk.flip(&path, 8, 1);
        let error = open_error(&disk);
        assert!(matches!(&error, OpenError::Damaged { file, .. } if *file == path), "{error}");
        assert!(!verify(&disk).unwrap().damage.is_empty());
    }
}

#[test]
fn missing_segment_is_named() {
    // In the middle of the ring; the open one, behind an archive.
    for (hit, number) in [(35, 4), (41, 5)] {
        let (disk, groups) = sealed();
        if hit == 41 {
            work_until_rest(&open(&disk));
        }
        let (path, _) = find(&disk, &groups[hit]);
        disk.remove(&path).unwrap();
        let error = open_error(&disk);
        assert!(matches!(error, OpenError::Missing { .. }), "{error}");
        assert!(message(&error).contains(&format!("segment {number}")), "{error}");
    }
}

#[test]
fn missing_archive_is_named() {
    for number in 1..=2 {
        let (disk, _) = sealed();
        let path = format!("archive/{number:010}.archive");
        disk.remove(&path).unwrap();
        let error = open_error(&disk);
        assert!(matches!(&error, OpenError::Missing { file, .. } if *file == path), "{error}");
        assert!(!verify(&disk).unwrap().damage.is_empty());
    }
}

#[test]
fn missing_last_archive_is_noticed() {
    let (disk, _) = sealed();
    disk.remove("archive/0000000003.archive").unwrap();
    assert!(matches!(open_error(&disk), OpenError::Missing { behind: 20, .. }));
}

#[test]
fn damaged_archive_is_reported_where_it_is_read() {
    let mut random = Random::new(3);
    let (disk, groups) = sealed();
    let path = "archive/0000000002.archive";
    let size = disk.open(path).map(|file| journal_file::DiskFile::size(&file).unwrap()).unwrap();
    for _ in 0..50 {
        let offset = 512 + random.below(size - 512);
        disk.flip(path, offset, 3);
        let journal = open(&disk);
        let failed = journal.reader().scan(1).unwrap().find_map(Result::err);
        assert!(matches!(&failed, Some(ReadError::Damaged { place, .. }) if place.contains(path)));
        drop(journal);
        let verified = verify(&disk).unwrap();
        assert!(verified.damage.iter().all(|damage| damage.place.contains(path)));
        assert!(!verified.damage.is_empty());
        disk.flip(path, offset, 3);
    }
    assert_holds(&open(&disk), &groups);
}

#[test]
fn lost_sidecar_is_made_again() {
    let (disk, _) = sealed();
    disk.remove("archive/0000000002.sidecar").unwrap();
    let journal = open(&disk);
    let archive = journal.reader().archives().swap_remove(1);
    journal.reader().sidecar(&archive).unwrap_err();
    work_until_rest(&journal);
    let positions: Vec<u8> = (archive.first..=archive.last).flat_map(u64::to_le_bytes).collect();
    assert_eq!(journal.reader().sidecar(&archive).unwrap(), positions);
}

#[test]
fn whole_journal_verifies() {
    let (disk, groups) = sealed();
    let verified = verify(&disk).unwrap();
    assert_eq!(verified.damage, []);
    assert_eq!((verified.tail, verified.groups), (groups[41].tail(), 42));
    let journal = open(&disk);
    assert!(matches!(verify(&disk), Err(OpenError::Locked)));
    drop(journal);
    assert!(matches!(verify(&SimDisk::new(1)), Err(OpenError::NotInitialised)));
}

#[test]
fn damaged_snapshot_gives_way_to_the_older_one() {
    let disk = new_disk(1);
    let mut journal = open(&disk);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let tail = append(&mut journal, b"one more").tail();
        let mut writer = journal.snapshots().begin(tail).unwrap();
        writer.chunk(&[5; 4_000]).unwrap();
        ids.push(writer.finish(tail).unwrap());
    }
    let newest = disk.files().into_iter().rfind(|(path, _)| path.ends_with(".snapshot")).unwrap().0;
    disk.flip(&newest, 900, 2);
    let snapshots = journal.snapshots();
    assert_eq!(snapshots.list().unwrap(), [ids[1], ids[0]], "only its ends were looked at");
    assert!(snapshots.read(&ids[1]).unwrap().any(|chunk| chunk.is_err()));
    assert_eq!(snapshots.list().unwrap(), [ids[0]]);
    assert_eq!(journal.damaged_snapshots(), std::slice::from_ref(&newest));
    drop((snapshots, journal));
    assert_eq!(verify(&disk).unwrap().damage.len(), 1);

    disk.flip(&newest, 10, 2);
    let journal = open(&disk);
    assert_eq!(journal.snapshots().list().unwrap(), [ids[0]], "a damaged end is seen at once");
    assert_eq!(journal.damaged_snapshots(), [newest]);
}

#[test]
fn damaged_keys_stop_the_start() {
    let disk = new_disk(1);
    let journal = open(&disk);
    for owner in 0..20 {
        journal.vault().put(&[(owner, journal::VaultKey([1; 32]))]).unwrap();
    }
    drop(journal);
    disk.flip("vault", 512 + 64 * 7 + 20, 1);
    let error = open_error(&disk);
    assert!(message(&error).contains("vault") && message(&error).contains("960"), "{error}");
    disk.flip("vault", 512 + 64 * 7 + 20, 1);
    disk.flip("vault", 512 + 64 * 19 + 20, 1);
    let journal = open(&disk);
    assert!(journal.vault().get(19).is_none(), "a last record that does not check was never acknowledged");
    assert!(journal.vault().get(18).is_some());
}

#[test]
fn files_of_another_journal_are_refused() {
    let (disk, _) = sealed();
    let other = SimDisk::new(2);
    journal_file::FileJournal::init(&other, [8; 16], &crate::options()).unwrap();
    let identity = other.files().into_iter().find(|(path, _)| path == "identity").unwrap().1;
    let file = disk.open("identity").unwrap();
    journal_file::DiskFile::write_all_at(&file, &identity, 0).unwrap();
    let error = open_error(&disk);
    assert!(message(&error).contains("another journal"), "{error}");
}

#[test]
fn first_tail_is_the_beginning() {
    let disk = new_disk(1);
    let (journal, opened) = try_open(&disk).unwrap();
    assert_eq!((journal.tail(), opened.tail), (Tail::default(), Tail::default()));
    assert_eq!((opened.segments, opened.archives, opened.past_cache), (0, 0, None));
}
