//! Several nodes on one database: one leads and decides, every one answers.
//!
//! The one idea: **who leads is advice; the journal decides.** A node that believes that it leads and does
//! not is told so by the journal's key when it appends or proves, and by nothing else. So beats and
//! take-overs may be as simple as they are: at worst they cost time.
//!
//! | a node that | does with a request |
//! |---|---|
//! | leads | answers |
//! | follows | forwards it to the leader over the node port, and brings the answer back |
//! | knows no leader | waits for one, for a while, then says so |
//!
//! | phase of a node | ends when |
//! |---|---|
//! | follow: look at the leader's beat | it stood still, or the lead was handed over: take the row |
//! | open: load, replay, append a barrier | done: lead; fenced: back off, follow |
//! | lead: beat, and answer | the book stopped: follow; the process is to end: hand over |
//!
//! Whatever a node knew of the book is dropped when it stops leading.
//! Left out: followers that keep a state of their own and serve reads from it.

mod certificate;
mod forward;
mod leading;
mod peers;
mod standing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use access::Secret;
use axum::Router;
use dialect::{Limits, Site};
use engine::{Entropy, SystemEntropy};
use journal::VaultKey;
use journal_postgres::NodeId;
use mail::Mailer;
use tokio::sync::watch::{Receiver, channel};
use tokio_rustls::TlsAcceptor;

use crate::books::Source;
use crate::listen::Surrounding;
use crate::{BooksError, BooksOptions, Current, Listening, Readiness, ServeError, Server};
use certificate::Certificate;
use forward::Forwarder;
use leading::{Leader, Phase};
use peers::Peers;
pub use standing::Standing;

/// What this node is to the book.
#[derive(Clone)]
pub(crate) enum Role {
    /// The dialects over the running engine.
    Leading(Router),
    /// Where the leader is reached.
    Following(String),
    /// Nobody leads, or nobody knows where.
    Leaderless,
}

/// This node, among those that share its database.
pub struct Nodes {
    phase: Arc<Phase>,
    standing: Arc<Standing>,
    current: Current,
    role: Receiver<Role>,
    listening: Option<Listening>,
    peers: Peers,
    server: Server,
    thread: JoinHandle<Option<BooksError>>,
}

#[derive(Debug, thiserror::Error)]
pub enum NodesError {
    #[error(transparent)]
    Books(#[from] BooksError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the node's thread does not start")]
    Thread(#[source] std::io::Error),
    #[error("the node's thread ended by a bug")]
    Bug,
}

/// How long a start waits to learn who leads before it answers that nobody does.
const START_MAX: Duration = Duration::from_secs(3);

impl Nodes {
    /// Joins the nodes of the database that `options` name, and waits until it is known who leads.
    pub async fn join(
        server: Server,
        options: BooksOptions,
        token: Option<Secret>,
        limits: Limits,
        people: (Site, Mailer),
        show_token: fn(&Secret),
    ) -> Result<Self, NodesError> {
        let config = server.config();
        let url = options.journal.clone().unwrap_or_default();
        let source = Source::connect(&config.data, &url, &options)?;
        let mut fresh = [0; 32];
        SystemEntropy.fill(&mut fresh);
        let secret = source.database.nodes_secret(VaultKey(fresh)).map_err(BooksError::from)?;
        let certificate = Certificate::new(&secret.0).map_err(ServeError::from)?;
        let peers = Peers::new(&certificate).map_err(ServeError::from)?;
        let (role_sender, role) = channel(Role::Leaderless);
        let mut listening = None;
        let mut address = String::new();
        if let Some(listen) = &config.node_listen {
            let acceptor = TlsAcceptor::from(certificate.server().map_err(ServeError::from)?);
            let routers = routers(&role, forward::node_router, &server);
            let bound = server.bind_at(listen, Some(acceptor), routers).await?;
            address = advertised(config.node_advertise.as_deref(), bound.address());
            listening = Some(bound);
        }
        let mut me: NodeId = [0; 16];
        SystemEntropy.fill(&mut me);
        let rows = journal_postgres::Nodes::new(&source.database, me, &address, env!("CARGO_PKG_VERSION"));
        let (phase, standing, current) = (Arc::<Phase>::default(), Arc::default(), Current::default());
        let leader = Leader {
            source,
            rows,
            me,
            directory: config.data.clone(),
            options,
            token,
            limits,
            people,
            show_token,
            runtime: tokio::runtime::Handle::current(),
            role: role_sender,
            phase: Arc::clone(&phase),
            standing: Arc::clone(&standing),
            current: current.clone(),
            health: server.health().clone(),
        };
        let thread = std::thread::Builder::new().name("node".to_owned());
        let thread = thread.spawn(move || leader.run()).map_err(NodesError::Thread)?;
        phase.wakes(thread.thread().clone());
        let mut nodes = Self { phase, standing, current, role, listening, peers, server, thread };
        // Who is alone leads in no time; who is not starts to forward, and waits for a leader per request.
        let known = nodes.role.wait_for(|role| !matches!(role, Role::Leaderless));
        let ended = matches!(tokio::time::timeout(START_MAX, known).await, Ok(Err(_)));
        if ended {
            return match nodes.thread.join() {
                Ok(Some(failure)) => Err(failure.into()),
                _ => Err(NodesError::Bug),
            };
        }
        Ok(nodes)
    }

    /// What to show of the engine that runs here, while one does.
    pub fn current(&self) -> &Current {
        &self.current
    }

    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Serves until `stop` completes: hands the lead over if there is somebody to take it, answers what was
    /// accepted, and leaves.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), NodesError> {
        let Self { phase, standing, role, listening, peers, server, thread, .. } = self;
        let timeout = server.config().request_timeout();
        let forwarder = Arc::new(Forwarder { role: role.clone(), peers, standing, timeout });
        let public = move |role: &Role, around: &Surrounding| match role {
            Role::Leading(router) => around.around(router.clone()),
            Role::Following(_) | Role::Leaderless => {
                around.around_all(forward::router(Arc::clone(&forwarder)))
            }
        };
        let routers = routers(&role, public, &server);
        let health = server.health().clone();
        let public = server.bind_changing(routers).await?;
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

/// The routers of one port, as the role changes.
fn routers(
    role: &Receiver<Role>,
    of: impl Fn(&Role, &Surrounding) -> Router + Send + 'static,
    server: &Server,
) -> Receiver<Router> {
    let around = server.surrounding();
    let mut role = role.clone();
    let first = of(&role.borrow_and_update(), &around);
    let (sender, routers) = channel(first);
    tokio::spawn(async move {
        while role.changed().await.is_ok() {
            let router = of(&role.borrow_and_update(), &around);
            drop(sender.send_replace(router));
        }
        // The last one stays, for as long as somebody listens.
        sender.closed().await;
    });
    routers
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

impl Standing {
    fn took_over(&self) -> u64 {
        self.takeovers.fetch_add(1, Ordering::Relaxed) + 1
    }
}
