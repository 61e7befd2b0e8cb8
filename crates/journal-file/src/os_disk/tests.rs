use super::*;

#[test]
fn unaligned_stretch_is_read_past_the_cache() {
    let directory = tempfile::tempdir().unwrap();
    let disk = OsDisk::new(directory.path());
    let file = disk.create("file").unwrap();
    let bytes: Vec<u8> = (0..3_000_001u32).map(|at| (at.wrapping_mul(at) >> 5) as u8).collect();
    file.write_all_at(&bytes, 0).unwrap();
    for (from, length) in [(0, 1), (0, bytes.len()), (511, 4_097), (1_048_575, 1_048_578), (2_999_990, 11)] {
        let mut into = vec![0; length];
        file.read_past_cache(&mut into, from as u64).unwrap();
        assert!(into == bytes[from..from + length], "{length} bytes from {from}");
    }
    let beyond = file.read_past_cache(&mut [0; 100], 2_999_950);
    assert_eq!(beyond.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let disk = OsDisk::new(directory.path());
    disk.create("vault").unwrap();
    disk.create_directory("ring").unwrap();
    let mode =
        |name: &str| std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("vault"), mode("ring")), (0o600, 0o700));
    assert_eq!(disk.list("").unwrap(), ["ring", "vault"]);
}

#[test]
fn lock_is_exclusive_or_shared() {
    let directory = tempfile::tempdir().unwrap();
    let disk = OsDisk::new(directory.path());
    let refused = |hold| disk.lock("lock", hold).unwrap_err().kind();
    assert_eq!(refused(Hold::Shared), io::ErrorKind::NotFound);
    let writer = disk.lock("lock", Hold::Exclusive).unwrap();
    assert_eq!(refused(Hold::Exclusive), io::ErrorKind::WouldBlock);
    assert_eq!(refused(Hold::Shared), io::ErrorKind::WouldBlock);
    drop(writer);
    let _readers = (disk.lock("lock", Hold::Shared).unwrap(), disk.lock("lock", Hold::Shared).unwrap());
    assert_eq!(refused(Hold::Exclusive), io::ErrorKind::WouldBlock);
    assert!(disk.free_bytes().unwrap() > 0);
}
