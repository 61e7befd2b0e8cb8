//! What became of letters, as metrics.

use std::sync::atomic::Ordering;

use mail::Mailer;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Reads the mailer's own counters when somebody looks.
pub struct MailMetrics(Mailer);

impl std::fmt::Debug for MailMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailMetrics")
    }
}

impl MailMetrics {
    pub fn register(registry: &mut Registry, mailer: &Mailer) {
        registry.register_collector(Box::new(Self(mailer.clone())));
    }
}

impl Collector for MailMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counters = self.0.counters();
        for (name, help, counter) in [
            ("letters_sent", "Letters handed to the relay", &counters.sent),
            ("letters_retried", "Tries to send a letter that failed and are made again", &counters.retried),
            ("letters_failed", "Letters given up", &counters.failed),
        ] {
            let counter = ConstCounter::new(counter.load(Ordering::Relaxed));
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        let waiting = self.0.waiting();
        for (name, help, gauge) in [
            ("letters_waiting", "Letters that are to be sent", waiting.letters),
            ("letters_oldest_seconds", "For how long the oldest of them has waited", waiting.oldest_seconds),
        ] {
            let gauge = ConstGauge::new(i64::try_from(gauge).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
