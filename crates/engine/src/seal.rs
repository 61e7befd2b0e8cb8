//! What leaves the server is sealed: ids say nothing of how many there are, personal texts can be
//! erased by destroying a key, secrets and idempotency keys are kept as keyed hashes.
//!
//! | sealed | how | why |
//! |---|---|---|
//! | ids of accounts, entries, holds | one AES block over kind, book, index and number | no index of ids to keep, and nobody can count another's traffic |
//! | account keys | a keyed permutation of 32 bits: book and index | eight hex digits, unique without a table |
//! | personal and free texts | ChaCha20-Poly1305 under a key per owner | erasing one owner leaves amounts and chain as they are |
//! | secrets, tokens | keyed BLAKE3 | a copy of the journal proves nothing to the server |
//! | idempotency keys, handles, names | SipHash-2-4 of 128 bits | found again without being kept, for a few nanoseconds a charge |

use std::hash::Hasher;
use std::sync::Arc;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::Aead;
use journal::{Vault, VaultKey};
use ledger::{
    ACCOUNTS_MAX, AccountIndex, Actor, BalanceIndex, CredentialIndex, Event, EventRef, HoldId, Holder,
    InvitationIndex, Ledger, MembershipIndex, Object, OrganizationIndex, PeopleEvent, UserIndex,
};
use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::BookNumber;

/// The secret that all sealing derives from; made once, at the first start. The books of one journal share it:
/// whoever has it reads from an id or an account key which book to ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey(pub [u8; 32]);

impl MasterKey {
    /// Whose key it is in the vault: an owner that no account or person ever is.
    pub const OWNER: Owner = Owner(u64::MAX);
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Rounds of the permutation of account keys.
const ROUNDS: u8 = 6;
/// Of an account key's 32; the others are the book's.
const ACCOUNT_BITS: u32 = 28;
const _: () = assert!(ACCOUNTS_MAX == 1 << ACCOUNT_BITS);

/// An id as clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    Account(AccountIndex),
    /// An entry of a balance: a charge, a transfer, a top-up …
    Entry {
        balance: BalanceIndex,
        entry: u64,
    },
    Hold(HoldId),
    Credential(CredentialIndex),
    User(UserIndex),
    Organization(OrganizationIndex),
    Membership(MembershipIndex),
    Invitation(InvitationIndex),
    /// An entry of an organization's audit log.
    AuditEntry {
        organization: OrganizationIndex,
        entry: u64,
    },
}

/// Seals and unseals for one book. Cheap to clone.
#[derive(Clone)]
pub struct Seals {
    book: BookNumber,
    ids: Arc<Aes128>,
    account_keys: [u8; 16],
    short_hashes: [u8; 16],
    hashes: [u8; 32],
}

impl Seals {
    pub fn new(master: &MasterKey, book: BookNumber) -> Self {
        let derive = |purpose: &str| {
            let mut hasher = blake3::Hasher::new_keyed(&master.0);
            hasher.update(purpose.as_bytes());
            *hasher.finalize().as_bytes()
        };
        let half = |purpose: &str| *derive(purpose).first_chunk::<16>().expect("a hash is longer");
        Self {
            book,
            ids: Arc::new(Aes128::new(&half("ids").into())),
            account_keys: half("account keys"),
            short_hashes: half("short hashes"),
            hashes: derive("hashes"),
        }
    }

    pub fn book(&self) -> BookNumber {
        self.book
    }

    pub fn seal(&self, id: Id) -> [u8; 16] {
        let mut block = self.block(id).into();
        self.ids.encrypt_block(&mut block);
        block.into()
    }

    /// Many at once, for a tenth of the price.
    pub fn seal_all(&self, ids: impl Iterator<Item = Id>) -> Vec<[u8; 16]> {
        let mut blocks: Vec<_> = ids.map(|id| self.block(id).into()).collect();
        self.ids.encrypt_blocks(&mut blocks);
        blocks.into_iter().map(Into::into).collect()
    }

    /// None for anything that this book did not seal.
    pub fn unseal(&self, sealed: [u8; 16]) -> Option<Id> {
        let mut block = sealed.into();
        self.ids.decrypt_block(&mut block);
        let block: [u8; 16] = block.into();
        if block[1..4] != [self.book.get(), 0, 0] {
            return None;
        }
        let index = u32::from_le_bytes(block[4..8].try_into().expect("four bytes")) as usize;
        let number = u64::from_le_bytes(block[8..].try_into().expect("eight bytes"));
        let id = match block[0] {
            1 => Id::Account(AccountIndex::new(index)),
            2 => Id::Entry { balance: BalanceIndex::new(index), entry: number },
            3 => Id::Hold(HoldId(number)),
            4 => Id::Credential(CredentialIndex::new(index)),
            5 => Id::User(UserIndex::new(index)),
            6 => Id::Organization(OrganizationIndex::new(index)),
            7 => Id::Membership(MembershipIndex::new(index)),
            8 => Id::Invitation(InvitationIndex::new(index)),
            9 => Id::AuditEntry { organization: OrganizationIndex::new(index), entry: number },
            _ => return None,
        };
        // The other fields of a kind are zero, or it is not ours.
        (self.seal(id) == sealed).then_some(id)
    }

    /// The book that an id is of, if it is one at all.
    pub fn book_of_id(&self, sealed: [u8; 16]) -> Option<BookNumber> {
        let mut block = sealed.into();
        self.ids.decrypt_block(&mut block);
        let book = BookNumber::new(block[1])?;
        Self { book, ..self.clone() }.unseal(sealed).map(|_| book)
    }

    /// The account's own short name: eight hex digits when printed.
    pub fn account_key(&self, account: AccountIndex) -> u32 {
        let index = u32::from(self.book.get()) << ACCOUNT_BITS | account.slot() as u32;
        let (mut left, mut right) = ((index >> 16) as u16, index as u16);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.scramble(round, right));
        }
        u32::from(left) << 16 | u32::from(right)
    }

    /// The account of this book that would have this key; it may never have been opened.
    pub fn account_of_key(&self, key: u32) -> Option<AccountIndex> {
        let (book, slot) = self.place_of_key(key);
        (book == self.book).then(|| AccountIndex::new(slot as usize))
    }

    /// The book that an account with this key would be in.
    pub fn book_of_key(&self, key: u32) -> BookNumber {
        self.place_of_key(key).0
    }

    fn place_of_key(&self, key: u32) -> (BookNumber, u32) {
        let (mut left, mut right) = ((key >> 16) as u16, key as u16);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.scramble(round, left), left);
        }
        let index = u32::from(left) << 16 | u32::from(right);
        let book = BookNumber::new((index >> ACCOUNT_BITS) as u8).expect("four bits are left");
        (book, index & ((1 << ACCOUNT_BITS) - 1))
    }

    /// One round of the permutation of account keys: any function does, the rounds together are a permutation.
    fn scramble(&self, round: u8, half: u16) -> u16 {
        let mut hasher = SipHasher13::new_with_key(&self.account_keys);
        hasher.write_u32(u32::from(round) << 16 | u32::from(half));
        hasher.finish() as u16
    }

    /// Keyed hash of parts, each delimited; `purpose` keeps the hashes of one kind of thing apart from
    /// those of another.
    pub fn digest(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.hashes);
        hasher.update(purpose.as_bytes());
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }

    /// The same for what is looked up often and is no secret: shorter, and ten times as fast.
    pub fn short_digest(&self, purpose: &str, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.short_hashes);
        hasher.write(purpose.as_bytes());
        for part in parts {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        }
        hasher.finish128().into()
    }

    /// An id before it is sealed: kind, book, index, number, and zeros that prove it genuine.
    fn block(&self, id: Id) -> [u8; 16] {
        let (kind, index, number) = match id {
            Id::Account(account) => (1, account.slot(), 0),
            Id::Entry { balance, entry } => (2, balance.slot(), entry),
            Id::Hold(hold) => (3, 0, hold.0),
            Id::Credential(credential) => (4, credential.slot(), 0),
            Id::User(user) => (5, user.slot(), 0),
            Id::Organization(organization) => (6, organization.slot(), 0),
            Id::Membership(membership) => (7, membership.slot(), 0),
            Id::Invitation(invitation) => (8, invitation.slot(), 0),
            Id::AuditEntry { organization, entry } => (9, organization.slot(), entry),
        };
        let mut block = [0; 16];
        block[0] = kind;
        block[1] = self.book.get();
        block[4..8].copy_from_slice(&(index as u32).to_le_bytes());
        block[8..].copy_from_slice(&number.to_le_bytes());
        block
    }
}

/// Whose texts share a key, and so are erased together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner(pub u64);

const KIND_SHIFT: u32 = 40;

impl Owner {
    pub fn account(account: AccountIndex) -> Self {
        Self(account.slot() as u64)
    }

    pub fn person(user: UserIndex) -> Self {
        Self::user(user.slot())
    }

    pub fn invited(invitation: InvitationIndex) -> Self {
        Self::invitation(invitation.slot())
    }

    fn user(slot: usize) -> Self {
        Self(1 << KIND_SHIFT | slot as u64)
    }

    fn organization(organization: OrganizationIndex) -> Self {
        Self(2 << KIND_SHIFT | organization.slot() as u64)
    }

    /// Each name its own: it may be a person's.
    fn name(slot: usize) -> Self {
        Self(3 << KIND_SHIFT | slot as u64)
    }

    fn holder(holder: Holder) -> Self {
        match holder {
            Holder::Organization(organization) => Self::organization(organization),
            Holder::Account(account) => Self::account(account),
            Holder::Member(membership) => Self(5 << KIND_SHIFT | membership.slot() as u64),
        }
    }

    fn invitation(slot: usize) -> Self {
        Self(6 << KIND_SHIFT | slot as u64)
    }

    /// Who may get a key next: the `count` objects of each kind that come behind those there are.
    pub(crate) fn next(ledger: &Ledger, count: usize) -> Vec<Self> {
        let next = |len: usize| len..len + count;
        let accounts = next(ledger.accounts_len()).map(|slot| Self(slot as u64));
        let users = next(ledger.users().count()).map(Self::user);
        let names = next(ledger.names().count()).map(Self::name);
        let invitations = next(ledger.all_invitations().count()).map(Self::invitation);
        accounts.chain(users).chain(names).chain(invitations).collect()
    }

    /// Whose it is from where something was asked for.
    pub(crate) fn of_actor(ledger: &Ledger, actor: Actor, organization: OrganizationIndex) -> Self {
        match (ledger.member(actor), actor) {
            (Some(membership), _) => Self::user(ledger.membership(membership).user.slot()),
            (None, Actor::Credential(credential)) => Self::holder(ledger.credential(credential).holder),
            (None, _) => Self::organization(organization),
        }
    }

    fn of_people(event: &PeopleEvent) -> Option<Self> {
        match event {
            PeopleEvent::UserAdded { user, .. }
            | PeopleEvent::FactorBegun { user, .. }
            | PeopleEvent::InvitationAccepted { user, new: Some(_), .. } => Some(Self::user(user.slot())),
            PeopleEvent::Invited { invitation, .. } => Some(Self::invitation(invitation.slot())),
            PeopleEvent::ProviderSet { organization, .. } => Some(Self::organization(*organization)),
            _ => None,
        }
    }

    /// The owner of an event's texts, if it has any.
    pub fn of_event(event: &Event) -> Option<Self> {
        let account = |account, text: &ledger::Text| text.is_some().then(|| Self::account(account));
        match event {
            Event::NameInterned { name, text, .. } => text.is_some().then(|| Self::name(name.slot())),
            Event::UserCreated { user, email, .. } => email.is_some().then(|| Self::user(user.slot())),
            Event::CredentialIssued { credential, .. } => {
                credential.label.is_some().then(|| Self::holder(credential.holder))
            }
            Event::AccountOpened { account: index, new, .. } => account(*index, &new.name),
            Event::AccountChanged { account: index, name, reason, .. } => {
                account(*index, name).or(account(*index, reason))
            }
            Event::HandleSet { account: index, text, .. } => account(*index, text),
            Event::SettingsChanged { account: index, settings } => {
                account(*index, &settings.inbound_url).or(account(*index, &settings.receipt_url))
            }
            Event::NumberAssigned { number, .. } | Event::NumberMoved { number, .. } => {
                account(number.account, &number.digits)
            }
            Event::ReloadSet { account: index, rule, .. }
            | Event::ReloadRuled { account: index, rule, .. } => account(*index, &rule.reference),
            Event::ToppedUp(posting)
            | Event::Withdrawn(posting)
            | Event::Adjusted { posting, .. }
            | Event::UsageCredited(posting)
            | Event::Refunded { posting, .. } => account(posting.account, &posting.reference),
            Event::Charged(charged) | Event::HoldCaptured { charged, .. } => {
                account(charged.account, &charged.usage.reference)
            }
            Event::HoldPlaced(placed) => account(placed.account, &placed.usage.reference),
            // Between two accounts of a family: filed under the balance it left or is about.
            Event::CreditSet { image, reference, .. } => Self::balance(image.balance, reference),
            Event::Allocated { from, reference, .. } | Event::Transferred { from, reference, .. } => {
                Self::balance(from.balance, reference)
            }
            Event::People(event) => Self::of_people(event),
            Event::OrganizationCreated { .. }
            | Event::CalendarExtended { .. }
            | Event::CurrencyDeclared { .. }
            | Event::CredentialRevoked { .. }
            | Event::CredentialScoped { .. }
            | Event::CredentialSpent { .. }
            | Event::ScopeSet { .. }
            | Event::LimitCounted { .. }
            | Event::CredentialUsed { .. }
            | Event::NumberReleased { .. }
            | Event::ReloadRequested { .. }
            | Event::ReloadEnded { .. }
            | Event::ReloadStarted { .. }
            | Event::ReloadPaused { .. }
            | Event::BalanceOpened { .. }
            | Event::PeriodRolled { .. }
            | Event::Merged { .. }
            | Event::HoldExtended { .. }
            | Event::HoldEnded { .. }
            | Event::Audited(_) => None,
        }
    }

    fn balance(balance: BalanceIndex, text: &ledger::Text) -> Option<Self> {
        text.is_some().then_some(Self(4 << KIND_SHIFT | balance.slot() as u64))
    }

    /// The owner of an object's texts. `slot` is its place among its kind, where it has one.
    pub fn of_object(object: &Object, slot: usize) -> Option<Self> {
        match object {
            Object::User(_) => Some(Self::user(slot)),
            Object::Name(_) => Some(Self::name(slot)),
            Object::Account(_) => Some(Self(slot as u64)),
            Object::Credential(it) => Some(Self::holder(it.holder)),
            Object::Handle(_, it) => Some(Self::account(it.account)),
            Object::Hold(_, it) => Some(Self::account(it.account)),
            Object::Invitation(_) => Some(Self::invitation(slot)),
            Object::Settings(account, _) => Some(Self::account(*account)),
            Object::Number(_, it) => Some(Self::account(it.account)),
            Object::Reload(_, it) => Some(Self::account(it.account)),
            Object::Provider(organization, _) => Some(Self::organization(*organization)),
            Object::NextHold(_)
            | Object::Organization(_)
            | Object::Family(_)
            | Object::Balance(_)
            | Object::Refunded(..)
            | Object::Merges(..)
            | Object::Membership(_)
            | Object::PermissionSet(_)
            | Object::Session(_)
            | Object::Letter(..)
            | Object::AuditHead(..) => None,
        }
    }
}

/// Where the keys of owners are found.
pub trait TextKeys {
    fn text_key(&self, owner: Owner) -> Option<VaultKey>;
}

impl TextKeys for dyn Vault {
    fn text_key(&self, owner: Owner) -> Option<VaultKey> {
        self.get(owner.0)
    }
}

impl TextKeys for Arc<dyn Vault> {
    fn text_key(&self, owner: Owner) -> Option<VaultKey> {
        self.get(owner.0)
    }
}

/// Seals the texts of one record, one after the other. The nonce is where the record stands and which of
/// its texts it is, so it never comes twice under a key with another text.
pub struct TextSeal {
    cipher: ChaCha20Poly1305,
    stands: u64,
    within: u8,
    texts: std::cell::Cell<u8>,
}

impl TextSeal {
    pub fn event(key: &VaultKey, at: EventRef) -> Self {
        Self::new(key, at.raw(), 0)
    }

    /// An object as of the last event it has seen. `kind` keeps objects of different kinds apart.
    pub fn object(key: &VaultKey, last: EventRef, kind: u8) -> Self {
        Self::new(key, last.raw(), kind)
    }

    /// A part of an event that is somebody else's than the event. `within` is not zero.
    pub(crate) fn part(key: &VaultKey, at: EventRef, within: u8) -> Self {
        Self::new(key, at.raw(), within)
    }

    fn new(key: &VaultKey, stands: u64, within: u8) -> Self {
        let cipher = ChaCha20Poly1305::new_from_slice(&key.0).expect("thirty-two bytes are a key");
        Self { cipher, stands, within, texts: 0.into() }
    }

    fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&self.stands.to_le_bytes());
        nonce[8] = self.within;
        nonce[9] = self.texts.replace(self.texts.get() + 1);
        nonce
    }

    pub fn seal(&self, text: &[u8]) -> Vec<u8> {
        self.cipher
            .encrypt(&self.nonce().into(), text)
            .expect("texts are far shorter than the cipher's limit")
    }

    pub fn open(&self, sealed: &[u8]) -> Option<Arc<[u8]>> {
        self.cipher.decrypt(&self.nonce().into(), sealed).ok().map(Into::into)
    }
}

#[cfg(test)]
mod tests;
