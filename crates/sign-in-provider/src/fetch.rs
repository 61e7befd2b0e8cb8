//! One request to a provider, within stated bounds.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openidconnect::url::Url;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use tokio::sync::Semaphore;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::address::check_url;

/// From the first byte sent to the last one read.
const TIME_MAX: Duration = Duration::from_secs(8);
/// Larger answers are given up: keys and tokens take a few kilobytes.
const BYTES_MAX: u64 = 256 * 1024;
/// Requests to providers at once; a thread waits for each.
const AT_ONCE_MAX: usize = 16;

/// Why there is no answer. Nothing of the request is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("an address that is not spoken to")]
    Address,
    #[error("too many requests to providers at once")]
    Busy,
    #[error("no answer in time")]
    Timeout,
    #[error("the answer is too large")]
    TooLarge,
    #[error("no connection")]
    Connection,
    #[error("no TLS: its certificate is not trusted, or not its own")]
    Tls,
}

#[derive(Clone)]
pub(crate) struct Fetcher {
    agent: Agent,
    permits: Arc<Semaphore>,
    pub(crate) loopback: bool,
}

impl Fetcher {
    /// `roots`: certificates (DER) that are trusted besides those of the web.
    pub(crate) fn new(loopback: bool, roots: &[Vec<u8>]) -> Self {
        Self::within(TIME_MAX, loopback, roots)
    }

    fn within(time_max: Duration, loopback: bool, roots: &[Vec<u8>]) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(time_max))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .https_only(!loopback)
            .tls_config(TlsConfig::builder().root_certs(trusted(roots)).build())
            // A connection that waits could be the one of another's request: providers are asked rarely.
            .max_idle_connections(0)
            .build();
        Self { agent: config.new_agent(), permits: Arc::new(Semaphore::new(AT_ONCE_MAX)), loopback }
    }

    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| FetchError::Address)?;
        check_url(&url, self.loopback).map_err(|_| FetchError::Address)?;
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| FetchError::Busy)?;
        let agent = self.agent.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let (parts, mut body) = agent.run(request)?.into_parts();
            let bytes = body.with_config().limit(BYTES_MAX).read_to_vec()?;
            Ok(HttpResponse::from_parts(parts, bytes))
        });
        asked.await.map_err(|_| FetchError::Connection)?.map_err(|error: ureq::Error| match error {
            ureq::Error::Timeout(_) => FetchError::Timeout,
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge,
            ureq::Error::Rustls(_) => FetchError::Tls,
            // What the TLS under a connection says comes as an error of that connection.
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => FetchError::Tls,
            _ => FetchError::Connection,
        })
    }
}

fn trusted(roots: &[Vec<u8>]) -> RootCerts {
    if roots.is_empty() {
        return RootCerts::WebPki;
    }
    let of_the_web = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref);
    let all = of_the_web.chain(roots.iter().map(Vec::as_slice));
    let all: Vec<Certificate<'static>> = all.map(|der| Certificate::from_der(der).to_owned()).collect();
    RootCerts::from(all)
}

impl<'c> AsyncHttpClient<'c> for Fetcher {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

#[cfg(test)]
mod tests;
