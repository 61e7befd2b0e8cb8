use engine::{BookNumber, MasterKey, Seals, SeededEntropy};

use super::Tickets;

#[test]
fn a_ticket_opens_for_its_purpose_and_its_book_alone() {
    let (entropy, key) = (SeededEntropy::new(1), MasterKey([1; 32]));
    let seals = Seals::new(&key, BookNumber::FIRST);
    let second = Seals::new(&key, BookNumber::new(1).unwrap());
    let other = Seals::new(&MasterKey([2; 32]), BookNumber::FIRST);
    let tickets = Tickets::new(&seals, &entropy);
    let sealed = tickets.seal("begun", &("state", 7)).unwrap();
    assert_eq!(tickets.open("begun", &sealed), Some(("state".to_owned(), 7)));
    assert!(!sealed.contains("state") && sealed != tickets.seal("begun", &("state", 7)).unwrap());
    assert_eq!(tickets.open::<(String, u8)>("pending", &sealed), None);
    for seals in [&second, &other] {
        assert_eq!(Tickets::new(seals, &entropy).open::<(String, u8)>("begun", &sealed), None);
    }
    for place in [0, sealed.len() / 2, sealed.len() - 2] {
        let mut forged = sealed.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert_eq!(tickets.open::<(String, u8)>("begun", &forged), None, "{place}");
    }
    for text in ["", "A", "ä", &"A".repeat(10_000)] {
        assert_eq!(tickets.open::<(String, u8)>("begun", text), None);
    }
    assert_eq!(tickets.seal("begun", &"x".repeat(5_000)), None, "more than a cookie holds");
}
