//! What a browser carries for us, and can neither read nor make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use engine::{Entropy, Seals};
use serde::Serialize;
use serde::de::DeserializeOwned;

const NONCE_BYTES: usize = 24;
/// More than any of ours: what browsers take in one cookie.
const CHARACTERS_MAX: usize = 4096;

/// Seals and opens tickets: those of one book, on whichever node.
pub struct Tickets<'a> {
    cipher: XChaCha20Poly1305,
    entropy: &'a dyn Entropy,
}

impl<'a> Tickets<'a> {
    pub fn new(seals: &Seals, entropy: &'a dyn Entropy) -> Self {
        // The books of one journal share a master key: a ticket is one book's.
        let key = seals.digest("sign-in tickets", &[&[seals.book().get()]]);
        Self { cipher: XChaCha20Poly1305::new(&key.into()), entropy }
    }

    /// `purpose` keeps the tickets of one kind apart from those of another.
    pub fn seal(&self, purpose: &str, ticket: &impl Serialize) -> Option<String> {
        let mut sealed = vec![0; NONCE_BYTES];
        self.entropy.fill(&mut sealed);
        let text = serde_json::to_vec(ticket).ok()?;
        let nonce = XNonce::try_from(&sealed[..]).ok()?;
        let payload = Payload { msg: &text, aad: purpose.as_bytes() };
        sealed.extend(self.cipher.encrypt(&nonce, payload).ok()?);
        Some(URL_SAFE_NO_PAD.encode(sealed)).filter(|text| text.len() <= CHARACTERS_MAX)
    }

    /// None for anything that was not sealed here for that purpose.
    pub fn open<T: DeserializeOwned>(&self, purpose: &str, text: &str) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        serde_json::from_slice(&self.cipher.decrypt(&nonce, payload).ok()?).ok()
    }

    /// A word that nobody guesses: 256 bits.
    pub(crate) fn random_word(&self) -> String {
        let mut bytes = [0; 32];
        self.entropy.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// As long as it takes, wherever they differ.
pub fn same(one: &str, other: &str) -> bool {
    let differing = one.bytes().zip(other.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests;
