//! What a user proves to be themselves by.

use std::sync::Arc;

use domain::Timestamp;

use crate::Text;

/// Of every user who came since there is signing in.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Person {
    /// Slow hashes of the passwords before, newest first.
    pub former: Vec<Arc<str>>,
    /// How often the password was set: a link to reset it counts for the next time only.
    pub passwords: u32,
    pub factor: Option<Factor>,
    /// Who vouches for this user elsewhere: a keyed hash of issuer and subject.
    pub subject: Option<u128>,
    pub removed_at: Option<Timestamp>,
}

/// A second factor: codes that a device makes every half a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    pub secret: Text,
    /// Asked for from then on; before, the device has not shown a code yet.
    pub confirmed: bool,
    /// The step of the code accepted last: none is accepted twice.
    pub step: u64,
    /// Keyed hashes of recovery codes that were not used yet.
    pub recovery: Vec<u128>,
}

/// Passwords that must not come back.
pub const FORMER_PASSWORDS_MAX: usize = 3;
pub const RECOVERY_CODES_MAX: usize = 10;

/// What stood beside the password at a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    None,
    /// A code of this step.
    Step(u64),
    /// A recovery code, by its keyed hash.
    Recovery(u128),
}
