use std::io::{IsTerminal, stdout};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::client::Method;
use crate::failure::Failure;
use crate::native::{self, Asking};
use crate::secret;
use crate::table::Record;

/// The second factor of whoever signed in: codes of an authenticator app.
#[derive(Debug, Args)]
pub(crate) struct SecondFactor {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Make a secret for an app. It is shown here and never again; confirm it next.
    Begin(Prove),
    /// Confirm by a code that the app shows. The recovery codes are shown here and never again: each is good
    /// once, in place of a code, when the device is lost.
    Confirm(Show),
    /// Make other recovery codes, by a code that the app shows. Those before no longer count.
    RecoveryCodes(Show),
    /// Let the password be enough from now on.
    Remove(Prove),
}

#[derive(Debug, Args)]
struct Prove {
    /// A file that holds the password, - for standard input; without it the password is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Show {
    /// A file that holds the code, - for standard input; without it the code is asked for.
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Deserialize, Serialize)]
struct Begun {
    secret: String,
    uri: String,
}

#[derive(Deserialize)]
struct Shown {
    recovery_codes: Vec<String>,
}

impl SecondFactor {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.act {
            Act::Begin(it) => it.begin(),
            Act::Confirm(it) => it.recovery_codes("/confirm"),
            Act::RecoveryCodes(it) => it.recovery_codes("/recovery-codes"),
            Act::Remove(it) => {
                let body = json!({"password": it.password()?});
                it.asking.client()?.done(Method::POST, &at("/remove"), Some(&body))
            }
        }
    }
}

fn at(rest: &str) -> String {
    format!("{}/second-factor{rest}", native::ME)
}

impl Prove {
    fn password(&self) -> Result<String, Failure> {
        secret::read(self.password_file.as_deref(), "password")
    }

    fn begin(self) -> Result<(), Failure> {
        let body = json!({"password": self.password()?});
        let begun: Begun = self.asking.client()?.post(&at(""), &body, None)?;
        // For the camera of a phone. What is written to a file is to be read by a program.
        if stdout().is_terminal() && !self.asking.format.is_json() {
            let code = QrCode::new(&begun.uri).map_err(Failure::fault("cannot draw the code"))?;
            println!("{}", code.render::<Dense1x2>().build());
        }
        self.asking.format.print_one(&Record::of(&begun)?)
    }
}

impl Show {
    fn recovery_codes(self, by: &str) -> Result<(), Failure> {
        let code = secret::read(self.code_file.as_deref(), "code")?;
        let shown: Shown = self.asking.client()?.post(&at(by), &json!({"code": code}), None)?;
        let codes = shown.recovery_codes.iter().map(|code| Record::of(&json!({"recovery_code": code})));
        self.asking.format.print_all(&codes.collect::<Result<Vec<_>, _>>()?, &["recovery_code"])
    }
}
