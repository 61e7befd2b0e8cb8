//! One letter: a plain text to one person.

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};

#[derive(Clone)]
pub struct Letter {
    message: Message,
    /// What it is about, for the log: no address, no link.
    pub about: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    #[error("{0} is no address that mail can be sent to")]
    Address(&'static str),
    #[error("the letter cannot be written")]
    Message,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.about)
    }
}

impl Letter {
    pub fn new(
        from: &str,
        to: &str,
        about: &'static str,
        subject: &str,
        text: String,
    ) -> Result<Self, LetterError> {
        let from: Mailbox = from.parse().map_err(|_| LetterError::Address("the sender's"))?;
        let to = to.parse().map_err(|_| LetterError::Address("the recipient's"))?;
        let message = Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| LetterError::Message)?;
        Ok(Self { message, about })
    }

    pub(crate) fn message(&self) -> &Message {
        &self.message
    }
}
