//! Counters and histograms, and `/metrics`.
//!
//! A request costs no label and no allocation: its route (the pattern, never the path) is looked up
//! once in a map that has as many entries as there are routes, and holds the counters themselves.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, header};
use axum::routing::get;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// What is counted. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    routes: RwLock<HashMap<Box<str>, Arc<RouteMetrics>>>,
    connections: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// The counters of one route.
pub(crate) struct RouteMetrics {
    route: Box<str>,
    requests: [[OnceLock<Counter>; STATUSES.len()]; METHODS.len()],
    duration: Histogram,
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "other"];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const SECONDS: [f64; 11] = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("bursar");
        let requests = Family::default();
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS));
        let connections = Gauge::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("http_request_duration_seconds", "From head to answer", durations.clone());
        registry.register("http_connections", "Open connections", connections.clone());
        let registry = Mutex::new(registry);
        Self(Arc::new(Inner { registry, requests, durations, routes: RwLock::default(), connections }))
    }

    /// Adds metrics of another part of the server.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.0.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// All of them, in the text form of OpenMetrics.
    pub fn encode(&self) -> String {
        let mut encoded = String::new();
        let registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if text::encode(&mut encoded, &registry).is_err() {
            encoded.clear();
            _ = encoded.write_str("# cannot be encoded\n# EOF\n");
        }
        encoded
    }

    pub(crate) fn connections(&self) -> &Gauge {
        &self.0.connections
    }

    pub(crate) fn route(&self, route: &str) -> Arc<RouteMetrics> {
        let known = self.0.routes.read().unwrap_or_else(PoisonError::into_inner).get(route).cloned();
        known.unwrap_or_else(|| {
            let mut routes = self.0.routes.write().unwrap_or_else(PoisonError::into_inner);
            let new = || {
                let labels = RouteLabels { route: route.to_owned() };
                let duration = self.0.durations.get_or_create_owned(&labels);
                Arc::new(RouteMetrics { route: route.into(), requests: Default::default(), duration })
            };
            routes.entry(route.into()).or_insert_with(new).clone()
        })
    }

    pub(crate) fn observe(&self, of: &RouteMetrics, method: usize, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, STATUSES.len()) - 1;
        let counter = of.requests[method][class].get_or_init(|| {
            let route = of.route.to_string();
            let labels = RequestLabels { route, method: METHODS[method], status: STATUSES[class] };
            self.0.requests.get_or_create_owned(&labels)
        });
        counter.inc();
        of.duration.observe(took.as_secs_f64());
    }

    pub(crate) fn routes(&self) -> Router {
        const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let metrics = self.clone();
        Router::new()
            .route("/metrics", get(async move || ([(header::CONTENT_TYPE, MEDIA_TYPE)], metrics.encode())))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl RouteMetrics {
    pub(crate) fn name(&self) -> &str {
        &self.route
    }
}

/// The index of a method's counters; those nobody serves share one.
pub(crate) fn method_index(method: &Method) -> usize {
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

#[cfg(test)]
mod tests;
