//! A session that is made when it is needed and made again when it was lost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::connector::Connector;
use crate::error::DatabaseError;
use crate::hosts::Session;

const RETRY: Duration = Duration::from_millis(50);

pub(crate) struct Lane {
    connector: Arc<Connector>,
    session: Mutex<Option<Arc<dyn Session>>>,
}

impl Lane {
    pub(crate) fn new(connector: &Arc<Connector>) -> Self {
        Self { connector: connector.clone(), session: Mutex::default() }
    }

    pub(crate) fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    /// Reaches the database for the first time: one that is slow to answer is waited for, one that refuses is
    /// not.
    pub(crate) fn reach(&self) -> Result<(), DatabaseError> {
        let until = self.connector.hosts.now() + self.connector.options.reply_timeout;
        loop {
            match self.session() {
                Err(DatabaseError::AllSilent(_)) if self.connector.hosts.now() < until => {}
                reached => return reached.map(drop),
            }
        }
    }

    /// The session as it is, or a new one.
    pub(crate) fn session(&self) -> Result<Arc<dyn Session>, DatabaseError> {
        let mut kept = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = kept.as_ref().filter(|session| session.is_open()) {
            return Ok(session.clone());
        }
        let session = self.connector.connect()?;
        *kept = Some(session.clone());
        Ok(session)
    }

    /// Drops the session, and with it the socket.
    pub(crate) fn drop_session(&self, session: &Arc<dyn Session>) {
        session.abort();
        let mut kept = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, session)) {
            *kept = None;
        }
    }

    /// Does what may be repeated, on another session if one is lost meanwhile.
    pub(crate) fn with<T>(
        &self,
        work: impl Fn(&dyn Session) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let until = self.connector.hosts.now() + 2 * self.connector.options.reply_timeout;
        loop {
            let failed = match self.session() {
                Ok(session) => match work(&*session) {
                    Err(error) if error.ends_session() => {
                        self.drop_session(&session);
                        error
                    }
                    result => return result,
                },
                Err(error) => error,
            };
            let is_over = self.connector.hosts.now() >= until || self.connector.has_given_up();
            if is_over || matches!(failed, DatabaseError::OtherIncarnation { .. }) {
                return Err(failed);
            }
            self.connector.hosts.pause(RETRY);
        }
    }
}
