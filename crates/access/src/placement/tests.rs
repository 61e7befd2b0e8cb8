use engine::{BOOKS_MAX, Id, SystemEntropy};
use ledger::{AccountIndex, InvitationIndex, UserIndex};

use super::*;
use crate::{Secret, invitation_link, reset_link};

const MASTER: MasterKey = MasterKey([5; 32]);

#[test]
fn every_name_that_a_book_gives_leads_back_to_it() {
    let placement = Placement::new(&MASTER, BOOKS_MAX);
    for book in placement.books() {
        let seals = Seals::new(&MASTER, book);
        let account = AccountIndex::new(3);
        let id = Uuid::from_bytes(seals.seal(Id::Account(account))).to_string();
        let key = format!("{:08x}", seals.account_key(account));
        let invitation = invitation_link(&seals, InvitationIndex::new(1));
        let reset = reset_link(&seals, UserIndex::new(1), 0, domain::Timestamp::from_secs(1));
        let token = Secret::new_token(&SystemEntropy, book);
        let session = Secret::new_session(&SystemEntropy, book);
        assert!(Secret::is_session(session.expose()) && !Secret::is_session(token.expose()));
        let found = [
            placement.of_account(&id),
            placement.of_account(&key),
            placement.of_link(invitation.expose()),
            placement.of_link(reset.expose()),
            placement.of_token(token.expose()),
            placement.of_token(session.expose()),
        ];
        assert_eq!(found, [book; 6]);
        // Where there are fewer books, it is nobody's, and the first one says so.
        assert_eq!(Placement::new(&MASTER, 1).of_account(&id), BookNumber::FIRST);
    }
}

#[test]
fn what_says_nothing_is_the_first_books() {
    let placement = Placement::new(&MASTER, BOOKS_MAX);
    for text in ["", "bst", "bstg_x", "bst10_x", "bsq3_x", "an operator's own token", "é", "bsté_"] {
        assert_eq!(placement.of_token(text), BookNumber::FIRST, "{text}");
    }
    for text in ["", "bsi_", "bsi_é", "bsi_00000000000000000000000000000000", "bsr_zz"] {
        assert_eq!(placement.of_link(text), BookNumber::FIRST, "{text}");
    }
    assert_eq!(placement.of_account("nobody"), BookNumber::FIRST);
}

#[test]
fn organizations_spread_over_all_books_and_stay_where_they_are() {
    let placement = Placement::new(&MASTER, 8);
    let mut seen = [0; 8];
    for number in 0..800 {
        let name = format!("seller-{number}");
        let book = placement.of_organization(&name);
        assert_eq!(book, placement.of_organization(&name));
        seen[usize::from(book.get())] += 1;
    }
    assert!(seen.iter().all(|count| (60..140).contains(count)), "{seen:?}");
    assert_eq!(placement.of_organization(DEFAULT_ORGANIZATION), BookNumber::FIRST);
}
