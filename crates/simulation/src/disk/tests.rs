use super::*;

fn disk_with(path: &str, bytes: &[u8]) -> (SimDisk, SimFile) {
    let disk = SimDisk::new(1);
    disk.create_directory("").unwrap();
    let file = disk.create(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    (disk, file)
}

fn read(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
    disk.files().into_iter().find(|(name, _)| name == path).map(|(_, bytes)| bytes)
}

#[test]
fn synced_bytes_and_names_survive_every_crash() {
    let (disk, file) = disk_with("a", &[7; 5_000]);
    file.sync_data().unwrap();
    disk.sync_directory("").unwrap();
    for seed in 0..100 {
        assert_eq!(read(&disk.crash(seed), "a"), Some(vec![7; 5_000]));
    }
}

#[test]
fn unsynced_sectors_are_lost_one_by_one() {
    let (disk, file) = disk_with("a", &[0; 4_096]);
    file.sync_data().unwrap();
    disk.sync_directory("").unwrap();
    file.write_all_at(&[1; 4_096], 0).unwrap();
    let mut outcomes = BTreeSet::new();
    for seed in 0..1_000 {
        let bytes = read(&disk.crash(seed), "a").unwrap();
        assert!(bytes.chunks(SECTOR).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        outcomes.insert(bytes.iter().step_by(SECTOR).copied().collect::<Vec<_>>());
    }
    assert!(outcomes.len() > 50, "{} outcomes", outcomes.len());
}

#[test]
fn unsynced_names_may_be_lost() {
    let (disk, file) = disk_with("a", b"new");
    file.sync_data().unwrap();
    let kept = (0..100).filter(|seed| read(&disk.crash(*seed), "a").is_some()).count();
    assert!((10..90).contains(&kept), "{kept}");
}

#[test]
fn failed_sync_looks_written_and_is_not() {
    let (_, file) = disk_with("a", &[0; 65_536]);
    file.sync_data().unwrap();
    file.disk.fail_sync_at(1);
    file.write_all_at(&[1; 65_536], 0).unwrap();
    file.sync_data().unwrap_err();
    file.sync_data().unwrap();
    let (mut cached, mut durable) = (vec![0; 65_536], vec![0; 65_536]);
    file.read_exact_at(&mut cached, 0).unwrap();
    file.read_past_cache(&mut durable, 0).unwrap();
    assert_eq!(cached, [1; 65_536]);
    assert_ne!(durable, cached);
    file.drop_cached().unwrap();
    file.read_exact_at(&mut cached, 0).unwrap();
    assert_eq!(durable, cached);
}

#[test]
fn full_disk_writes_what_fits() {
    let (disk, file) = disk_with("a", &[1; 100]);
    disk.set_capacity(150);
    assert_eq!(file.write_at(&[2; 100], 80).unwrap(), 70);
    assert_eq!(file.write_at(&[2; 100], 150).unwrap_err().kind(), io::ErrorKind::StorageFull);
}

#[test]
fn power_goes_and_stays_away() {
    let (disk, file) = disk_with("a", b"x");
    disk.power_off_at(2);
    file.sync_data().unwrap();
    file.write_at(b"y", 0).unwrap_err();
    file.read_at(&mut [0], 0).unwrap_err();
    disk.crash(1).open("a").map(|_| ()).unwrap_or_default();
}
