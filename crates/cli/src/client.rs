//! A client of the native API, for the commands that are one request.
//!
//! | answer | is |
//! |---|---|
//! | 2xx | the result |
//! | 400, 404, 405, 413, 415 | usage: the server does not know what was meant |
//! | 402, 403, 409, 422 | a refusal: the problem's title and detail are the reason |
//! | anything else, or none | a fault |

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::http::Request;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

use crate::failure::Failure;
use crate::profile::Profile;

pub(crate) use ureq::http::{Method, StatusCode};

/// Where the server is, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The server's address; without it that of the profile, or http://127.0.0.1:8080.
    #[arg(long, env = "BURSAR_URL", value_name = "URL")]
    url: Option<String>,
    /// A file that holds the token; without it BURSAR_TOKEN does, or who signed in with `bursar sign-in`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A certificate to trust, PEM: that of a server which made its own.
    #[arg(long, env = "BURSAR_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

pub(crate) struct Client {
    agent: Agent,
    url: String,
    authorization: Option<String>,
}

impl Client {
    pub(crate) fn open(connection: &Connection) -> Result<Self, Failure> {
        let profile = Profile::read()?;
        let mut client = Self::nobody(connection, profile.as_ref())?;
        let own = profile.filter(|profile| profile.url == client.url);
        client.authorization = Some(format!("Bearer {}", token(connection, own.as_ref())?));
        Ok(client)
    }

    /// A client that has not signed in.
    pub(crate) fn nobody(connection: &Connection, profile: Option<&Profile>) -> Result<Self, Failure> {
        let url = connection.url.as_deref().or(profile.map(|profile| profile.url.as_str()));
        let url = url.unwrap_or(DEFAULT_URL).trim_end_matches('/').to_owned();
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err(Failure::Usage(format!("{url} is no address of a server: http://… or https://…")));
        }
        let mut config = configured();
        if let Some(path) = &connection.ca_file {
            config = config.tls_config(trusting(path)?);
        }
        Ok(Self { agent: config.build().into(), url, authorization: None })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A client of a server whose address and token are at hand.
    pub(crate) fn of(url: &str, token: &str) -> Self {
        let authorization = Some(format!("Bearer {token}"));
        Self { agent: configured().build().into(), url: url.to_owned(), authorization }
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::GET, path, None, None)?.read()
    }

    /// `key` is the idempotency key, for what must happen once.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        self.send(Method::POST, path, body, key)
    }

    /// For what is said by its path alone.
    pub(crate) fn post_nothing<T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        self.ask(Method::POST, path, None, key)?.read()
    }

    pub(crate) fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        self.send(Method::PUT, path, body, key)
    }

    pub(crate) fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.send(Method::PATCH, path, body, None)
    }

    pub(crate) fn delete(&self, path: &str) -> Result<(), Failure> {
        self.done(Method::DELETE, path, None)
    }

    /// For what is answered by its status alone.
    pub(crate) fn done(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<(), Failure> {
        let body = body.map(|body| (JSON, body.to_string().into_bytes()));
        let answer = self.ask(method, path, body, None)?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.failure()) }
    }

    fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(Failure::fault("cannot write the request"))?;
        self.ask(method, path, Some((JSON, body)), key)?.read()
    }

    /// One exchange, whatever the answer says. `body` is its media type and its bytes.
    pub(crate) fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
        key: Option<&str>,
    ) -> Result<Answer, Failure> {
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.url)).header("accept", JSON);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        match body {
            Some((media_type, bytes)) => {
                self.exchange(request.header("content-type", media_type).body(bytes))
            }
            None => self.exchange(request.body(())),
        }
    }

    fn exchange(
        &self,
        request: Result<Request<impl ureq::AsSendBody>, ureq::http::Error>,
    ) -> Result<Answer, Failure> {
        const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
        let request = request.map_err(Failure::usage)?;
        let unreachable = || Failure::fault(format!("cannot reach {}", self.url));
        let mut response = self.agent.run(request).map_err(unreachable())?;
        let text = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        Ok(Answer { status: response.status(), text: text.map_err(unreachable())? })
    }
}

pub(crate) const JSON: &str = "application/json";
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

fn configured() -> ConfigBuilder<AgentScope> {
    const TIMEOUT: Duration = Duration::from_secs(60);
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(TIMEOUT))
        .user_agent(concat!("bursar/", env!("CARGO_PKG_VERSION")))
}

/// What a server said.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

/// What a problem of RFC 9457 says, as far as a person wants to know.
#[derive(Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

impl Answer {
    /// The result, or why there is none.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if self.status.is_success() {
            return serde_json::from_str(&self.text)
                .map_err(Failure::fault("the answer is not what was expected"));
        }
        Err(self.failure())
    }

    /// Why it is not a success.
    pub(crate) fn failure(&self) -> Failure {
        let problem: Option<Problem> = serde_json::from_str(&self.text).ok();
        let title = problem.as_ref().and_then(|problem| problem.title.clone());
        let mut reason = title.unwrap_or_else(|| self.status.to_string());
        if let Some(detail) = problem.and_then(|problem| problem.detail) {
            _ = write!(reason, ": {detail}");
        }
        match self.status.as_u16() {
            400 | 404 | 405 | 413 | 415 => Failure::Usage(reason),
            402 | 403 | 409 | 422 => Failure::Refused(reason),
            code => Failure::Fault { doing: format!("the server answered {code}"), source: reason.into() },
        }
    }
}

fn token(connection: &Connection, profile: Option<&Profile>) -> Result<String, Failure> {
    let token = match &connection.token_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(Failure::fault(format!("cannot read the token in {}", path.display())))?,
        None => match (std::env::var("BURSAR_TOKEN"), profile) {
            (Ok(token), _) => token,
            (Err(_), Some(profile)) => profile.token.clone(),
            (Err(_), None) => {
                let advice = "no token: sign in with `bursar sign-in`, set BURSAR_TOKEN or give --token-file";
                return Err(Failure::Usage(advice.to_owned()));
            }
        },
    };
    let token = token.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::Usage("the token is empty or not one word".to_owned()));
    }
    Ok(token.to_owned())
}

fn trusting(path: &Path) -> Result<TlsConfig, Failure> {
    let unreadable = || Failure::fault(format!("cannot read certificates in {}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).map_err(unreadable())?;
    let certificates = certificates
        .map(|certificate| Ok(Certificate::from_der(certificate.map_err(unreadable())?.as_ref()).to_owned()))
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build())
}

/// Text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// `?name=value&…` of what is given, or nothing.
pub(crate) fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let given = pairs.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    let mut text = String::new();
    for (name, value) in given {
        _ = write!(text, "{}{name}={}", if text.is_empty() { '?' } else { '&' }, segment(value));
    }
    text
}

#[cfg(test)]
mod tests;
