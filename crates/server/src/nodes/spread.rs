//! Which of the living nodes a book is for, if all have their way: rendezvous hashing. A node that comes or goes
//! moves its own share of the books and no other.

use std::hash::Hasher;

use engine::BookNumber;
use journal_postgres::NodeId;
use siphasher::sip::SipHasher13;

/// How much a node is wanted for a book.
fn weight(node: &NodeId, book: BookNumber) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(node);
    hasher.write_u8(book.get());
    hasher.finish()
}

/// How many of `others` come before `me`.
pub(super) fn rank(me: &NodeId, others: &[NodeId], book: BookNumber) -> u32 {
    let mine = (weight(me, book), me);
    others.iter().filter(|other| (weight(other, book), *other) > mine).count() as u32
}

/// Who comes first, if it is not `me`.
pub(super) fn first_before<'a>(me: &NodeId, others: &'a [NodeId], book: BookNumber) -> Option<&'a NodeId> {
    let first = others.iter().max_by_key(|other| (weight(other, book), **other))?;
    (rank(me, std::slice::from_ref(first), book) > 0).then_some(first)
}

#[cfg(test)]
mod tests;
