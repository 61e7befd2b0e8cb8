//! Logs on standard error, as text or one JSON object per line.
//!
//! A request's own line carries its id; whoever logs inside a request adds
//! `request_id = ?RequestId::current()`. Bodies, secrets and tokens are never fields.

use tracing_subscriber::filter::Targets;
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
    let targets: Targets = config.log_level.parse().map_err(|_| ConfigError::Value {
        origin: "log_level".to_owned(),
        reason: "expected a level, or parts with levels such as info,server=debug".to_owned(),
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Text => lines.with_ansi(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets)).try_init()?;
    Ok(())
}
