//! Whose keys are destroyed with a person.

use ledger::{Ledger, UserIndex};

use crate::seal::Owner;

/// The owners of what is personal: the user, and the invitations that led to this membership of the
/// organization.
pub fn erased_with(ledger: &Ledger, user: UserIndex) -> Vec<Owner> {
    let (organization, email) = (ledger.user(user).organization, ledger.user(user).email_digest);
    let led_here = ledger.all_invitations().filter(|(_, it)| {
        it.email_digest == email
            && it.closed_at.is_some()
            && ledger.organization_within(it.within) == organization
    });
    let invited = led_here.map(|(index, _)| Owner::invited(index));
    std::iter::once(Owner::person(user)).chain(invited).collect()
}
