//! What the books count, as metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use engine::{BookNumber, Counters, Engine};
use projection::Standing;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::OpenBook;

/// The books that are open on this node right now: a node that takes the lead opens them anew.
#[derive(Clone, Default)]
pub struct Current(Arc<RwLock<BTreeMap<BookNumber, Shown>>>);

#[derive(Clone)]
struct Shown {
    engine: Engine,
    reporting: Option<Arc<Standing>>,
}

impl Current {
    pub fn set(&self, number: BookNumber, book: Option<&OpenBook>) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match book {
            Some(book) => {
                let shown = Shown { engine: book.engine.clone(), reporting: book.reporting() };
                current.insert(number, shown);
            }
            None => drop(current.remove(&number)),
        }
    }

    fn get(&self) -> BTreeMap<BookNumber, Shown> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Which book a figure is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct BookLabel {
    book: u32,
}

impl BookLabel {
    pub(crate) fn of(book: BookNumber) -> Self {
        Self { book: u32::from(book.get()) }
    }
}

/// One metric, of every book.
pub(crate) fn encode_family<M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (BookLabel, M)>,
) -> Result<(), std::fmt::Error> {
    let mut values = values.peekable();
    let Some((_, first)) = values.peek() else { return Ok(()) };
    let kind = first.metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (label, value) in values {
        value.encode(family.encode_family(&label)?)?;
    }
    Ok(())
}

/// Reads the engines' own counters when somebody looks: charging pays nothing for it.
pub struct BookMetrics(Current);

impl std::fmt::Debug for BookMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BookMetrics")
    }
}

type Pick = fn(&Counters) -> &AtomicU64;

const COUNTERS: &[(&str, &str, Pick)] = &[
    ("groups", "Groups made durable", |counters| &counters.groups),
    ("commands_done", "Commands done", |counters| &counters.done),
    ("commands_rejected", "Commands refused by a rule", |counters| &counters.rejected),
    ("commands_repeated", "Commands answered from a known key", |counters| &counters.repeated),
    ("commands_refused", "Commands not judged: no room, or a clock that is not believed", |counters| {
        &counters.refused
    }),
    ("reads", "Looks at the state", |counters| &counters.reads),
    ("append_microseconds", "Time spent making groups durable", |counters| &counters.append_micros),
];

type Gauge<T> = (&'static str, &'static str, fn(&T) -> i64);

const GAUGES: &[Gauge<Engine>] = &[
    ("commands_waiting", "Commands that wait for the next group", |it| whole(it.waiting())),
    ("accounts", "Accounts ever opened", |it| whole(it.directory().accounts())),
];

const OF_TABLES: &[Gauge<Standing>] = &[
    ("reporting_groups_behind", "Groups that the reporting tables do not show yet", |it| {
        whole(it.groups_behind.load(Ordering::Relaxed))
    }),
    ("reporting_shown_until_seconds", "Book time of the newest group in the reporting tables", |it| {
        it.shown_until.load(Ordering::Relaxed) / 1_000_000
    }),
    ("reporting_failures", "Attempts to write the reporting tables that failed", |it| {
        whole(it.failures.load(Ordering::Relaxed))
    }),
];

fn whole(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

impl BookMetrics {
    pub fn register(registry: &mut Registry, current: &Current) {
        registry.register_collector(Box::new(Self(current.clone())));
    }
}

impl Collector for BookMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let books = self.0.get();
        let each = || books.iter().map(|(book, shown)| (BookLabel::of(*book), shown));
        for (name, help, pick) in COUNTERS {
            let value =
                |shown: &Shown| ConstCounter::new(pick(shown.engine.counters()).load(Ordering::Relaxed));
            encode_family(&mut encoder, name, help, each().map(|(book, shown)| (book, value(shown))))?;
        }
        for (name, help, read) in GAUGES {
            let value = |shown: &Shown| ConstGauge::new(read(&shown.engine));
            encode_family(&mut encoder, name, help, each().map(|(book, shown)| (book, value(shown))))?;
        }
        for (name, help, read) in OF_TABLES {
            let kept = each()
                .filter_map(|(book, shown)| Some((book, ConstGauge::new(read(shown.reporting.as_ref()?)))));
            encode_family(&mut encoder, name, help, kept)?;
        }
        Ok(())
    }
}
