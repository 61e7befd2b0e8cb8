use super::*;

#[derive(Debug, thiserror::Error)]
#[error("{said}")]
struct Told {
    said: &'static str,
    source: Option<Box<Told>>,
}

#[test]
fn every_cause_is_said_once() {
    for (errors, line) in [
        (&["the disk is full"][..], "the disk is full"),
        (&["cannot open", "cannot read", "the disk is gone"], "cannot open: cannot read: the disk is gone"),
        (&["cannot open: it is damaged", "it is damaged"], "cannot open: it is damaged"),
    ] {
        let told = errors.iter().rev().fold(None, |source, said| Some(Box::new(Told { said, source })));
        assert_eq!(with_causes(&told.unwrap()), line);
    }
}
