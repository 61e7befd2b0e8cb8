use std::path::Path;

use access::{AccessError, Operation};
use engine::{BookNumber, ClockFault, MasterKey, Refusal, Seals, Unavailable};

use super::*;
use crate::view::key_of;

/// Every refusal of the books in the vendor's words, and every way of not being judged.
#[test]
fn every_refusal_has_its_words() {
    let seals = Seals::new(&MasterKey([0; 32]), BookNumber::FIRST);
    let mut table = String::new();
    for rejection in testkit::rejections() {
        let error = VonageError::rejected(&seals, &rejection, "b3ab114c");
        table.push_str(&line(&format!("{rejection:?}"), &error));
    }
    for refusal in [
        Refusal::NoRoom,
        Refusal::Clock(ClockFault::Behind { behind_ms: 5000 }),
        Refusal::KeyConflict,
        Refusal::KeyTooOld,
        Refusal::KeyFromFuture,
        Refusal::Unreadable,
    ] {
        table.push_str(&line(&format!("{refusal:?}"), &VonageError::refused(refusal)));
    }
    for error in [
        AccessError::Unauthenticated,
        AccessError::Forbidden { operation: Operation::TopUp },
        AccessError::OutOfScope { operation: Operation::Transfer },
        AccessError::Busy,
    ] {
        table.push_str(&line(&format!("{error:?}"), &error.into()));
    }
    for error in [
        Unavailable::Overloaded,
        Unavailable::Closing,
        Unavailable::Following,
        Unavailable::Unknown,
        Unavailable::Stopped("the disk is gone".into()),
    ] {
        table.push_str(&line(&format!("{error:?}"), &error.into()));
    }
    // Which key it is follows from the seals, and is not the point.
    let table = table.replace(&key_of(&seals, ledger::AccountIndex::new(1)), "{account}");
    testkit::expect_text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("refusals.txt"), &table);
}

fn line(what: &str, error: &VonageError) -> String {
    let invalid = error.invalid_parameters.iter().map(|it| format!("\n  {}: {}", it.name, it.reason));
    format!(
        "{what}\n  {} {}\n  {}: {}{}\n\n",
        error.status.as_u16(),
        error.kind.uri,
        error.kind.title,
        error.detail,
        invalid.collect::<String>()
    )
}
