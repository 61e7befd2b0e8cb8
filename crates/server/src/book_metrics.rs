//! What the book counts, as metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use engine::{Counters, Engine};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Reads the engine's own counters when somebody looks: charging pays nothing for it.
pub struct BookMetrics {
    engine: Engine,
}

impl std::fmt::Debug for BookMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BookMetrics")
    }
}

type Pick = fn(&Counters) -> &AtomicU64;

const COUNTERS: &[(&str, &str, Pick)] = &[
    ("bursar_groups", "Groups made durable", |counters| &counters.groups),
    ("bursar_commands_done", "Commands done", |counters| &counters.done),
    ("bursar_commands_rejected", "Commands refused by a rule", |counters| &counters.rejected),
    ("bursar_commands_repeated", "Commands answered from a known key", |counters| &counters.repeated),
    (
        "bursar_commands_refused",
        "Commands not judged: no room, or a clock that is not believed",
        |counters| &counters.refused,
    ),
    ("bursar_reads", "Looks at the state", |counters| &counters.reads),
    ("bursar_append_microseconds", "Time spent making groups durable", |counters| &counters.append_micros),
];

impl BookMetrics {
    pub fn register(registry: &mut Registry, engine: &Engine) {
        registry.register_collector(Box::new(Self { engine: engine.clone() }));
    }
}

impl Collector for BookMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (name, help, pick) in COUNTERS {
            let counter = ConstCounter::new(pick(self.engine.counters()).load(Ordering::Relaxed));
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let gauges = [
            ("bursar_commands_waiting", "Commands that wait for the next group", self.engine.waiting()),
            ("bursar_accounts", "Accounts ever opened", self.engine.directory().accounts()),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
