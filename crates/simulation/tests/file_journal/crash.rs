//! Power loss at any write, again and again: what was acknowledged is there, byte for byte.

use std::collections::BTreeMap;

use journal::{Group, Journal, SnapshotId, VaultKey};
use journal_file::{Background, Disk, FileJournal};
use simulation::{Random, SimDisk};

use crate::{open, options, try_open};

/// A longer run asks for more: `CRASH_SEEDS=100000 cargo test --release -p simulation`.
fn seeds() -> u64 {
    std::env::var("CRASH_SEEDS").map_or(1_000, |seeds| seeds.parse().expect("CRASH_SEEDS is a number"))
}

/// What the journal has promised, and what it may have done besides.
#[derive(Default)]
struct Promised {
    groups: Vec<Group>,
    in_flight: Option<Group>,
    /// `None` is destroyed.
    keys: BTreeMap<u64, Option<VaultKey>>,
    keys_in_flight: Vec<(u64, Option<VaultKey>)>,
    snapshot: Option<SnapshotId>,
}

impl Promised {
    fn check(&mut self, journal: &FileJournal<SimDisk>) {
        let found: Vec<Group> = journal.reader().scan(1).unwrap().map(Result::unwrap).collect();
        let promised = self.groups.len();
        assert!(found.len() >= promised, "{} groups of {promised} are left", found.len());
        assert!(found[..promised] == self.groups[..], "acknowledged groups are as they were");
        let more = &found[promised..];
        assert!(more.is_empty() || more.len() == 1 && more.first() == self.in_flight.as_ref());
        self.groups = found;
        self.in_flight = None;
        self.check_keys(journal);
        self.check_snapshots(journal);
        self.check_archives(journal);
    }

    fn check_keys(&mut self, journal: &FileJournal<SimDisk>) {
        let vault = journal.vault();
        for (owner, wish) in self.keys_in_flight.drain(..) {
            let before = self.keys.get(&owner).copied().flatten();
            let found = vault.get(owner);
            assert!(found == before || found == wish, "owner {owner}: {found:?}");
            match wish {
                Some(_) if found.is_none() => {}
                Some(_) => {
                    self.keys.insert(owner, found);
                }
                // Whether it was done cannot be seen where there was no key, so it is done again.
                None => {
                    vault.destroy(owner).unwrap();
                    self.keys.insert(owner, None);
                }
            }
        }
        for (owner, key) in &self.keys {
            assert_eq!(vault.get(*owner), *key, "owner {owner}");
        }
    }

    fn check_snapshots(&self, journal: &FileJournal<SimDisk>) {
        let snapshots = journal.snapshots();
        let listed = snapshots.list().unwrap();
        if let Some(promised) = self.snapshot {
            assert!(listed.first().is_some_and(|id| id.begun.position >= promised.begun.position));
        }
        for id in listed {
            let chunks: Vec<_> = snapshots.read(&id).unwrap().map(Result::unwrap).collect();
            assert_eq!(chunks, [id.begun.chain.0.to_vec(), vec![1; 2_000]]);
        }
        assert!(journal.damaged_snapshots().is_empty());
    }

    fn check_archives(&self, journal: &FileJournal<SimDisk>) {
        for _ in 0..1_000 {
            if !journal.run_background_step().unwrap() {
                break;
            }
        }
        let reader = journal.reader();
        let mut next = 1;
        for archive in reader.archives() {
            assert_eq!(archive.first, next);
            let positions: Vec<u8> = (archive.first..=archive.last).flat_map(u64::to_le_bytes).collect();
            assert_eq!(reader.sidecar(&archive).unwrap(), positions);
            next = archive.last + 1;
        }
    }
}

/// Does things at random until one fails.
fn work(journal: &mut FileJournal<SimDisk>, promised: &mut Promised, random: &mut Random) {
    let vault = journal.vault();
    for _ in 0..random.below(150) {
        let lives = match random.below(20) {
            0..12 => append(journal, promised, random),
            12..17 => journal.run_background_step().is_ok(),
            17 => {
                let released = random.below(journal.tail().position + 2);
                journal.release_before(released);
                true
            }
            18 => change_key(&*vault, promised, random),
            _ => snapshot(journal, promised),
        };
        if !lives {
            return;
        }
    }
}

fn append(journal: &mut FileJournal<SimDisk>, promised: &mut Promised, random: &mut Random) -> bool {
    let bound = if random.one_in(4) { 12_000 } else { 700 };
    let length = random.below(bound) as usize;
    let group = journal::conformance::group(&journal.tail(), &random.bytes(length));
    match journal.append(&group) {
        Ok(()) => {
            promised.groups.push(group);
            true
        }
        Err(journal::AppendError::Full { .. }) => {
            journal.release_before(u64::MAX);
            true
        }
        Err(_) => {
            promised.in_flight = Some(group);
            false
        }
    }
}

fn change_key(vault: &dyn journal::Vault, promised: &mut Promised, random: &mut Random) -> bool {
    let owner = random.below(12);
    if random.one_in(4) {
        if vault.destroy(owner).is_ok() {
            promised.keys.insert(owner, None);
            return true;
        }
        promised.keys_in_flight.push((owner, None));
        return false;
    }
    let keys: Vec<_> = (owner..owner + random.below(20))
        .map(|owner| (owner, VaultKey([1 + random.below(255) as u8; 32])))
        .collect();
    let put = vault.put(&keys).is_ok();
    for (owner, key) in keys {
        if put {
            promised.keys.entry(owner).or_insert(Some(key));
        } else if !promised.keys.contains_key(&owner) {
            promised.keys_in_flight.push((owner, Some(key)));
        }
    }
    put
}

fn snapshot(journal: &FileJournal<SimDisk>, promised: &mut Promised) -> bool {
    let tail = journal.tail();
    let written = (|| {
        let mut writer = journal.snapshots().begin(tail)?;
        writer.chunk(&tail.chain.0)?;
        writer.chunk(&[1; 2_000])?;
        writer.finish(tail)
    })();
    if let Ok(id) = &written {
        promised.snapshot = Some(*id);
    }
    written.is_ok()
}

/// Opens until the power stays on, and says on which disk.
fn open_somehow(mut disk: SimDisk, random: &mut Random) -> (SimDisk, FileJournal<SimDisk>) {
    while random.one_in(3) {
        disk.power_off_at(1 + random.below(12));
        if let Ok((journal, _)) = try_open(&disk) {
            drop(journal);
        }
        disk = disk.crash(random.number());
    }
    let journal = open(&disk);
    (disk, journal)
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    let mut disk = SimDisk::new(seed);
    while random.one_in(3) {
        disk.power_off_at(1 + random.below(25));
        let _ = FileJournal::init(&disk, [9; 16], &options());
        disk = disk.crash(random.number());
    }
    let _ = FileJournal::init(&disk, [9; 16], &options());
    disk.set_short_writes(random.one_in(3));
    let mut promised = Promised::default();
    for _ in 0..4 {
        let (found, mut journal) = open_somehow(disk, &mut random);
        disk = found;
        promised.check(&journal);
        if random.one_in(3) {
            disk.fail_sync_at(1 + random.below(60));
        } else {
            disk.power_off_at(1 + random.below(250));
        }
        work(&mut journal, &mut promised, &mut random);
        drop(journal);
        // A process that dies leaves the page cache behind; a machine that dies does not.
        if random.one_in(4) && disk.free_bytes().is_ok() {
            disk.repair();
            continue;
        }
        disk = disk.crash(random.number());
    }
    promised.check(&open(&disk));
}

#[test]
fn acknowledged_groups_survive_every_crash() {
    for seed in 0..seeds() {
        if let Err(panic) = std::panic::catch_unwind(|| run(seed)) {
            eprintln!("failing seed: {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn same_seed_leaves_the_same_bytes() {
    let bytes = |seed| {
        let disk = SimDisk::new(seed);
        FileJournal::init(&disk, [9; 16], &options()).unwrap();
        let (mut journal, _) = FileJournal::open(disk.clone(), options(), Background::Manual).unwrap();
        work(&mut journal, &mut Promised::default(), &mut Random::new(seed));
        drop(journal);
        disk.crash(seed).files()
    };
    assert!(bytes(5) == bytes(5));
}
