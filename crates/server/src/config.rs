//! One configuration, from flags, environment, file and defaults, in this order of precedence.
//!
//! Every option stands once, in [`OPTIONS`]: its key, its default and what it does. The flag
//! (`--body-bytes-max`), the variable (`BURSAR_BODY_BYTES_MAX`), the line of the file
//! (`body_bytes_max = …`) and the printed default follow from it.

mod options;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

pub use options::{OPTIONS, Setting};

/// Thirty days.
pub const KEY_HOURS_MAX: u32 = 720;

/// How the server runs. What each option means is said in [`OPTIONS`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub data: PathBuf,
    pub listen: String,
    #[serde(deserialize_with = "set_or_not")]
    pub journal: Option<String>,
    pub local_copy_mb: u32,
    pub migrate: bool,
    #[serde(deserialize_with = "set_or_not")]
    pub reporting: Option<String>,
    #[serde(deserialize_with = "set_or_not")]
    pub node_listen: Option<String>,
    #[serde(deserialize_with = "set_or_not")]
    pub node_advertise: Option<String>,
    pub followers: bool,
    pub sandbox: bool,
    pub confirm_clock: bool,
    pub key_hours: u32,
    #[serde(deserialize_with = "set_or_not")]
    pub tls_certificate: Option<PathBuf>,
    #[serde(deserialize_with = "set_or_not")]
    pub tls_key: Option<PathBuf>,
    pub tls_self_signed: bool,
    pub tls_names: Vec<String>,
    #[serde(deserialize_with = "set_or_not")]
    pub public_url: Option<String>,
    #[serde(deserialize_with = "set_or_not")]
    pub mail_from: Option<String>,
    #[serde(deserialize_with = "set_or_not")]
    pub smtp_url: Option<String>,
    #[serde(deserialize_with = "set_or_not")]
    pub smtp_password_file: Option<PathBuf>,
    #[serde(deserialize_with = "set_or_not")]
    pub mail_directory: Option<PathBuf>,
    #[serde(deserialize_with = "set_or_not")]
    pub outgoing_tls_roots: Option<PathBuf>,
    pub body_bytes_max: usize,
    pub batch_max: usize,
    pub queue_max: usize,
    pub connections_max: u32,
    pub request_timeout_ms: u64,
    pub header_timeout_ms: u64,
    pub idle_timeout_ms: u64,
    pub drain_pause_ms: u64,
    pub drain_timeout_ms: u64,
    pub metrics: bool,
    pub log_format: LogFormat,
    pub log_level: String,
    pub log_slow_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Json,
    Text,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("configuration file {}: {message}", path.display())]
    Syntax { path: PathBuf, message: String },
    #[error("{origin}: {reason}")]
    Value { origin: String, reason: String },
    #[error("{0}")]
    Conflict(&'static str),
}

impl Config {
    /// Reads everything that was given. `flags` are pairs of key and text, as in [`OPTIONS`].
    ///
    /// Variables that begin with `BURSAR_` and are no option are left alone: other commands have
    /// theirs, and an orchestrator may add some for a service of our name.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = defaults();
        if let Some(path) = file {
            merge_file(&mut table, path)?;
        }
        for (name, text) in environment {
            if let Some(option) = OPTIONS.iter().find(|option| option.variable() == name) {
                set(&mut table, option, &text, &format!("environment variable {name}"))?;
            }
        }
        for (key, text) in flags {
            let option = OPTIONS.iter().find(|option| option.key == key);
            let option = option.ok_or_else(|| invalid(&format!("flag {key}"), "no such option"))?;
            set(&mut table, option, &text, &format!("flag --{}", option.flag()))?;
        }
        let config = read(table).map_err(|error| invalid("configuration", error.message()))?;
        config.check()?;
        Ok(config)
    }

    /// The file that changes nothing: every option with its default and what it does.
    pub fn commented_default() -> String {
        let paragraph = |option: &Setting| {
            let about = option.about.lines().map(|line| format!("# {line}\n")).collect::<String>();
            format!("{about}{} = {}\n", option.key, option.default)
        };
        OPTIONS.iter().map(paragraph).collect::<Vec<_>>().join("\n")
    }

    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// The other half is for answering, so that a slow body is told apart from a slow server.
    pub fn body_time_max(&self) -> Duration {
        self.request_timeout() / 2
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Conflict(
                "tls_certificate and tls_key are given together or not at all",
            ));
        }
        if self.tls_self_signed && self.tls_certificate.is_some() {
            return Err(ConfigError::Conflict(
                "tls_self_signed makes its own certificate: give one or the other",
            ));
        }
        if self.node_listen.is_some() && (self.journal.is_none() || self.sandbox) {
            return Err(ConfigError::Conflict(
                "node_listen is for nodes that share a journal in a database, and not for a sandbox: it has one \
                 clock, and one server",
            ));
        }
        if self.node_advertise.is_some() && self.node_listen.is_none() {
            return Err(ConfigError::Conflict("node_advertise says where node_listen is reached: give both"));
        }
        if self.smtp_url.is_some() && self.mail_directory.is_some() {
            return Err(ConfigError::Conflict(
                "mail goes to smtp_url or into mail_directory: give one or the other",
            ));
        }
        if self.smtp_url.is_some() && self.mail_from.is_none() {
            return Err(ConfigError::Conflict("letters through smtp_url need a sender: give mail_from"));
        }
        if self.public_url.as_ref().is_some_and(|url| !is_origin(url)) {
            return Err(invalid("public_url", "expected https://host or http://host, without a path"));
        }
        if !(1..=KEY_HOURS_MAX).contains(&self.key_hours) {
            return Err(invalid("key_hours", "must be from 1 to 720"));
        }
        for (key, value) in [
            ("body_bytes_max", self.body_bytes_max as u64),
            ("batch_max", self.batch_max as u64),
            ("queue_max", self.queue_max as u64),
            ("connections_max", self.connections_max.into()),
            ("request_timeout_ms", self.request_timeout_ms),
            ("header_timeout_ms", self.header_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
        ] {
            if value == 0 {
                return Err(invalid(key, "must be above 0"));
            }
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        read(defaults()).expect("a test reads every default")
    }
}

/// A scheme and a place, and nothing behind.
fn is_origin(url: &str) -> bool {
    let place = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    place.is_some_and(|place| !place.is_empty() && !place.contains(['/', '?', '#', '@', ' ']))
}

fn defaults() -> Table {
    let value = |option: &Setting| (option.key.to_owned(), option.default_value());
    OPTIONS.iter().map(value).collect()
}

fn read(table: Table) -> Result<Config, toml::de::Error> {
    Config::deserialize(Value::Table(table))
}

fn merge_file(table: &mut Table, path: &Path) -> Result<(), ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    let syntax = |message: String| ConfigError::Syntax { path: path.to_owned(), message };
    let file: Table = text.parse().map_err(|error: toml::de::Error| syntax(error.to_string()))?;
    for (key, value) in file {
        let option = OPTIONS.iter().find(|option| option.key == key);
        let option = option.ok_or_else(|| syntax(format!("no such option: {key}")))?;
        if !option.default_value().same_type(&value) {
            return Err(syntax(format!("{key}: expected {}", option.default_value().type_str())));
        }
        table.insert(key, value);
    }
    Ok(())
}

/// Reads a flag or a variable as what the option's default is.
fn set(table: &mut Table, option: &Setting, text: &str, origin: &str) -> Result<(), ConfigError> {
    let value = match option.default_value() {
        Value::Boolean(_) => text.parse().map(Value::Boolean).map_err(|_| "expected true or false"),
        Value::Integer(_) => text.parse().map(Value::Integer).map_err(|_| "expected a whole number"),
        Value::Array(_) => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            Ok(Value::Array(names.map(Value::from).collect()))
        }
        _ => Ok(Value::from(text)),
    };
    table.insert(option.key.to_owned(), value.map_err(|reason| invalid(origin, reason))?);
    Ok(())
}

fn invalid(origin: &str, reason: &str) -> ConfigError {
    ConfigError::Value { origin: origin.to_owned(), reason: reason.to_owned() }
}

/// An empty text is an option that was not set.
fn set_or_not<'de, T: From<String>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(if text.is_empty() { None } else { Some(T::from(text)) })
}

#[cfg(test)]
mod tests;
