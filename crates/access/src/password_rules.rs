//! Which passwords people may choose.
//!
//! Long ones, and none that would be guessed: not from lists of leaked passwords, not by patterns of the
//! keyboard or the calendar, not out of the user's own address. No rule on kinds of characters.

use zxcvbn::{Score, zxcvbn};

use crate::AccessError;
use crate::password::Passwords;

pub const PASSWORD_CHARACTERS_MIN: usize = 12;
pub const PASSWORD_CHARACTERS_MAX: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    #[error("expected {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters")]
    Length,
    #[error("expected no control characters")]
    Control,
    #[error(
        "it is among the first that would be guessed: choose several words that have nothing to do with each other"
    )]
    Guessable,
    #[error("it was used before")]
    Used,
}

/// `own` are words that whoever guesses tries first: the address, the name of the organization.
pub fn check_password(password: &str, own: &[&str]) -> Result<(), PasswordRule> {
    if !(PASSWORD_CHARACTERS_MIN..=PASSWORD_CHARACTERS_MAX).contains(&password.chars().count()) {
        return Err(PasswordRule::Length);
    }
    if password.chars().any(char::is_control) {
        return Err(PasswordRule::Control);
    }
    let parts: Vec<&str> = own.iter().flat_map(|word| word.split(['@', '.', '-', '_'])).collect();
    let own: Vec<&str> = own.iter().copied().chain(parts).filter(|word| word.len() > 2).collect();
    if zxcvbn(password, &own).score() < Score::Three { Err(PasswordRule::Guessable) } else { Ok(()) }
}

impl Passwords {
    /// Whether `password` is one of those that `hashes` were made of.
    pub async fn is_one_of(&self, password: &str, hashes: &[String]) -> Result<bool, AccessError> {
        for hash in hashes {
            if self.matches(password, hash).await.map_err(|_| AccessError::Busy)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
