//! Finds the one host that may be written, and holds on to it.
//!
//! A connection string with several hosts and "read-write" is not enough: a primary that was cut off is
//! taken for ever while its commits hang, and a frozen host keeps later ones from being tried. So all
//! hosts are asked at once under one deadline; of those not in recovery the highest timeline wins; and
//! a timeline lower than one seen before is never taken.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::error::{DatabaseError, OpenError};
use crate::options::Options;
use crate::session::Session;
use crate::tls::Tls;
use crate::url::Url;
use crate::wait::wait;

/// How often it is checked that the host in use is still the one to use.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// What the connections' thread may be late by.
const SLACK: Duration = Duration::from_secs(2);

pub(crate) struct Connector {
    runtime: Option<Runtime>,
    pub(crate) options: Options,
    shared: Arc<Shared>,
}

struct Shared {
    url: Url,
    tls: Tls,
    options: Options,
    timeline: AtomicU32,
    incarnation: OnceLock<Uuid>,
    given_up: AtomicBool,
    sessions: Mutex<Vec<Weak<Session>>>,
}

impl Drop for Connector {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Whoever drops the last handle may be on another runtime, where waiting is not allowed.
            runtime.shutdown_background();
        }
    }
}

impl Connector {
    pub(crate) fn new(url: Url, options: Options) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("journal")
            .enable_all()
            .build()
            .map_err(OpenError::Runtime)?;
        let shared = Arc::new(Shared {
            tls: Tls::new(&url.tls)?,
            url,
            options,
            timeline: 0.into(),
            incarnation: OnceLock::new(),
            given_up: false.into(),
            sessions: Mutex::default(),
        });
        if shared.url.hosts.len() > 1 {
            runtime.spawn(watch(Arc::downgrade(&shared)));
        }
        Ok(Self { runtime: Some(runtime), options, shared })
    }

    /// From now on only this incarnation is taken.
    pub(crate) fn expect_incarnation(&self, incarnation: Uuid) {
        self.shared.incarnation.get_or_init(|| incarnation);
    }

    /// From now on nothing is settled any more: an outcome that is unknown is said to be.
    pub(crate) fn give_up(&self) {
        self.shared.given_up.store(true, Ordering::Release);
    }

    pub(crate) fn has_given_up(&self) -> bool {
        self.shared.given_up.load(Ordering::Acquire)
    }

    /// A session with the host that may be written.
    pub(crate) fn connect(&self) -> Result<Arc<Session>, DatabaseError> {
        let shared = self.shared.clone();
        let runtime = self.runtime.as_ref().expect("it is there until dropped");
        let connecting = runtime.spawn(async move { shared.connect().await });
        let limit = self.options.probe_timeout + SLACK;
        let session = wait(connecting, limit).ok_or(DatabaseError::Silent(limit))?;
        session.map_err(|_| DatabaseError::Lost("connecting was given up".to_owned()))?
    }
}

/// What a host says of itself.
struct Probed {
    session: Session,
    recovering: bool,
    read_only: bool,
    unsafe_commit: Option<String>,
    version: String,
}

impl Shared {
    async fn connect(&self) -> Result<Arc<Session>, DatabaseError> {
        let session = self.choose().await?;
        if let Some(expected) = self.incarnation.get() {
            let row = session.client.query_one("SELECT incarnation FROM identity WHERE one = 1", &[]);
            let row = tokio::time::timeout(self.options.probe_timeout, row).await;
            let row = row.map_err(|_| DatabaseError::Silent(self.options.probe_timeout))??;
            let found: Uuid = row.get(0);
            if found != *expected {
                return Err(DatabaseError::OtherIncarnation {
                    found: found.to_string(),
                    expected: expected.to_string(),
                });
            }
        }
        let session = Arc::new(session);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&session));
        Ok(session)
    }

    /// Asks all hosts at once and takes the best.
    async fn choose(&self) -> Result<Session, DatabaseError> {
        let mut probes = JoinSet::new();
        for (host, (_, config)) in self.url.hosts.iter().enumerate() {
            let (config, tls, options) = (config.clone(), self.tls.clone(), self.options);
            probes.spawn(async move {
                let probed = tokio::time::timeout(options.probe_timeout, probe(host, &config, tls, &options));
                let silent = Err(DatabaseError::Silent(options.probe_timeout));
                (host, probed.await.unwrap_or(silent))
            });
        }
        let (mut best, mut reasons) = (None::<Session>, Vec::new());
        while let Some(done) = probes.join_next().await {
            let Ok((host, probed)) = done else { continue };
            match probed.map_err(|error| error.to_string()).and_then(Probed::usable) {
                Err(reason) => reasons.push(format!("{}: {reason}", self.url.hosts[host].0)),
                Ok(session) => {
                    let rank = |it: &Session| (it.timeline, std::cmp::Reverse(it.host));
                    if best.as_ref().is_none_or(|best| rank(&session) > rank(best)) {
                        best = Some(session);
                    }
                }
            }
        }
        reasons.sort();
        let best = best.ok_or_else(|| DatabaseError::NoHost(reasons.join("; ")))?;
        if let Some(timeline) = best.timeline {
            let seen = self.timeline.fetch_max(timeline, Ordering::AcqRel);
            if timeline < seen {
                let host = &self.url.hosts[best.host].0;
                let reason = format!("{host}: on timeline {timeline}, and {seen} was seen before");
                return Err(DatabaseError::NoHost(reason));
            }
        }
        Ok(best)
    }

    /// Drops the sessions with hosts that are not the one to use any more.
    async fn check(&self) {
        let Ok(best) = self.choose().await else { return };
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        for session in sessions.iter().filter_map(Weak::upgrade) {
            if session.timeline < best.timeline
                || session.timeline == best.timeline && session.host != best.host
            {
                session.abort();
            }
        }
    }
}

async fn watch(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.check().await;
    }
}

impl Probed {
    fn usable(self) -> Result<Session, String> {
        if self.recovering {
            return Err("a standby".to_owned());
        }
        if self.read_only {
            return Err("read-only".to_owned());
        }
        if let Some(version) = too_old(&self.version) {
            return Err(format!("PostgreSQL {version}, and {VERSION_MIN} or newer is needed"));
        }
        match self.unsafe_commit {
            Some(setting) => Err(format!("synchronous_commit is {setting}, and must be on")),
            None => Ok(self.session),
        }
    }
}

/// Other engines count differently.
const VERSION_MIN: u32 = 15;

/// The version, when it is PostgreSQL's own and too old: "PostgreSQL 14.2 (Debian …) on …".
fn too_old(version: &str) -> Option<u32> {
    let number = version.strip_prefix("PostgreSQL ").filter(|rest| !rest.contains("-YB-"))?;
    let digits = number.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|major| *major < VERSION_MIN)
}

const FACTS: &str = "SELECT pg_is_in_recovery(), \
    CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_walfile_name(pg_current_wal_lsn()) END, \
    current_setting('transaction_read_only'), current_setting('synchronous_commit'), version()";
/// For engines without timelines.
const FEWER_FACTS: &str =
    "SELECT false, NULL::text, current_setting('transaction_read_only'), 'on', version()";

/// Whatever a role's own settings are: no statement is cancelled, and warnings are sent.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; SET client_min_messages = warning";
/// Plans are made once and use the keys, however small a table is when they are made. Not every engine
/// and version knows all of these.
const MORE_SETTINGS: [&str; 4] = [
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET transaction_timeout = 0",
];

async fn probe(host: usize, config: &Config, tls: Tls, options: &Options) -> Result<Probed, DatabaseError> {
    let (client, connection) = config.connect(tls).await?;
    let mut session = Session::new(client, connection, host, options.reply_timeout);
    let client = &session.client;
    let facts = match client.query_one(FACTS, &[]).await {
        Err(error) if is_unknown_here(&error) => client.query_one(FEWER_FACTS, &[]).await,
        facts => facts,
    }?;
    let setting: String = facts.get(3);
    let (recovering, read_only) = (facts.get(0), facts.get::<_, String>(2) == "on");
    let (file, version): (Option<String>, String) = (facts.get(1), facts.get(4));
    client.batch_execute(SETTINGS).await?;
    for setting in MORE_SETTINGS {
        match client.batch_execute(setting).await {
            Err(error) if !is_unknown_here(&error) => return Err(error.into()),
            _ => {}
        }
    }
    session.timeline = file.and_then(|name| u32::from_str_radix(name.get(..8)?, 16).ok());
    let is_safe = matches!(setting.as_str(), "on" | "remote_apply");
    Ok(Probed { session, recovering, read_only, unsafe_commit: (!is_safe).then_some(setting), version })
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
