use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::native::{self, Asking};
use crate::table::Record;

/// What a server does only as a sandbox: `bursar serve --sandbox`.
#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Advance(Advance),
}

/// Let time pass: holds expire, periods roll.
#[derive(Debug, Args)]
struct Advance {
    /// How long, as in 90s, 15m, 2h or 31d; or until when, as in 2025-04-01T00:00:00Z. Never back.
    #[arg(value_name = "TIME", value_parser = time)]
    time: Value,
    #[command(flatten)]
    asking: Asking,
}

impl Sandbox {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Act::Advance(Advance { time, asking }) = self.act;
        let advanced: Record = asking.client()?.post(native::SANDBOX_CLOCK, &time, None)?;
        asking.format.print_one(&advanced)
    }
}

/// What the API is asked for. Whether an instant is one is for the server to say.
fn time(text: &str) -> Result<Value, String> {
    let Some((count, unit)) = text.split_at_checked(text.len().saturating_sub(1)) else {
        return Err("expected a time such as 31d".to_owned());
    };
    let secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Ok(json!({"to": text})),
    };
    let count = count.parse::<u32>().map_err(|_| "expected a number before the unit, as in 31d".to_owned());
    let secs = count?.checked_mul(secs).ok_or_else(|| "that is too long".to_owned())?;
    Ok(json!({"by": secs}))
}
