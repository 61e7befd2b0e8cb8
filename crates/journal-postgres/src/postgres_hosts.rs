//! The hosts of a URL, asked over the network.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::connector::Connector;
use crate::error::{DatabaseError, OpenError};
use crate::hosts::{Facts, Hosts, Probed, Session};
use crate::options::Options;
use crate::postgres_session::PostgresSession;
use crate::tls::Tls;
use crate::url::Url;
use crate::wait::{pause, wait};

/// How often it is checked that the host in use is still the one to use.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// What the connections' thread may be late by.
const SLACK: Duration = Duration::from_secs(2);

pub(crate) struct PostgresHosts {
    runtime: Option<Runtime>,
    url: Url,
    tls: Tls,
    options: Options,
    started: Instant,
}

impl Drop for PostgresHosts {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whoever drops the last handle may be on another runtime, where waiting is not allowed.
            runtime.shutdown_background();
        }
    }
}

impl PostgresHosts {
    pub(crate) fn new(url: Url, options: Options) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("journal")
            .enable_all()
            .build()
            .map_err(OpenError::Runtime)?;
        let tls = Tls::new(&url.tls)?;
        Ok(Self { runtime: Some(runtime), url, tls, options, started: Instant::now() })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is there until dropped")
    }

    /// Goes on checking, where there is a choice, for as long as the connector is used.
    pub(crate) fn watch(&self, connector: &Arc<Connector>) {
        if self.url.hosts.len() > 1 {
            self.runtime().spawn(watch(Arc::downgrade(connector)));
        }
    }
}

async fn watch(connector: Weak<Connector>) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let Some(connector) = connector.upgrade() else { return };
        if tokio::task::spawn_blocking(move || connector.check()).await.is_err() {
            return;
        }
    }
}

impl Hosts for PostgresHosts {
    fn probe(&self) -> Vec<Probed> {
        let hosts = self.url.hosts.iter();
        let mut probed: Vec<Probed> = hosts
            .map(|(name, _)| Probed {
                name: name.clone(),
                found: Err(DatabaseError::Silent(self.options.probe_timeout)),
            })
            .collect();
        let mut probes = JoinSet::new();
        for (host, (_, config)) in self.url.hosts.iter().enumerate() {
            let (config, tls, options) = (config.clone(), self.tls.clone(), self.options);
            let probing = async move {
                let found = tokio::time::timeout(options.probe_timeout, probe(&config, tls, &options)).await;
                (host, found.unwrap_or(Err(DatabaseError::Silent(options.probe_timeout))))
            };
            probes.spawn_on(probing, self.runtime().handle());
        }
        let all = self.runtime().spawn(probes.join_all());
        let found = wait(all, self.options.probe_timeout + SLACK).and_then(Result::ok);
        for (host, found) in found.into_iter().flatten() {
            probed[host].found = found;
        }
        probed
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn pause(&self, time: Duration) {
        pause(time);
    }
}

const FACTS: &str = "SELECT pg_is_in_recovery(), \
    CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_walfile_name(pg_current_wal_lsn()) END, \
    current_setting('transaction_read_only'), current_setting('synchronous_commit'), version()";
/// For engines without timelines.
const FEWER_FACTS: &str =
    "SELECT false, NULL::text, current_setting('transaction_read_only'), 'on', version()";

/// Whatever a role's own settings are: no statement is cancelled, and warnings are sent.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET client_min_messages = warning";
/// Plans are made once and use the keys, however small a table is when they are made. What has no key to use is
/// then reckoned to be so dear that it would be compiled to machine code each time it is asked, many times a
/// second and for longer than it takes. Not every engine and version knows all of these.
const MORE_SETTINGS: [&str; 5] = [
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET jit = off",
    "SET transaction_timeout = 0",
];

type Found = (Facts, Arc<dyn Session>);

async fn probe(config: &Config, tls: Tls, options: &Options) -> Result<Found, DatabaseError> {
    let (client, connection) = config.connect(tls).await?;
    let session = PostgresSession::new(client, connection, options.reply_timeout);
    let client = &session.client;
    let said = match client.query_one(FACTS, &[]).await {
        Err(error) if is_unknown_here(&error) => client.query_one(FEWER_FACTS, &[]).await,
        said => said,
    }?;
    client.batch_execute(SETTINGS).await?;
    for setting in MORE_SETTINGS {
        match client.batch_execute(setting).await {
            Err(error) if !is_unknown_here(&error) => return Err(error.into()),
            _ => {}
        }
    }
    let incarnation = match client.query_opt("SELECT incarnation FROM identity WHERE one = 1", &[]).await {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => None,
        row => row?.map(|row| row.get::<_, Uuid>(0)),
    };
    let (file, setting): (Option<String>, String) = (said.get(1), said.get(3));
    let is_safe = matches!(setting.as_str(), "on" | "remote_apply");
    let facts = Facts {
        recovering: said.get(0),
        read_only: said.get::<_, String>(2) == "on",
        unsafe_commit: (!is_safe).then_some(setting),
        version: said.get(4),
        timeline: file.and_then(|name| u32::from_str_radix(name.get(..8)?, 16).ok()),
        incarnation,
    };
    Ok((facts, Arc::new(session)))
}

/// A function or setting that other engines of the same protocol do not have.
fn is_unknown_here(error: &tokio_postgres::Error) -> bool {
    let unknown = [
        SqlState::UNDEFINED_FUNCTION,
        SqlState::UNDEFINED_OBJECT,
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INVALID_PARAMETER_VALUE,
    ];
    error.code().is_some_and(|code| unknown.contains(code))
}
