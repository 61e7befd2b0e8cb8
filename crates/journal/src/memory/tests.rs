use super::*;
use crate::conformance;

#[test]
fn keeps_every_promise_of_a_journal() {
    conformance::run(|| {
        let store = MemoryStore::default();
        Box::new(move || Box::new(store.open()))
    });
}

#[test]
fn keeps_every_promise_of_a_vault() {
    let vault = MemoryVault::default();
    conformance::vault(|| Arc::new(vault.clone()));
}

#[test]
fn second_writer_fences_the_first() {
    let store = MemoryStore::default();
    let (mut first, mut second) = (store.open(), store.open());
    let group = conformance::group(&Tail::default(), b"mine");
    second.append(&conformance::group(&Tail::default(), b"theirs")).unwrap();
    assert!(matches!(first.append(&group), Err(AppendError::Fenced { position: 0 })));
}
