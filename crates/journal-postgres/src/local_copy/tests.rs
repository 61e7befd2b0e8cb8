use domain::Timestamp;

use super::*;

fn groups(count: u64, salt: u8) -> Vec<Group> {
    let mut tail = Tail::default();
    let group = |position: u64| {
        let mut buffer = Group::buffer();
        buffer.extend(std::iter::repeat_n(salt, 1_000 + position as usize));
        let group = Group::seal(buffer, &tail, Timestamp::from_secs(position as i64), 0);
        tail = group.tail();
        group
    };
    (1..=count).map(group).collect()
}

fn open(directory: &Path, bytes_max: u64) -> Arc<LocalCopy> {
    LocalCopy::open(directory, bytes_max).unwrap()
}

/// Kept, without waiting for the thread that does it otherwise.
fn keep(copy: &LocalCopy, groups: &[Group]) {
    groups.iter().for_each(|group| copy.kept().add(group.bytes()).unwrap());
}

fn found(copy: &LocalCopy, groups: &[Group]) -> Vec<u64> {
    let is_there = |group: &&Group| copy.find(group.header().position).as_ref() == Some(*group);
    groups.iter().filter(is_there).map(|group| group.header().position).collect()
}

#[test]
fn what_was_kept_is_found_again_by_the_next_run() {
    let directory = tempfile::tempdir().unwrap();
    let groups = groups(20, 1);
    keep(&open(directory.path(), 1 << 20), &groups[..12]);
    let copy = open(directory.path(), 1 << 20);
    keep(&copy, &groups[10..]);
    assert_eq!(found(&copy, &groups), (1..=20).collect::<Vec<_>>());
    assert_eq!(copy.newest_until(15), Some(groups[14].tail()));
    copy.forget_beyond(15);
    assert_eq!(copy.newest_until(99), Some(groups[14].tail()));
    copy.discard();
    assert_eq!((found(&copy, &groups), copy.newest_until(99)), (vec![], None));
    keep(&copy, &groups[..1]);
    assert_eq!(found(&copy, &groups), [1]);
}

#[test]
fn the_oldest_goes_when_there_are_too_many_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let groups = groups(200, 1);
    let copy = open(directory.path(), 40_000);
    for some in groups.chunks(10) {
        keep(&copy, some);
        let bytes: u64 =
            fs::read_dir(directory.path()).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes <= 40_000, "{bytes}");
    }
    let found = found(&copy, &groups);
    assert!(found.ends_with(&[198, 199, 200]) && found.len() > 10 && found.len() < 40, "{found:?}");
}

#[test]
fn torn_changed_and_deleted_groups_are_just_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let groups = groups(10, 1);
    keep(&open(directory.path(), 1 << 20), &groups);
    let path = directory.path().join("0.groups");
    let mut bytes = fs::read(&path).unwrap();
    let third: usize = groups[..2].iter().map(|group| group.bytes().len()).sum();
    bytes[third + HEADER_BYTES + 5] ^= 1;
    bytes.truncate(bytes.len() - 3);
    fs::write(&path, bytes).unwrap();
    let copy = open(directory.path(), 1 << 20);
    assert_eq!(found(&copy, &groups), [1, 2, 4, 5, 6, 7, 8, 9]);
    keep(&copy, &groups);
    assert_eq!(found(&copy, &groups), (1..=10).collect::<Vec<_>>());

    fs::remove_dir_all(directory.path()).unwrap();
    let more = groups_of_another_history();
    keep(&copy, &more[10..]);
    assert_eq!(found(&copy, &more[10..]), [11, 12], "deleting it does no harm while it is used");
    assert_eq!(found(&open(directory.path(), 1 << 20), &groups), Vec::<u64>::new());
}

fn groups_of_another_history() -> Vec<Group> {
    groups(12, 2)
}
