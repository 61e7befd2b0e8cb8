//! Outcomes of a batch, straight into one buffer.

use dialect::AmountText;
use domain::Nanos;
use engine::{Id, Outcome, Refusal, Seals};
use ledger::Event;

use crate::ids;
use crate::problem::Problem;

/// A usual line is shorter.
pub(crate) const LINE_BYTES: usize = 128;

/// What a line tells of a charge that was made.
#[derive(Clone, Copy)]
pub struct Made {
    id: Id,
    amount: Nanos,
    available: Nanos,
    replayed: bool,
}

/// One charge of a batch: made, or whatever else became of it.
pub type Line = Result<Made, Box<Outcome>>;

pub(crate) fn distil(event: &Event, replayed: bool) -> Option<Made> {
    let Event::Charged(charged) = event else { return None };
    Some(Made {
        id: ids::of_charge(charged),
        amount: charged.amount,
        available: charged.payer.amounts.available(),
        replayed,
    })
}

/// As if it were charged for the first time.
pub(crate) fn as_new(line: &mut Line) {
    if let Ok(made) = line {
        made.replayed = false;
    }
}

/// The ids of those that were made, in their order.
pub(crate) fn seal_ids(seals: &Seals, charges: &[Line]) -> Vec<[u8; 16]> {
    seals.seal_all(charges.iter().flatten().map(|made| made.id))
}

pub(crate) fn not_made(outcome: &Outcome, line: usize, seals: &Seals, out: &mut Vec<u8>) {
    match outcome {
        Outcome::Done(_) => Problem::bug("a charge was answered by another event").at_line(line).push(out),
        Outcome::Rejected(rejection) => Problem::rejected(rejection, seals).at_line(line).push(out),
        Outcome::Refused(Refusal::KeyConflict) => {
            Problem::from(Refusal::KeyConflict).with_field("key").at_line(line).push(out);
        }
        Outcome::Refused(refusal) => Problem::from(*refusal).at_line(line).push(out),
        Outcome::Repeated(_) => Problem::bug("a repeated charge was not settled").at_line(line).push(out),
    }
}

/// `{"status":201,"id":"…","amount":"0.0012","available":"9.9988"}`
pub(crate) fn made(made: &Made, id: [u8; 16], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"status\":201,\"id\":\"");
    ids::push(id, out);
    out.extend_from_slice(b"\",\"amount\":\"");
    out.extend_from_slice(AmountText::new(made.amount, 0).as_str().as_bytes());
    out.extend_from_slice(b"\",\"available\":\"");
    out.extend_from_slice(AmountText::new(made.available, 0).as_str().as_bytes());
    out.extend_from_slice(if made.replayed {
        b"\",\"replayed\":true}".as_slice()
    } else {
        b"\"}".as_slice()
    });
}
