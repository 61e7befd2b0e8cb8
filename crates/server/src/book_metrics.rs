//! What the book counts, as metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use engine::{Counters, Engine};
use projection::Standing;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::Books;

/// The books that are open on this node right now, if they are: a node that takes the lead opens them anew.
#[derive(Clone, Default)]
pub struct Current(Arc<RwLock<Option<Shown>>>);

#[derive(Clone)]
struct Shown {
    engine: Engine,
    reporting: Option<Arc<Standing>>,
}

impl Current {
    pub fn set(&self, books: Option<&Books>) {
        let shown = books.map(|books| Shown { engine: books.engine.clone(), reporting: books.reporting() });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    fn get(&self) -> Option<Shown> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads the engine's own counters when somebody looks: charging pays nothing for it.
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

impl BookMetrics {
    pub fn register(registry: &mut Registry, current: &Current) {
        registry.register_collector(Box::new(Self(current.clone())));
    }
}

impl Collector for BookMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(Shown { engine, reporting }) = self.0.get() else { return Ok(()) };
        for (name, help, pick) in COUNTERS {
            let counter = ConstCounter::new(pick(engine.counters()).load(Ordering::Relaxed));
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let gauges = [
            ("commands_waiting", "Commands that wait for the next group", engine.waiting()),
            ("accounts", "Accounts ever opened", engine.directory().accounts()),
        ];
        let gauges = gauges.map(|(name, help, value)| (name, help, i64::try_from(value).unwrap_or(i64::MAX)));
        let of_tables = reporting.map(|standing| {
            let behind = standing.groups_behind.load(Ordering::Relaxed);
            [
                (
                    "reporting_groups_behind",
                    "Groups that the reporting tables do not show yet",
                    i64::try_from(behind).unwrap_or(i64::MAX),
                ),
                (
                    "reporting_shown_until_seconds",
                    "Book time of the newest group in the reporting tables",
                    standing.shown_until.load(Ordering::Relaxed) / 1_000_000,
                ),
                (
                    "reporting_failures",
                    "Attempts to write the reporting tables that failed",
                    i64::try_from(standing.failures.load(Ordering::Relaxed)).unwrap_or(i64::MAX),
                ),
            ]
        });
        for (name, help, value) in gauges.into_iter().chain(of_tables.into_iter().flatten()) {
            let gauge = ConstGauge::new(value);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
