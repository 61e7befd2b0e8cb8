//! From what was asked to commands: handles and names become indices, keys become hashes.

use access::{Caller, Operation};
use dialect::{App, NamesError, find_name, intern_names};
use domain::Nanos;
use engine::{Content, Key, Request};
use ledger::{AccountIndex, Act, Actor, Admission, ChargeKind, Command, NameIndex, Usage};

use super::asked::Asked;
use crate::once::is_key;
use crate::problem::{Kind, Problem};
use crate::signed;
use crate::values::{REFERENCE_MAX, is_words};

pub(crate) const NAME_MAX: usize = 255;

/// What goes to the book, and what does not.
#[derive(Default)]
pub(crate) struct Built {
    pub(crate) requests: Vec<Request>,
    /// One for each charge: None where a request went.
    pub(crate) refused: Vec<Option<Problem>>,
}

/// Builds the commands of one caller's charges.
pub(crate) struct Builder<'a> {
    app: &'a App,
    caller: Caller,
    names: NameCache<'a>,
    /// Names that nobody has used yet.
    missing: Vec<&'a str>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(app: &'a App, caller: Caller) -> Self {
        Self { app, caller, names: NameCache::default(), missing: Vec::new() }
    }

    /// One request for each charge, or why there is none. Names met for the first time are made known.
    pub(crate) async fn build(&mut self, asked: &'a [Result<Asked<'a>, Problem>]) -> Result<Built, Problem> {
        self.names = NameCache::for_charges(asked.len());
        let built = self.pass(asked);
        if self.missing.is_empty() {
            return Ok(built);
        }
        let missing = std::mem::take(&mut self.missing);
        let interned = intern_names(&self.app.engine, &self.caller, &missing).await;
        interned.map_err(|error| unnamed(self.app, error))?;
        // The charges that name too many are refused, the others stand.
        Ok(self.pass(asked))
    }

    fn pass(&mut self, asked: &'a [Result<Asked<'a>, Problem>]) -> Built {
        let mut built =
            Built { requests: Vec::with_capacity(asked.len()), refused: Vec::with_capacity(asked.len()) };
        for asked in asked {
            match asked.as_ref().map_err(Problem::clone).and_then(|asked| self.request(asked)) {
                Ok(request) => {
                    built.requests.push(request);
                    built.refused.push(None);
                }
                Err(problem) => built.refused.push(Some(problem)),
            }
        }
        built
    }

    fn request(&mut self, asked: &'a Asked<'a>) -> Result<Request, Problem> {
        let account = signed::account(self.app, &self.caller, &asked.account)?;
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
            return Ok(Some(name));
        }
        if !is_words(text, NAME_MAX) {
            return Err(not_words(field, NAME_MAX));
        }
        match find_name(&self.app.engine, self.caller.organization(), text) {
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

/// The names met last: products are few, and a charge should not hash theirs.
#[derive(Default)]
struct NameCache<'a> {
    places: Vec<Option<(&'a str, NameIndex)>>,
}

impl<'a> NameCache<'a> {
    const PLACES_MAX: usize = 1024;

    fn for_charges(count: usize) -> Self {
        Self { places: vec![None; count.next_power_of_two().min(Self::PLACES_MAX)] }
    }

    fn get(&self, text: &str) -> Option<NameIndex> {
        let (known, name) = (*self.places.get(self.place(text))?)?;
        (known == text).then_some(name)
    }

    fn insert(&mut self, text: &'a str, name: NameIndex) {
        let place = self.place(text);
        if let Some(place) = self.places.get_mut(place) {
            *place = Some((text, name));
        }
    }

    /// By length and last letters, in which names differ most.
    fn place(&self, text: &str) -> usize {
        let last = text.as_bytes().last_chunk::<8>().map_or_else(
            || text.bytes().fold(0, |word, byte| word << 8 | u64::from(byte)),
            |last| u64::from_le_bytes(*last),
        );
        let mixed = (last ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.places.len().max(1) - 1)
    }
}

/// The indices of one product and one user, made known if they are new.
pub(crate) async fn usage_names(
    app: &App,
    caller: &Caller,
    product: Option<&str>,
    used_by: Option<&str>,
) -> Result<(Option<NameIndex>, Option<NameIndex>), Problem> {
    let organization = caller.organization();
    let find = |text| find_name(&app.engine, organization, text);
    let missing: Vec<&str> = product.into_iter().chain(used_by).filter(|text| find(text).is_none()).collect();
    if !missing.is_empty() {
        let interned = intern_names(&app.engine, caller, &missing).await;
        interned.map_err(|error| unnamed(app, error))?;
    }
    let found = |field: &str, name: Option<Option<NameIndex>>| match name {
        Some(None) => Err(Problem::new(Kind::TooManyNames).with_field(field)),
        known => Ok(known.flatten()),
    };
    Ok((found("product", product.map(find))?, found("used_by", used_by.map(find))?))
}

fn unnamed(app: &App, error: NamesError) -> Problem {
    match error {
        NamesError::Unavailable(unavailable) => unavailable.into(),
        NamesError::Refused(refusal) => refusal.into(),
        NamesError::Rejected(rejection) => Problem::rejected(&rejection, app.engine.seals()),
    }
}
