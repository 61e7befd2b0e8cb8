//! Random books, seen through SQL: the tables say what the state and the journal say, however often
//! following them was interrupted, and the same again when they are made anew.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{Nanos, Timestamp};
use engine::{Background, Book, ManualClock, Options, Outcome, Parts, Request, SeededEntropy};
use journal::{MemoryStore, MemoryVault};
use journal_postgres::Url;
use ledger::{Actor, Command, CredentialIndex, Event};
use postgres_server::{Database, Server};
use projection::{ProjectionError, Source, catch_up};
use simulation::bridge::Bridge;
use simulation::model::Model;
use simulation::rules::{START, pass, period, seller_credential};
use simulation::{Random, workload};
use testkit::TestBook;
use tokio::runtime::Runtime;

struct World {
    book: Book,
    clock: Arc<ManualClock>,
    model: Model,
    bridge: Bridge,
    random: Random,
    now: i64,
    database: Database,
    runtime: Runtime,
}

impl World {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(START)));
        let options = Options {
            background: Background::Inline,
            confirm_clock: true,
            sandbox: true,
            ..Options::default()
        };
        let parts = Parts {
            journal: Box::new(MemoryStore::default().open()),
            vault: Arc::new(MemoryVault::default()),
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(seed)),
            options,
        };
        let (book, _) = Book::open(parts).unwrap();
        let mut world = Self {
            book,
            clock,
            model: Model::default(),
            bridge: Bridge::new(CredentialIndex::new(0)),
            random: Random::new(seed),
            now: START,
            database: Server::shared().database(),
            runtime: Runtime::new().unwrap(),
        };
        world.book.begin();
        let zone = "Pacific/Auckland";
        let found = engine::found("seller", zone, domain::Currency::EUR, world.book.now()).unwrap();
        for act in [found, seller_credential()] {
            world.decide(Command { actor: Actor::System, act }).unwrap();
        }
        world.book.commit().unwrap();
        world
    }

    fn decide(&mut self, command: Command) -> Option<()> {
        match self.book.decide(&Request { command, key: None }) {
            Outcome::Done(receipt) => {
                self.bridge.learn(&receipt.event);
                Some(())
            }
            _ => None,
        }
    }

    fn commands(&mut self, count: usize) {
        for _ in 0..count {
            self.now += pass(&mut self.random);
            self.clock.advance_to(Timestamp::from_micros(self.now));
            self.book.begin();
            let period = period(self.book.ledger(), Timestamp::from_micros(self.now));
            self.model.expire(self.now, period);
            let (who, ask) = workload::next(&mut self.random, &self.model, self.now);
            let expected = self.model.ask(who, &ask, self.now, period).is_ok();
            let done = self.decide(self.bridge.command(who, &ask)).is_some();
            assert_eq!(done, expected, "{who:?} {ask:?}");
            self.model.begin_reloads(self.now, period);
            self.book.commit().unwrap();
        }
    }

    fn url(&self) -> Url {
        Url::parse(&self.database.url(), |_| None).unwrap()
    }

    fn catch_up(&self) -> Result<(), ProjectionError> {
        let source = Source { history: self.book.history(), seals: self.book.seals().clone(), book: 0 };
        catch_up(self.url(), source, self.runtime.handle().clone())
    }

    fn value(&self, sql: &str) -> String {
        self.database.value(sql)
    }

    /// Everything in the tables, in order.
    fn dump(&self) -> Vec<Vec<Vec<Option<String>>>> {
        let tables =
            "organization name account handle credential balance entry daily_usage progress".split(' ');
        let all = |table| format!("SELECT there::text FROM reporting.{table} AS there ORDER BY 1");
        tables.map(|table| self.database.run(&all(table))).collect()
    }

    /// The tables against the state, and against what the journal says was used.
    fn check(&self) {
        let ledger = self.book.ledger();
        let balances = self.database.run(
            "SELECT carried, funded, used, held, granted, received, given, usage, posted, available, entries \
             FROM reporting.balances ORDER BY account_id, currency",
        );
        let mut expected: Vec<_> = ledger
            .balances()
            .map(|(_, it)| {
                let a = &it.amounts;
                let amounts = [
                    a.carried,
                    a.funded,
                    a.used,
                    a.held,
                    a.granted,
                    a.received,
                    a.given,
                    a.usage,
                    a.posted(),
                    a.available(),
                ];
                let mut row: Vec<_> = amounts.iter().map(|amount| number(*amount)).collect();
                row.push(it.entries.to_string());
                let id = uuid(self.book.seals().seal(engine::Id::Account(it.account)));
                ((id, it.currency.to_string()), row)
            })
            .collect();
        expected.sort();
        let found: Vec<Vec<_>> =
            balances.into_iter().map(|row| row.into_iter().map(Option::unwrap).collect()).collect();
        assert_eq!(found, expected.into_iter().map(|(_, row)| row).collect::<Vec<_>>());

        let unbalanced = "SELECT count(*) FROM (SELECT balance, sum(amount) AS moved FROM reporting.entries \
            GROUP BY balance) e JOIN reporting.balance b USING (balance) WHERE moved <> b.carried_units + \
            b.carried_nanos * 0.000000001 + b.funded_units + b.funded_nanos * 0.000000001 - b.used_units - \
            b.used_nanos * 0.000000001";
        assert_eq!(self.value(unbalanced), "0");
        let entries: u64 = ledger.balances().map(|(_, it)| it.entries).sum();
        assert_eq!(self.value("SELECT count(*) FROM reporting.entry"), entries.to_string());
        let restricted = ledger.accounts_from(0).filter(|(_, it)| it.restrictions.suspended).count();
        let suspended = "SELECT count(*) FROM reporting.account WHERE suspended";
        assert_eq!(self.value(suspended), restricted.to_string());
        assert_eq!(self.usage(), self.usage_of_journal());
    }

    /// By account, currency and day: calls, cost, refunded.
    fn usage(&self) -> BTreeMap<[String; 3], [String; 3]> {
        let sql = "SELECT account, currency, day, sum(calls), \
            sum(cost_units + cost_nanos * 0.000000001), sum(refunded_units + refunded_nanos * 0.000000001) \
            FROM reporting.daily_usage GROUP BY 1, 2, 3";
        let rows = self.database.run(sql).into_iter().map(|row| {
            let [account, currency, day, calls, cost, refunded] =
                row.into_iter().map(Option::unwrap).collect::<Vec<_>>().try_into().unwrap();
            ([account, currency, day], [calls, cost, refunded])
        });
        rows.collect()
    }

    fn usage_of_journal(&self) -> BTreeMap<[String; 3], [String; 3]> {
        let mut sums = BTreeMap::<[String; 3], (u64, i128, i128)>::new();
        let ledger = self.book.ledger();
        let zone = jiff::tz::TimeZone::get("Pacific/Auckland").unwrap();
        for passage in self.book.history().passages(1).unwrap() {
            for record in passage.unwrap().records {
                let (account, payer, cost, refunded) = match &record.event {
                    Event::Charged(it) | Event::HoldCaptured { charged: it, .. } => {
                        (it.account, it.payer.balance, it.amount.get(), 0)
                    }
                    Event::Refunded { posting: it, .. } => (it.account, it.payer.balance, 0, it.amount.get()),
                    _ => continue,
                };
                let at = jiff::Timestamp::from_microsecond(record.envelope.time.as_micros()).unwrap();
                let day = at.to_zoned(zone.clone()).date().to_string();
                let currency = ledger.balance(payer).currency.to_string();
                let sum = sums.entry([(account.slot() + 1).to_string(), currency, day]).or_default();
                sum.0 += u64::from(!matches!(record.event, Event::Refunded { .. }));
                sum.1 += cost;
                sum.2 += refunded;
            }
        }
        let print = |(calls, cost, refunded): (u64, i128, i128)| {
            [calls.to_string(), number(Nanos::new(cost)), number(Nanos::new(refunded))]
        };
        sums.into_iter().map(|(key, sum)| (key, print(sum))).collect()
    }
}

/// With all nine digits, as the views have it.
fn number(amount: Nanos) -> String {
    amount.at_least(9).to_string()
}

fn uuid(bytes: [u8; 16]) -> String {
    uuid::Uuid::from_bytes(bytes).hyphenated().to_string()
}

#[test]
fn tables_say_what_the_books_say() {
    let mut world = World::new(7);
    for commands in [1, 600, 1_500, 900] {
        world.commands(commands);
        world.catch_up().unwrap();
        world.check();
    }
    let followed = world.dump();
    world.runtime.block_on(projection::rebuild(&world.url())).unwrap();
    assert_eq!(world.value("SELECT count(*) FROM reporting.entry"), "0");
    world.catch_up().unwrap();
    assert_eq!(world.dump(), followed, "made anew, they are the same");
}

#[test]
fn tables_of_another_journal_are_refused() {
    let mut world = World::new(8);
    world.commands(50);
    world.catch_up().unwrap();
    let before = world.dump();
    world.commands(50);
    let spoil = [
        ("chain = '\\x00'", "follow another journal"),
        ("chain = decode(repeat('ab', 32), 'hex')", "follow another journal"),
        ("position = 1000000", "follow another journal"),
        ("version = 99", "are of version 99"),
    ];
    for (change, message) in spoil {
        let sound =
            world.database.run("SELECT version, position, encode(chain, 'hex') FROM reporting.progress");
        world.database.run(&format!("UPDATE reporting.progress SET {change}"));
        let error = world.catch_up().unwrap_err().to_string();
        assert!(error.contains(message), "{change}: {error}");
        let [version, position, chain] = &sound[0][..] else { panic!("three columns") };
        let [version, position, chain] = [version, position, chain].map(|it| it.clone().unwrap());
        world.database.run(&format!(
            "UPDATE reporting.progress SET version = {version}, position = {position}, \
             chain = decode('{chain}', 'hex')"
        ));
        assert_eq!(world.dump(), before, "{change}: nothing was written");
    }
    world.catch_up().unwrap();
    world.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_begin_where_a_journal_was_cut() {
    let book = TestBook::on_files().await;
    let account = book.open_primary("a customer", 100).await;
    book.charge(&account, "12.5").await;
    book.fill_segments(&account, 8).await;
    let book = book.pruned(testkit::START.plus_secs(5 * 3600));
    book.charge(&account, "0.25").await;
    let database = Server::shared().database();
    let url = Url::parse(&database.url(), |_| None).unwrap();
    let source =
        Source { history: book.engine.history().clone(), seals: book.engine.seals().clone(), book: 0 };
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || catch_up(url, source, runtime)).await.unwrap().unwrap();
    let posted =
        book.engine.read(|ledger, _| ledger.balances().next().unwrap().1.amounts.posted()).await.unwrap();
    assert_eq!(database.value("SELECT posted FROM reporting.balances"), number(posted));
    let last = "SELECT amount FROM reporting.entries ORDER BY number DESC LIMIT 1";
    assert_eq!(database.value(last), "-0.250000000");
    // Every balance is there, and of the entries those behind the cut.
    let entries: u64 = database.value("SELECT count(*) FROM reporting.entry").parse().unwrap();
    let all: u64 = database.value("SELECT entries FROM reporting.balances").parse().unwrap();
    assert!((1..all).contains(&entries), "{entries} of {all}");
}
