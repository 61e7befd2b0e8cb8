use engine::{BookNumber, MasterKey};

use super::*;

#[test]
fn a_link_counts_as_it_was_made_and_in_no_other_way() {
    let seals = Seals::new(&MasterKey([7; 32]), BookNumber::FIRST);
    let other = Seals::new(&MasterKey([8; 32]), BookNumber::FIRST);
    let (now, later) = (Timestamp::from_secs(1_000), Timestamp::from_secs(4_600));

    let link = invitation_link(&seals, InvitationIndex::new(3));
    assert_eq!(read_invitation_link(&seals, link.expose()), Some(InvitationIndex::new(3)));
    assert_eq!(read_invitation_link(&other, link.expose()), None);

    let user = UserIndex::new(5);
    let reset = reset_link(&seals, user, 2, later);
    assert_eq!(reset_link_user(&seals, reset.expose()), Some(user));
    assert!(is_reset_link(&seals, reset.expose(), 2, now));
    assert!(!is_reset_link(&seals, reset.expose(), 3, now), "the password was set since");
    assert!(!is_reset_link(&seals, reset.expose(), 2, later), "it has expired");
    assert!(!is_reset_link(&other, reset.expose(), 2, now));

    // One character less, more, or other, at every place.
    for link in [link, reset] {
        let text = link.expose();
        let counts =
            |text: &str| read_invitation_link(&seals, text).is_some() || is_reset_link(&seals, text, 2, now);
        assert!(counts(text));
        assert!(!counts(&format!("{text}0")));
        for (place, character) in text.char_indices() {
            let swapped = if character == '0' { "1" } else { "0" };
            assert!(!counts(&format!("{}{swapped}{}", &text[..place], &text[place + 1..])), "{place}");
            assert!(!counts(&text[..place]), "{place}");
        }
    }
}
