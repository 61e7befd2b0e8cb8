//! Finds the one host that may be written, and holds on to it.
//!
//! A connection string with several hosts and "read-write" is not enough: a primary that was cut off is
//! taken for ever while its commits hang, and a frozen host keeps later ones from being tried. So all
//! hosts are asked at once under one deadline; of those not in recovery the highest timeline wins; and
//! a timeline lower than one seen before is never taken.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use uuid::Uuid;

use crate::error::DatabaseError;
use crate::hosts::{Facts, Hosts, Session};
use crate::options::Options;

pub(crate) struct Connector {
    pub(crate) hosts: Arc<dyn Hosts>,
    pub(crate) options: Options,
    timeline: AtomicU32,
    incarnation: OnceLock<Uuid>,
    given_up: AtomicBool,
    connected: Mutex<Vec<Connected>>,
}

/// By timeline, then in the order of the URL.
type Rank = (Option<u32>, Reverse<usize>);

struct Connected {
    rank: Rank,
    session: Weak<dyn Session>,
}

struct Chosen {
    rank: Rank,
    facts: Facts,
    session: Arc<dyn Session>,
}

impl Connector {
    pub(crate) fn new(hosts: Arc<dyn Hosts>, options: Options) -> Self {
        Self {
            hosts,
            options,
            timeline: 0.into(),
            incarnation: OnceLock::new(),
            given_up: false.into(),
            connected: Mutex::default(),
        }
    }

    /// From now on only this incarnation is taken.
    pub(crate) fn expect_incarnation(&self, incarnation: Uuid) {
        self.incarnation.get_or_init(|| incarnation);
    }

    /// From now on nothing is settled any more: an outcome that is unknown is said to be.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    pub(crate) fn has_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// A session with the host that may be written.
    pub(crate) fn connect(&self) -> Result<Arc<dyn Session>, DatabaseError> {
        let Chosen { rank, facts, session } = self.choose()?;
        if let Some(expected) = self.incarnation.get()
            && facts.incarnation != Some(*expected)
        {
            let found = facts.incarnation.map_or_else(|| "none".to_owned(), |found| found.to_string());
            return Err(DatabaseError::OtherIncarnation { found, expected: expected.to_string() });
        }
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        connected.retain(|it| it.session.strong_count() > 0);
        connected.push(Connected { rank, session: Arc::downgrade(&session) });
        Ok(session)
    }

    /// Asks all hosts at once and takes the best.
    fn choose(&self) -> Result<Chosen, DatabaseError> {
        let (mut best, mut reasons) = (None::<Chosen>, Vec::new());
        let (mut best_name, probed) = (String::new(), self.hosts.probe());
        let are_silent = probed.iter().all(|it| matches!(it.found, Err(DatabaseError::Silent(_))));
        for (host, probed) in probed.into_iter().enumerate() {
            let usable = probed.found.map_err(|error| error.to_string()).and_then(|(facts, session)| {
                match unusable(&facts) {
                    None => Ok((facts, session)),
                    Some(reason) => Err(reason),
                }
            });
            match usable {
                Err(reason) => reasons.push(format!("{}: {reason}", probed.name)),
                Ok((facts, session)) => {
                    let rank = (facts.timeline, Reverse(host));
                    if best.as_ref().is_none_or(|best| rank > best.rank) {
                        best = Some(Chosen { rank, facts, session });
                        best_name = probed.name;
                    }
                }
            }
        }
        reasons.sort();
        let none = if are_silent { DatabaseError::AllSilent } else { DatabaseError::NoHost };
        let best = best.ok_or_else(|| none(reasons.join("; ")))?;
        if let Some(timeline) = best.facts.timeline {
            let seen = self.timeline.fetch_max(timeline, Ordering::AcqRel);
            if timeline < seen {
                let reason = format!("{best_name}: on timeline {timeline}, and {seen} was seen before");
                return Err(DatabaseError::NoHost(reason));
            }
        }
        Ok(best)
    }

    /// Drops the sessions with hosts that are not the one to use any more.
    pub(crate) fn check(&self) {
        let Ok(best) = self.choose() else { return };
        let connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let others = connected
            .iter()
            .filter(|it| it.rank.0 < best.rank.0 || it.rank.0 == best.rank.0 && it.rank.1 != best.rank.1);
        others.filter_map(|it| it.session.upgrade()).for_each(|session| session.abort());
    }
}

/// Why a host is not one to write to.
fn unusable(facts: &Facts) -> Option<String> {
    if facts.recovering {
        return Some("a standby".to_owned());
    }
    if facts.read_only {
        return Some("read-only".to_owned());
    }
    if let Some(version) = too_old(&facts.version) {
        return Some(format!("PostgreSQL {version}, and {VERSION_MIN} or newer is needed"));
    }
    let setting = facts.unsafe_commit.as_ref()?;
    Some(format!("synchronous_commit is {setting}, and must be on"))
}

/// Other engines count differently.
const VERSION_MIN: u32 = 15;

/// The version, when it is PostgreSQL's own and too old: "PostgreSQL 14.2 (Debian …) on …".
fn too_old(version: &str) -> Option<u32> {
    let number = version.strip_prefix("PostgreSQL ").filter(|rest| !rest.contains("-YB-"))?;
    let digits = number.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|major| *major < VERSION_MIN)
}
