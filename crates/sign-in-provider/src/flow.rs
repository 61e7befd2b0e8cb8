//! The two halves of a sign-in: there, and back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use domain::Timestamp;
use engine::{Clock, SystemClock};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    TokenResponse,
};
use serde::{Deserialize, Serialize};

use crate::fetch::{FetchError, Fetcher};
use crate::known::Known;
use crate::ticket::{Tickets, same};

/// How long somebody may take to sign in there.
pub const TICKET_SECS: i64 = 600;
/// Of what comes back.
const CODE_BYTES_MAX: usize = 4096;
const CLAIM_BYTES_MAX: usize = 512;
/// States that came back, of the last minutes.
const USED_MAX: usize = 100_000;

/// A provider as an organization set it.
#[derive(Clone)]
pub struct Provider {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    /// Where the browser comes back to; one per organization, so that no provider answers in another's name.
    pub redirect_uri: String,
}

/// Where to send the browser, and what it has to bring back besides.
pub struct Begun {
    pub location: String,
    pub ticket: Ticket,
}

#[derive(Serialize, Deserialize)]
pub struct Ticket {
    issuer: String,
    client_id: String,
    redirect_uri: String,
    state: String,
    nonce: String,
    verifier: String,
    expires_at_micros: i64,
}

/// What the provider says, once it is known that it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    pub subject: String,
    /// Only where the provider says that it has verified it.
    pub email: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The browser did not begin this, took too long, or comes a second time.
    #[error("not a sign-in that was begun here")]
    NotBegun,
    #[error("the provider cannot be asked: {0}")]
    Unreachable(FetchError),
    /// Of the code or of our secret.
    #[error("the provider says no")]
    Refused,
    #[error("what the provider says does not prove anything: {0}")]
    Untrusted(&'static str),
}

/// All providers of a server.
pub struct Providers {
    fetcher: Fetcher,
    known: Known,
    used: Mutex<Used>,
    /// What others sign is measured by the clock on the wall, a sandbox's too.
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Used {
    states: [HashSet<String>; 2],
    turned_at_micros: i64,
}

impl Providers {
    /// `loopback`: providers of this machine without TLS are spoken to as well, for tests. `roots`: certificates
    /// (DER) that are trusted besides those of the web.
    pub fn new(loopback: bool, roots: &[Vec<u8>]) -> Self {
        Self {
            fetcher: Fetcher::new(loopback, roots),
            known: Known::default(),
            used: Mutex::default(),
            clock: Arc::new(SystemClock::default()),
        }
    }

    pub fn speaks_to_loopback(&self) -> bool {
        self.fetcher.loopback
    }

    /// By the same clock as tickets.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn begin(&self, provider: &Provider, tickets: &Tickets<'_>) -> Result<Begun, Failure> {
        let metadata = self.known.metadata(&provider.issuer, &self.fetcher, &*self.clock).await?;
        let verifier = PkceCodeVerifier::new(tickets.random_word());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let client = CoreClient::from_provider_metadata(metadata, client_id(provider), None)
            .set_redirect_uri(redirect_uri(provider)?);
        let (state, nonce) = (tickets.random_word(), tickets.random_word());
        let (location, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let ticket = Ticket {
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            redirect_uri: provider.redirect_uri.clone(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            expires_at_micros: self.clock.now().plus_secs(TICKET_SECS).as_micros(),
        };
        Ok(Begun { location: location.into(), ticket })
    }

    /// `state`, `code` and `issuer` are what the browser came back with.
    pub async fn finish(
        &self,
        provider: &Provider,
        ticket: Ticket,
        state: &str,
        code: &str,
        issuer: Option<&str>,
    ) -> Result<Vouched, Failure> {
        self.check_begun(provider, &ticket, state, issuer)?;
        if code.is_empty() || code.len() > CODE_BYTES_MAX {
            return Err(Failure::Refused);
        }
        let metadata = self.known.metadata(&provider.issuer, &self.fetcher, &*self.clock).await?;
        let verifier = PkceCodeVerifier::new(ticket.verifier);
        let tokens = self.exchange(provider, metadata.clone(), code, verifier).await?;
        let id_token = tokens.id_token().ok_or(Failure::Untrusted("no id token"))?;
        let nonce = Nonce::new(ticket.nonce);
        let claims = match self.verify(provider, metadata, id_token, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let fresh = self.known.with_fresh_keys(&provider.issuer, &self.fetcher, &*self.clock);
                let fresh = fresh.await?.ok_or(Failure::Untrusted("unknown key"))?;
                self.verify(provider, fresh, id_token, &nonce)
            }
            checked => checked,
        };
        vouched(provider, &claims.map_err(|error| Failure::Untrusted(reason(&error)))?)
    }

    fn check_begun(
        &self,
        provider: &Provider,
        ticket: &Ticket,
        state: &str,
        issuer: Option<&str>,
    ) -> Result<(), Failure> {
        let now = self.clock.now().as_micros();
        let is_begun = same(&ticket.state, state)
            && now < ticket.expires_at_micros
            // The provider was set anew meanwhile, or another answers in its place.
            && ticket.issuer == provider.issuer
            && ticket.client_id == provider.client_id
            && ticket.redirect_uri == provider.redirect_uri
            && issuer.is_none_or(|issuer| issuer == provider.issuer);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if is_begun && used.first(state, now) { Ok(()) } else { Err(Failure::NotBegun) }
    }

    async fn exchange(
        &self,
        provider: &Provider,
        metadata: CoreProviderMetadata,
        code: &str,
        verifier: PkceCodeVerifier,
    ) -> Result<CoreTokenResponse, Failure> {
        let ways = metadata.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
        let is_in_body = ways.contains(&CoreClientAuthMethod::ClientSecretPost)
            && !ways.contains(&CoreClientAuthMethod::ClientSecretBasic);
        let secret = ClientSecret::new(provider.client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata, client_id(provider), Some(secret))
            .set_auth_type(if is_in_body { AuthType::RequestBody } else { AuthType::BasicAuth })
            .set_redirect_uri(redirect_uri(provider)?);
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|_| Failure::Untrusted("no token endpoint"))?;
        let tokens = request.set_pkce_verifier(verifier).request_async(&self.fetcher).await;
        tokens.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) => Failure::Refused,
            RequestTokenError::Request(error) => Failure::Unreachable(error),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                Failure::Untrusted("form of its tokens")
            }
        })
    }

    /// Public keys alone prove something: no token without a signature, and none that is signed with a word
    /// which both sides know.
    fn verify(
        &self,
        provider: &Provider,
        metadata: CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
        let client = CoreClient::from_provider_metadata(metadata, client_id(provider), None);
        let now = self.clock.now();
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS.iter().cloned());
        let verifier = verifier.set_time_fn(move || {
            DateTime::<Utc>::from_timestamp_micros(now.as_micros()).unwrap_or(DateTime::<Utc>::MAX_UTC)
        });
        token.claims(&verifier, nonce).cloned()
    }
}

const ALGORITHMS: &[CoreJwsSigningAlgorithm] = &[
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

fn vouched(provider: &Provider, claims: &CoreIdTokenClaims) -> Result<Vouched, Failure> {
    if claims.authorized_party().is_some_and(|party| party.as_str() != provider.client_id) {
        return Err(Failure::Untrusted("meant for another client"));
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > CLAIM_BYTES_MAX {
        return Err(Failure::Untrusted("subject"));
    }
    let email = claims.email().map(|email| email.as_str().to_owned());
    let is_verified = claims.email_verified() == Some(true);
    let email = email.filter(|email| is_verified && email.len() <= CLAIM_BYTES_MAX);
    Ok(Vouched { subject: subject.to_owned(), email })
}

/// What the library says may quote the token.
fn reason(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "expired",
        ClaimsVerificationError::InvalidAudience(_) => "audience",
        ClaimsVerificationError::InvalidIssuer(_) => "issuer",
        ClaimsVerificationError::InvalidNonce(_) => "nonce",
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
            "algorithm"
        }
        ClaimsVerificationError::SignatureVerification(_) => "signature",
        _ => "id token",
    }
}

fn client_id(provider: &Provider) -> ClientId {
    ClientId::new(provider.client_id.clone())
}

fn redirect_uri(provider: &Provider) -> Result<RedirectUrl, Failure> {
    RedirectUrl::new(provider.redirect_uri.clone()).map_err(|_| Failure::Untrusted("redirect"))
}

impl Used {
    /// Whether it comes for the first time. States of another node's or a former life are not known here: the
    /// provider takes each code once.
    fn first(&mut self, state: &str, now_micros: i64) -> bool {
        let is_old = now_micros - self.turned_at_micros > TICKET_SECS * 1_000_000;
        if is_old || self.states[0].len() >= USED_MAX {
            self.states.swap(0, 1);
            self.states[0].clear();
            self.turned_at_micros = now_micros;
        }
        !self.states[1].contains(state) && self.states[0].insert(state.to_owned())
    }
}
