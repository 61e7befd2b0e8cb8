//! `/healthz`: the process answers. `/readyz`: it may be sent work.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dialect::Problem;
use engine::BookNumber;

/// Whether work may be sent here. Shared: the engine and the listener set it, probes read it.
#[derive(Clone, Debug)]
pub struct Health(Arc<RwLock<Readiness>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The books are being read back.
    Starting,
    Ready,
    /// Of several nodes.
    Among(Spread),
    /// Told to stop; finishing what was accepted.
    Draining,
    /// Cannot go on without an operator, and why.
    Faulted(String),
}

/// What one of several nodes does with each book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    pub leads: Vec<BookNumber>,
    /// So often this node took a book over.
    pub takeovers: u64,
    /// By the address of the node that leads them.
    pub follows: BTreeMap<String, Vec<BookNumber>>,
    /// Nobody leads them right now, or where they do is not known.
    pub leaderless: Vec<BookNumber>,
    /// They cannot be opened here, and nobody else is known to lead them.
    pub faulted: Vec<(BookNumber, String)>,
}

impl Spread {
    /// Somebody's requests are answered.
    fn is_ready(&self) -> bool {
        !(self.leads.is_empty() && self.follows.is_empty())
    }
}

/// One line for each thing that is done with books.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |books: &[BookNumber]| {
            let books: Vec<_> = books.iter().map(ToString::to_string).collect();
            books.join(" ")
        };
        if !self.leads.is_empty() {
            writeln!(f, "leading {}, take-overs: {}", list(&self.leads), self.takeovers)?;
        }
        for (leader, books) in &self.follows {
            writeln!(f, "following {leader} {}", list(books))?;
        }
        if !self.leaderless.is_empty() {
            writeln!(f, "no node leads {}", list(&self.leaderless))?;
        }
        for (book, reason) in &self.faulted {
            writeln!(f, "faulted {book}: {reason}")?;
        }
        Ok(())
    }
}

impl Health {
    pub fn starting() -> Self {
        Self(Arc::new(RwLock::new(Readiness::Starting)))
    }

    pub fn readiness(&self) -> Readiness {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, readiness: Readiness) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // A process that is told to stop is not ready again, whoever leads.
        if *known != Readiness::Draining && *known != readiness {
            tracing::info!(readiness = readiness.text(), "readiness");
            *known = readiness;
        }
    }

    pub(crate) fn routes(&self) -> Router {
        let health = self.clone();
        Router::new()
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(async move || health.readiness().into_response()))
    }
}

impl Readiness {
    fn text(&self) -> String {
        match self {
            Self::Ready => "ready".to_owned(),
            Self::Among(spread) => spread.to_string().trim_end().replace('\n', "; "),
            Self::Starting => "starting".to_owned(),
            Self::Draining => "draining".to_owned(),
            Self::Faulted(reason) => format!("faulted: {reason}"),
        }
    }
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        match &self {
            Self::Ready => "ready\n".into_response(),
            Self::Among(spread) if spread.is_ready() => format!("ready\n{spread}").into_response(),
            _ => Problem::of(StatusCode::SERVICE_UNAVAILABLE).with_detail(self.text()).into_response(),
        }
    }
}
