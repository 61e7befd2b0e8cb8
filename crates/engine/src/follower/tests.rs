use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};

use domain::{Currency, Nanos};
use journal::{
    AppendError, Journal, MemoryStore, MemoryVault, Reader, Room, Snapshots, Vault, VaultError, VaultKey,
};
use ledger::{
    AccountIndex, Act, Actor, Admission, ChargeKind, Command, CredentialIndex, Cursor, Funding, Holder,
    NewAccount, NewUser, OrganizationIndex, PeopleAct, Rights, RoleCode, Usage, UserIndex, Verifier, Within,
};

use super::*;
use crate::book::{Options, Outcome, Request};
use crate::clock::{ManualClock, SeededEntropy};
use crate::engine::{Engine, Unavailable};
use crate::origin::Origin;
use crate::record::{Content, Key, Mark};
use crate::snapshot::{Background, digest};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

/// A journal whose history can be another from one moment to the next.
#[derive(Clone)]
struct Replaceable(Arc<RwLock<MemoryStore>>);

impl Replaceable {
    fn store(&self) -> MemoryStore {
        self.0.read().unwrap().clone()
    }
}

impl Journal for Replaceable {
    fn tail(&self) -> Tail {
        self.store().open().tail()
    }
    fn append(&mut self, group: &Group) -> Result<(), AppendError> {
        self.store().open().append(group)
    }
    fn room(&self) -> Room {
        Room::Ample
    }
    fn release_before(&mut self, _position: u64) {}
    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.store())
    }
    fn snapshots(&self) -> Arc<dyn Snapshots> {
        Arc::new(self.store())
    }
}

/// The keys as another process knows them: as they were when it read them.
struct Elsewhere {
    kept: MemoryVault,
    known: Mutex<BTreeMap<u64, Option<VaultKey>>>,
    is_away: AtomicBool,
}

impl Elsewhere {
    fn of(kept: &MemoryVault) -> Arc<Self> {
        let known = Mutex::new(kept.all().into_iter().collect());
        Arc::new(Self { kept: kept.clone(), known, is_away: AtomicBool::default() })
    }
}

impl Vault for Elsewhere {
    fn get(&self, owner: u64) -> Option<VaultKey> {
        self.known.lock().unwrap().get(&owner).copied().flatten()
    }
    fn all(&self) -> Vec<(u64, Option<VaultKey>)> {
        self.known.lock().unwrap().clone().into_iter().collect()
    }
    fn put(&self, keys: &[(u64, VaultKey)]) -> Result<(), VaultError> {
        self.kept.put(keys)?;
        self.refresh(&keys.iter().map(|(owner, _)| *owner).collect::<Vec<_>>())
    }
    fn refresh(&self, owners: &[u64]) -> Result<(), VaultError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(VaultError::Fault(std::io::Error::other("away")));
        }
        let all = self.kept.all();
        self.known.lock().unwrap().extend(all.into_iter().filter(|(owner, _)| owners.contains(owner)));
        Ok(())
    }
    fn destroy(&self, owner: u64) -> Result<(), VaultError> {
        self.kept.destroy(owner)?;
        self.refresh(&[owner])
    }
}

/// What a leader and its followers share.
struct World {
    journal: Replaceable,
    vault: MemoryVault,
    clock: Arc<ManualClock>,
    asked: u128,
}

impl World {
    fn new() -> Self {
        Self {
            journal: Replaceable(Arc::default()),
            vault: MemoryVault::default(),
            clock: Arc::new(ManualClock::at(NOW)),
            asked: 0,
        }
    }

    fn parts(&self, vault: Arc<dyn Vault>) -> Parts {
        Parts {
            journal: Box::new(self.journal.clone()),
            vault,
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(self.clock_millis())),
            options: Options {
                background: Background::Inline,
                snapshot_every_bytes: 2_000,
                ..Options::default()
            },
        }
    }

    /// No two writers draw the same.
    fn clock_millis(&self) -> u64 {
        self.journal.tail().position
    }

    fn leader(&self) -> Book {
        Book::open(self.parts(Arc::new(self.vault.clone()))).unwrap().0
    }

    fn follower(&self) -> Follower {
        Follower::open(self.parts(Elsewhere::of(&self.vault))).unwrap()
    }

    fn request(&mut self, act: Act) -> Request {
        self.asked += 1;
        let key = (Key::new(self.asked), Content(self.asked));
        Request { command: Command { actor: Actor::System, act }, key: Some(key) }
    }

    /// A group of these, done and durable.
    fn group(&mut self, book: &mut Book, acts: Vec<Act>) -> Tail {
        self.clock.step_secs(17);
        book.begin();
        for act in acts {
            let request = self.request(act);
            let outcome = book.decide(&request);
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        }
        book.commit().unwrap();
        book.snapshot_step();
        book.tail()
    }
}

fn organization() -> OrganizationIndex {
    OrganizationIndex::new(0)
}

fn found() -> Act {
    crate::found("seller", "UTC", Currency::EUR, NOW).unwrap()
}

fn open_account(name: &str) -> Act {
    Act::OpenAccount(Box::new(NewAccount {
        organization: organization(),
        parent: None,
        currency: Currency::EUR,
        funding: Funding::Own,
        managed: true,
        may_open_children: true,
        allows_overruns: false,
        name: Some(name.as_bytes().into()),
        credit: Nanos::from_units(1_000),
        credential: None,
    }))
}

fn usage() -> Usage {
    Usage { product: None, used_by: None, quantity: None, reference: Some(b"a call".as_slice().into()) }
}

fn charge(account: usize) -> Act {
    Act::Charge {
        account: AccountIndex::new(account),
        currency: None,
        amount: Nanos::from_units(1),
        kind: ChargeKind::Metered,
        admission: Admission::Strict,
        usage: usage(),
    }
}

/// It has run out when the next group but one begins.
fn hold(account: usize) -> Act {
    Act::PlaceHold {
        account: AccountIndex::new(account),
        currency: None,
        amount: Nanos::from_units(2),
        expires_at: NOW.plus_secs(60 + 34 * account as i64),
        usage: usage(),
    }
}

fn issue(digest: u8, label: ledger::Text) -> Act {
    Act::IssueCredential {
        holder: Holder::Organization(organization()),
        role: RoleCode(1),
        verifier: Verifier::Digest([digest; 32]),
        label,
        expires_at: Timestamp::NEVER,
        live_max: None,
        scope: None,
    }
}

fn add_user() -> Act {
    Act::People(Box::new(PeopleAct::AddUser {
        new: NewUser {
            organization: organization(),
            email_digest: 9,
            email: Some(b"ann@seller.example".as_slice().into()),
            password: None,
            subject: None,
        },
        within: Within::Organization(organization()),
        rights: Rights::Role(RoleCode(1)),
        accounts: Default::default(),
    }))
}

/// Groups of which every kind is in, as they come one after the other.
fn groups() -> Vec<Vec<Act>> {
    let mut groups =
        vec![vec![found(), issue(1, None)], vec![issue(2, Some(b"a program".as_slice().into())), add_user()]];
    for number in 0..12 {
        groups.push(vec![open_account(&format!("account {number}")), hold(number), charge(number)]);
        groups.push((0..=number).map(charge).collect());
    }
    groups.push(vec![Act::RevokeCredential { credential: CredentialIndex::new(1), live_min: 0 }]);
    groups
}

fn assert_same(world: &World, follower: &Follower, book: &Book) {
    assert_eq!(follower.tail(), book.tail());
    assert_eq!(digest(follower.ledger()), digest(book.ledger()), "at {:?}", book.tail());
    assert_eq!(follower.directory().accounts(), book.directory().accounts());
    for secret in 1..=2 {
        let secret = [secret; 32];
        assert_eq!(follower.directory().credential(&secret), book.directory().credential(&secret));
    }
    for account in (0..book.ledger().accounts_len()).map(AccountIndex::new) {
        let name = |ledger: &Ledger| ledger.account(account).name.clone();
        assert_eq!(name(follower.ledger()), name(book.ledger()), "texts are read under keys that came later");
    }
    for asked in 1..=world.asked {
        let find = |window: &crate::window::Window| window.find(Key::new(asked), Default::default()).unwrap();
        assert_eq!(find(&follower.folded.window), find(&book.window), "key {asked}");
    }
}

#[test]
fn a_follower_is_what_its_leader_is_at_every_position() {
    let mut world = World::new();
    let mut book = world.leader();
    let mut first = world.follower();
    let mut latest = None;
    for (number, acts) in groups().into_iter().enumerate() {
        let tail = world.group(&mut book, acts);
        first.advance(tail).unwrap();
        assert_same(&world, &first, &book);
        // Others begin where a snapshot was taken while this went on.
        let mut other = if number % 3 == 0 { world.follower() } else { latest.take().unwrap() };
        other.advance(tail).unwrap();
        assert_same(&world, &other, &book);
        latest = Some(other);
    }
    assert!(latest.unwrap().folded.found.snapshot.is_some(), "one of them began at a snapshot");
    book.close_tail().unwrap();
    first.advance(book.tail()).unwrap();
    assert_same(&world, &first, &book);
}

#[test]
fn a_follower_that_leads_folds_the_rest_behind_a_barrier() {
    let mut world = World::new();
    let mut old = world.leader();
    let tail = world.group(&mut old, vec![found(), open_account("a")]);
    let mut follower = world.follower();
    follower.advance(tail).unwrap();
    world.group(&mut old, vec![charge(0)]);
    let (again, before) = (world.asked, digest(old.ledger()));
    // Whoever led left a key for the texts of a group that it never wrote.
    world.vault.put(&[(Owner::account(AccountIndex::new(1)).0, VaultKey([3; 32]))]).unwrap();

    let (mut book, found) = follower.lead().unwrap();
    assert_eq!(digest(book.ledger()), before);
    assert_eq!((found.groups, found.events), (1, 1), "the charge");
    assert_eq!(book.tail().position, tail.position + 2, "the charge, and the barrier");
    book.begin();
    let known = Request {
        command: Command { actor: Actor::System, act: charge(0) },
        key: Some((Key::new(again), Content(again))),
    };
    assert!(matches!(book.decide(&known), Outcome::Repeated(_)), "keys are remembered");
    world.group(&mut book, vec![open_account("b")]);
}

#[test]
fn a_history_that_was_replaced_is_not_followed() {
    let mut world = World::new();
    let mut book = world.leader();
    world.group(&mut book, vec![found()]);
    let copy = MemoryStore::default();
    for position in 1..=book.tail().position {
        copy.open().append(&world.journal.store().group(position).unwrap()).unwrap();
    }
    let shorter = book.tail();
    let longer = world.group(&mut book, vec![open_account("a")]);
    let followers: Vec<Follower> = (0..3)
        .map(|_| {
            let mut follower = world.follower();
            follower.advance(longer).unwrap();
            follower
        })
        .collect();

    // The database lost the last group; somebody else's stand there now.
    *world.journal.0.write().unwrap() = copy;
    let mut other = world.leader();
    let beside = other.tail();
    let behind = world.group(&mut other, vec![open_account("b")]);
    for (mut follower, to) in followers.into_iter().zip([shorter, beside, behind]) {
        assert!(matches!(follower.advance(to), Err(OpenError::Replaced { .. })), "{to:?}");
    }
    let mut follower = world.follower();
    follower.advance(behind).unwrap();
    assert_same(&world, &follower, &other);
}

#[test]
fn a_state_that_is_not_what_the_leader_says_stops_the_follower() {
    let mut world = World::new();
    let mut book = world.leader();
    world.group(&mut book, vec![found()]);
    let mut follower = world.follower();
    let mut buffer = Group::buffer();
    Mark::digest(&Ledger::default(), &mut Cursor::Start, 10).write(&mut buffer);
    let group = Group::seal(buffer, &book.tail(), NOW, 0);
    let position = group.header().position;
    world.journal.append(&group).unwrap();
    let stopped = follower.advance(group.tail());
    assert!(matches!(stopped, Err(OpenError::Diverged { position: at }) if at == position));
}

#[test]
fn what_could_not_be_finished_is_finished_the_next_time() {
    let mut world = World::new();
    let mut book = world.leader();
    world.group(&mut book, vec![found(), issue(1, None)]);
    let vault = Elsewhere::of(&world.vault);
    let mut follower = Follower::open(world.parts(vault.clone())).unwrap();
    book.begin();
    let revoke = Act::RevokeCredential { credential: CredentialIndex::new(0), live_min: 0 };
    let (request, origin) =
        (world.request(revoke), Origin { address: None, request_id: "a test".to_owned() });
    assert!(matches!(book.decide_from(&request, Default::default(), Some(&origin)), Outcome::Done(_)));
    book.commit().unwrap();

    // The key that the log's entry is sealed under is the organization's, and made in this group.
    vault.is_away.store(true, Ordering::Relaxed);
    assert!(matches!(follower.advance(book.tail()), Err(OpenError::Vault(_))));
    vault.is_away.store(false, Ordering::Relaxed);
    follower.advance(book.tail()).unwrap();
    assert_same(&world, &follower, &book);
    assert_eq!(vault.all(), world.vault.all());
}

#[test]
fn whoever_is_erased_is_erased_here_as_soon_as_the_key_is_gone() {
    let mut world = World::new();
    let mut book = world.leader();
    world.group(&mut book, vec![found(), add_user()]);
    let mut follower = world.follower();
    let key = |follower: &Follower| follower.parts.vault.get(Owner::person(UserIndex::new(0)).0);
    let remove = Act::People(Box::new(PeopleAct::RemoveUser { user: UserIndex::new(0) }));
    let tail = world.group(&mut book, vec![remove]);
    follower.advance(tail).unwrap();
    assert!(key(&follower).is_some(), "the act is durable first");
    let owners = erased_with(book.ledger(), UserIndex::new(0));
    owners.iter().for_each(|owner| world.vault.destroy(owner.0).unwrap());
    follower.advance(tail).unwrap();
    assert!(key(&follower).is_none());
}

type Reading = std::pin::Pin<Box<dyn Future<Output = Result<usize, Unavailable>>>>;

async fn count(engine: Engine) -> Result<usize, Unavailable> {
    engine.read(|ledger, _| ledger.accounts_len()).await
}

#[test]
fn reads_are_shown_and_commands_wait_for_a_leader() {
    let mut world = World::new();
    let mut book = world.leader();
    let tail = world.group(&mut book, vec![found()]);
    let parts = world.parts(Elsewhere::of(&world.vault));
    let (engine, mut following) = Engine::follow(parts).unwrap();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut poll = |reading: &mut Reading| reading.as_mut().poll(&mut context);
    let accounts = || -> Reading { Box::pin(count(engine.clone())) };
    let ready = |seen| std::task::Poll::Ready(Ok::<usize, Unavailable>(seen));

    following.advance(tail).unwrap();
    let mut reading = accounts();
    assert!(poll(&mut reading).is_pending());
    following.serve();
    assert_eq!(poll(&mut reading), ready(0));
    assert_eq!(engine.request_snapshot(), Err(Unavailable::Following));

    let (mut rounds, _) = following.lead().unwrap();
    assert_eq!(engine.request_snapshot(), Ok(()));
    let mut reading = accounts();
    assert!(poll(&mut reading).is_pending());
    rounds.serve().unwrap();
    assert_eq!(poll(&mut reading), ready(0));
    drop(rounds);

    let (engine, following) = Engine::follow(world.parts(Elsewhere::of(&world.vault))).unwrap();
    drop(following);
    assert!(matches!(engine.confirm_clock(), Err(Unavailable::Stopped(_))));
}
