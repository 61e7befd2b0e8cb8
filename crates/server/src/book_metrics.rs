//! What the book counts, as metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use engine::{Counters, Engine};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The engine that runs on this node right now, if one does: a node that takes the lead starts another.
#[derive(Clone, Default)]
pub struct Current(Arc<RwLock<Option<Engine>>>);

impl Current {
    pub fn set(&self, engine: Option<Engine>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    fn get(&self) -> Option<Engine> {
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
        let Some(engine) = self.0.get() else { return Ok(()) };
        for (name, help, pick) in COUNTERS {
            let counter = ConstCounter::new(pick(engine.counters()).load(Ordering::Relaxed));
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let gauges = [
            ("commands_waiting", "Commands that wait for the next group", engine.waiting()),
            ("accounts", "Accounts ever opened", engine.directory().accounts()),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
