use clap::{Args, Subcommand};
use domain::Nanos;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::native::{self, Asking, Once};
use crate::table::Record;

/// Amounts set aside until they are captured, voided, or expire.
#[derive(Debug, Args)]
pub(crate) struct Hold {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    Place(Place),
    Capture(Capture),
    Void(Void),
}

/// Set an amount aside.
#[derive(Debug, Args)]
struct Place {
    /// Any handle of the account.
    account: String,
    #[arg(value_parser = native::money)]
    amount: Nanos,
    /// When it expires: an hour from now unless said otherwise, 30 days at most.
    #[arg(long, value_name = "SECONDS")]
    expires_in: Option<u32>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

/// Charge what is set aside, and release the rest.
#[derive(Debug, Args)]
struct Capture {
    /// The id of the hold.
    hold: String,
    /// All of it when absent.
    #[arg(value_parser = native::money)]
    amount: Option<Nanos>,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

/// Give a hold up: nothing is charged.
#[derive(Debug, Args)]
struct Void {
    /// The id of the hold.
    hold: String,
    #[command(flatten)]
    once: Once,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Serialize)]
struct PlaceBody {
    amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u32>,
}

impl Hold {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Place(place) => place.run(),
            Act::Capture(capture) => capture.run(),
            Act::Void(void) => void.run(),
        }
    }
}

impl Place {
    fn run(self) -> Result<(), Failure> {
        let body = PlaceBody { amount: self.amount.to_string(), expires_in: self.expires_in };
        let path = format!("{}/holds", native::account(&self.account));
        let hold: Record = self.asking.client()?.post(&path, &body, self.once.key())?;
        self.asking.format.print_one(&hold)
    }
}

impl Capture {
    fn run(self) -> Result<(), Failure> {
        let body = match self.amount {
            Some(amount) => json!({"amount": amount.to_string()}),
            None => json!({}),
        };
        let path = native::hold(&self.hold, "capture");
        let captured: Record = self.asking.client()?.post(&path, &body, self.once.key())?;
        self.asking.format.print_one(&captured)
    }
}

impl Void {
    fn run(self) -> Result<(), Failure> {
        let path = native::hold(&self.hold, "void");
        let voided: Record = self.asking.client()?.post_nothing(&path, self.once.key())?;
        self.asking.format.print_one(&voided)
    }
}
