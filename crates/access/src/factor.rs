//! The second factor: codes of a device (RFC 6238: SHA-1, six digits, half a minute), and recovery codes
//! for when the device is lost. Which code was accepted last is known by the book.

use domain::Timestamp;
use engine::{Entropy, Seals};
use ledger::{RECOVERY_CODES_MAX, UserIndex};
use totp_rs::{Algorithm, Builder, Secret as Shared, Totp};

use crate::Secret;
use crate::secret::random;

const SECRET_BYTES: usize = 20;
const STEP_SECS: u64 = 30;
/// A device's clock may be one step off, either way.
const SKEW_STEPS: u16 = 1;
const RECOVERY_CHARACTERS: usize = 16;

/// A new secret for a device.
pub fn new_factor_secret(entropy: &dyn Entropy) -> [u8; SECRET_BYTES] {
    let mut secret = [0; SECRET_BYTES];
    entropy.fill(&mut secret);
    secret
}

/// As people type it into a device that cannot read a picture.
pub fn factor_text(secret: &[u8]) -> String {
    Shared::new(secret.into()).to_base32()
}

/// What authenticator apps read: `otpauth://totp/…`.
pub fn factor_uri(secret: &[u8], issuer: &str, email: &str) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let (issuer, email) = (escaped(issuer), escaped(email));
    format!("otpauth://totp/{issuer}:{email}?secret={}&issuer={issuer}", factor_text(secret))
}

/// The step of which this is the code at `now`.
pub fn code_step(secret: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    totp(secret).check(code, seconds(now))
}

/// The code that a device shows at `now`.
pub fn code_at(secret: &[u8], now: Timestamp) -> String {
    totp(secret).generate(seconds(now)).to_string()
}

fn totp(secret: &[u8]) -> Totp {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(SKEW_STEPS)
        .with_step_duration(STEP_SECS)
        .with_secret(Shared::new(secret.into()))
        .build_noncompliant()
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.as_micros() / 1_000_000).unwrap_or(0)
}

/// Codes to keep on paper, each good for one sign-in.
pub fn new_recovery_codes(entropy: &dyn Entropy) -> Vec<Secret> {
    (0..RECOVERY_CODES_MAX).map(|_| Secret::given(random(entropy, RECOVERY_CHARACTERS))).collect()
}

/// What is kept of a recovery code. Spaces and hyphens are how people write it down.
pub fn recovery_digest(seals: &Seals, user: UserIndex, code: &str) -> u128 {
    let code: String = code.chars().filter(|it| !it.is_whitespace() && *it != '-').collect();
    let user = (user.slot() as u64).to_le_bytes();
    let digest = seals.digest("recovery code", &[&user, code.as_bytes()]);
    u128::from_be_bytes(*digest.first_chunk().expect("a hash is longer"))
}
