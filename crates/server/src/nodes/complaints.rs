//! Says once what goes on failing: it is tried again many times a second.

use journal_postgres::DatabaseError;

#[derive(Default)]
pub(super) struct Complaints {
    last: Option<String>,
}

impl Complaints {
    pub(super) fn hear<T>(&mut self, done: Result<T, DatabaseError>, what: &str) -> Option<T> {
        match done {
            Ok(done) => {
                self.last = None;
                Some(done)
            }
            Err(error) => {
                let complaint = format!("{what}: {error}");
                if self.last.as_ref() != Some(&complaint) {
                    tracing::warn!("{complaint}");
                    self.last = Some(complaint);
                }
                None
            }
        }
    }
}
