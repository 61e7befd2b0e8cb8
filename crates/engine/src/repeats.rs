//! Answers to keys that were used before, rebuilt from their events.

use ledger::EventRef;
use tokio::runtime::Handle;

use crate::book::{Outcome, Receipt, Refusal};
use crate::history::History;
use crate::record::Content;

/// A request whose key is known, and what is asked under it now.
pub(crate) struct Repeat {
    pub(crate) at: EventRef,
    pub(crate) content: Option<Content>,
}

/// One outcome for each. History is read where that keeps nobody waiting: it may lie on a disk, or in a database.
pub(crate) async fn settle(history: &History, repeats: Vec<Repeat>) -> Vec<Outcome> {
    let (history, count) = (history.clone(), repeats.len());
    let read = move || repeats.iter().map(|repeat| repeat.settle(&history)).collect();
    match Handle::try_current() {
        Ok(runtime) => {
            let settled = runtime.spawn_blocking(read).await;
            settled.unwrap_or_else(|_| vec![Outcome::Refused(Refusal::Unreadable); count])
        }
        // A simulation: its callers are polled by hand.
        Err(_) => read(),
    }
}

impl Repeat {
    fn settle(&self, history: &History) -> Outcome {
        match history.record(self.at) {
            Ok(record) if record.envelope.key.map(|(_, content)| content) == self.content => {
                let (at, time) = (self.at, record.envelope.time);
                Outcome::Done(Receipt { at, time, event: record.event, repeated: true })
            }
            Ok(_) => Outcome::Refused(Refusal::KeyConflict),
            Err(_) => Outcome::Refused(Refusal::Unreadable),
        }
    }
}
