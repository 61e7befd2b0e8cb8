//! From what was asked to commands: handles and names become indices, keys become hashes.

use std::collections::HashMap;

use access::{Caller, Operation};
use dialect::{App, Names, NamesError};
use domain::Nanos;
use engine::{Content, Key, Request};
use ledger::{AccountIndex, Act, Actor, Admission, ChargeKind, Command, NameIndex, Usage};

use super::asked::Asked;
use crate::once::is_key;
use crate::problem::{Kind, Problem};
use crate::signed;
use crate::values::{REFERENCE_MAX, is_words};

pub(crate) const NAME_MAX: usize = 255;

/// Builds the commands of one caller's charges.
pub(crate) struct Builder<'a> {
    app: &'a App,
    caller: Caller,
    names: HashMap<&'a str, NameIndex>,
    /// Names that nobody has used yet.
    missing: Vec<&'a str>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(app: &'a App, caller: Caller) -> Self {
        Self { app, caller, names: HashMap::new(), missing: Vec::new() }
    }

    /// One request for each charge, or why there is none. Names met for the first time are made known.
    pub(crate) async fn build(
        &mut self,
        asked: &'a [Result<Asked<'a>, Problem>],
        out: &mut Vec<Result<Request, Problem>>,
    ) -> Result<(), Problem> {
        self.pass(asked, out);
        if self.missing.is_empty() {
            return Ok(());
        }
        let missing = std::mem::take(&mut self.missing);
        let organization = self.caller.organization();
        match self.app.names.intern(&self.app.engine, organization, &missing).await {
            Ok(()) | Err(NamesError::TooMany) => {}
            Err(NamesError::Unavailable(unavailable)) => return Err(unavailable.into()),
            Err(NamesError::Refused(refusal)) => return Err(refusal.into()),
            Err(NamesError::Rejected(rejection)) => {
                return Err(Problem::rejected(&rejection, self.app.engine.seals()));
            }
        }
        out.clear();
        self.pass(asked, out);
        Ok(())
    }

    fn pass(&mut self, asked: &'a [Result<Asked<'a>, Problem>], out: &mut Vec<Result<Request, Problem>>) {
        for asked in asked {
            out.push(match asked {
                Ok(asked) => self.request(asked),
                Err(problem) => Err(problem.clone()),
            });
        }
    }

    fn request(&mut self, asked: &'a Asked<'a>) -> Result<Request, Problem> {
        let account = signed::account(self.app, &asked.account)?;
        if asked.admission == Admission::Forced {
            self.caller.may(Operation::ForceCharge)?;
        }
        // Both are looked up before either is refused: one pass finds all that are missing.
        let product = self.name("product", asked.product.as_deref());
        let used_by = self.name("used_by", asked.used_by.as_deref());
        let usage = Usage {
            product: product?,
            used_by: used_by?,
            quantity: asked.quantity,
            reference: match asked.reference.as_deref() {
                Some(text) if is_words(text, REFERENCE_MAX) => Some(text.as_bytes().into()),
                Some(_) => return Err(not_words("reference", REFERENCE_MAX)),
                None => None,
            },
        };
        let key = match asked.key.as_deref() {
            Some(key) if is_key(key) => Some(self.key(key, account, asked, &usage)),
            Some(_) => return Err(Problem::field("key", "expected 1 to 255 printable ASCII characters")),
            None => None,
        };
        let act = Act::Charge {
            account,
            currency: asked.currency,
            amount: asked.amount,
            kind: asked.kind,
            admission: asked.admission,
            usage,
        };
        Ok(Request { command: Command { actor: self.actor(), act }, key })
    }

    fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// The index of a name; one that is not known yet is noted, and refused for now.
    fn name(&mut self, field: &str, text: Option<&'a str>) -> Result<Option<NameIndex>, Problem> {
        let Some(text) = text else { return Ok(None) };
        if let Some(name) = self.names.get(text) {
            return Ok(Some(*name));
        }
        if !is_words(text, NAME_MAX) {
            return Err(not_words(field, NAME_MAX));
        }
        match Names::find(&self.app.engine, self.caller.organization(), text) {
            Some(name) => {
                self.names.insert(text, name);
                Ok(Some(name))
            }
            None => {
                if !self.missing.contains(&text) {
                    self.missing.push(text);
                }
                Err(Problem::new(Kind::TooManyNames).with_field(field))
            }
        }
    }

    fn key(&self, key: &str, account: AccountIndex, asked: &Asked<'_>, usage: &Usage) -> (Key, Content) {
        let engine = &self.app.engine;
        let content = content(account, asked, usage);
        let reference = usage.reference.as_deref().unwrap_or_default();
        let content = if usage.reference.is_none() {
            access::content(engine, &[&content])
        } else {
            access::content(engine, &[&content, reference])
        };
        (self.caller.key(engine, key), content)
    }
}

fn not_words(field: &str, max: usize) -> Problem {
    Problem::field(field, format_args!("expected 1 to {max} characters without control characters"))
}

const CONTENT_BYTES: usize = 46;

/// What was asked, in a fixed form: short, because every keyed charge hashes it.
fn content(account: AccountIndex, asked: &Asked<'_>, usage: &Usage) -> [u8; CONTENT_BYTES] {
    // Amounts in range are below 2⁹⁴; those outside are refused later, whatever their content.
    let nanos = |amount: Nanos| amount.get().to_le_bytes();
    let name = |name: Option<NameIndex>| name.map_or(0, |name| name.slot() as u32 + 1).to_le_bytes();
    let mut bytes = [0; CONTENT_BYTES];
    let kind = match asked.kind {
        ChargeKind::Metered => 1,
        ChargeKind::Order => 2,
        ChargeKind::Fee => 3,
    };
    let admission = match asked.admission {
        Admission::Strict => 0,
        Admission::Served => 4,
        Admission::Forced => 8,
    };
    bytes[0] = kind | admission | if usage.quantity.is_some() { 16 } else { 0 };
    bytes[1..5].copy_from_slice(&(account.slot() as u32).to_le_bytes());
    bytes[5..17].copy_from_slice(&nanos(asked.amount)[..12]);
    bytes[17..29].copy_from_slice(&nanos(usage.quantity.unwrap_or_default())[..12]);
    bytes[29..33].copy_from_slice(&name(usage.product));
    bytes[33..37].copy_from_slice(&name(usage.used_by));
    if let Some(currency) = asked.currency {
        bytes[37..45].copy_from_slice(&currency.to_bytes());
    }
    bytes
}

/// The indices of one product and one user, made known if they are new.
pub(crate) async fn usage_names(
    app: &App,
    caller: &Caller,
    product: Option<&str>,
    used_by: Option<&str>,
) -> Result<(Option<NameIndex>, Option<NameIndex>), Problem> {
    let organization = caller.organization();
    let find = |text| Names::find(&app.engine, organization, text);
    let missing: Vec<&str> = product.into_iter().chain(used_by).filter(|text| find(text).is_none()).collect();
    if !missing.is_empty() {
        app.names.intern(&app.engine, organization, &missing).await.map_err(|error| unnamed(app, error))?;
    }
    Ok((product.and_then(find), used_by.and_then(find)))
}

fn unnamed(app: &App, error: NamesError) -> Problem {
    match error {
        NamesError::TooMany => Problem::new(Kind::TooManyNames),
        NamesError::Unavailable(unavailable) => unavailable.into(),
        NamesError::Refused(refusal) => refusal.into(),
        NamesError::Rejected(rejection) => Problem::rejected(&rejection, app.engine.seals()),
    }
}
