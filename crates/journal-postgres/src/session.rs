//! One session with the database. Dropping it drops the socket: a running statement is never cancelled.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, Row, Statement};

use crate::error::DatabaseError;
use crate::wait::wait;

pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

pub(crate) struct Session {
    pub(crate) client: Client,
    /// Reads and writes the socket.
    task: AbortHandle,
    warnings: Arc<Warnings>,
    prepared: Mutex<HashMap<String, Statement>>,
    reply_timeout: Duration,
    /// Its place in the URL.
    pub(crate) host: usize,
    /// Where the engine has one: higher is newer.
    pub(crate) timeline: Option<u32>,
}

#[derive(Default)]
struct Warnings {
    count: AtomicU64,
    last: Mutex<String>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.abort();
    }
}

impl Session {
    /// Serves the socket on the runtime this is called on.
    pub(crate) fn new<S, T>(
        client: Client,
        mut connection: Connection<S, T>,
        host: usize,
        timeout: Duration,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: TlsStream + Unpin + Send + 'static,
    {
        let warnings = Arc::new(Warnings::default());
        let noted = warnings.clone();
        let task = tokio::spawn(async move {
            let mut next = async || std::future::poll_fn(|context| connection.poll_message(context)).await;
            while let Some(Ok(message)) = next().await {
                // Noted before the reply behind it reaches whoever waits for it.
                if let AsyncMessage::Notice(notice) = message
                    && notice.severity() == "WARNING"
                {
                    *noted.last.lock().unwrap_or_else(PoisonError::into_inner) = notice.message().to_owned();
                    noted.count.fetch_add(1, Ordering::Release);
                }
            }
        });
        Self {
            client,
            task: task.abort_handle(),
            warnings,
            prepared: Mutex::default(),
            reply_timeout: timeout,
            host,
            timeline: None,
        }
    }

    /// Drops the socket. Whoever waits for a reply learns that the connection was lost.
    pub(crate) fn abort(&self) {
        self.task.abort();
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Prepared once a session: a text statement hides a round trip that prepares it.
    fn prepare(&self, sql: &str) -> Result<Statement, DatabaseError> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.wait(self.client.prepare(sql))?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// One statement in its own transaction; how many rows it changed. A warning on the way says that
    /// the outcome is unknown, so nobody else may use the session meanwhile.
    pub(crate) fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, DatabaseError> {
        let statement = self.prepare(sql)?;
        let before = self.warnings.count.load(Ordering::Acquire);
        let rows = self.wait(self.client.execute(&statement, parameters))?;
        if self.warnings.count.load(Ordering::Acquire) != before {
            let last = self.warnings.last.lock().unwrap_or_else(PoisonError::into_inner);
            return Err(DatabaseError::Warned(last.clone()));
        }
        Ok(rows)
    }

    pub(crate) fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, DatabaseError> {
        let statement = self.prepare(sql)?;
        self.wait(self.client.query(&statement, parameters))
    }

    /// Statements without parameters that are run once.
    pub(crate) fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        self.wait(self.client.batch_execute(sql))
    }

    fn wait<T>(
        &self,
        reply: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DatabaseError> {
        wait(reply, self.reply_timeout).ok_or(DatabaseError::Silent(self.reply_timeout))?.map_err(Into::into)
    }
}
