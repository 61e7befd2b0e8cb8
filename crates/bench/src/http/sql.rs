//! What a good team writes: a row a charge, balances in a table, the limit checked where it is updated.
//!
//! It carries less than a charge of ours: no holds, products or history links, and its keys have no
//! index, so that the comparison errs on its side.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postgres_server::Database;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::workload::Dice;

const TABLES: &str = "
CREATE TABLE account (id int8 PRIMARY KEY, posted int8 NOT NULL, credit int8 NOT NULL) WITH (fillfactor = 70);
CREATE TABLE charge (account int8 NOT NULL, amount int8 NOT NULL, key int8 NOT NULL,
                     at timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION take(payer int8, cost int8, named int8) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET posted = posted - cost WHERE id = payer AND posted - cost + credit >= 0;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO charge (account, amount, key) VALUES (payer, cost, named);
    RETURN true;
END $$;";
const LOCK: &str = "SELECT id FROM account WHERE id = ANY($1) ORDER BY id FOR UPDATE";
const UPDATE: &str = "UPDATE account SET posted = posted - taken.cost \
    FROM unnest($1::int8[], $2::int8[]) AS taken (id, cost) \
    WHERE account.id = taken.id AND posted - taken.cost + credit >= 0";
const INSERT: &str = "INSERT INTO charge (account, amount, key) \
    SELECT unnest($1::int8[]), unnest($2::int8[]), unnest($3::int8[])";

pub struct Baseline {
    config: String,
    accounts: usize,
    runtime: Runtime,
}

impl Baseline {
    pub fn prepare(database: &Database, accounts: usize) -> Self {
        database.run(TABLES);
        database.run(&format!(
            "INSERT INTO account SELECT id, 0, 1000000000000000 FROM generate_series(0, {}) AS id",
            accounts - 1
        ));
        database.run("VACUUM ANALYZE account");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { config: database.url(), accounts, runtime: runtime.expect("a thread starts") }
    }

    async fn connect(&self) -> Client {
        let (client, connection) =
            tokio_postgres::connect(&self.config, NoTls).await.expect("the database is there");
        tokio::spawn(connection);
        client
    }

    /// Charges per second in set-based transactions.
    pub fn batches(&self, charges: usize, batch: usize, connections: usize, round: usize) -> f64 {
        let batches = charges / batch;
        let next = AtomicUsize::new(0);
        let started = self.runtime.block_on(async {
            let mut clients = Vec::new();
            for connection in 0..connections {
                let dice = Dice::new((round * 100 + connection) as u64 + 1);
                clients.push(Batches::new(self.connect().await, dice, self.accounts, batch).await);
            }
            let started = Instant::now();
            // All on this thread: the database does the work.
            let next = &next;
            let mut running: Vec<_> = clients
                .iter_mut()
                .map(|client| {
                    Box::pin(async move {
                        while next.fetch_add(1, Ordering::Relaxed) < batches {
                            client.run().await;
                        }
                    })
                })
                .collect();
            join(&mut running).await;
            started
        });
        (batches * batch) as f64 / started.elapsed().as_secs_f64()
    }

    /// Charges per second, a transaction each.
    pub fn singles(&self, seconds: u64, clients: usize, round: usize) -> f64 {
        let done = AtomicUsize::new(0);
        let started = self.runtime.block_on(async {
            let mut all = Vec::new();
            for client in 0..clients {
                let dice = Dice::new((round * 100 + client) as u64 + 31);
                all.push((self.connect().await, dice));
            }
            let started = Instant::now();
            let until = started + Duration::from_secs(seconds);
            let (done, accounts) = (&done, self.accounts);
            let mut running: Vec<_> = all
                .iter_mut()
                .map(|(client, dice)| {
                    Box::pin(async move {
                        let take = client.prepare("SELECT take($1, $2, $3)").await.expect("it was made");
                        while Instant::now() < until {
                            let (account, key) = (dice.below(accounts) as i64, dice.next() as i64);
                            let cost = 1 + dice.below(9_999) as i64;
                            let row = client.query_one(&take, &[&account, &cost, &key]).await;
                            assert!(row.expect("it is taken").get::<_, bool>(0));
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            join(&mut running).await;
            started
        });
        done.into_inner() as f64 / started.elapsed().as_secs_f64()
    }
}

/// Runs all to their ends.
async fn join<F: Future<Output = ()> + Unpin>(running: &mut [F]) {
    let mut ended = vec![false; running.len()];
    std::future::poll_fn(|context| {
        for (future, ended) in running.iter_mut().zip(&mut ended) {
            *ended = *ended || std::pin::Pin::new(future).poll(context).is_ready();
        }
        if ended.iter().all(|ended| *ended) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// One connection that sends batches.
struct Batches {
    client: Client,
    statements: [tokio_postgres::Statement; 3],
    dice: Dice,
    accounts: usize,
    batch: usize,
}

impl Batches {
    async fn new(client: Client, dice: Dice, accounts: usize, batch: usize) -> Self {
        let statements = [
            client.prepare(LOCK).await.expect("the tables are there"),
            client.prepare(UPDATE).await.expect("the tables are there"),
            client.prepare(INSERT).await.expect("the tables are there"),
        ];
        Self { client, statements, dice, accounts, batch }
    }

    /// One transaction.
    async fn run(&mut self) {
        let (mut ids, mut costs, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
        for _ in 0..self.batch {
            let (id, cost) = (self.dice.below(self.accounts) as i64, 1 + self.dice.below(9_999) as i64);
            ids.push(id);
            costs.push(cost);
            keys.push(self.dice.next() as i64);
            *sums.entry(id).or_default() += cost;
        }
        let (locked, totals): (Vec<i64>, Vec<i64>) = sums.into_iter().unzip();
        let [lock, update, insert] = &self.statements;
        let client = &self.client;
        client.batch_execute("BEGIN").await.expect("the database answers");
        client.query(lock, &[&locked]).await.expect("rows are locked in order");
        let updated = client.execute(update, &[&locked, &totals]).await.expect("balances are there");
        assert_eq!(updated, locked.len() as u64, "every account has credit");
        client.execute(insert, &[&ids, &costs, &keys]).await.expect("rows are taken");
        client.batch_execute("COMMIT").await.expect("the database answers");
    }
}
