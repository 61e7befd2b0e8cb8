//! Follows one book's journal into the tables, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::Duration;

use domain::Timestamp;
use engine::{History, Passage, Seals};
use journal::{Chain, ReadError, Tail, with_causes};
use journal_postgres::{DatabaseError, Url};
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::ProjectionError;
use crate::batch::Batch;
use crate::catalog::Catalog;
use crate::{VERSION, schema, seed};

/// Where the events come from.
pub struct Source {
    pub history: History,
    pub seals: Seals,
    pub book: i64,
}

/// How far the tables are, for whoever asks.
#[derive(Default, Debug)]
pub struct Standing {
    /// Groups of the journal that the tables do not show yet.
    pub groups_behind: AtomicU64,
    /// Book time of the newest group that the tables show, in microseconds; zero before there is one.
    pub shown_until: AtomicI64,
    /// Attempts that failed.
    pub failures: AtomicU64,
}

/// Runs until it is dropped.
pub struct Follower {
    stop: Arc<AtomicBool>,
    thread: Thread,
}

/// As many rows are one transaction, unless one group has more.
const BATCH_ROWS: usize = 10_000;
/// How often an idle journal is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const CONNECT_MAX: Duration = Duration::from_secs(10);
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);

impl Follower {
    /// `runtime` serves the connection.
    pub fn start(
        url: Url,
        source: Source,
        runtime: Handle,
        standing: Arc<Standing>,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let following = Following { url, source, runtime, standing, stop: Arc::clone(&stop) };
        let thread = std::thread::Builder::new().name("projection".to_owned());
        let thread = thread.spawn(move || following.run())?;
        Ok(Self { stop, thread: thread.thread().clone() })
    }
}

impl Drop for Follower {
    /// Asks it to end. Nobody waits for a database that may not answer: a transaction that is cut off leaves
    /// the tables as they were.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Brings the tables to where the journal is now. For one-time use; whoever stays starts a [`Follower`].
pub fn catch_up(url: Url, source: Source, runtime: Handle) -> Result<(), ProjectionError> {
    let (standing, stop) = (Arc::default(), Arc::default());
    Following { url, source, runtime, standing, stop }.follow(Until::Tail)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Tail,
    Stopped,
}

struct Following {
    url: Url,
    source: Source,
    runtime: Handle,
    standing: Arc<Standing>,
    stop: Arc<AtomicBool>,
}

impl Following {
    fn run(self) {
        let (mut pause, mut said) = (RETRY_FIRST, String::new());
        while !self.is_stopped() {
            let begun = self.standing.shown_until.load(Ordering::Relaxed);
            let Err(error) = self.follow(Until::Stopped) else { return };
            self.standing.failures.fetch_add(1, Ordering::Relaxed);
            let reason = with_causes(&error);
            if reason != said {
                tracing::error!(reason, "the reporting tables stand still");
                said = reason;
            }
            if self.standing.shown_until.load(Ordering::Relaxed) != begun {
                pause = RETRY_FIRST;
            }
            std::thread::park_timeout(pause);
            pause = (pause * 2).min(RETRY_MAX);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Once something fails, all that was known of the tables is to be read again.
    fn follow(&self, until: Until) -> Result<(), ProjectionError> {
        let mut client = self.runtime.block_on(async {
            let mut client = tokio::time::timeout(CONNECT_MAX, self.url.connect())
                .await
                .map_err(|_| DatabaseError::Silent(CONNECT_MAX))??;
            schema::ensure(&mut client).await?;
            Ok::<_, ProjectionError>(client)
        })?;
        let mut shown = self.begin(&mut client)?;
        let mut catalog = self.runtime.block_on(Catalog::load(&client))?;
        while !self.is_stopped() {
            let tail = self.source.history.reader().tail().position;
            self.standing.groups_behind.store(tail.saturating_sub(shown.position), Ordering::Relaxed);
            if tail <= shown.position {
                if until == Until::Tail {
                    return Ok(());
                }
                std::thread::park_timeout(LOOK_EVERY);
                continue;
            }
            let mut passages = self.source.history.passages(shown.position + 1)?;
            while !self.is_stopped() {
                let mut batch = Batch::new(&mut catalog, &self.source.seals);
                let Some((reached, time)) = gather(&mut batch, &mut passages)? else { break };
                self.runtime.block_on(self.write(&mut client, batch, &shown, &reached, time))?;
                shown = reached;
                let behind = self.source.history.reader().tail().position.saturating_sub(shown.position);
                self.standing.groups_behind.store(behind, Ordering::Relaxed);
                self.standing.shown_until.store(time.as_micros(), Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Where the tables are. Empty ones are brought to where the journal begins.
    fn begin(&self, client: &mut Client) -> Result<Tail, ProjectionError> {
        let known = "SELECT version, position, chain FROM reporting.progress WHERE book = $1";
        let known = self.runtime.block_on(client.query_opt(known, &[&self.source.book]))?;
        let Some(row) = known else { return self.found(client) };
        let version: i32 = row.get(0);
        if version != VERSION {
            return Err(ProjectionError::Version { found: version });
        }
        let position: i64 = row.get(1);
        let chain: &[u8] = row.get(2);
        let other = ProjectionError::OtherJournal { position: position as u64 };
        let Ok(chain) = chain.try_into() else { return Err(other) };
        let tail = Tail { position: position as u64, chain: Chain(chain) };
        if tail.position == 0 {
            return Ok(tail);
        }
        let reader = self.source.history.reader();
        let found = match reader.group(tail.position) {
            Ok(group) => group.tail(),
            // What was cut there is what the tables end at, or lies beyond it.
            Err(ReadError::Removed { anchor, .. }) => anchor.tail,
            Err(ReadError::Missing { .. }) => return Err(other),
            Err(error) => return Err(ProjectionError::History(error.into())),
        };
        if found == tail { Ok(tail) } else { Err(other) }
    }

    fn found(&self, client: &mut Client) -> Result<Tail, ProjectionError> {
        let mut catalog = Catalog::default();
        let mut batch = Batch::new(&mut catalog, &self.source.seals);
        let beginning = self.source.history.beginning()?;
        let (begin, at) = match &beginning {
            Some((anchor, ledger)) => {
                seed::seed(&mut batch, ledger)?;
                (anchor.tail, anchor.time)
            }
            None => (Tail { position: 0, chain: Chain([0; 32]) }, Timestamp::EPOCH),
        };
        self.runtime.block_on(async {
            let transaction = client.transaction().await?;
            let insert = "INSERT INTO reporting.progress (book, version, position, chain, at) \
                VALUES ($1, $2, $3, $4, timestamptz 'epoch' + $5 * interval '1 microsecond')";
            let (position, chain) = (begin.position as i64, begin.chain.0.as_slice());
            let micros = at.as_micros() as f64;
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&self.source.book, &VERSION, &position, &chain, &micros];
            transaction.execute(insert, &values).await?;
            batch.write(&transaction).await?;
            transaction.commit().await?;
            Ok(begin)
        })
    }

    /// One transaction, behind what the tables show now.
    async fn write(
        &self,
        client: &mut Client,
        batch: Batch<'_>,
        shown: &Tail,
        reached: &Tail,
        time: Timestamp,
    ) -> Result<(), ProjectionError> {
        let transaction = client.transaction().await?;
        let advance = "UPDATE reporting.progress SET position = $3, chain = $4, \
            at = timestamptz 'epoch' + $5 * interval '1 microsecond' WHERE book = $1 AND position = $2";
        let (from, to) = (shown.position as i64, reached.position as i64);
        let chain = reached.chain.0.as_slice();
        let micros = time.as_micros() as f64;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&self.source.book, &from, &to, &chain, &micros];
        if transaction.execute(advance, &values).await? == 0 {
            return Err(ProjectionError::Overtaken);
        }
        batch.write(&transaction).await?;
        Ok(transaction.commit().await?)
    }
}

/// Fills a batch with whole groups; where it ends. None, when there are no more.
fn gather(
    batch: &mut Batch<'_>,
    passages: &mut engine::Passages,
) -> Result<Option<(Tail, Timestamp)>, ProjectionError> {
    let mut reached = None;
    while batch.rows() < BATCH_ROWS {
        let Some(passage) = passages.next() else { break };
        let Passage { tail, time, records } = passage?;
        for record in &records {
            batch.note(record)?;
        }
        reached = Some((tail, time));
    }
    Ok(reached)
}
