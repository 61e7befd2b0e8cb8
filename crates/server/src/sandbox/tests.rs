use engine::Clock;

use super::*;

fn sandbox(directory: &Path) -> Sandbox {
    Sandbox::of(directory, true, true).unwrap().unwrap()
}

#[test]
fn a_directory_is_a_sandbox_from_its_first_start_or_never() {
    let directory = tempfile::tempdir().unwrap();
    let of = |is_new, asked| Sandbox::of(directory.path(), is_new, asked).map(|it| it.is_some());
    assert!(matches!(of(true, false), Ok(false)));
    assert!(matches!(of(false, false), Ok(false)));
    assert!(matches!(of(false, true), Err(BookError::NotASandbox { .. })));
    assert!(matches!(of(true, true), Ok(true)));
    assert!(matches!(of(false, true), Ok(true)));
    assert!(matches!(of(false, false), Err(BookError::IsASandbox { .. })));
}

#[test]
fn a_clock_that_was_moved_is_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let clock = sandbox(directory.path()).clock().unwrap();
    let tomorrow = clock.now().plus_secs(24 * 3600);
    clock.advance_to(tomorrow).unwrap();
    clock.advance_to(tomorrow.plus_secs(-3600)).unwrap();
    assert!(clock.now() >= tomorrow);
    let again = sandbox(directory.path()).clock().unwrap();
    assert!(again.now() >= tomorrow);
}

#[test]
fn an_empty_mark_is_a_clock_that_was_never_moved() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(MARK), "").unwrap();
    assert_eq!(sandbox(directory.path()).ahead_micros().unwrap(), 0);
    std::fs::write(directory.path().join(MARK), "a while").unwrap();
    assert!(sandbox(directory.path()).clock().is_err());
}
