//! Logs on standard error, as text or one JSON object per line.
//!
//! A request's own line carries its id; whoever logs inside a request adds
//! `request_id = ?RequestId::current()`. Bodies, secrets and tokens are never fields.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, fmt};

use crate::{Config, ConfigError, LogFormat};

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("logs are set up already")]
    Twice(#[from] TryInitError),
}

/// Sets up the log of this process, once.
pub fn init(config: &Config) -> Result<(), TelemetryError> {
    let targets = targets(&config.log_level)?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets)).try_init()?;
    Ok(())
}

/// A word without a level would be taken for a part to be logged in full: more likely it is a typing error.
fn targets(levels: &str) -> Result<Targets, ConfigError> {
    let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    let is_clear = |part: &str| part.contains('=') || is_level(part.trim());
    let targets = levels.parse().ok().filter(|_| levels.split(',').all(is_clear));
    targets.ok_or_else(|| ConfigError::Value {
        origin: "log_level".to_owned(),
        reason: "expected a level, or parts with levels such as info,server=debug".to_owned(),
    })
}

#[cfg(test)]
mod tests;
