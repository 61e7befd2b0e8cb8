//! How many requests are with the dialects: they are answered before the lead is handed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;

/// Counts the requests that are with the dialects.
pub(super) fn counted(router: Router, in_flight: &Arc<AtomicUsize>) -> Router {
    let in_flight = Arc::clone(in_flight);
    router.layer(axum::middleware::from_fn(move |request: Request, next: axum::middleware::Next| {
        in_flight.fetch_add(1, Ordering::AcqRel);
        let one = InFlight(Arc::clone(&in_flight));
        async move {
            let _one = one;
            next.run(request).await
        }
    }))
}

struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
