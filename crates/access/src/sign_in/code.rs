//! What is said of a second factor: at a sign-in, and by somebody who is in already.

use domain::Timestamp;
use engine::Origin;
use ledger::{Ledger, SecondFactor, UserIndex};

use super::{Person, SignIn, SignInError};
use crate::factor::{code_step, recovery_digest};

impl SignIn {
    pub(super) fn second_factor(
        &self,
        person: &Person,
        code: Option<&str>,
        now: Timestamp,
    ) -> Result<SecondFactor, SignInError> {
        let Some((secret, step, recovery)) = &person.factor else { return Ok(SecondFactor::None) };
        let code = code.ok_or(SignInError::CodeNeeded)?.trim();
        if let Some(found) = code_step(secret, code, now) {
            return if found > *step { Ok(SecondFactor::Step(found)) } else { Err(SignInError::CodeWrong) };
        }
        let digest = recovery_digest(self.engine.seals(), person.user, code);
        let is_known = recovery.contains(&digest);
        if is_known { Ok(SecondFactor::Recovery(digest)) } else { Err(SignInError::CodeWrong) }
    }

    /// The step of a code that the device of somebody who is in shows now; None for a user without a second
    /// factor. Wrong codes count as those of sign-ins do: a session left open is no place to guess them.
    pub async fn device_step(
        &self,
        user: UserIndex,
        code: &str,
        origin: &Origin,
    ) -> Result<Option<u64>, SignInError> {
        let read = move |ledger: &Ledger, now| {
            let known = ledger.user(user);
            (Person::of(ledger, user), known.organization, known.email_digest, now)
        };
        let (person, organization, email, now) = self.engine.read(read).await?;
        if person.factor.is_none() {
            return Ok(None);
        }
        self.note_due(now).await;
        let pair = self.pair(Some(organization), email, origin.address);
        if let Some(secs) = self.attempts().delay_secs(pair, now) {
            return Err(SignInError::Delayed { secs });
        }
        match self.second_factor(&person, Some(code), now) {
            Ok(SecondFactor::Step(step)) => {
                self.attempts().succeeded(pair, now);
                Ok(Some(step))
            }
            // A recovery code is for when the device is lost.
            Ok(SecondFactor::Recovery(_) | SecondFactor::None) | Err(_) => {
                self.failed(pair, Some(user), now, origin).await;
                Err(SignInError::CodeWrong)
            }
        }
    }
}
