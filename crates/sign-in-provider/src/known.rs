//! What is known of providers: their endpoints and keys, kept for an hour. A token signed by a key that is not
//! known has the keys fetched again, once a minute at the most: a provider changes them when it likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::Clock;
use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::{DiscoveryError, IssuerUrl};

use crate::address::check_url;
use crate::fetch::{FetchError, Fetcher};
use crate::flow::Failure;

/// Issuers kept in memory; more, and all are asked again.
const ISSUERS_MAX: usize = 256;
const KEPT_MICROS: i64 = 3600 * 1_000_000;
const KEYS_EVERY_MICROS: i64 = 60 * 1_000_000;
/// A provider that is down is asked once in a while, not by everybody who waits for it.
const FAILED_MICROS: i64 = 5 * 1_000_000;

#[derive(Default)]
pub(crate) struct Known {
    issuers: Mutex<HashMap<String, Arc<tokio::sync::Mutex<State>>>>,
}

#[derive(Default)]
struct State {
    found: Option<Found>,
    failed: Option<(i64, Failure)>,
}

struct Found {
    metadata: CoreProviderMetadata,
    at: i64,
    /// When the keys were asked for once more.
    refetched_at: Option<i64>,
}

impl Known {
    fn of(&self, issuer: &str) -> Arc<tokio::sync::Mutex<State>> {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if issuers.len() >= ISSUERS_MAX && !issuers.contains_key(issuer) {
            issuers.clear();
        }
        Arc::clone(issuers.entry(issuer.to_owned()).or_default())
    }

    /// As the provider describes itself. One at a time asks, the others wait for what comes of it.
    pub(crate) async fn metadata(
        &self,
        issuer: &str,
        fetcher: &Fetcher,
        clock: &dyn Clock,
    ) -> Result<CoreProviderMetadata, Failure> {
        let state = self.of(issuer);
        let mut state = state.lock().await;
        let now = clock.monotonic_micros();
        if let Some(found) = state.found.as_ref().filter(|found| now - found.at < KEPT_MICROS) {
            return Ok(found.metadata.clone());
        }
        if let Some((_, failure)) = state.failed.filter(|(at, _)| now - at < FAILED_MICROS) {
            return Err(failure);
        }
        match discover(issuer, fetcher).await {
            Ok(metadata) => {
                let found = Found { metadata: metadata.clone(), at: now, refetched_at: None };
                *state = State { found: Some(found), failed: None };
                Ok(metadata)
            }
            Err(failure) => {
                state.failed = Some((clock.monotonic_micros(), failure));
                Err(failure)
            }
        }
    }

    /// The same with keys fetched anew; none where that was done a moment ago.
    pub(crate) async fn with_fresh_keys(
        &self,
        issuer: &str,
        fetcher: &Fetcher,
        clock: &dyn Clock,
    ) -> Result<Option<CoreProviderMetadata>, Failure> {
        let state = self.of(issuer);
        let mut state = state.lock().await;
        let now = clock.monotonic_micros();
        let is_due = |at: i64| now - at >= KEYS_EVERY_MICROS;
        let Some(found) = state.found.as_mut().filter(|found| found.refetched_at.is_none_or(is_due)) else {
            return Ok(None);
        };
        found.refetched_at = Some(now);
        let keys = CoreJsonWebKeySet::fetch_async(found.metadata.jwks_uri(), fetcher).await;
        found.metadata = found.metadata.clone().set_jwks(keys.map_err(|error| failure(&error))?);
        Ok(Some(found.metadata.clone()))
    }
}

async fn discover(issuer: &str, fetcher: &Fetcher) -> Result<CoreProviderMetadata, Failure> {
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|_| Failure::Untrusted("issuer"))?;
    let metadata = CoreProviderMetadata::discover_async(issuer, fetcher).await;
    let metadata = metadata.map_err(|error| failure(&error))?;
    let token = metadata.token_endpoint().ok_or(Failure::Untrusted("no token endpoint"))?;
    for url in [metadata.authorization_endpoint().url(), token.url(), metadata.jwks_uri().url()] {
        check_url(url, fetcher.loopback).map_err(|_| Failure::Untrusted("endpoint"))?;
    }
    Ok(metadata)
}

fn failure(error: &DiscoveryError<FetchError>) -> Failure {
    match error {
        DiscoveryError::Request(error) => Failure::Unreachable(*error),
        DiscoveryError::Response(..) => Failure::Untrusted("status of its description"),
        DiscoveryError::Validation(_) => Failure::Untrusted("it describes another issuer"),
        _ => Failure::Untrusted("form of its description"),
    }
}
