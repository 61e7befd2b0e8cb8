//! What every journal promises, as one suite that each of them runs.
//!
//! A case gets a function that opens the journal it is about. The first call makes it; every later one
//! finds what was made durable, as after a restart. The handle before it is dropped first.
#![expect(clippy::unwrap_used, reason = "this is a test suite that other crates run")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Timestamp;

use crate::{
    AppendError, Chain, GROUP_BYTES_MAX, Group, HEADER_BYTES, Journal, ReadError, Reader, Room, SnapshotId,
    Snapshots, Tail, Vault, VaultKey,
};

/// Opens one journal, again and again.
pub type Open = Box<dyn FnMut() -> Box<dyn Journal>>;

type Case = fn(&mut dyn FnMut() -> Box<dyn Journal>);

const CASES: &[(&str, Case)] = &[
    ("new journal is empty", new_journal_is_empty),
    ("appended groups are read back", appended_groups_are_read_back),
    ("tail is found again", tail_is_found_again),
    ("slices are parts of bodies", slices_are_parts_of_bodies),
    ("scan starts anywhere", scan_starts_anywhere),
    ("largest group fits", largest_group_fits),
    ("second group behind one predecessor is fenced", second_group_is_fenced),
    ("unknown predecessor is history lost", unknown_predecessor_is_history_lost),
    ("refused append stops the writer", refused_append_stops_the_writer),
    ("long history survives restarts", long_history_survives_restarts),
    ("released groups stay readable", released_groups_stay_readable),
    ("readers see a growing prefix", readers_see_a_growing_prefix),
    ("snapshot counts when finished", snapshot_counts_when_finished),
    ("two snapshots are kept", two_snapshots_are_kept),
    ("snapshots survive restarts", snapshots_survive_restarts),
];

/// Runs every case on a journal of its own, made by `fresh`.
pub fn run(mut fresh: impl FnMut() -> Open) {
    for (name, case) in CASES {
        println!("case: {name}");
        case(&mut *fresh());
    }
}

/// The group with this body behind `tail`.
pub fn group(tail: &Tail, body: &[u8]) -> Group {
    let mut bytes = Group::buffer();
    bytes.extend_from_slice(body);
    Group::seal(bytes, tail, Timestamp::from_secs(tail.position as i64), 1)
}

/// A body that is different for every position and of changing length, so that a mix-up shows.
pub fn body(position: u64) -> Vec<u8> {
    let length = (position.wrapping_mul(2_654_435_761) >> 7) % 3_000;
    (0..length).map(|at| (position.wrapping_mul(31).wrapping_add(at * at)) as u8).collect()
}

fn append_many(journal: &mut dyn Journal, count: u64) {
    for _ in 0..count {
        let tail = journal.tail();
        journal.append(&group(&tail, &body(tail.position + 1))).unwrap();
        assert_eq!(journal.tail().position, tail.position + 1);
    }
}

fn check_all(reader: &dyn Reader, last: u64) {
    let mut tail = Tail::default();
    for group in reader.scan(1).unwrap() {
        let group = group.unwrap();
        assert!(group.header().follows(&tail));
        assert_eq!(group.body(), body(group.header().position));
        tail = group.tail();
    }
    assert_eq!(tail.position, last);
    assert_eq!(tail, reader.tail());
}

fn new_journal_is_empty(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let journal = open();
    assert_eq!(journal.tail(), Tail::default());
    assert_eq!(journal.room(), Room::Ample);
    let reader = journal.reader();
    assert_eq!(reader.tail(), Tail::default());
    assert_eq!(reader.scan(1).unwrap().count(), 0);
    assert!(matches!(reader.group(0), Err(ReadError::Missing { position: 0 })));
    assert!(matches!(reader.group(1), Err(ReadError::Missing { position: 1 })));
    assert!(matches!(reader.slice(1, 0, 1, &mut Vec::new()), Err(ReadError::Missing { position: 1 })));
    assert!(journal.snapshots().list().unwrap().is_empty());
    assert!(reader.archives().is_empty());
}

fn appended_groups_are_read_back(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    let reader = journal.reader();
    let first = group(&Tail::default(), b"first");
    journal.append(&first).unwrap();
    let empty = group(&first.tail(), b"");
    journal.append(&empty).unwrap();
    assert_eq!(reader.tail(), empty.tail());
    assert_eq!(reader.group(1).unwrap(), first);
    assert_eq!(reader.group(2).unwrap(), empty);
    assert!(matches!(reader.group(3), Err(ReadError::Missing { position: 3 })));
}

fn tail_is_found_again(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    for count in 1..=5 {
        append_many(&mut *journal, count);
        let tail = journal.tail();
        drop(journal);
        journal = open();
        assert_eq!(journal.tail(), tail);
        check_all(&*journal.reader(), tail.position);
    }
}

fn slices_are_parts_of_bodies(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    journal.append(&group(&Tail::default(), b"0123456789")).unwrap();
    let reader = journal.reader();
    let slice = |offset, length| {
        let mut into = b"kept ".to_vec();
        reader.slice(1, offset, length, &mut into).unwrap();
        String::from_utf8(into).unwrap()
    };
    assert_eq!(slice(0, 10), "kept 0123456789");
    assert_eq!(slice(3, 4), "kept 3456");
    assert_eq!(slice(8, 100), "kept 89");
    assert_eq!(slice(10, 1), "kept ");
    assert_eq!(slice(99, 1), "kept ");
    assert_eq!(slice(1, usize::MAX), "kept 123456789");
    assert_eq!(slice(4, 0), "kept ");
}

fn scan_starts_anywhere(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    append_many(&mut *journal, 10);
    let reader = journal.reader();
    let positions = |from| -> Vec<u64> {
        reader.scan(from).unwrap().map(|group| group.unwrap().header().position).collect()
    };
    assert_eq!(positions(1), (1..=10).collect::<Vec<_>>());
    assert_eq!(positions(7), [7, 8, 9, 10]);
    assert_eq!(positions(10), [10]);
    assert!(positions(11).is_empty());
    assert!(matches!(reader.scan(12).err(), Some(ReadError::Missing { position: 12 })));
    assert!(matches!(reader.scan(0).err(), Some(ReadError::Missing { position: 0 })));
    let scan = reader.scan(9).unwrap();
    append_many(&mut *journal, 1);
    assert_eq!(scan.count(), 2, "a scan ends at the tail it began with");
}

fn largest_group_fits(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    let large = group(&Tail::default(), &vec![7; GROUP_BYTES_MAX - HEADER_BYTES]);
    journal.append(&large).unwrap();
    let small = group(&large.tail(), b"behind it");
    journal.append(&small).unwrap();
    drop(journal);
    let journal = open();
    assert_eq!(journal.tail(), small.tail());
    assert_eq!(journal.reader().group(1).unwrap(), large);
}

fn second_group_is_fenced(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    append_many(&mut *journal, 3);
    let third = journal.tail();
    let mine = group(&third, b"mine");
    journal.append(&mine).unwrap();
    let refused = journal.append(&group(&third, b"theirs"));
    assert!(matches!(refused, Err(AppendError::Fenced { position: 3 })), "{refused:?}");
    drop(journal);

    let mut journal = open();
    assert_eq!(journal.tail(), mine.tail());
    let refused = journal.append(&group(&Tail::default(), b"from the beginning"));
    assert!(matches!(refused, Err(AppendError::Fenced { position: 0 })), "{refused:?}");
    drop(journal);

    assert_eq!(open().tail(), mine.tail());
}

fn unknown_predecessor_is_history_lost(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    append_many(&mut *journal, 3);
    let tail = journal.tail();
    drop(journal);
    let strangers = [
        Tail { chain: Chain([1; 32]), ..tail },
        Tail { position: 2, chain: Chain([1; 32]) },
        Tail { position: 4, chain: tail.chain },
        Tail { position: 0, chain: Chain([1; 32]) },
    ];
    for stranger in strangers {
        let mut journal = open();
        let refused = journal.append(&group(&stranger, b"stranger"));
        let at = stranger.position;
        let lost = matches!(refused, Err(AppendError::HistoryLost { position }) if position == at);
        assert!(lost, "{refused:?} behind {stranger:?}");
        assert_eq!(journal.tail(), tail);
    }
}

fn refused_append_stops_the_writer(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    append_many(&mut *journal, 1);
    let tail = journal.tail();
    journal.append(&group(&Tail::default(), b"late")).unwrap_err();
    let next = group(&tail, b"next");
    let refused = journal.append(&next);
    assert!(matches!(refused, Err(AppendError::Fault { position: 2, .. })), "{refused:?}");
    assert_eq!(journal.reader().group(1).unwrap().tail(), tail, "reading goes on");
    drop(journal);
    let mut journal = open();
    journal.append(&next).unwrap();
    assert_eq!(journal.tail(), next.tail());
}

fn long_history_survives_restarts(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    for round in 1..=3 {
        let mut journal = open();
        append_many(&mut *journal, 300);
        check_all(&*journal.reader(), round * 300);
    }
    let journal = open();
    let reader = journal.reader();
    check_all(&*reader, 900);
    for position in [1, 2, 299, 300, 301, 555, 900] {
        assert_eq!(reader.group(position).unwrap().body(), body(position));
        let mut into = Vec::new();
        reader.slice(position, 5, 40, &mut into).unwrap();
        assert_eq!(into, body(position).into_iter().skip(5).take(40).collect::<Vec<_>>());
    }
}

fn released_groups_stay_readable(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    for _ in 0..4 {
        append_many(&mut *journal, 200);
        let position = journal.tail().position;
        journal.release_before(position);
        check_all(&*journal.reader(), position);
    }
    drop(journal);
    let mut journal = open();
    check_all(&*journal.reader(), 800);
    append_many(&mut *journal, 1);
}

fn readers_see_a_growing_prefix(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    append_many(&mut *journal, 5);
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (reader, done) = (journal.reader(), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut seen = 0;
                while !done.load(Ordering::Acquire) {
                    let tail = reader.tail();
                    assert!(tail.position >= seen, "the tail never goes back");
                    seen = tail.position;
                    assert_eq!(reader.group(seen).unwrap().tail(), tail);
                    let mut into = Vec::new();
                    reader.slice(seen / 2 + 1, 0, usize::MAX, &mut into).unwrap();
                    assert_eq!(into, body(seen / 2 + 1));
                }
            })
        })
        .collect();
    for position in (0..400).step_by(50) {
        append_many(&mut *journal, 50);
        journal.release_before(position);
    }
    done.store(true, Ordering::Release);
    for reader in readers {
        reader.join().unwrap();
    }
    check_all(&*journal.reader(), 405);
}

fn write_snapshot(snapshots: &dyn Snapshots, begun: Tail, ended: Tail, chunks: &[&[u8]]) -> SnapshotId {
    let mut writer = snapshots.begin(begun).unwrap();
    for chunk in chunks {
        writer.chunk(chunk).unwrap();
    }
    writer.finish(ended).unwrap()
}

fn read_snapshot(snapshots: &dyn Snapshots, id: &SnapshotId) -> Vec<Vec<u8>> {
    snapshots.read(id).unwrap().map(Result::unwrap).collect()
}

fn snapshot_counts_when_finished(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    append_many(&mut *journal, 2);
    let begun = journal.tail();
    let snapshots = journal.snapshots();
    let mut writer = snapshots.begin(begun).unwrap();
    writer.chunk(b"never finished").unwrap();
    drop(writer);
    let mut writer = snapshots.begin(begun).unwrap();
    let large = vec![9; 3 << 20];
    writer.chunk(b"first").unwrap();
    assert!(snapshots.list().unwrap().is_empty());
    append_many(&mut *journal, 3);
    writer.chunk(b"").unwrap();
    writer.chunk(&large).unwrap();
    let id = writer.finish(journal.tail()).unwrap();
    assert_eq!(id, SnapshotId { begun, ended: journal.tail() });
    assert_eq!(snapshots.list().unwrap(), [id]);
    assert_eq!(read_snapshot(&*snapshots, &id), [b"first".to_vec(), Vec::new(), large]);
    let absent = SnapshotId { begun: journal.tail(), ended: journal.tail() };
    assert!(snapshots.read(&absent).is_err());
}

fn two_snapshots_are_kept(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    let snapshots = journal.snapshots();
    let mut ids = Vec::new();
    for number in 0..5u8 {
        append_many(&mut *journal, 1);
        let begun = journal.tail();
        append_many(&mut *journal, 1);
        ids.push(write_snapshot(&*snapshots, begun, journal.tail(), &[&[number], b"rest"]));
    }
    assert_eq!(snapshots.list().unwrap(), [ids[4], ids[3]]);
    assert_eq!(read_snapshot(&*snapshots, &ids[3]), [b"\x03".to_vec(), b"rest".to_vec()]);
    assert!(snapshots.read(&ids[2]).is_err());
    assert_eq!(write_snapshot(&*snapshots, ids[4].begun, ids[4].ended, &[b"again"]), ids[4]);
    assert_eq!(snapshots.list().unwrap(), [ids[4], ids[3]]);
    assert_eq!(read_snapshot(&*snapshots, &ids[4]), [b"again".to_vec()]);
}

fn snapshots_survive_restarts(open: &mut dyn FnMut() -> Box<dyn Journal>) {
    let mut journal = open();
    append_many(&mut *journal, 4);
    let tail = journal.tail();
    let id = write_snapshot(&*journal.snapshots(), tail, tail, &[b"state", b"of", b"four"]);
    let mut unfinished = journal.snapshots().begin(tail).unwrap();
    unfinished.chunk(b"half").unwrap();
    drop(unfinished);
    drop(journal);
    let journal = open();
    assert_eq!(journal.snapshots().list().unwrap(), [id]);
    assert_eq!(
        read_snapshot(&*journal.snapshots(), &id),
        [b"state".to_vec(), b"of".to_vec(), b"four".to_vec()]
    );
}

/// What every vault promises. `open` opens the same one again and again.
pub fn vault(mut open: impl FnMut() -> Arc<dyn Vault>) {
    let key = |byte: u8| VaultKey([byte; 32]);
    let vault = open();
    assert_eq!(vault.get(1), None);
    vault.put(&[]).unwrap();
    vault.put(&[(1, key(1)), (u64::MAX, key(2)), (3, key(3))]).unwrap();
    vault.put(&[(3, key(9)), (2, key(4))]).unwrap();
    assert_eq!(vault.get(3), Some(key(3)), "the first key stays");
    assert_eq!((vault.get(1), vault.get(2), vault.get(u64::MAX)), (Some(key(1)), Some(key(4)), Some(key(2))));
    vault.destroy(3).unwrap();
    vault.destroy(77).unwrap();
    assert_eq!(vault.get(3), None);
    vault.put(&[(3, key(5)), (77, key(6)), (5, key(7))]).unwrap();
    drop(vault);

    let vault = open();
    assert_eq!((vault.get(3), vault.get(77)), (None, None), "an erased owner gets no other key");
    assert_eq!((vault.get(1), vault.get(2), vault.get(5)), (Some(key(1)), Some(key(4)), Some(key(7))));
    let many: Vec<_> = (1_000..3_000).rev().map(|owner| (owner, key((owner % 250) as u8 + 1))).collect();
    vault.put(&many).unwrap();
    drop(vault);

    let vault = open();
    let (all, gone) = (vault.all(), [3, 77].map(|owner| (owner, None)));
    assert_eq!(all.len(), 6 + many.len());
    assert!(all.is_sorted_by_key(|(owner, _)| *owner) && gone.iter().all(|gone| all.contains(gone)));
    assert!(many.iter().all(|(owner, key)| vault.get(*owner) == Some(*key)));
}
