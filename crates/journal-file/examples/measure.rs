//! Measures the journal on a directory of the disk in question, which is left empty:
//! `cargo run --release -p journal-file --example measure -- /path/to/new/directory`
#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to recover")]

use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use journal::{Journal, Reader};
use journal_file::{Background, Disk, FileJournal, Hold, Options, OsDisk};

fn open(directory: &str) -> FileJournal<OsDisk> {
    let begun = Instant::now();
    let opened = FileJournal::open(OsDisk::new(directory), Options::default(), Background::Thread).unwrap();
    println!("open                    {:>10.1?}   {:?}", begun.elapsed(), opened.1);
    opened.0
}

/// Appends groups of about one size and prints how long each took.
fn appends(journal: &mut FileJournal<OsDisk>, name: &str, count: u64, bytes: usize) {
    let mut times = Vec::new();
    let before = journal.written();
    let begun = Instant::now();
    for number in 0..count {
        let group = journal::conformance::group(&journal.tail(), &records(number, bytes));
        let started = Instant::now();
        journal.append(&group).unwrap();
        times.push(started.elapsed());
        if number % 100 == 0 {
            journal.release_before(journal.tail().position);
        }
    }
    let total: Duration = times.iter().sum();
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 1000];
    let megabytes = count as u128 * bytes as u128 * 1_000 / total.as_nanos().max(1);
    println!(
        "append {name:<16} p50 {:?}  p99 {:?}  p99.9 {:?}  max {:?}  {megabytes} MB/s  ({:.1?} in all)",
        at(500),
        at(990),
        at(999),
        at(1000),
        begun.elapsed()
    );
    let written = journal.written();
    println!(
        "                        {} bytes to the ring per group of {bytes}; {} zeroed, {} archived since",
        (written.append_bytes - before.append_bytes) / count,
        written.zeroing_bytes - before.zeroing_bytes,
        written.archive_bytes - before.archive_bytes,
    );
}

/// Bytes that compress about as well as records of charges.
fn records(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut body = Vec::with_capacity(bytes + 128);
    while body.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        body.extend_from_slice(&state.to_le_bytes());
        body.extend_from_slice(&(state >> 44).to_le_bytes());
        body.extend_from_slice(&seed.to_le_bytes());
        body.extend_from_slice(&(state >> 52).to_le_bytes());
    }
    body.truncate(bytes);
    body
}

/// What the disk itself takes for 4 KiB: the floor under an append of one small group.
fn bare_syncs(directory: &str) {
    let file = std::fs::File::create(format!("{directory}/bare")).unwrap();
    file.write_all_at(&vec![0; 16 << 20], 0).unwrap();
    file.sync_all().unwrap();
    let mut times: Vec<Duration> = (0..4_000u64)
        .map(|number| {
            let begun = Instant::now();
            file.write_all_at(&[7; 4096], number * 4096).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "bare write and sync     p50 {:?}  p99 {:?}  max {:?}",
        times[2_000], times[3_960], times[3_999]
    );
    std::fs::remove_file(format!("{directory}/bare")).unwrap();
}

fn slices(reader: &dyn Reader, name: &str, from: u64, to: u64) {
    const COUNT: u64 = 200_000;
    let mut into = Vec::with_capacity(256);
    for warm in [false, true] {
        let begun = Instant::now();
        let mut state = 1u64;
        let mut worst = Duration::ZERO;
        let count = if warm { COUNT } else { COUNT / 100 };
        for _ in 0..count {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            into.clear();
            let one = Instant::now();
            reader.slice(from + (state >> 33) % (to - from), 100, 128, &mut into).unwrap();
            worst = worst.max(one.elapsed());
        }
        let each = begun.elapsed().as_nanos() / u128::from(count);
        println!(
            "slice {name:<17} {each} ns each, worst {worst:?} ({})",
            if warm { "warm" } else { "first" }
        );
    }
}

fn scan(reader: &dyn Reader, name: &str) {
    let begun = Instant::now();
    let (mut groups, mut bytes) = (0u64, 0u128);
    for group in reader.scan(1).unwrap() {
        groups += 1;
        bytes += group.unwrap().bytes().len() as u128;
    }
    let took = begun.elapsed();
    println!("scan {name:<18} {} MB/s, {groups} groups in {took:.1?}", bytes * 1_000 / took.as_nanos());
}

fn wait_until_sealed(journal: &FileJournal<OsDisk>) {
    let begun = Instant::now();
    while journal.run_background_step().unwrap() {}
    println!("background at rest      {:>10.1?}   {:?}", begun.elapsed(), journal.written());
}

fn main() {
    let directory = std::env::args().nth(1).expect("a directory to measure in");
    let disk = OsDisk::new(&directory);
    let begun = Instant::now();
    FileJournal::init(&disk, [1; 16], &Options::default()).unwrap();
    println!("init                    {:>10.1?}", begun.elapsed());

    let mut journal = open(&directory);
    wait_until_sealed(&journal);
    bare_syncs(&directory);
    appends(&mut journal, "300 B", 4_000, 300);
    bare_syncs(&directory);
    appends(&mut journal, "300 B", 20_000, 300);
    appends(&mut journal, "8 KiB", 20_000, 8 << 10);
    wait_until_sealed(&journal);
    appends(&mut journal, "64 KiB", 4_000, 64 << 10);
    wait_until_sealed(&journal);
    appends(&mut journal, "500 KiB", 1_000, 500 << 10);
    wait_until_sealed(&journal);

    let reader = journal.reader();
    let last = reader.tail().position;
    let ring_from = reader.archives().last().map_or(1, |archive| archive.last + 1);
    slices(&*reader, "in the archive", 20_001, ring_from);
    slices(&*reader, "in the ring", ring_from, last);
    scan(&*reader, "of everything");
    drop((reader, journal));
    let journal = open(&directory);
    drop(journal);
    let begun = Instant::now();
    let verified = journal_file::verify(&disk).unwrap();
    println!("verify                  {:>10.1?}   {} groups", begun.elapsed(), verified.groups);
    drop(disk.lock("lock", Hold::Exclusive).unwrap());
    std::fs::remove_dir_all(&directory).unwrap();
}
