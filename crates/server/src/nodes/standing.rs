//! What an operator sees of a node among others, book by book.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use engine::BookNumber;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::book_metrics::{BookLabel, encode_family};

#[derive(Debug, Default)]
pub struct Standing {
    pub(crate) leads: AtomicBool,
    pub(crate) takeovers: AtomicU64,
    /// Those for which the book had been followed.
    pub(crate) warm: AtomicU64,
    pub(crate) forwarded: AtomicU64,
    /// Whether a state of the book is kept while another node leads.
    pub(crate) follows: AtomicBool,
    /// Requests answered from it.
    pub(crate) answered_near: AtomicU64,
    /// Since the leader's beat was last seen to move.
    pub(crate) silence_ms: AtomicU64,
}

impl Standing {
    pub(crate) fn took_over(&self, is_warm: bool) {
        self.takeovers.fetch_add(1, Ordering::Relaxed);
        self.warm.fetch_add(u64::from(is_warm), Ordering::Relaxed);
    }
}

/// Of all books.
#[derive(Clone, Debug)]
pub struct Standings(pub(super) Vec<(BookNumber, Arc<Standing>)>);

impl Standings {
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }
}

type Read<T> = fn(&Standing) -> T;

const COUNTERS: [(&str, &str, Read<u64>); 4] = [
    ("takeovers", "Times this node took the lead and opened the book", |it| {
        it.takeovers.load(Ordering::Relaxed)
    }),
    ("warm_takeovers", "Times of these in which it had followed the book before", |it| {
        it.warm.load(Ordering::Relaxed)
    }),
    ("forwarded", "Requests sent on to the leader", |it| it.forwarded.load(Ordering::Relaxed)),
    ("answered_near", "Reads answered here, from a state with a stated age", |it| {
        it.answered_near.load(Ordering::Relaxed)
    }),
];

const GAUGES: [(&str, &str, Read<i64>); 3] = [
    ("leads", "Whether this node leads", |it| i64::from(it.leads.load(Ordering::Relaxed))),
    ("follows", "Whether this node keeps a state of the book that another leads", |it| {
        i64::from(it.follows.load(Ordering::Relaxed))
    }),
    ("leader_silence_milliseconds", "How far this node is behind the leader's beat", |it| {
        i64::try_from(it.silence_ms.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }),
];

impl Collector for Standings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let of = |book: &BookNumber| BookLabel::of(*book);
        for (name, help, read) in COUNTERS {
            let values = self.0.iter().map(|(book, it)| (of(book), ConstCounter::new(read(it))));
            encode_family(&mut encoder, name, help, values)?;
        }
        for (name, help, read) in GAUGES {
            let values = self.0.iter().map(|(book, it)| (of(book), ConstGauge::new(read(it))));
            encode_family(&mut encoder, name, help, values)?;
        }
        Ok(())
    }
}
