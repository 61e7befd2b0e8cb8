//! `postgres://user@host-a:5432,host-b:5432/database?sslmode=verify-full&sslrootcert=/path/root.pem`
//!
//! One connection string, as libpq reads it, down to what a journal needs: unknown parameters are
//! refused, not ignored. The password is in the string, in `PGPASSWORD`, or in the password file, and
//! never in anything that is printed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::passfile;
use crate::tls::TlsMode;

/// Where a database is.
#[derive(Clone)]
pub struct Url {
    /// One for each host, in their order.
    pub(crate) hosts: Vec<(String, Config)>,
    pub(crate) tls: TlsMode,
    database: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("a database's URL begins with postgres://")]
    Scheme,
    /// What the parser said may quote the password, so it is not passed on.
    #[error("the database's URL cannot be read: expected postgres://user@host:5432/database")]
    Malformed,
    #[error("the database's URL names no host")]
    NoHost,
    #[error("the database's URL names no user, and PGUSER is not set")]
    NoUser,
    #[error("the database's URL: parameter {0} is not known")]
    Parameter(String),
    #[error("the database's URL: sslmode is disable, prefer, require or verify-full")]
    SslMode,
    #[error("the database's URL: sslmode=verify-full needs sslrootcert, and nothing else takes it")]
    RootCertificate,
}

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Passed on as they are.
const PARAMETERS: [&str; 4] = ["user", "password", "dbname", "port"];

impl Url {
    /// Whether a text is meant to be one.
    pub fn is_url(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// Reads a URL; `variable` is the environment.
    pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, UrlError> {
        if !Self::is_url(text) {
            return Err(UrlError::Scheme);
        }
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut root, mut kept) = ("prefer", None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(UrlError::Malformed)?;
            match key {
                "sslmode" => mode = value,
                "sslrootcert" => root = Some(PathBuf::from(decoded(value).ok_or(UrlError::Malformed)?)),
                key if PARAMETERS.contains(&key) => kept.push(pair),
                key => return Err(UrlError::Parameter(key.to_owned())),
            }
        }
        let (ssl_mode, tls) = match (mode, root) {
            ("disable", None) => (SslMode::Disable, TlsMode::Unverified),
            ("prefer", None) => (SslMode::Prefer, TlsMode::Unverified),
            ("require", None) => (SslMode::Require, TlsMode::Unverified),
            ("verify-full", Some(root)) => (SslMode::Require, TlsMode::Verified(root)),
            ("disable" | "prefer" | "require" | "verify-full", _) => return Err(UrlError::RootCertificate),
            _ => return Err(UrlError::SslMode),
        };
        let plain = format!("{address}?{}", kept.join("&"));
        let mut config = Config::from_str(&plain).map_err(|_| UrlError::Malformed)?;
        config.ssl_mode(ssl_mode);
        complete(&mut config, &variable)?;
        let hosts = split(&config, &variable)?;
        let database = config.get_dbname().unwrap_or_default().to_owned();
        Ok(Self { hosts, tls, database })
    }
}

/// Fills in what is not in the URL, but for the password.
fn complete(config: &mut Config, variable: &impl Fn(&str) -> Option<String>) -> Result<(), UrlError> {
    if config.get_user().is_none() {
        config.user(variable("PGUSER").ok_or(UrlError::NoUser)?);
    }
    if config.get_dbname().is_none() {
        let user = config.get_user().expect("it was just set").to_owned();
        config.dbname(variable("PGDATABASE").unwrap_or(user));
    }
    config.application_name("bursar");
    config.keepalives_idle(std::time::Duration::from_secs(10));
    config.keepalives_interval(std::time::Duration::from_secs(5));
    Ok(())
}

/// One configuration a host, each with its password.
fn split(
    config: &Config,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, Config)>, UrlError> {
    let (hosts, ports) = (config.get_hosts(), config.get_ports());
    if hosts.is_empty() {
        return Err(UrlError::NoHost);
    }
    let mut split = Vec::new();
    for (number, host) in hosts.iter().enumerate() {
        let port = ports.get(number).or(ports.first()).copied().unwrap_or(5432);
        let mut one = Config::new();
        one.user(config.get_user().expect("it is complete")).port(port);
        one.dbname(config.get_dbname().expect("it is complete"));
        one.ssl_mode(config.get_ssl_mode()).application_name("bursar");
        one.keepalives_idle(config.get_keepalives_idle());
        let name = match host {
            Host::Tcp(name) => {
                one.host(name);
                name.clone()
            }
            #[cfg(unix)]
            Host::Unix(path) => {
                one.host_path(path);
                path.display().to_string()
            }
        };
        let given = config.get_password().map(<[u8]>::to_vec);
        let password = given.or_else(|| variable("PGPASSWORD").map(String::into_bytes)).or_else(|| {
            let wanted = [&name, &port.to_string(), one.get_dbname()?, one.get_user()?].map(str::to_owned);
            passfile::look_up(variable, &wanted)
        });
        if let Some(password) = password {
            one.password(password);
        }
        split.push((format!("{name}:{port}"), one));
    }
    Ok(split)
}

/// Hosts and database: what may be printed.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<&str> = self.hosts.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "postgres://{}/{}", hosts.join(","), self.database)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        rest = more;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
