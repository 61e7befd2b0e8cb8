//! A session over the driver.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio_postgres::tls::TlsStream;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Connection, Statement};
use uuid::Uuid;

use crate::error::DatabaseError;
use crate::hosts::Session;
use crate::row::{Cell, Parameters, Row};
use crate::wait::wait;

pub(crate) struct PostgresSession {
    pub(crate) client: Client,
    /// Reads and writes the socket.
    task: AbortHandle,
    warnings: Arc<Warnings>,
    prepared: Mutex<HashMap<String, Statement>>,
    reply_timeout: Duration,
}

#[derive(Default)]
struct Warnings {
    count: AtomicU64,
    last: Mutex<String>,
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        self.abort();
    }
}

impl PostgresSession {
    /// Serves the socket on the runtime this is called on.
    pub(crate) fn new<S, T>(client: Client, mut connection: Connection<S, T>, reply_timeout: Duration) -> Self
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
        Self { client, task: task.abort_handle(), warnings, prepared: Mutex::default(), reply_timeout }
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

    fn wait<T>(
        &self,
        reply: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DatabaseError> {
        wait(reply, self.reply_timeout).ok_or(DatabaseError::Silent(self.reply_timeout))?.map_err(Into::into)
    }
}

impl Session for PostgresSession {
    /// Nobody else may use the session meanwhile: the warning could be theirs.
    fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, DatabaseError> {
        let statement = self.prepare(sql)?;
        let before = self.warnings.count.load(Ordering::Acquire);
        let rows = self.wait(self.client.execute(&statement, &driven(parameters)))?;
        if self.warnings.count.load(Ordering::Acquire) != before {
            let last = self.warnings.last.lock().unwrap_or_else(PoisonError::into_inner);
            return Err(DatabaseError::Warned(last.clone()));
        }
        Ok(rows)
    }

    fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, DatabaseError> {
        let statement = self.prepare(sql)?;
        let rows = self.wait(self.client.query(&statement, &driven(parameters)))?;
        rows.iter().map(row).collect()
    }

    fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        self.wait(self.client.batch_execute(sql))
    }

    fn abort(&self) {
        self.task.abort();
    }

    fn is_open(&self) -> bool {
        !self.client.is_closed()
    }
}

fn driven<'a>(parameters: Parameters<'a>) -> Vec<&'a (dyn ToSql + Sync)> {
    parameters.iter().map(|parameter| *parameter as &(dyn ToSql + Sync)).collect()
}

fn row(row: &tokio_postgres::Row) -> Result<Row, DatabaseError> {
    let cells = row.columns().iter().enumerate().map(|(at, column)| {
        let cell = match *column.type_() {
            Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map(Cell::Bool),
            Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(Cell::Int4),
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Cell::Int8),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Cell::Bytes),
            Type::UUID => row.try_get::<_, Option<Uuid>>(at)?.map(Cell::Uuid),
            _ => row.try_get::<_, Option<String>>(at)?.map(Cell::Text),
        };
        Ok(cell.unwrap_or(Cell::Null))
    });
    cells.collect::<Result<_, tokio_postgres::Error>>().map(Row).map_err(Into::into)
}
