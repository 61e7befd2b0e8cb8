//! Tokens and secrets: made here, shown once, kept as keyed hashes.

use engine::{BookNumber, Entropy, Seals};
use ledger::AccountIndex;

/// A secret in the clear: on its way to whoever it belongs to, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 characters of 62 are 256 bits.
const TOKEN_CHARACTERS: usize = 43;
/// The longest that every client accepts; 148 bits.
const SECRET_CHARACTERS: usize = 25;
const TOKEN: &str = "bst";
const SESSION: &str = "bss";

impl Secret {
    /// A bearer token of the seller, or of a person.
    pub fn new_token(entropy: &dyn Entropy, book: BookNumber) -> Self {
        Self(format!("{TOKEN}{}_{}", mark(book), random(entropy, TOKEN_CHARACTERS)))
    }

    /// The token of a session.
    pub(crate) fn new_session(entropy: &dyn Entropy, book: BookNumber) -> Self {
        Self(format!("{SESSION}{}_{}", mark(book), random(entropy, TOKEN_CHARACTERS)))
    }

    pub(crate) fn is_session(token: &str) -> bool {
        marked(token, SESSION).is_some()
    }

    /// A secret for an account; satisfies [`check_chosen_secret`].
    pub fn new_secret(entropy: &dyn Entropy) -> Self {
        loop {
            let secret = random(entropy, SECRET_CHARACTERS);
            if check_chosen_secret(&secret).is_ok() {
                return Self(secret);
            }
        }
    }

    /// The same for the same name, which nobody else may know: for what may be asked for more than once.
    pub fn derived(seals: &Seals, name: &str) -> Self {
        let attempts = (0u32..).map(|attempt| {
            let digest = seals.digest("derived secret", &[name.as_bytes(), &attempt.to_le_bytes()]);
            let fair = digest.into_iter().filter(|byte| *byte < 248);
            fair.take(SECRET_CHARACTERS).map(|byte| ALPHABET[usize::from(byte) % 62] as char).collect()
        });
        let is_good =
            |secret: &String| secret.len() == SECRET_CHARACTERS && check_chosen_secret(secret).is_ok();
        Self(attempts.into_iter().find(is_good).unwrap_or_default())
    }

    /// One that somebody else made.
    pub fn given(secret: String) -> Self {
        Self(secret)
    }

    /// The only way to see it; call it where it is handed over.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Which book to ask: `bst_…` is of the first one, `bst3_…` of the fourth. It proves nothing.
fn mark(book: BookNumber) -> String {
    if book == BookNumber::FIRST { String::new() } else { format!("{:x}", book.get()) }
}

fn marked(token: &str, kind: &str) -> Option<BookNumber> {
    match token.strip_prefix(kind)?.split_once('_')?.0 {
        "" => Some(BookNumber::FIRST),
        digit if digit.len() == 1 => BookNumber::new(u8::from_str_radix(digit, 16).ok()?),
        _ => None,
    }
}

/// The book that a token says. One that somebody chose says none.
pub(crate) fn book_of_token(token: &str) -> Option<BookNumber> {
    marked(token, TOKEN).or_else(|| marked(token, SESSION))
}

pub(crate) fn random(entropy: &dyn Entropy, characters: usize) -> String {
    let mut text = String::with_capacity(characters);
    let mut bytes = [0; 64];
    while text.len() < characters {
        entropy.fill(&mut bytes);
        // 248 = 4 × 62: the rest would favour some characters.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        text.extend(fair.take(characters - text.len()).map(|byte| ALPHABET[usize::from(*byte) % 62] as char));
    }
    text
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret has 8 to 25 characters, a lower-case and an upper-case letter and a digit among them")]
pub struct SecretError;

/// The rule for secrets that people choose.
pub fn check_chosen_secret(secret: &str) -> Result<(), SecretError> {
    let has = |kind: fn(&char) -> bool| secret.chars().any(|character| kind(&character));
    let characters = secret.chars().count();
    let complex = has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase) && has(char::is_ascii_digit);
    if (8..=25).contains(&characters) && complex { Ok(()) } else { Err(SecretError) }
}

pub fn token_digest(seals: &Seals, token: &str) -> [u8; 32] {
    seals.digest("token", &[token.as_bytes()])
}

pub(crate) fn session_token_digest(seals: &Seals, token: &str) -> [u8; 32] {
    seals.digest("session", &[token.as_bytes()])
}

/// Of a secret that we made: no two are equal, so it says by itself whose it is.
pub fn secret_digest(seals: &Seals, secret: &str) -> [u8; 32] {
    seals.digest("secret", &[secret.as_bytes()])
}

/// Of a secret that a person chose, together with whose it is: two may have chosen the same.
pub(crate) fn chosen_digest(seals: &Seals, account: AccountIndex, secret: &str) -> [u8; 32] {
    let account = (account.slot() as u64).to_le_bytes();
    seals.digest("chosen secret", &[&account, secret.as_bytes()])
}
