//! Outcomes of a batch, straight into one buffer.

use dialect::AmountText;
use engine::{Outcome, Refusal, Seals};
use ledger::{Charged, Event};

use crate::ids;
use crate::problem::Problem;

/// A usual line is shorter.
pub(crate) const LINE_BYTES: usize = 128;

/// `{"status":201,"id":"…","amount":"0.0012","available":"9.9988"}`, or the problem.
pub(crate) fn outcome(outcome: &Outcome, line: usize, seals: &Seals, out: &mut Vec<u8>) {
    match outcome {
        Outcome::Done(receipt) => match &receipt.event {
            Event::Charged(charged) => done(charged, receipt.repeated, seals, out),
            _ => Problem::bug("a charge was answered by another event").at_line(line).push(out),
        },
        Outcome::Rejected(rejection) => Problem::rejected(rejection, seals).at_line(line).push(out),
        Outcome::Refused(Refusal::KeyConflict) => {
            Problem::from(Refusal::KeyConflict).with_field("key").at_line(line).push(out);
        }
        Outcome::Refused(refusal) => Problem::from(*refusal).at_line(line).push(out),
        Outcome::Repeated(_) => Problem::bug("a repeated charge was not settled").at_line(line).push(out),
    }
}

fn done(charged: &Charged, replayed: bool, seals: &Seals, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"status\":201,\"id\":\"");
    ids::push(seals, ids::of_charge(charged), out);
    out.extend_from_slice(b"\",\"amount\":\"");
    out.extend_from_slice(AmountText::new(charged.amount, 0).as_str().as_bytes());
    out.extend_from_slice(b"\",\"available\":\"");
    out.extend_from_slice(AmountText::new(charged.payer.amounts.available(), 0).as_str().as_bytes());
    out.extend_from_slice(if replayed { b"\",\"replayed\":true}".as_slice() } else { b"\"}".as_slice() });
}
