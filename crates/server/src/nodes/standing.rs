//! What an operator sees of a node among others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Default)]
pub struct Standing {
    pub(crate) leads: AtomicBool,
    pub(crate) takeovers: AtomicU64,
    pub(crate) forwarded: AtomicU64,
    /// Since the leader's beat was last seen to move.
    pub(crate) silence_ms: AtomicU64,
}

impl Standing {
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register_collector(Box::new(Shown(Arc::clone(self))));
    }
}

#[derive(Debug)]
struct Shown(Arc<Standing>);

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Standing { leads, takeovers, forwarded, silence_ms } = &*self.0;
        let counters = [
            ("takeovers", "Times this node took the lead and opened the book", takeovers),
            ("forwarded", "Requests sent on to the leader", forwarded),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value.load(Ordering::Relaxed));
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let silence = i64::try_from(silence_ms.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let gauges = [
            ("leads", "Whether this node leads", i64::from(leads.load(Ordering::Relaxed))),
            ("leader_silence_milliseconds", "How far this node is behind the leader's beat", silence),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
