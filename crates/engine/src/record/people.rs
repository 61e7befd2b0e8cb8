//! People and the audit log, as they are stored.

use std::sync::Arc;

use ledger::{
    About, AuditHead, Audited, Before, Factor, Invitation, Membership, NewUser, PeopleEvent, PermissionSet,
    Person, Posted, ReloadTerms, Rights, Sealed, SecondFactor, Session, SessionId, SignInProvider, User,
    WaitingLetter, Within,
};

use super::codec::{Field, Malformed, Reader, Writer, fields, kinds};
use super::primitives::optional;

kinds!(PeopleEvent {
    1 => UserAdded { user, new, added_at, membership, granted },
    2 => UserRemoved { user, removed_at },
    3 => Granted { membership, granted },
    4 => MembershipChanged { membership, rights, accounts, rights_before, accounts_before },
    5 => MembershipEnded { membership, ended_at },
    6 => HandedOver { root, from, to, former },
    7 => Invited { invitation, invited },
    8 => InvitationRevoked { invitation, revoked_at },
    9 => InvitationAccepted { invitation, user, new, accepted_at, membership, granted },
    10 => SessionOpened { session, factor, ended },
    11 => SessionEnded { session, user },
    12 => SessionsEnded { user, keep },
    13 => PasswordSet { user, password, passwords, keep },
    14 => ResetAsked { user },
    15 => FactorBegun { user, secret },
    16 => FactorConfirmed { user, step, recovery },
    17 => FactorRemoved { user },
    18 => SignInsFailed { user, count, since },
    19 => PermissionsDefined { set, defined, before },
    20 => PermissionsRemoved { set },
    32 => ProviderSet { organization, provider, before, unlinks },
    33 => ProviderRemoved { organization },
    34 => SubjectLinked { user, subject },
    35 => SessionVouched { session, factor, ended },
    36 => LetterAsked { about, asked_at },
    37 => LetterSettled { letter, about, posted, tries },
    38 => RecoveryRenewed { user, step, recovery },
});

kinds!(Within { 0 => Organization(organization), 1 => Family(root) });
kinds!(Rights { 0 => Role(role), 1 => Set(set) });
kinds!(SecondFactor { 0 => None, 1 => Step(step), 2 => Recovery(code) });
fields!(ReloadTerms { provider, enabled, amount, threshold });
kinds!(Before {
    0 => Nothing,
    1 => Account { name, status, restrictions, funding },
    2 => Credit { credit },
    3 => Settings { inbound_url, receipt_url, forward, throughput },
    4 => Reload { rule, limits, reference },
});

fields!(NewUser { organization, email_digest, email, password, subject });
fields!(Membership { user, within, rights, accounts, granted_at, ended_at, last });
fields!(Invitation {
    within,
    rights,
    accounts,
    email_digest,
    email,
    invited_at,
    expires_at,
    closed_at,
    last
});
fields!(PermissionSet { organization, name, operations, removed, last });
fields!(Session { digest, user, membership, opened_at, expires_at, last });
kinds!(About { 0 => Invitation(invitation), 1 => Reset(user) });
kinds!(Posted { 0 => Sent, 1 => Failed, 2 => Void });
fields!(WaitingLetter { about, asked_at });
fields!(SignInProvider { issuer, client_id, client_secret, domains, passwords, last });
fields!(Person { former, passwords, factor, subject, removed_at });
fields!(Factor { secret, confirmed, step, recovery });
fields!(Audited { organization, entry, of, previous, skips, before, origin });
fields!(Sealed { owner, bytes });
fields!(AuditHead { entries, last, skips });

optional!(Arc<str>, Box<NewUser>, SessionId, Factor, Sealed, u64, Box<Person>, Box<SignInProvider>);

/// A user as it is written since there is signing in.
pub(super) struct Known(pub(super) User);

impl Field for Known {
    fn put(&self, writer: &mut Writer<'_>) {
        put_user(&self.0, Some(&self.0.person), writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        take_user(reader, Field::take).map(Self)
    }
}

/// One who came before that, as it was written then: digests of that time still hold.
pub(super) struct Former(pub(super) User);

impl Field for Former {
    fn put(&self, writer: &mut Writer<'_>) {
        put_user(&self.0, None, writer);
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        take_user(reader, |_| Ok(None)).map(Self)
    }
}

fn put_user(user: &User, known: Option<&Option<Box<Person>>>, writer: &mut Writer<'_>) {
    let User { organization, role, email_digest, email, password, created_at, person: _, last } = user;
    organization.put(writer);
    role.put(writer);
    email_digest.put(writer);
    email.put(writer);
    password.put(writer);
    created_at.put(writer);
    if let Some(person) = known {
        person.put(writer);
    }
    last.put(writer);
}

fn take_user(
    reader: &mut Reader<'_>,
    person: impl FnOnce(&mut Reader<'_>) -> Result<Option<Box<Person>>, Malformed>,
) -> Result<User, Malformed> {
    Ok(User {
        organization: Field::take(reader)?,
        role: Field::take(reader)?,
        email_digest: Field::take(reader)?,
        email: Field::take(reader)?,
        password: Field::take(reader)?,
        created_at: Field::take(reader)?,
        person: person(reader)?,
        last: Field::take(reader)?,
    })
}

impl Field for SessionId {
    fn put(&self, writer: &mut Writer<'_>) {
        writer.raw(&self.0.to_le_bytes());
    }
    fn take(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(u64::from_le_bytes(Field::take(reader)?)))
    }
}
