//! Several nodes on one database: of each book one leads and decides, every one answers for all.
//!
//! The one idea: **who leads is advice; the journal decides.** A node that believes that it leads and does
//! not is told so by the journal's key when it appends or proves, and by nothing else. So beats and
//! take-overs may be as simple as they are: at worst they cost time.
//!
//! | noun | what it is | file |
//! |---|---|---|
//! | front | finds the book of a request by what it names, and asks who leads it | `forward.rs` |
//! | asking | one request, until it is answered: which may be asked again (`once.rs`), what is done next (`attempts.rs`) | `asking.rs` |
//! | envelope | what goes with a request from node to node | `envelope.rs` |
//! | watching | the node's thread: beats, and looks at the rows of all books at once | `watching.rs` |
//! | desk | one book as this node knows it | `desk.rs` |
//! | term | the time for which this node leads a book, on a thread of its own | `term.rs` |
//! | near | reads that may be a little old | `near.rs` |
//! | follow | a follower of a book, on a thread of its own, until there is a term | `follow.rs` |
//! | feeding | the thread that says to all followers where their books end, and how old that is | `feeding.rs` |
//! | spread | which node a book is for, if all have their way | `spread.rs` |
//!
//! | a node that, of the book | does with a request |
//! |---|---|
//! | leads | answers |
//! | follows | forwards it to the leader over the node port, and brings the answer back; a read that may be a little old is answered from its follower |
//! | knows no leader | waits for one, for a while, then says so |
//!
//! | phase of a desk | ends when |
//! |---|---|
//! | follow: look at the leader's beat | it stood still, or the lead was handed over: take the row |
//! | open: what was followed, or load and replay; append a barrier | done: lead; fenced: back off, follow |
//! | lead: answer | the book stopped: follow; the process is to end, or it is rather for another node: hand over |
//!
//! Whatever a node knew of a book is dropped when it stops leading it; then it follows anew.

mod asking;
mod attempts;
mod certificate;
mod complaints;
mod desk;
mod envelope;
mod feeding;
mod follow;
mod forward;
mod in_flight;
mod kept;
mod near;
mod once;
mod others;
mod peers;
mod phase;
mod spread;
mod standing;
mod term;
mod watching;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread::JoinHandle;
use std::time::Duration;

use access::Secret;
use axum::Router;
use dialect::{App, Limits};
use engine::{Entropy, SystemEntropy};
use journal::VaultKey;
use journal_postgres::{Ends, NodeId};
use tokio::sync::watch::channel;
use tokio_rustls::TlsAcceptor;

use crate::open_book::Source;
use crate::{BookError, BookOptions, Current, Listening, People, Readiness, ServeError, Server};
use certificate::Certificate;
use desk::Desk;
use feeding::{Feeding, Feeds, Interest};
use follow::Near;
use forward::{Front, Place};
use peers::Peers;
use phase::Phase;
pub use standing::{Standing, Standings};
use term::Grounds;
use watching::Watching;

/// What this node is to a book.
#[derive(Clone)]
pub(crate) enum Role {
    Leading(Led),
    /// Where the leader is reached.
    Following(String),
    /// Nobody leads, or nobody knows where.
    Leaderless,
}

/// The dialects over a running engine.
#[derive(Clone)]
pub(crate) struct Led {
    /// With all that is around a request which comes from outside.
    public: Router,
    /// The same, for one that another node has taken in: there it is asked again.
    node: Router,
    bare: Router,
    app: Arc<App>,
}

/// This node, among those that share its database.
pub struct Nodes {
    phase: Arc<Phase>,
    standings: Standings,
    current: Current,
    front: Arc<Front>,
    listening: Option<Listening>,
    server: Server,
    thread: JoinHandle<Option<BookError>>,
}

#[derive(Debug, thiserror::Error)]
pub enum NodesError {
    #[error(transparent)]
    Book(#[from] BookError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the node's thread does not start")]
    Thread(#[source] std::io::Error),
    #[error("the node's thread ended by a bug")]
    Bug,
}

/// How long a start waits to learn who leads the first book before it answers that nobody does.
const START_MAX: Duration = Duration::from_secs(3);

impl Nodes {
    /// Joins the nodes of the database that `options` name, and waits until it is known who leads.
    pub async fn join(
        server: Server,
        options: BookOptions,
        token: Option<Secret>,
        limits: Limits,
        people: People,
        show_token: fn(&Secret),
    ) -> Result<Self, NodesError> {
        let config = server.config();
        let url = options.journal.clone().unwrap_or_default();
        let source = Source::connect(&config.data, &url, &options)?;
        let mut fresh = [0; 32];
        SystemEntropy.fill(&mut fresh);
        let secret = source.database.nodes_secret(VaultKey(fresh)).map_err(BookError::from)?;
        let certificate = Certificate::new(&secret.0).map_err(ServeError::from)?;
        let peers = Peers::new(&certificate).map_err(ServeError::from)?;
        let placement = source.placement();
        let (mut desks, mut places, mut standings) = (Vec::new(), Vec::new(), Vec::new());
        let interest = Arc::<Interest>::default();
        for book in placement.books() {
            let (sender, role) = channel(Role::Leaderless);
            let (standing, near) = (Arc::<Standing>::default(), Arc::<Near>::default());
            desks.push(Desk::new(book, sender, Arc::clone(&standing), Arc::clone(&near)));
            places.push(Place { role, standing: Arc::clone(&standing), near });
            standings.push((book, standing));
        }
        let timeout = config.request_timeout();
        let front = Arc::new(Front { placement, places, peers, timeout, interest: Arc::clone(&interest) });
        let mut listening = None;
        let mut address = String::new();
        if let Some(listen) = &config.node_listen {
            let acceptor = TlsAcceptor::from(certificate.server().map_err(ServeError::from)?);
            let router = forward::node_router(Arc::clone(&front));
            let bound = server.bind_at(listen, Some(acceptor), channel(router).1).await?;
            address = advertised(config.node_advertise.as_deref(), bound.address());
            listening = Some(bound);
        }
        let mut me: NodeId = [0; 16];
        SystemEntropy.fill(&mut me);
        let rows = journal_postgres::Nodes::new(&source.database, me, &address, env!("CARGO_PKG_VERSION"));
        let feeds = config.followers.then(Feeds::default);
        let (phase, current) = (Arc::<Phase>::default(), Current::default());
        let grounds = Grounds {
            front: Arc::clone(&front),
            source,
            options,
            token,
            limits,
            people,
            show_token,
            runtime: tokio::runtime::Handle::current(),
            around: server.surrounding(),
            phase: Arc::clone(&phase),
            current: current.clone(),
            health: server.health().clone(),
            feeds: feeds.clone(),
            has_others: AtomicBool::new(false),
            takeovers: AtomicU64::new(0),
        };
        if let Some(feeds) = feeds {
            let ends = Ends::new(&grounds.source.database, me);
            let feeding = Feeding { ends, feeds, interest, phase: Arc::clone(&phase) };
            let thread = std::thread::Builder::new().name("feeds".to_owned());
            thread.spawn(move || feeding.run()).map_err(NodesError::Thread)?;
        }
        let watching = Watching { rows, me, desks, grounds: Arc::new(grounds) };
        let thread = std::thread::Builder::new().name("node".to_owned());
        let thread = thread.spawn(move || watching.run()).map_err(NodesError::Thread)?;
        phase.wakes(thread.thread().clone());
        // Who is alone leads in no time; who is not starts to forward, and waits for a leader per request.
        let mut first = front.role(engine::BookNumber::FIRST);
        let known = first.wait_for(|role| !matches!(role, Role::Leaderless));
        let ended = matches!(tokio::time::timeout(START_MAX, known).await, Ok(Err(_)));
        if ended {
            return match thread.join() {
                Ok(Some(failure)) => Err(failure.into()),
                _ => Err(NodesError::Bug),
            };
        }
        Ok(Self { phase, standings: Standings(standings), current, front, listening, server, thread })
    }

    /// What to show of the engines that run here.
    pub fn current(&self) -> &Current {
        &self.current
    }

    pub fn standings(&self) -> &Standings {
        &self.standings
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Serves until `stop` completes: hands its books over if there is somebody to take them, answers what was
    /// accepted, and leaves.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), NodesError> {
        let Self { phase, front, listening, server, thread, .. } = self;
        let health = server.health().clone();
        let router = forward::public_router(front, &server.surrounding());
        let public = server.bind_changing(channel(router).1).await?;
        let (ended_sender, ended) = tokio::sync::oneshot::channel::<()>();
        let node_port = listening.map(|listening| {
            tokio::spawn(listening.serve(async {
                // Whoever drops the sender says the same.
                _ = ended.await;
            }))
        });
        public.announce();
        let draining = Arc::clone(&phase);
        public
            .serve(async move {
                stop.await;
                health.set(Readiness::Draining);
                draining.begin(Phase::DRAINING);
            })
            .await;
        phase.begin(Phase::ENDING);
        let ended = tokio::task::spawn_blocking(|| thread.join()).await;
        drop(ended_sender);
        if let Some(node_port) = node_port {
            // What still stands on the node port is told to ask somebody else.
            _ = tokio::time::timeout(Duration::from_secs(1), node_port).await;
        }
        match ended {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(failure))) => Err(failure.into()),
            _ => Err(NodesError::Bug),
        }
    }
}

/// Where others find a node: what the operator says, with the port that was taken where none is said.
fn advertised(given: Option<&str>, bound: SocketAddr) -> String {
    match given {
        Some(given) => match given.strip_suffix(":0") {
            Some(host) => format!("{host}:{}", bound.port()),
            None => given.to_owned(),
        },
        None => bound.to_string(),
    }
}
