//! How facts and objects are written down: the bytes of a group's body and of a snapshot's chunk.
//!
//! Stored records are listed here, field by field, apart from the domain types they fill, so a format
//! can age without the domain ageing with it. One list serves both directions (`fields!`, `kinds!`):
//! writing and reading cannot disagree.
//!
//! ```text
//! body   = (record | mark)*
//! record = length, envelope, event, links
//! ```
//! | part | bytes of an ordinary charge |
//! |---|---|
//! | envelope: time, who, idempotency key and content hash | 44 |
//! | event: account, balance after, amount, product, quantity, used by, reference | 35–60 |
//! | links: where the balance's entries before this one are | 4 |
//!
//! Texts are sealed under a key that is kept beside the journal, never in it (`seal.rs`).

mod codec;
mod envelope;
mod events;
mod objects;
mod people;
mod primitives;

pub use codec::{Malformed, Reader, Writer};
pub use envelope::{Content, Envelope, Item, Key, Link, Links, Mark, Record, keys_in, owners_in};
pub use objects::{read_object, write_object};

use ledger::{Event, EventRef, Ledger};

/// Of what is written here; what an older or newer one wrote is read as far as the lists say.
pub(crate) const FORMAT: u32 = 3;
/// Since this one, objects that were known then are written as they were: digests of it can be compared.
const DIGESTS_SINCE: u32 = 2;

/// The longest record there can be; a group always has room for one more.
pub const RECORD_BYTES_MAX: usize = 64 * 1024;

/// Where the entries before this event are, for each balance it touches.
pub fn links(ledger: &Ledger, event: &Event) -> Links {
    let is_movement = event.is_movement();
    event
        .images()
        .map(|image| {
            let balance = ledger.balance(image.balance);
            Link {
                previous: balance.last_entry(),
                movement: if is_movement { balance.last_movement } else { EventRef::NONE },
                skips: landing(balance, image.entry),
            }
        })
        .collect()
}

fn landing(balance: &ledger::Balance, entry: u64) -> [EventRef; ledger::SKIP_LEVELS] {
    let levels = ledger::Balance::skip_levels(entry);
    let mut skips = [EventRef::NONE; ledger::SKIP_LEVELS];
    skips[..levels].copy_from_slice(&balance.skips[..levels]);
    skips
}

#[cfg(test)]
mod tests;
