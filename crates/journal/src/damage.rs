//! What a verification of a journal finds wrong.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it is kept: file and byte, or table, book and position.
    pub place: String,
    pub reason: String,
}

impl Damage {
    pub fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}
