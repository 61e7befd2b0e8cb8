//! The reporting tables, followed for as long as the books are open here.

use std::sync::Arc;

use engine::Engine;
use journal_postgres::Url;
use projection::{Follower, Source, Standing};
use tokio::runtime::Handle;

use crate::BookError;

pub(crate) struct Reporting {
    _follower: Follower,
    pub(crate) standing: Arc<Standing>,
}

impl Reporting {
    pub(crate) fn start(url: &str, engine: &Engine) -> Result<Self, BookError> {
        let url = Url::parse(url, |name| std::env::var(name).ok())?;
        tracing::info!(database = %url, "reporting tables are kept");
        let (history, seals) = (engine.history().clone(), engine.seals().clone());
        let book = i64::from(seals.book().get());
        let source = Source { history, seals, book };
        let standing = Arc::<Standing>::default();
        let follower = Follower::start(url, source, Handle::current(), Arc::clone(&standing))
            .map_err(BookError::Reporting)?;
        Ok(Self { _follower: follower, standing })
    }
}
